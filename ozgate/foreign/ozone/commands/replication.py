"""How a cluster keeps keys, as ``--type`` and ``--replication`` of its shell say it."""

from __future__ import annotations

from typing import Any

from ....errors import Refused
from .session import Session

_CLIENT = "org.apache.hadoop.hdds.client"


def replication_of(session: Session, kind: str | None, replication: str | None) -> Any:
    """Ozone's ``ReplicationConfig``; ``None`` where nothing was said, which leaves it to the bucket and the cluster.

    :raises Refused: it is no such thing, in Ozone's words.
    """
    if not kind and not replication:
        return None
    if not kind:
        raise Refused("", f"Replication type must be specified for: {replication}")
    types = session.java(f"{_CLIENT}.ReplicationType")
    named = {str(each.name()): each for each in types.values()}
    if kind not in named:
        raise Refused("", f"{kind} is no type of replication: RATIS or EC")
    parse = session.java(f"{_CLIENT}.ReplicationConfig").parse
    return parse(named[kind], replication, session.configuration)


def default_replication(
    session: Session, kind: str | None, replication: str | None
) -> Any:
    """The same, as a bucket has it for its keys."""
    kept = replication_of(session, kind, replication)
    if kept is None:
        return None
    return session.java(f"{_CLIENT}.DefaultReplicationConfig")(kept)

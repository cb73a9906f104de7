"""The commands by name, and how one is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ....interfaces import IForeignCommands
from ....values import ITSELF
from . import acls, buckets, keys, s3secrets, volumes
from .session import Session, ask_as

if TYPE_CHECKING:
    from ..system import Connection

LOOKS: tuple[Callable[..., Any], ...] = (
    volumes.info_volume,
    volumes.list_volumes,
    buckets.info_bucket,
    buckets.list_buckets,
    acls.get_acl,
    keys.list_keys,
    keys.info_key,
    s3secrets.list_secrets,
)
"""Commands that change nothing."""

CHANGES: tuple[Callable[..., Any], ...] = (
    volumes.create_volume,
    volumes.update_volume,
    volumes.delete_volume,
    volumes.set_volume_quota,
    buckets.create_bucket,
    buckets.link_bucket,
    buckets.update_bucket,
    buckets.set_bucket_quota,
    buckets.delete_bucket,
    acls.add_acl,
    acls.remove_acl,
    acls.set_acl,
    keys.rename_key,
    keys.delete_key,
    s3secrets.get_secret,
    s3secrets.set_secret,
    s3secrets.revoke_secret,
)

_COMMANDS = {command.__name__: command for command in (*LOOKS, *CHANGES)}


@implementer(IForeignCommands)
class OzoneCommands:
    """What shells ask of a cluster.

    :param connection: by which it is asked.
    """

    names = frozenset(_COMMANDS)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(
        self, name: str, user: str, arguments: Mapping[str, object]
    ) -> Deferred[object]:
        """See :class:`~ozgate.interfaces.IForeignCommands`."""
        command = _COMMANDS[name]
        return self._connection.run(
            _asked,
            user,
            partial(command, **arguments),
            # Of the gateway's own client the configuration is taken, and nothing is asked.
            behalf=ITSELF,
            is_change=command in CHANGES,
        )


def _asked(client: Any, user: str, command: Callable[..., Any]) -> Any:
    def named(session: Session) -> Any:
        return command(session)

    return ask_as(user, client, named)

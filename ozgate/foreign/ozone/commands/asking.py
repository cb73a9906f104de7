"""The commands by name, and how one is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ....interfaces import IForeignCommands, IForeignReading, IForeignSink
from ....values import ITSELF
from . import acls, buckets, keybytes, keys, s3secrets, volumes
from .session import Session, ask_as

if TYPE_CHECKING:
    from ..system import Connection
    from ..writing import Writers

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
    :param writers: the keys that are being written, of which there are only so many at a time.
    """

    names = frozenset(_COMMANDS)

    def __init__(self, connection: Connection, writers: Writers) -> None:
        self._connection = connection
        self._writers = writers

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

    def open(
        self, user: str, volume: str, bucket: str, key: str
    ) -> Deferred[IForeignReading]:
        """See :class:`~ozgate.interfaces.IForeignCommands`."""
        connection = self._connection
        return connection.run(
            keybytes.look_up, connection, user, volume, bucket, key, behalf=ITSELF
        )

    def create(
        self,
        user: str,
        volume: str,
        bucket: str,
        key: str,
        size: int,
        replication_type: str = "",
        replication: str = "",
    ) -> Deferred[IForeignSink]:
        """See :class:`~ozgate.interfaces.IForeignCommands`."""
        opening = keybytes.opening_of(
            user, volume, bucket, key, size, replication_type, replication
        )
        return self._writers.open(opening, ITSELF)


def _asked(client: Any, user: str, command: Callable[..., Any]) -> Any:
    def named(session: Session) -> Any:
        return command(session)

    return ask_as(user, client, named)

"""The bytes of keys, as ``ozone sh key put`` and ``get`` move them: by a client of whoever calls, which ends with its stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ....values import ITSELF, ForeignObject
from ..found import object_of_details
from ..reading import OzoneReading
from .replication import replication_of
from .session import Session, begin_as

if TYPE_CHECKING:
    from ..client import Client
    from ..keystream import Opening
    from ..system import Connection


class _Ending:
    """A stream of Java's, with which a client ends."""

    def __init__(self, stream: Any, end: Callable[[], None]) -> None:
        self._stream = stream
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._end()


class _Details:
    """A key that was looked up, whose client ends with the stream of its bytes.

    :ivar is_read: whether there is such a stream.
    """

    def __init__(self, details: Any, end: Callable[[], None]) -> None:
        self._details = details
        self.end = end
        self.is_read = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._details, name)

    def getContent(self) -> _Ending:
        stream = self._details.getContent()
        self.is_read = True
        return _Ending(stream, self.end)


class _Reading(OzoneReading):
    """A key that is read once, by a client of its own."""

    def __init__(
        self, connection: Connection, found: ForeignObject, details: _Details
    ) -> None:
        super().__init__(connection, ITSELF, found, details, 0, found.size)
        self._own: _Details | None = details

    def close(self) -> None:
        """See :class:`~ozgate.interfaces.IForeignReading`."""
        super().close()
        own, self._own = self._own, None
        if own is not None and not own.is_read:
            self._connection.calls.release(own.end)


def look_up(
    client: Client,
    connection: Connection,
    user: str,
    volume: str,
    bucket: str,
    key: str,
) -> OzoneReading:
    """Look a key up to read it, in a thread."""

    def find(session: Session) -> OzoneReading:
        details = session.bucket(volume, bucket).getKey(key)
        found = object_of_details(client, details)
        return _Reading(connection, found, _Details(details, session.close))

    return begin_as(user, client, find)


def opening_of(
    user: str,
    volume: str,
    bucket: str,
    key: str,
    size: int,
    replication_type: str,
    replication: str,
) -> Opening:
    """What opens the stream of a key that somebody makes or replaces."""

    def begin(session: Session) -> Any:
        found = session.bucket(volume, bucket)
        kept = replication_of(session, replication_type, replication)
        metadata = session.java("java.util.HashMap")()
        if found.getMetadata().get("gdprEnabled") == "true":
            metadata.put("gdprEnabled", "true")
        stream = found.createKey(key, size, kept, metadata)
        return _Ending(stream, session.close)

    return lambda client: begin_as(user, client, begin)

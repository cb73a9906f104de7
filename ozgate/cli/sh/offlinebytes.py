"""The bytes of keys, between local files and the stores, while the service is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from twisted.internet.interfaces import IConsumer, IProducer, IReactorTime
from zope.interface import implementer

from ...admin.caller import Caller
from ...admin.commands.keys import get_key, put_key
from ...admin.context import AdminContext
from ...admin.errors import AdminError
from ...wire.body import RequestBody
from ..offline import Stores
from .keybytes import BLOCK, Get, Put, Tell, read_block


def put(stores: Stores, request: Put) -> None:
    """Store a key.

    :raises AdminError: it was refused.
    """

    async def perform(context: AdminContext, caller: Caller) -> None:
        request.file.seek(0)
        source = FileBody(stores.reactor, request.file, request.size, request.tell)
        await put_key(context, caller, body=source.body, **request.names)

    stores.perform(perform)


def get(stores: Stores, request: Get) -> None:
    """Fetch a key.

    :raises AdminError: it was refused.
    """

    async def perform(context: AdminContext, caller: Caller) -> None:
        reply = await get_key(context, caller, **request.names)
        if reply.sources is None:
            request.keep(reply.body)
            return
        await reply.sources.send_to(_Written(request.keep))

    stores.perform(perform)


class FileBody:
    """A file as the source of a request's body, for use without a connection.

    :ivar body: what is to be taken. A turn of the reactor gives it a block.
    """

    def __init__(
        self, reactor: IReactorTime, file: BinaryIO, size: int, tell: Tell
    ) -> None:
        self._reactor = reactor
        self._file = file
        self._left = size
        self._tell = tell
        self._next: Any = None
        self.body = RequestBody(self, size)

    def pause_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`, as for the others."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def resume_body(self) -> None:
        """Give a block in the next turn."""
        if self._next is None and self._left:
            self._next = self._reactor.callLater(0, self._give)

    def send_continue(self) -> None:
        """Nobody waits."""

    def drain_body(self) -> None:
        """Nothing more is wanted."""
        self.pause_body()

    def _give(self) -> None:
        self._next = None
        try:
            data = read_block(self._file, min(self._left, BLOCK))
        except AdminError as error:
            self.body.failed(error)
            return
        self._left -= len(data)
        self._tell(len(data))
        # In this order: giving may pause.
        self.resume_body()
        self.body.data_received(data)
        if not self._left:
            self.body.all_received()


@implementer(IConsumer)
class _Written:
    """A consumer that writes: files take all there is."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.write = write

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """It is never paused."""

    def unregisterProducer(self) -> None:
        """It has written all."""

"""Frames: runs of bytes, each with a number, over a stream socket between two processes of one service."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from struct import Struct

_HEAD = Struct("<QQ")
"""Bytes of what follows, and its number."""

ROOM = 1 << 20
"""Bytes that wait in the kernel, and are received, at most at a time: some 15 bodies of 64 KiB, of which the kernel takes three by default. A longer frame makes room for itself."""


class Frames:
    """One end of a connection; never waits.

    :param end: a connected stream socket, which is this one's from now on.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        # As much of it as the system lets it be.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
        self._end = end
        self._going: list[memoryview] = []
        self._come = memoryview(bytearray(ROOM))
        self._begun, self._filled, self._needed = 0, 0, _HEAD.size

    def fileno(self) -> int:
        """The socket's descriptor; -1 once it is closed."""
        return self._end.fileno()

    def send(self, number: int, payload: Sequence[bytes | memoryview]) -> bool:
        """Send a frame.

        :param payload: what is in it, in pieces, which nobody changes any more.
        :return: whether all has gone that was to be sent; :meth:`go_on` sends the rest.
        :raises OSError: the connection is lost.
        """
        length = sum(map(len, payload))
        self._going += map(memoryview, (_HEAD.pack(length, number), *payload))
        return self.go_on()

    def go_on(self) -> bool:
        """Send as much of the rest as the socket takes; whether all has gone.

        :raises OSError: the connection is lost.
        """
        going = self._going
        with suppress(BlockingIOError):
            while going:
                sent = self._end.sendmsg(going[:64])
                while going and sent >= len(going[0]):
                    sent -= len(going.pop(0))
                if sent:
                    going[0] = going[0][sent:]
        return not going

    def received(self) -> list[tuple[int, memoryview]]:
        """The frames that have come whole: their numbers, and what is in them until the next call.

        :raises EOFError: the other end is closed, and all that it has sent was received before.
        :raises OSError: the connection is lost.
        """
        self._make_room()
        try:
            count = self._end.recv_into(self._come[self._filled :])
        except BlockingIOError:
            return []
        if not count:
            raise EOFError
        self._filled += count
        return self._whole()

    def cut(self) -> None:
        """Have both ends find the connection ended."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection; what has not gone is lost."""
        self._end.close()

    def _make_room(self) -> None:
        """Put what has come of a frame at the beginning, of a larger place if it needs one."""
        rest = self._come[self._begun : self._filled]
        if self._needed > len(self._come) or len(self._come) > ROOM > self._needed:
            self._come = memoryview(bytearray(max(self._needed, ROOM)))
        self._come[: len(rest)] = rest
        self._begun, self._filled = 0, len(rest)

    def _whole(self) -> list[tuple[int, memoryview]]:
        come, filled, frames = self._come, self._filled, []
        at, end = 0, _HEAD.size
        while end <= filled:
            length, number = _HEAD.unpack_from(come, at)
            if end + length > filled:
                end += length
                break
            frames.append((number, come[end : end + length]))
            at = end + length
            end = at + _HEAD.size
        self._begun, self._needed = at, end - at
        return frames

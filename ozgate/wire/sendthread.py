"""Sending a large part of a file in a thread, to a client that is fast.

Each time that such a client makes room for 2 MiB costs the reactor a turn, which is a third of what the kernel takes to send as much;
a thread has the kernel wait. For that the socket blocks, for as long as the thread has it: nobody else writes to it then, and the reactor reads what is there.
"""

from __future__ import annotations

import os
import socket
import struct
import time

from .pagecache import drop_sent

LARGE = 32 << 20
"""Bytes left of an answer that are worth a thread."""

FAST = 1 << 20
"""Bytes that a client takes at once that is worth a thread."""

MOST = 2
"""Threads that send at once. All others go by the reactor's turns."""

PATIENCE = 5
"""Milliseconds that a thread waits for a client to make room. The reactor waits for those that take longer."""

SLOW, TRIES = 256 << 10, 4
"""Bytes that a client takes at least while it is waited for, and how often in a row it may take fewer."""

PIECE = 16 << 20
"""Bytes given to the kernel at once, which sends them as the client makes room. With a call for each time that it does, some 2 MiB, Python takes
a fifth of what the kernel takes to send. It sends 64 KiB at a time and waits as long as said for each, so a call lasts 1.3 seconds at worst."""

LASTS = 0.2
"""Seconds after which a thread says how far it is: by that a client is held to its rate."""

BURST = 4 << 20
"""Bytes given to a socket at once, so that others get their turn."""

_PATIENCE = struct.pack("ll", 0, PATIENCE * 1000)


class Part:
    """A part of a file on its way to a socket, in a thread.

    It has descriptors of its own, for those that it was given may be closed meanwhile, and others be opened under their numbers.

    :param uncached: what was sent is to leave the page cache.
    :ivar stopped: set when nobody wants it any more: the connection is being cut.
    """

    def __init__(
        self, out: socket.socket, fd: int, offset: int, count: int, uncached: bool
    ) -> None:
        self._out = out.dup()
        try:
            self._fd = os.dup(fd)
        except OSError:
            self._out.close()
            raise
        self._offset = offset
        self._count = count
        self._uncached = uncached
        self.stopped = False

    def run(self) -> int:
        """Send for a while. Runs in a thread.

        :return: bytes sent. Whatever went wrong the reactor finds out, when it goes on.
        """
        try:
            self._out.setblocking(True)
            self._out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)
            return self._send()
        finally:
            self._out.setblocking(False)
            self.close()

    def close(self) -> None:
        """Give its descriptors back, as :meth:`run` does at its end: as long as they are there the connection is. Idempotent."""
        self._out.close()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _send(self) -> int:
        out, until, sent, slow = self._out.fileno(), time.monotonic() + LASTS, 0, 0
        while sent < self._count and slow < TRIES and not self.stopped:
            count = min(self._count - sent, PIECE)
            try:
                found = os.sendfile(out, self._fd, self._offset + sent, count)
            except BlockingIOError:
                found = 0
            except OSError:
                break
            if self._uncached:
                drop_sent(self._fd, self._offset + sent, found)
            sent += found
            slow = 0 if found > SLOW else slow + 1
            if time.monotonic() > until:
                break
        return sent

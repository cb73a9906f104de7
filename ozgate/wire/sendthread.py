"""Sending a large part of a file in a thread, to a client that is fast.

Each time that such a client makes room for 2 MiB costs the reactor a turn, which is a third of what the kernel takes to send as much;
a thread only waits and sends.
"""

from __future__ import annotations

import os
import select
import time

LARGE = 32 << 20
"""Bytes left of an answer that are worth a thread."""

FAST = 1 << 20
"""Bytes that a client takes at once that is worth a thread."""

MOST = 2
"""Threads that send at once. All others go by the reactor's turns."""

PATIENCE = 20
"""Milliseconds that a thread waits for a client to make room. The reactor waits for those that take longer."""

LASTS = 0.2
"""Seconds after which a thread says how far it is: by that a client is held to its rate."""

BURST = 4 << 20
"""Bytes given to a socket at once, so that others get their turn."""


class Part:
    """A part of a file on its way to a socket, in a thread.

    It has descriptors of its own, for those that it was given may be closed meanwhile, and others be opened under their numbers.

    :ivar stopped: set when nobody wants it any more: the connection is being cut.
    """

    def __init__(self, out: int, fd: int, offset: int, count: int) -> None:
        self._out = os.dup(out)
        try:
            self._fd = os.dup(fd)
        except OSError:
            os.close(self._out)
            raise
        self._offset = offset
        self._count = count
        self.stopped = False

    def run(self) -> int:
        """Send for a while. Runs in a thread.

        :return: bytes sent. Whatever went wrong the reactor finds out, when it goes on.
        """
        try:
            return self._send()
        finally:
            self.close()

    def close(self) -> None:
        """Give its descriptors back, as :meth:`run` does at its end: as long as they are there the connection is. Idempotent."""
        held, self._out, self._fd = (self._out, self._fd), -1, -1
        for fd in held:
            if fd >= 0:
                os.close(fd)

    def _send(self) -> int:
        poll = select.poll()
        poll.register(self._out, select.POLLOUT)
        until, sent = time.monotonic() + LASTS, 0
        while sent < self._count and time.monotonic() < until:
            if not poll.poll(PATIENCE) or self.stopped:
                break
            count = min(self._count - sent, BURST)
            try:
                found = os.sendfile(self._out, self._fd, self._offset + sent, count)
            except BlockingIOError:
                continue
            except OSError:
                break
            if not found:
                break
            sent += found
        return sent

"""Whether the other end of a socket has said all, asked of the operating system without reading what it said."""

from __future__ import annotations

import select
from typing import Protocol


class HasDescriptor(Protocol):
    """What has a socket."""

    def fileno(self) -> int:
        """Its file descriptor."""


def has_shut(socket: HasDescriptor) -> bool:
    """Whether the peer has closed its half, or all, of a connection: what it sent before may still be unread.

    Source: poll(2), ``POLLRDHUP``; the reactor's readers learn of it only where they read on.
    """
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))

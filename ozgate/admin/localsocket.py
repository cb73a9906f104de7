"""``admin.sock`` in the data folder: how the service listens there, and how a command reaches it.

Paths of Unix sockets have 107 bytes at most, and data folders may be deep; so the socket is addressed through
a descriptor of its folder.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

NAME = "admin.sock"


class LocalPort:
    """Listens on the socket; one that a crash has left is replaced, for the data folder is locked.

    :param mode: of the socket. Where that lets others in, they may pass through the folder too, but not list it.
    :raises OSError: it cannot be made.
    """

    def __init__(
        self, reactor: Any, data: str, mode: int, factory: IProtocolFactory
    ) -> None:
        # Twisted makes the socket everybody's for a moment: nobody else gets there.
        os.chmod(data, 0o700)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(data, NAME))
        # Kept until the end, when Twisted removes the socket by this path.
        self._folder = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            path = _path_in(self._folder)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
                listening.bind(path)
                listening.setblocking(False)
                self._port: IListeningPort = reactor.adoptStreamPort(
                    listening.fileno(), socket.AF_UNIX, factory
                )
            os.chmod(path, mode)
            through = (mode & 0o060 and 0o010) | (mode & 0o006 and 0o001)
            os.chmod(data, 0o700 | through)
        except BaseException:
            os.close(self._folder)
            raise

    async def close(self) -> None:
        """Stop listening, and leave no socket behind."""
        await maybeDeferred(self._port.stopListening)
        os.close(self._folder)


def connect_local(data: str) -> socket.socket:
    """A connection to the service that has a data folder.

    :raises OSError: nobody listens there, or this user may not.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # As a place only, for which passing through the folder is enough.
        folder = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            connection.connect(_path_in(folder))
        finally:
            os.close(folder)
    except OSError:
        connection.close()
        raise
    return connection


def _path_in(folder: int) -> str:
    return f"/proc/self/fd/{folder}/{NAME}"

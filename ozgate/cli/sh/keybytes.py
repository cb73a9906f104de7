"""The bytes of keys, between local files and the service."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlencode

from ...admin.errors import AdminError
from ...immutable import frozen

if TYPE_CHECKING:
    from ..offline import Stores

BLOCK = 256 << 10
"""Bytes that are read, written and told of at a time."""

Tell = Callable[[int], None]
"""Is told how many more bytes have passed."""


@frozen
class Put:
    """A key to be stored; see :class:`~ozgate.cli.asking.Request`.

    :ivar names: volume, bucket and key; how an Ozone cluster keeps it.
    :ivar file: where the bytes are, from its start.
    :ivar size: how many; what the file has besides is left out.
    """

    names: Mapping[str, str]
    file: BinaryIO
    size: int
    tell: Tell

    def send(
        self, connection: HTTPConnection, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """Send the bytes, until the service answers: it does so early where it refuses them."""
        self.file.seek(0)
        connection.putrequest("POST", f"/ozgate/v1/put_key?{urlencode(self.names)}")
        sent = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self.size),
            **headers,
        }
        for name, value in sent.items():
            connection.putheader(name, value)
        left = self.size
        try:
            connection.endheaders()
            while left and not _answered(connection.sock):
                data = read_block(self.file, min(left, BLOCK))
                connection.send(data)
                left -= len(data)
                self.tell(len(data))
        except (BrokenPipeError, ConnectionResetError):
            # It has answered and closed; what it said comes next.
            pass
        return connection.getresponse()

    def read(self, response: HTTPResponse) -> Any:
        """It is stored."""
        response.read()

    def run(self, stores: Stores) -> Any:
        """Store it by ourselves."""
        from .offlinebytes import put

        put(stores, self)


@frozen
class Get:
    """A key to be fetched; see :class:`~ozgate.cli.asking.Request`.

    :ivar names: volume, bucket and key.
    :ivar file: where the bytes go.
    """

    names: Mapping[str, str]
    file: BinaryIO
    tell: Tell

    def send(
        self, connection: HTTPConnection, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """Send the names."""
        sent = {"Content-Type": "application/json", **headers}
        body = json.dumps(dict(self.names)).encode()
        connection.request("POST", "/ozgate/v1/get_key", body, sent)
        return connection.getresponse()

    def read(self, response: HTTPResponse) -> Any:
        """Write the bytes to the file.

        :raises IncompleteRead: there were fewer than announced.
        """
        left = int(response.getheader("Content-Length") or 0)
        while left:
            data = response.read(min(left, BLOCK))
            if not data:
                raise IncompleteRead(b"", left)
            left -= len(data)
            self.keep(data)

    def run(self, stores: Stores) -> Any:
        """Fetch it by ourselves."""
        from .offlinebytes import get

        get(stores, self)

    def keep(self, data: bytes) -> None:
        """Write some of them.

        :raises AdminError: the file cannot take them.
        """
        try:
            self.file.write(data)
        except OSError as error:
            raise AdminError("IO_ERROR", error.strerror or str(error)) from None
        self.tell(len(data))


def read_block(file: BinaryIO, size: int) -> bytes:
    """The next bytes of a file.

    :raises AdminError: there are none, or they cannot be read.
    """
    try:
        data = file.read(size)
    except OSError as error:
        raise AdminError("IO_ERROR", error.strerror or str(error)) from None
    if not data:
        raise AdminError("IO_ERROR", "the file became shorter while it was read")
    return data


def _answered(sock: Any) -> bool:
    """Whether a service has answered already. Not to be told over TLS, which has messages of its own."""
    if type(sock) is not socket.socket:
        return False
    return bool(select.select([sock], [], [], 0)[0])

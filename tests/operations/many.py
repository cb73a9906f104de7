"""Objects of many extents, put straight into the stores, and clients that read slowly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ozgate.auth.sigv4 import sign
from ozgate.background.reaper import Reaper
from ozgate.content.intake import store
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.inmemory import CLIENT, join, settle
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Content, Extent, ObjectPart, ObjectVersion
from tests.operations.support import REGION, SECRETS, URL
from tests.operations.uploads import ObjectTestCase


class Reader(Protocol):
    """Asks, and reads nothing until it is told to.

    :ivar enough: bytes after which it stops reading.
    """

    transport: Any
    enough = 1 << 60

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.heard = bytearray()
        self.gone = False

    @property
    def body(self) -> bytes:
        """What it has of the body."""
        return bytes(self.heard.partition(b"\r\n\r\n")[2])

    def connectionMade(self) -> None:
        """Ask."""
        self.transport.pauseProducing()
        self.transport.write(self.request)

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data
        if len(self.heard) >= self.enough:
            self.transport.pauseProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        self.gone = True


class ManyExtentsTestCase(ObjectTestCase):
    """Has objects of many extents."""

    async def add_object(
        self, *data: bytes, key: str = "key", times: int = 1
    ) -> list[Extent]:
        """Put an object straight into the stores: each of these bytes is a blob, an extent and a part.

        :param times: how often they follow each other.
        """
        gateway = self.client.gateway
        made = [
            extent for each in data for extent in (await store(gateway, each)).extents
        ]
        # Each is one of its own, as extents are that come from rows.
        extents = tuple(evolve(each) for each in made * times)
        parts = [
            ObjectPart(number, extent.length)
            for number, extent in enumerate(extents, 1)
        ]
        content = Content(None, extents)
        volume = gateway.settings.volume_name
        await gateway.metadata.write(_add_object, volume, key, content, parts)
        return made

    def slowly(self, target: str = "/bucket/key") -> Reader:
        """A client that asked and does not read yet."""
        now, secret = self.clock.seconds(), SECRETS["testuser"]
        signed = sign("GET", URL + target, {}, "testuser", secret, REGION, now)
        lines = [f"GET {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in signed.items()]
        reader = Reader("\r\n".join([*lines, "", ""]).encode())
        channel = self.client.site.buildProtocol(CLIENT)
        join(self.clock, channel, reader)
        settle(self.clock)
        return reader

    def read_on(self, reader: Reader) -> None:
        """Have a client read all there is, and go."""
        reader.transport.resumeProducing()
        settle(self.clock)
        reader.transport.loseConnection()
        settle(self.clock)

    async def reap(self) -> int:
        """What the service does in the background: two rounds, some time between them."""
        gateway = self.client.gateway
        reaper = Reaper(
            *(gateway.metadata, gateway.blobs.default, gateway.readers),
            *(self.clock, "owner", 0.0),
        )
        deleted = 0
        for _ in range(2):
            # Not so long that a client is given up.
            self.clock.advance(0.01)
            deleted += await reaper.reap()
        return deleted


def _add_object(
    tx: IMetadataTransaction,
    volume: str,
    key: str,
    content: Content,
    parts: Sequence[ObjectPart],
) -> None:
    bucket = tx.bucket(volume, "bucket")
    assert bucket is not None
    claim_whole(tx, bucket)
    version = ObjectVersion(
        *(key, tx.next_sequence(), tx.now(), content.length, "e" * 32 + "-9"),
        owner="testuser",
        parts_count=len(parts),
    )
    tx.add_version(bucket, version, content, parts)

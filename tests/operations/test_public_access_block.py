"""PutPublicAccessBlock, GetPublicAccessBlock, DeletePublicAccessBlock."""

from __future__ import annotations

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.configuration.publicaccess import ALL, DELETED, PublicAccessBlock
from tests.operations.past import VOLUME, PastTestCase
from tests.operations.support import Response, checked

NAMES = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)
TARGET = "/bucket?publicAccessBlock"


def blocks(**wanted: str) -> bytes:
    """A document ``PublicAccessBlockConfiguration``."""
    rows = "".join(f"<{name}>{text}</{name}>" for name, text in wanted.items())
    root = "PublicAccessBlockConfiguration"
    return f"<{root}>{rows}</{root}>".encode()


OFF = blocks(**dict.fromkeys(NAMES, "false"))


def _configured(tx: IMetadataTransaction) -> frozenset[str]:
    found = tx.bucket(VOLUME, "bucket")
    assert found is not None
    configured: frozenset[str] = found.configured
    return configured


class PublicAccessBlockTests(PastTestCase):
    """The blocks of a bucket."""

    async def put(self, body: bytes, target: str = TARGET) -> Response:
        """Send a document with its MD5."""
        return await self.client.request("PUT", target, checked(body), body)

    async def shown(self, target: str = TARGET) -> list[str | None]:
        """What is shown of each block."""
        response = await self.client.request("GET", target)
        self.assertEqual(response.status, 200)
        self.assertEqual(response.xml().tag, "PublicAccessBlockConfiguration")
        self.assertEqual(response.names(), list(NAMES))
        return [response.text(name) for name in NAMES]

    async def test_new(self) -> None:
        """A bucket that nobody said anything about has all four, as a new one on AWS, and no document."""
        self.assertEqual(await self.shown(), ["true"] * 4)
        read = self.client.gateway.metadata.read
        self.assertEqual(await read(_configured), frozenset())

    async def test_put(self) -> None:
        """What is put is shown; a block that is not named is off."""
        done = await self.put(blocks(BlockPublicAcls="true", BlockPublicPolicy="TRUE"))
        self.assertEqual((done.status, done.body), (200, b""))
        self.assertEqual(await self.shown(), ["true", "false", "true", "false"])
        await self.put(OFF)
        self.assertEqual(await self.shown(), ["false"] * 4)

    async def test_deleted(self) -> None:
        """After a removal there are none, which is not the same as never any; a second removal changes nothing."""
        for _ in range(2):
            done = await self.client.request("DELETE", TARGET)
            self.assertEqual((done.status, done.body), (204, b""))
            response = await self.refused(
                self.client.request("GET", TARGET),
                404,
                "NoSuchPublicAccessBlockConfiguration",
            )
            self.assertEqual(response.text("BucketName"), "bucket")
        await self.put(blocks(BlockPublicAcls="true"))
        self.assertEqual(await self.shown(), ["true", "false", "false", "false"])

    async def test_bad_documents(self) -> None:
        """Another document changes nothing."""
        twice = OFF.replace(b"</Pub", b"<BlockPublicAcls>true</BlockPublicAcls></Pub")
        for body, code in (
            (b"", "MissingRequestBodyError"),
            (b"<x/>", "MalformedXML"),
            (blocks(), "InvalidRequest"),
            (blocks(BlockPublicAcls="yes"), "MalformedXML"),
            (blocks(BlockPublicAcls=""), "MalformedXML"),
            (blocks(Other="true"), "MalformedXML"),
            (twice, "MalformedXML"),
        ):
            await self.refused(self.put(body), 400, code)
        asked = self.client.request("PUT", TARGET, body=OFF)
        await self.refused(asked, 400, "InvalidRequest")
        self.assertEqual(await self.shown(), ["true"] * 4)

    async def test_absent_bucket(self) -> None:
        """A bucket that is not there has none."""
        other = "/nowhere?publicAccessBlock"
        for method, body in (("GET", b""), ("PUT", OFF), ("DELETE", b"")):
            asked = self.client.request(method, other, checked(body), body)
            await self.refused(asked, 404, "NoSuchBucket")

    async def test_link(self) -> None:
        """Through a link they are those of the bucket that it leads to."""
        await self.link("link", "bucket")
        self.assertEqual((await self.put(OFF, "/link?publicAccessBlock")).status, 200)
        self.assertEqual(await self.shown(), ["false"] * 4)
        self.assertEqual(await self.shown("/link?publicAccessBlock"), ["false"] * 4)

    def test_values(self) -> None:
        """What was deleted is none of the states that can be put."""
        self.assertNotEqual(DELETED, PublicAccessBlock(False, False, False, False))
        self.assertNotEqual(DELETED, ALL)

"""DeleteObjects."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5
from xml.sax.saxutils import escape

from ozgate.s3.policy import decide
from tests.operations.support import OperationTestCase, Response

ETAG = "d41d8cd98f00b204e9800998ecf8427e"


def document(*keys: str, quiet: str = "") -> bytes:
    """A document ``Delete``."""
    objects = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
    return (
        '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{objects}{quiet}</Delete>"
    ).encode()


class DeleteObjectsTests(OperationTestCase):
    """DeleteObjects."""

    async def delete(self, body: bytes, **headers: str) -> Response:
        """Send a document with its MD5."""
        digest = b64encode(md5(body).digest()).decode()
        return await self.client.request(
            "POST", "/bucket?delete", {"content-md5": digest, **headers}, body
        )

    async def keys(self) -> list[str]:
        """All keys there are."""
        return (await self.client.request("GET", "/bucket")).texts("Contents/Key")

    async def test_removed(self) -> None:
        """Objects go, those that were not there count as deleted, and the answer names each."""
        await self.add_objects("a", "b", "c")
        response = await self.delete(document("a", "absent", "c"))
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/xml")
        self.assertEqual(response.xml().tag, "DeleteResult")
        self.assertEqual(response.texts("Deleted/Key"), ["a", "absent", "c"])
        self.assertEqual(response.texts("Error"), [])
        self.assertEqual(await self.keys(), ["b"])

    async def test_quiet(self) -> None:
        """Quiet: only errors are named, wherever the element is."""
        await self.add_objects("a")
        response = await self.delete(
            document("a", "k" * 1025, quiet="<Quiet>true</Quiet>")
        )
        self.assertEqual(response.texts("Deleted/Key"), [])
        self.assertEqual(response.texts("Error/Code"), ["KeyTooLongError"])
        self.assertEqual(await self.keys(), [])

    async def test_not_quiet(self) -> None:
        """Quiet may be said to be false."""
        response = await self.delete(document("a", quiet="<Quiet>false</Quiet>"))
        self.assertEqual(response.texts("Deleted/Key"), ["a"])

    async def test_odd_keys(self) -> None:
        """Keys of any characters are removed as they are, spaces and line ends too."""
        keys = [" a ", "a&b<c>", "é😀", "a//b", "../x"]
        await self.add_objects(*keys)
        response = await self.delete(document(*keys))
        self.assertEqual(response.texts("Deleted/Key"), keys)
        self.assertEqual(await self.keys(), [])

    async def test_each_key_is_authorized(self) -> None:
        """A key that may not be removed is an AccessDenied of its own, and the others go; a closed bucket answers for all."""
        await self.add_objects("a", "b", "c")

        def deny(question: decide.Question) -> bool | None:
            return False if question.key == "b" else None

        self.patch(decide, "RULES", (deny, *decide.RULES))
        response = await self.delete(document("a", "b", "c"))
        self.assertEqual(response.status, 200)
        self.assertEqual(response.texts("Deleted/Key"), ["a", "c"])
        self.assertEqual(response.texts("Error/Key"), ["b"])
        self.assertEqual(response.texts("Error/Code"), ["AccessDenied"])
        self.assertEqual(await self.keys(), ["b"])
        self.client = self.client.as_user("other")
        await self.refused(self.delete(document("a")), 403, "AccessDenied")

    async def test_same_key_twice(self) -> None:
        """A key that is there twice is removed once, and named twice."""
        await self.add_objects("a")
        response = await self.delete(document("a", "a"))
        self.assertEqual(response.texts("Deleted/Key"), ["a", "a"])

    async def test_versions(self) -> None:
        """A version may be named; a bad id is an error of that one object."""
        await self.add_objects("a", "b")
        body = (
            b"<Delete><Object><Key>a</Key><VersionId>null</VersionId></Object>"
            b"<Object><Key>b</Key><VersionId>x</VersionId></Object></Delete>"
        )
        response = await self.delete(body)
        self.assertEqual(response.text("Deleted/Key"), "a")
        self.assertEqual(response.text("Deleted/VersionId"), "null")
        self.assertEqual(response.text("Error/Key"), "b")
        self.assertEqual(response.text("Error/VersionId"), "x")
        self.assertEqual(response.text("Error/Code"), "InvalidArgument")
        self.assertEqual(await self.keys(), ["b"])

    async def test_delete_marker(self) -> None:
        """A delete marker that is removed is said to have been one."""
        version = "1" * 32
        await self.add_objects("a", version_id=version, is_delete_marker=True)
        body = f"<Delete><Object><Key>a</Key><VersionId>{version}</VersionId></Object></Delete>"
        response = await self.delete(body.encode())
        self.assertEqual(response.text("Deleted/DeleteMarker"), "true")
        self.assertEqual(response.text("Deleted/DeleteMarkerVersionId"), version)

    async def test_conditions(self) -> None:
        """Each object may have conditions; those that fail are errors, and the object stays."""
        await self.add_objects("a", "b", "c", size=3)
        body = (
            f"<Delete><Object><Key>a</Key><ETag>&quot;{ETAG}&quot;</ETag></Object>"
            "<Object><Key>b</Key><ETag>0123</ETag></Object>"
            "<Object><Key>c</Key><Size>4</Size></Object></Delete>"
        )
        response = await self.delete(body.encode())
        self.assertEqual(response.texts("Deleted/Key"), ["a"])
        self.assertEqual(response.texts("Error/Key"), ["b", "c"])
        self.assertEqual(response.texts("Error/Code"), ["PreconditionFailed"] * 2)
        self.assertEqual(await self.keys(), ["b", "c"])

    async def test_thousand(self) -> None:
        """A thousand objects may go at once, one more may not."""
        keys = [f"key-{number:04}" for number in range(1001)]
        await self.add_objects(*keys)
        await self.refused(self.delete(document(*keys)), 400, "MalformedXML")
        response = await self.delete(document(*keys[:1000]))
        self.assertEqual(len(response.texts("Deleted/Key")), 1000)
        self.assertEqual(await self.keys(), keys[1000:])

    async def test_malformed(self) -> None:
        """Documents that S3 does not have remove nothing."""
        await self.add_objects("a")
        for body in (
            b"<Delete/>",
            b"<Delete><Quiet>true</Quiet></Delete>",
            b"<Other><Object><Key>a</Key></Object></Other>",
            b"<Delete><Object/></Delete>",
            b"<Delete><Object><Key/></Object></Delete>",
            b"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
            b"<Delete><Object><Key>a</Key><Odd/></Object></Delete>",
            b"<Delete><Object><Key>a</Key></Object><Quiet>maybe</Quiet></Delete>",
            b"<Delete><Object><Key>a</Key></Object>",
            b'<!DOCTYPE x [<!ENTITY e "a">]><Delete><Object><Key>&e;</Key></Object></Delete>',
        ):
            await self.refused(self.delete(body), 400, "MalformedXML")
        self.assertEqual(await self.keys(), ["a"])

    async def test_checksum_required(self) -> None:
        """A document without any checksum is refused, and removes nothing."""
        await self.add_objects("a")
        await self.refused(
            self.client.request("POST", "/bucket?delete", {}, document("a")),
            400,
            "InvalidRequest",
        )
        self.assertEqual(await self.keys(), ["a"])

    async def test_wrong_checksum(self) -> None:
        """A document with a wrong checksum is refused, and removes nothing."""
        await self.add_objects("a")
        digest = b64encode(md5(b"other").digest()).decode()
        await self.refused(
            self.client.request(
                "POST", "/bucket?delete", {"content-md5": digest}, document("a")
            ),
            400,
            "BadDigest",
        )
        self.assertEqual(await self.keys(), ["a"])

    async def test_missing_bucket(self) -> None:
        """There must be a bucket."""
        body = document("a")
        digest = b64encode(md5(body).digest()).decode()
        await self.refused(
            self.client.request(
                "POST", "/absent?delete", {"content-md5": digest}, body
            ),
            404,
            "NoSuchBucket",
        )

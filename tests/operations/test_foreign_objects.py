"""PutObject, GetObject, HeadObject and DeleteObject in a bucket of another system."""

from __future__ import annotations

from hashlib import md5

from ozgate.testing.inmemory import settle
from tests.operations.abroad import ForeignTestCase
from tests.operations.support import checked
from tests.operations.uploads import checksum_of

DATA = b"0123456789" * 30_000
ETAG = md5(DATA, usedforsecurity=False).hexdigest()


class PutTests(ForeignTestCase):
    """PutObject."""

    async def test_both_sizes(self) -> None:
        """A small body and a large one are what the other system has, with their MD5."""
        for key, data in (("small", DATA[:10]), ("large", DATA), ("none", b"")):
            put = await self.client.request("PUT", f"/bucket/{key}", body=data)
            self.assertEqual(put.status, 200, put.body)
            etag = md5(data, usedforsecurity=False).hexdigest()
            self.assertEqual(put.headers["etag"], f'"{etag}"')
            kept = self.there()[key]
            self.assertEqual(kept.data, data)
            self.assertEqual(kept.shown.etag, etag)
            self.assertEqual(kept.shown.owner, "testuser")

    async def test_what_is_kept(self) -> None:
        """User metadata are under their bare names, system headers under Ozone's; clients see both as they were sent."""
        sent = {
            "x-amz-meta-color": "blue",
            "content-type": "text/plain",
            "cache-control": "no-store",
            "x-amz-tagging": "a=1&b=2",
            "x-amz-storage-class": "STANDARD_IA",
        }
        await self.client.request("PUT", "/bucket/k", sent, b"x")
        kept = self.there()["k"].shown
        self.assertEqual(kept.metadata["color"], "blue")
        self.assertEqual(kept.metadata["Content-Type"], "text/plain")
        self.assertEqual(kept.metadata["Cache-Control"], "no-store")
        self.assertEqual(kept.tags, {"a": "1", "b": "2"})
        got = await self.client.request("GET", "/bucket/k")
        for name, value in sent.items():
            if name != "x-amz-tagging":
                self.assertEqual(got.headers[name], value)
        self.assertEqual(got.headers["x-amz-tagging-count"], "2")
        shown = [name for name in got.headers if name.startswith("x-amz-meta-")]
        self.assertEqual(shown, ["x-amz-meta-color"])

    async def test_reserved_names(self) -> None:
        """Nobody gives to metadata a name that says something else here."""
        header = {"x-amz-meta-ozone-s3-internal-ozgate-checksum": "x"}
        asked = self.client.request("PUT", "/bucket/k", header, b"x")
        await self.refused(asked, 400, "InvalidArgument")
        self.assertEqual(self.there(), {})

    async def test_wrong_bodies(self) -> None:
        """Of a body that is not what its client says, nothing is kept, large or small."""
        for data in (DATA[:10], DATA):
            for headers in (
                {"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="},
                {"x-amz-checksum-crc32": "AAAAAA=="},
                {"x-amz-content-sha256": "0" * 64},
            ):
                put = await self.client.request("PUT", "/bucket/k", headers, data)
                self.assertEqual(put.status, 400, put.body)
        self.assertEqual(self.there(), {})

    async def test_conditions(self) -> None:
        """They are the other system's, at the moment of the write."""
        absent = {"if-none-match": "*"}
        put = await self.client.request("PUT", "/bucket/k", absent, b"1")
        self.assertEqual(put.status, 200)
        for data in (b"2", DATA):
            asked = self.client.request("PUT", "/bucket/k", absent, data)
            await self.refused(asked, 412, "PreconditionFailed")
        right = {"if-match": put.headers["etag"]}
        again = await self.client.request("PUT", "/bucket/k", right, b"2")
        self.assertEqual(again.status, 200)
        asked = self.client.request("PUT", "/bucket/k", right, b"3")
        await self.refused(asked, 412, "PreconditionFailed")
        asked = self.client.request("PUT", "/bucket/gone", right, b"3")
        await self.refused(asked, 404, "NoSuchKey")
        several = {"if-match": f'"x", {again.headers["etag"]}'}
        third = await self.client.request("PUT", "/bucket/k", several, b"3")
        self.assertEqual(third.status, 200)
        self.assertEqual(self.there()["k"].data, b"3")

    async def test_what_has_no_place(self) -> None:
        """Lists and locks are refused as where they do not count; a list that says nothing is none."""
        public = {"x-amz-acl": "public-read"}
        asked = self.client.request("PUT", "/bucket/k", public, b"1")
        await self.refused(asked, 400, "AccessControlListNotSupported")
        hold = {"x-amz-object-lock-legal-hold": "ON"}
        asked = self.client.request("PUT", "/bucket/k", hold, b"1")
        await self.refused(asked, 400, "InvalidRequest")
        private = {"x-amz-acl": "bucket-owner-full-control"}
        put = await self.client.request("PUT", "/bucket/k", private, b"1")
        self.assertEqual(put.status, 200)


class ReadTests(ForeignTestCase):
    """GetObject and HeadObject."""

    async def test_ranges(self) -> None:
        """Ranges are sent as such, and one that there is nothing of is refused."""
        await self.client.request("PUT", "/bucket/k", body=DATA)
        for wanted, start, stop in (
            ("bytes=5-14", 5, 15),
            ("bytes=299990-", 299_990, 300_000),
            ("bytes=-3", 299_997, 300_000),
        ):
            got = await self.client.request("GET", "/bucket/k", {"range": wanted})
            self.assertEqual(got.status, 206)
            self.assertEqual(got.body, DATA[start:stop])
            self.assertEqual(
                got.headers["content-range"], f"bytes {start}-{stop - 1}/300000"
            )
        asked = self.client.request("GET", "/bucket/k", {"range": "bytes=300000-"})
        await self.refused(asked, 416, "InvalidRange")
        whole = await self.client.request("GET", "/bucket/k")
        self.assertEqual((whole.status, whole.body), (200, DATA))

    async def test_conditions(self) -> None:
        """A client that has the object is told so."""
        put = await self.client.request("PUT", "/bucket/k", body=b"x")
        same = {"if-none-match": put.headers["etag"]}
        for method in ("GET", "HEAD"):
            got = await self.client.request(method, "/bucket/k", same)
            self.assertEqual((got.status, got.body), (304, b""))
            got = await self.client.request(method, "/bucket/k", {"if-match": '"y"'})
            self.assertEqual(got.status, 412)

    async def test_not_put_by_s3(self) -> None:
        """What was put another way has an ETag that is no MD5, the same in a list; metadata that are no headers are counted."""
        self.put_there("native", b"abc", metadata={"a b": "1", "Color": "red"})
        head = await self.client.request("HEAD", "/bucket/native")
        self.assertEqual(head.status, 200)
        self.assertRegex(head.headers["etag"], '^"[0-9a-f]{32}-0"$')
        self.assertEqual(head.headers["x-amz-meta-color"], "red")
        self.assertEqual(head.headers["x-amz-missing-meta"], "1")
        self.assertEqual(head.headers["content-type"], "binary/octet-stream")
        listed = await self.client.request("GET", "/bucket?list-type=2")
        self.assertEqual(listed.texts("Contents/ETag"), [head.headers["etag"]])
        got = await self.client.request("GET", "/bucket/native")
        self.assertEqual(got.body, b"abc")

    async def test_checksum(self) -> None:
        """The checksum that came is shown to whom asks for it, and no other name of it."""
        sent = {"x-amz-checksum-crc32": "6Ujg1g=="}
        body = b"checksum"
        put = await self.client.request("PUT", "/bucket/k", body=body)
        crc = put.headers["x-amz-checksum-crc64nvme"]
        head = await self.client.request(
            "HEAD", "/bucket/k", {"x-amz-checksum-mode": "ENABLED"}
        )
        self.assertEqual(head.headers["x-amz-checksum-crc64nvme"], crc)
        self.assertEqual(head.headers["x-amz-checksum-type"], "FULL_OBJECT")
        asked = self.client.request("PUT", "/bucket/k", sent, body)
        await self.refused(asked, 400, "BadDigest")

    async def test_overrides(self) -> None:
        """The headers of an answer may be asked for."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        target = "/bucket/k?response-content-type=text/html"
        got = await self.client.request("GET", target)
        self.assertEqual(got.headers["content-type"], "text/html")

    async def test_versions(self) -> None:
        """There is one version, which is called null."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        got = await self.client.request("GET", "/bucket/k?versionId=null")
        self.assertEqual(got.body, b"x")
        asked = self.client.request("GET", f"/bucket/k?versionId={'a' * 32}")
        await self.refused(asked, 404, "NoSuchVersion")

    async def test_not_there(self) -> None:
        """A key and a bucket that are not there are told apart."""
        await self.refused(self.client.request("GET", "/bucket/gone"), 404, "NoSuchKey")
        await self.refused(self.client.request("GET", "/gone/k"), 404, "NoSuchBucket")


class DeleteTests(ForeignTestCase):
    """DeleteObject and DeleteObjects."""

    async def test_one(self) -> None:
        """What is there goes, and what is not there has gone."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        for _ in range(2):
            gone = await self.client.request("DELETE", "/bucket/k")
            self.assertEqual(gone.status, 204)
        self.assertEqual(self.there(), {})

    async def test_conditions(self) -> None:
        """A condition is refused, since nothing could hold it against what is there at that moment."""
        put = await self.client.request("PUT", "/bucket/k", body=b"x")
        same = {"if-match": put.headers["etag"]}
        asked = self.client.request("DELETE", "/bucket/k", same)
        await self.refused(asked, 501, "NotImplemented")
        self.assertIn("k", self.there())

    async def test_several(self) -> None:
        """Each has an outcome of its own."""
        for key in ("a", "b"):
            await self.client.request("PUT", f"/bucket/{key}", body=b"x")
        said = (
            b"<Delete><Object><Key>a</Key></Object><Object><Key>gone</Key></Object>"
            b"<Object><Key>b</Key><ETag>x</ETag></Object></Delete>"
        )
        answer = await self.client.request(
            "POST", "/bucket?delete", checked(said), said
        )
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.texts("Deleted/Key"), ["a", "gone"])
        self.assertEqual(answer.texts("Error/Key"), ["b"])
        self.assertEqual(answer.texts("Error/Code"), ["NotImplemented"])
        self.assertEqual(list(self.there()), ["b"])


class RightsTests(ForeignTestCase):
    """Who may what is the other system's to say."""

    async def test_denied(self) -> None:
        """What it refuses is refused; it is asked for whoever signed."""
        self.system.denied.add("other")
        other = self.client.as_user("other")
        for method in ("GET", "PUT", "DELETE"):
            asked = other.request(method, "/bucket/k")
            await self.refused(asked, 403, "AccessDenied")
        self.assertEqual(self.system.asked[-1].user, "other")

    async def test_unsigned(self) -> None:
        """It is not asked for whoever did not sign."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        asked = len(self.system.asked)
        for method, target in (
            ("GET", "/bucket/k"),
            ("GET", "/bucket"),
            ("PUT", "/bucket/k"),
            ("DELETE", "/bucket/k"),
            ("POST", "/bucket?delete"),
            ("GET", "/bucket?acl"),
        ):
            answer = self.client.request(method, target, signed=False)
            await self.refused(answer, 403, "AccessDenied")
        self.assertEqual(len(self.system.asked), asked)

    async def test_down(self) -> None:
        """While it does not answer, nothing is told."""
        self.system.is_down = True
        for method in ("GET", "PUT", "DELETE"):
            asked = self.client.request(method, "/bucket/k")
            await self.refused(asked, 503, "ServiceUnavailable")


class MeanwhileTests(ForeignTestCase):
    """What happens while a body comes."""

    async def test_racing_writers(self) -> None:
        """Of writers that want nothing to be there, one wins, and the others are told."""
        asked = [
            self.client.begin("PUT", "/bucket/k", {"if-none-match": "*"}, data)
            for data in (DATA, DATA[::-1], DATA[1:])
        ]
        settle(self.clock)
        answers = [await each for each in asked]
        self.assertEqual(sorted(each.status for each in answers), [200, 412, 412])
        (won,) = (each for each in answers if each.status == 200)
        self.assertEqual(f'"{self.there()["k"].shown.etag}"', won.headers["etag"])

    async def test_cut_off(self) -> None:
        """A body that ends too early leaves nothing, large or small."""
        for data in (DATA[:10], DATA):
            for length in (len(data) + 1, len(data) + 100_000):
                asked = self.client.request("PUT", "/bucket/k", {}, data, length)
                await self.refused(asked, 400, "IncompleteBody")
        self.assertEqual(self.there(), {})

    async def test_trailers(self) -> None:
        """A checksum may come behind the body; a wrong one leaves nothing."""
        for data in (b"hello", DATA):
            value = checksum_of("CRC32", data)
            headers = {
                "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "x-amz-decoded-content-length": str(len(data)),
                "x-amz-trailer": "x-amz-checksum-crc32",
                "content-encoding": "aws-chunked,gzip",
            }
            body = f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n"
            for said, status in (("AAAAAA==", 400), (value, 200)):
                trailer = f"x-amz-checksum-crc32:{said}\r\n\r\n".encode()
                put = await self.client.request(
                    "PUT", "/bucket/k", headers, body + trailer
                )
                self.assertEqual(put.status, status, put.body)
                self.assertEqual("k" in self.there(), status == 200)
            self.assertEqual(self.there()["k"].data, data)
            head = await self.client.request("HEAD", "/bucket/k")
            self.assertEqual(head.headers["content-encoding"], "gzip")
            await self.client.request("DELETE", "/bucket/k")

"""Digests, documents, values and credentials that are wrong, against a real server: a clear S3 error, and nothing changed."""

from __future__ import annotations

import base64
import hashlib
import os

from tests.service.badinput import BODY, BadInputCase


class DigestTests(BadInputCase):
    """Digests that are wrong."""

    def test_content_md5(self) -> None:
        """A wrong MD5 is BadDigest, a malformed one InvalidDigest."""
        wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        self.refused(
            400, "BadDigest", "PUT", "/bucket/bad", {"content-md5": wrong}, b"hello"
        )
        for malformed in ("nonsense", "AAAA", "=" * 24):
            self.refused(
                400,
                "InvalidDigest",
                "PUT",
                "/bucket/bad",
                {"content-md5": malformed},
                b"hello",
            )

    def test_payload_hash(self) -> None:
        """A literal payload hash must be the body's."""
        wrong = hashlib.sha256(b"other").hexdigest()
        self.refused(
            400, "XAmzContentSHA256Mismatch", "PUT", "/bucket/bad", {}, b"hello", wrong
        )
        self.refused(
            400, "XAmzContentSHA256Mismatch", "PUT", "/bucket/bad", {}, BODY * 20, wrong
        )

    def test_checksums(self) -> None:
        """A wrong checksum of any algorithm is BadDigest, also for a body that goes to a blob."""
        for name, length in (
            ("crc32", 4),
            ("crc32c", 4),
            ("crc64nvme", 8),
            ("sha1", 20),
            ("sha256", 32),
        ):
            wrong = base64.b64encode(b"\1" * length).decode()
            for body in (b"hello", BODY * 20):
                with self.subTest(name):
                    self.refused(
                        400,
                        "BadDigest",
                        "PUT",
                        "/bucket/bad",
                        {f"x-amz-checksum-{name}": wrong},
                        body,
                    )

    def test_required(self) -> None:
        """DeleteObjects without any digest is refused."""
        document = b"<Delete><Object><Key>kept</Key></Object></Delete>"
        self.refused(400, "InvalidRequest", "POST", "/bucket?delete=", {}, document)


class DocumentTests(BadInputCase):
    """XML that is none, or an attack."""

    def delete(self, document: bytes) -> tuple[int, bytes]:
        """A DeleteObjects with that document; status and answer."""
        digest = base64.b64encode(hashlib.md5(document).digest()).decode()
        status, _, answer = self.server.request(
            "POST", "/bucket?delete=", {"content-md5": digest}, document
        )
        return status, answer

    def test_malformed(self) -> None:
        """What is not the document is MalformedXML and deletes nothing."""
        laughs = "".join(
            f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};&l{n - 1};">' for n in range(1, 20)
        )
        cases = {
            "empty": b"",
            "text": b"hello",
            "not closed": b"<Delete><Object><Key>kept</Key></Object>",
            "two roots": b"<Delete><Object><Key>kept</Key></Object></Delete><Delete/>",
            "wrong root": b"<Remove><Object><Key>kept</Key></Object></Remove>",
            "wrong namespace": b'<Delete xmlns="urn:x"><Object><Key>kept</Key></Object></Delete>',
            "doctype": b"<!DOCTYPE Delete><Delete><Object><Key>kept</Key></Object></Delete>",
            "external entity": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>',
            "laughs": f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]><Delete><Object><Key>&l19;</Key></Object></Delete>'.encode(),
            "undefined entity": b"<Delete><Object><Key>&kept;</Key></Object></Delete>",
            "wrong encoding": b'<?xml version="1.0" encoding="UTF-16"?><Delete><Object><Key>kept</Key></Object></Delete>',
            "not UTF-8": b"<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
            "deep": b"<Delete>"
            + b"<Object>" * 5000
            + b"</Object>" * 5000
            + b"</Delete>",
            "no objects": b"<Delete></Delete>",
            "no key": b"<Delete><Object></Object></Delete>",
            "1001 keys": b"<Delete>"
            + b"<Object><Key>a</Key></Object>" * 1001
            + b"</Delete>",
        }
        for name, document in cases.items():
            with self.subTest(name):
                status, answer = self.delete(document)
                self.assertEqual(status, 400, answer[:300])
                self.assertTrue(
                    b"MalformedXML" in answer or b"MissingRequestBody" in answer,
                    answer[:300],
                )
                self.assertNotIn(b"root:", answer)

    def test_too_big(self) -> None:
        """A document over the limit is refused before it is read."""
        headers = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        head = self.server.head(
            "POST",
            "/bucket?delete=",
            headers,
            ("Content-Length: 900000000", "Expect: 100-continue"),
        )
        answer = self.server.raw(head)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])
        self.assertNotIn(b"100 Continue", answer)


class AbsurdTests(BadInputCase):
    """Numbers, tokens and names out of all bounds."""

    def test_ranges(self) -> None:
        """A range beyond the end is 416; one that is none gives the whole object."""
        for value in ("bytes=4-", "bytes=99999999999999999999-", "bytes=-0"):
            self.refused(416, "InvalidRange", "GET", "/bucket/kept", {"range": value})
        for value in (
            "bytes=a-b",
            "bytes=3-1",
            "kilobytes=0-1",
            "bytes=0-1,2-3",
            "bytes",
            "bytes=-",
            "bytes=--1",
        ):
            status, _, body = self.server.request(
                "GET", "/bucket/kept", {"range": value}
            )
            self.assertEqual((status, body), (200, b"kept"), value)

    def test_part_numbers(self) -> None:
        """Part numbers outside 1 to 10,000 are refused."""
        for value in ("0", "-1", "10001", "abc", "1.5", "99999999999999999999"):
            self.refused(
                400,
                "InvalidArgument",
                "PUT",
                f"/bucket/bad?partNumber={value}&uploadId=x",
                {},
                b"x",
            )

    def test_upload_ids(self) -> None:
        """Upload ids that were never given are no uploads."""
        for value in ("x", "..%2F..%2Fetc", "%00", "a" * 2000):
            self.refused(
                404,
                "NoSuchUpload",
                "PUT",
                f"/bucket/bad?partNumber=1&uploadId={value}",
                {},
                b"x",
            )
            self.refused(404, "NoSuchUpload", "DELETE", f"/bucket/bad?uploadId={value}")

    def test_max_keys(self) -> None:
        """max-keys must be a number from 0 to 2147483647."""
        for value in ("-1", "abc", "2147483648", "1e3"):
            self.refused(
                400, "InvalidArgument", "GET", f"/bucket?list-type=2&max-keys={value}"
            )

    def test_tokens(self) -> None:
        """A continuation token that was never given is refused."""
        for value in ("nonsense", "%00", "A" * 5000):
            self.refused(
                400,
                "InvalidArgument",
                "GET",
                f"/bucket?list-type=2&continuation-token={value}",
            )

    def test_long_keys(self) -> None:
        """A key of 1,024 bytes is the longest."""
        self.refused(400, "KeyTooLongError", "PUT", "/bucket/" + "k" * 1025, {}, b"x")
        self.refused(
            400, "KeyTooLongError", "PUT", "/bucket/" + "%E2%82%AC" * 342, {}, b"x"
        )

    def test_metadata(self) -> None:
        """User metadata over 2 KiB is refused."""
        self.refused(
            400,
            "MetadataTooLarge",
            "PUT",
            "/bucket/bad",
            {"x-amz-meta-a": "a" * 2100},
            b"x",
        )

    def test_keys_that_are_no_utf8(self) -> None:
        """A key must be UTF-8, and an escape must be one."""
        for target in ("/bucket/%FF", "/bucket/%C3", "/bucket/%ED%A0%80"):
            answer = self.server.raw(
                f"PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode()
            )
            self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])

    def test_header_splitting(self) -> None:
        """CR and LF never reach an answer's headers."""
        for value in ("a%0D%0ASet-Cookie:%20x", "a%0Ab", "a%0Db", "a%00b"):
            status, headers, _ = self.server.request(
                "GET", f"/bucket/kept?response-content-type={value}"
            )
            self.assertEqual(status, 400)
            self.assertNotIn("set-cookie", headers)

    def test_splitting_by_key(self) -> None:
        """A key with line ends in it cannot split the Location or any other header."""
        target = "/bucket/a%0D%0ASet-Cookie:%20x"
        answer = self.server.raw(
            self.server.head("PUT", target, unsigned=("Content-Length: 1",)) + b"x"
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:300])
        self.assertNotIn(b"Set-Cookie", answer.split(b"\r\n\r\n")[0])
        self.assertEqual(self.server.request("DELETE", target)[0], 204)


class UnauthenticatedTests(BadInputCase):
    """Nobody gets in without a signature."""

    def test_no_credentials(self) -> None:
        """Every verb on every scope is AccessDenied without credentials."""
        for method in ("GET", "PUT", "POST", "DELETE"):
            for target in (
                "/",
                "/bucket",
                "/bucket/kept",
                "/bucket?policy",
                "/bucket?frobnicate",
                "/bucket/kept?tagging",
            ):
                data = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
                self.assert_error(self.server.raw(data.encode()), 403, "AccessDenied")

    def test_signature_in_the_logs(self) -> None:
        """Neither log names a signature, a credential or a secret."""
        target = "/bucket/kept?X-Amz-Signature=feedface&X-Amz-Credential=someone"
        self.server.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.server.stop()
        text = self.server.output()
        for name in os.listdir(self.server.data):
            if name.endswith(".log"):
                with open(os.path.join(self.server.data, name)) as file:
                    text += file.read()
        self.server.start()
        self.assertIn("/bucket", text)
        for secret in ("feedface", "c261b6ecabf7d37d"):
            self.assertNotIn(secret, text)

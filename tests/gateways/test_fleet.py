"""Three gateways over one PostgreSQL are one service: what one has answered the others know at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.crash.asking import digested
from tests.gateways.fleet import FleetCase
from tests.running import Server

SMALL, LARGE = 500, 3_000_000


class TogetherTests(FleetCase):
    """Requests by turns."""

    def test_at_once(self) -> None:
        """What is put through one is read, listed, replaced and removed through the others at once, in rows and in blobs."""
        for turn, size in enumerate((SMALL, LARGE) * 3):
            writer, reader, other = (
                self.gateways[(turn + more) % 3] for more in range(3)
            )
            body = os.urandom(size)
            target = f"/bucket/key{turn % 2}"
            status, said, _ = writer.request("PUT", target, {}, body)
            self.assertEqual(status, 200)
            for each in (reader, other, writer):
                found = each.request("GET", target)
                self.assertEqual((found[0], found[2]), (200, body))
                self.assertEqual(found[1]["etag"], said["etag"])
                listed = each.request("GET", "/bucket?list-type=2")[2]
                self.assertIn(f"key{turn % 2}".encode(), listed)
                self.assertIn(said["etag"].strip('"').encode(), listed)
        for turn, each in enumerate(self.gateways[:2]):
            self.assertEqual(each.request("DELETE", f"/bucket/key{turn}")[0], 204)
            for reader in self.gateways:
                self.assertEqual(reader.request("GET", f"/bucket/key{turn}")[0], 404)

    def test_upload(self) -> None:
        """An upload is begun, sent and completed through three gateways."""
        first, second, third = self.gateways
        begun = first.request("POST", "/bucket/many?uploads=")[2].decode()
        upload = "uploadId=" + re.findall("<UploadId>(.*?)</UploadId>", begun)[0]
        parts, listed = [os.urandom(5 << 20), b"end"], ""
        for number, part in enumerate(parts, 1):
            target = f"/bucket/many?partNumber={number}&{upload}"
            status, headers, _ = (second, third)[number % 2].request(
                "PUT", target, {}, part
            )
            self.assertEqual(status, 200)
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{headers['etag']}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        said = third.request("POST", f"/bucket/many?{upload}", {}, document.encode())
        self.assertEqual(said[0], 200, said[2])
        for each in self.gateways:
            self.assertEqual(each.request("GET", "/bucket/many")[2], b"".join(parts))

    def test_documents(self) -> None:
        """A bucket's documents and its end are known to all at once."""
        first, second, third = self.gateways
        enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        status, _, said = second.request(
            "PUT", "/bucket?versioning=", digested(enabled), enabled.encode()
        )
        self.assertEqual(status, 200, said)
        ids = set()
        for each in self.gateways:
            status, headers, _ = each.request("PUT", "/bucket/key", {}, b"x")
            self.assertEqual(status, 200)
            ids.add(headers["x-amz-version-id"])
        self.assertEqual(len(ids), 3)
        for version_id in ids:
            target = f"/bucket/key?versionId={version_id}"
            self.assertEqual(third.request("DELETE", target)[0], 204)
        self.assertEqual(first.request("DELETE", "/bucket")[0], 204)
        for each in self.gateways:
            self.assertEqual(each.request("PUT", "/bucket/key", {}, b"x")[0], 404)

    def test_one_ends(self) -> None:
        """One that stops in order, or is killed, is missed by nobody; when it comes back it has everything."""
        first, second, _ = self.gateways
        first.stop()
        self.assertEqual(second.request("PUT", "/bucket/a", {}, b"a")[0], 200)
        first.start()
        self.assertEqual(first.request("GET", "/bucket/a")[2], b"a")
        second.kill()
        self.assertEqual(first.request("PUT", "/bucket/b", {}, b"b")[0], 200)
        second.start()
        self.assertEqual(second.request("GET", "/bucket/b")[2], b"b")


class S3EngineTests(TogetherTests):
    """The same with blobs in a bucket of an S3, which is another ozgate here."""

    engine = "s3"


class RefusedTests(FleetCase):
    """Starts beside a gateway that serves."""

    count = 1

    def refused(self, *settings: str) -> str:
        """What a further gateway says that does not start."""
        other: Server = self.fleet.gateway(*settings)
        said = str(self.assertRaises(RuntimeError, other.start))
        self.assertNotIn("Traceback", said)
        assert other.process is not None
        self.assertNotEqual(other.process.wait(30), 0)
        return said

    def test_another_master_key(self) -> None:
        """One that has another master key, or none, is refused; the one of the others is neither shown nor changed."""
        key = Path(self.fleet.folder, "master.key").read_text()
        other = Path(self.fleet.folder, "other.key")
        other.write_text("ab" * 32)
        other.chmod(0o600)
        said = self.refused(f"ozgate.master-key={other}")
        self.assertIn(f"the master key {other} is not the one", said)
        said = self.refused("ozgate.master-key=mine")
        self.assertIn("is missing, but secrets are stored", said)
        self.assertNotIn(key.strip(), said)
        self.assertEqual(Path(self.fleet.folder, "master.key").read_text(), key)

    def test_another_folder(self) -> None:
        """One whose blob store is not that of the others, such as a folder of its own machine, is refused."""
        said = self.refused("ozgate.blobs=files:blobs")
        self.assertRegex(
            said, "ozgate: .* blob store .*(that rows name|which is not configured)"
        )

    def test_unreachable(self) -> None:
        """A database that nobody serves, that is not there, or where the user is unknown, is one line; no password is in it."""
        url, port = self.fleet.url, self.fleet.postgresql.port
        for wrong in (
            url.replace(f":{port}/", ":1/"),
            re.sub(r"/test\d+\?", "/nowhere?", url),
            url.replace("ozgate@", "nobody@"),
        ):
            said = self.refused(f"ozgate.metadata={wrong}")
            lines = [each for each in said.splitlines() if each.startswith("ozgate: ")]
            self.assertEqual(len(lines), 1, said)
            self.assertNotIn(self.fleet.postgresql.passfile.read_text()[-20:-1], said)

    def test_password_in_url(self) -> None:
        """A URL with a password is refused, and not shown."""
        said = self.refused("ozgate.metadata=postgresql://ozgate:hidden@127.0.0.1/x")
        self.assertNotIn("hidden", said)
        self.assertIn("ozgate.postgresql.password-file", said)

"""Bits that flip on the disk of a service, over TCP and TLS, before its start and while it runs: what clients and operators see."""

from __future__ import annotations

import glob
import http.client
import os
import sqlite3
import ssl
import time
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from awscrt.checksums import crc64nvme

from ozgate.auth.sigv4 import sign
from ozgate.blobs.files.blobfile import BLOCK
from tests.running import REGION
from tests.service.commanding import SecretCase
from tests.service.twistd import LOOPBACK, Twistd

ME = ("me", "it's a secret")
PAIR = {"AWS_ACCESS_KEY_ID": ME[0], "AWS_SECRET_ACCESS_KEY": ME[1]}

SIZES = {"inline": 5000, "small": 20_000, "large": 3 * BLOCK + 100}
"""Objects in the row, in a file that is read at once, in one that goes by sendfile."""


class ServiceTests(SecretCase):
    """A service with objects of every kind, each twice: ``…-well`` stays as it is."""

    def setUp(self) -> None:
        """Make the objects."""
        super().setUp()
        random = Random(4)
        self.bodies = {name: random.randbytes(size) for name, size in SIZES.items()}
        self.process = self.served()
        self.assertEqual(self.asked("PUT", "/bucket")[0], 200)
        for name, body in self.bodies.items():
            for key in (name, f"{name}-well"):
                status, _, _ = self.asked("PUT", f"/bucket/{key}", body)
                self.assertEqual(status, 200)

    def served(self, *arguments: str) -> Twistd:
        """The service with security on, over both."""
        key, certificate = self.certificate()
        pem = Path(self.folder, "tls.pem")
        pem.write_bytes(Path(key).read_bytes() + Path(certificate).read_bytes())
        self.context = ssl.create_default_context(cafile=certificate)
        return self.started(
            *("-D", LOOPBACK),
            *("-D", "ozone.s3g.https-address=127.0.0.1:0"),
            *("-D", "ozone.http.policy=HTTP_AND_HTTPS"),
            *("-D", f"ozgate.tls.certificate={pem}"),
            *("-D", "ozone.security.enabled=true"),
            *("-D", "ozgate.blobs.inline-below=16KB"),
            *("-D", "hdds.prometheus.endpoint.token=token"),
            *arguments,
            environment=PAIR,
        )

    def url(self, secure: bool = False) -> str:
        """An endpoint."""
        scheme = "https:" if secure else "http:"
        [found] = [url for url in self.process.urls if url.startswith(scheme)]
        return found

    def asked(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        secure: bool = False,
        pair: tuple[str, str] | None = ME,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes, bool]:
        """Status, body, and whether the connection was cut before the end of it."""
        url = self.url(secure) + target
        sent = dict(headers or {})
        if pair is not None:
            sent = sign(method, url, sent, *pair, REGION, time.time())
        place = urlsplit(url)
        connection: Any = (
            http.client.HTTPSConnection(place.netloc, timeout=20, context=self.context)
            if secure
            else http.client.HTTPConnection(place.netloc, timeout=20)
        )
        with closing(connection):
            connection.request(method, target, body or None, sent)
            try:
                response = connection.getresponse()
                return response.status, response.read(), False
            except http.client.IncompleteRead as error:
                return response.status, error.partial, True
            except (ConnectionError, http.client.HTTPException):
                return 0, b"", True

    def assert_never_wrong(self, key: str, body: bytes, secure: bool) -> None:
        """A damaged object: whole and by ranges, an error or a beginning of what is right."""
        status, found, cut = self.asked("GET", f"/bucket/{key}", secure=secure)
        if cut:
            self.assertTrue(body.startswith(found))
            self.assertLess(len(found), len(body))
        else:
            self.assertEqual(status, 500)
            self.assertIn(b"<Code>InternalError</Code>", found)
        for start, stop in ((0, 99), (len(body) - 50, len(body) - 1)):
            wanted = {"Range": f"bytes={start}-{stop}"}
            status, found, cut = self.asked(
                "GET", f"/bucket/{key}", secure=secure, headers=wanted
            )
            if status == 206:
                self.assertTrue(body[start : stop + 1].startswith(found))
                self.assertEqual(cut, len(found) < stop + 1 - start)
            else:
                self.assertEqual(status, 500)

    def assert_others(self) -> None:
        """The objects that nothing happened to are served."""
        for secure in (False, True):
            for name, body in self.bodies.items():
                found = self.asked("GET", f"/bucket/{name}-well", secure=secure)
                self.assertEqual(found, (200, body, False), name)

    def damaged(self, kind: str) -> float:
        """The figure."""
        headers = {"Authorization": "Bearer token"}
        request = Request(self.process.admin_url + "/metrics", headers=headers)
        with urlopen(request, timeout=20) as response:
            for line in response.read().decode().splitlines():
                if line.startswith(f'ozgate_damaged_total{{kind="{kind}"}}'):
                    return float(line.split()[-1])
        return 0.0

    def audited(self) -> str:
        """The audit log, once the service has ended."""
        [path] = glob.glob(f"{self.data}/s3g-audit-*.log")
        return Path(path).read_text()

    def file_of(self, key: str) -> str:
        """The path of the blob of an object."""
        with closing(sqlite3.connect(f"{self.data}/metadata.db")) as connection:
            [[blob]] = connection.execute(
                "SELECT blob FROM versions JOIN extents ON owner = sequence WHERE key = ?",
                (key,),
            )
        return f"{self.data}/blobs/data/{blob[-2:]}/{blob}"

    def flip(self, path: str, position: int) -> None:
        """Flip a bit of a file."""
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ 4]))

    def change(self, statement: str, *parameters: object) -> None:
        """Change the database behind the service's back."""
        with closing(sqlite3.connect(f"{self.data}/metadata.db")) as connection:
            done = connection.execute(statement, parameters)
            self.assertEqual(done.rowcount, 1)
            connection.commit()

    def damage_bodies(self) -> None:
        """Flip a bit of each body, and change nothing else."""
        for name in ("small", "large"):
            path = self.file_of(name)
            times = os.stat(path)
            self.flip(path, SIZES[name] // 2)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        body = bytearray(self.bodies["inline"])
        body[77] ^= 1
        self.change(
            "UPDATE bodies SET body = ? WHERE sequence = (SELECT sequence FROM versions WHERE key = 'inline')",
            bytes(body),
        )

    def test_bodies(self) -> None:
        """A damaged body fails closed over TCP and TLS; HEAD works; the operator is told; overwriting and deleting work."""
        self.process.stop()
        self.damage_bodies()
        self.process = self.served()
        for secure in (False, True):
            for name, body in self.bodies.items():
                self.assertEqual(self.asked("HEAD", f"/bucket/{name}")[0], 200)
                self.assert_never_wrong(name, body, secure)
        self.assert_others()
        self.assertGreaterEqual(self.damaged("blob"), 4)
        self.assertEqual(self.damaged("inline"), 6)
        for name, body in self.bodies.items():
            found = self.asked("PUT", f"/bucket/{name}", body[::-1])
            self.assertEqual(found[0], 200, name)
            found = self.asked("GET", f"/bucket/{name}")
            self.assertEqual(found, (200, body[::-1], False))
        self.process.stop()
        audited = self.audited()
        self.assertIn('"path": "[large]", "reason": "[damaged blob]"', audited)
        self.assertIn('"path": "[inline]", "reason": "[damaged inline]"', audited)
        output = self.process.output()
        self.assertIn(
            "damaged (blob): b'GET' '/bucket/large': block 1 of blob ", output
        )
        self.assertIn("damaged (inline): b'GET' '/bucket/inline'", output)
        self.assertNotIn("Traceback", output)

    def test_while_it_runs(self) -> None:
        """A file that is changed after it went by sendfile is looked at again; deleting what is damaged works."""
        for name, body in self.bodies.items():
            found = self.asked("GET", f"/bucket/{name}")
            self.assertEqual(found, (200, body, False))
        self.damage_bodies()
        for name, body in self.bodies.items():
            self.assert_never_wrong(name, body, False)
            self.assertEqual(self.asked("DELETE", f"/bucket/{name}")[0], 204)
            self.assertEqual(self.asked("GET", f"/bucket/{name}")[0], 404)
        self.assert_others()

    def test_cut_and_lost(self) -> None:
        """A file that is cut off is damaged, and so is one that is gone."""
        os.truncate(self.file_of("small"), 10_000)
        os.unlink(self.file_of("large"))
        for name in ("small", "large"):
            status, found, _ = self.asked("GET", f"/bucket/{name}")
            self.assertEqual(status, 500)
            self.assertIn(b"<Code>InternalError</Code>", found)
        self.assertEqual(self.damaged("blob"), 2)
        self.assert_others()

    def test_rows(self) -> None:
        """A damaged row is an error of what it is about, for every method, and of nothing else."""
        self.change("UPDATE versions SET etag = 'x' || etag WHERE key = 'inline'")
        self.change(
            "UPDATE extents SET offset = 1, length = length - 1 WHERE owner = (SELECT sequence FROM versions WHERE key = 'large')"
        )
        for method in ("GET", "HEAD", "DELETE"):
            self.assertEqual(self.asked(method, "/bucket/inline")[0], 500)
        self.assertEqual(self.asked("PUT", "/bucket/inline", b"new")[0], 500)
        self.assertEqual(self.asked("GET", "/bucket/large")[0], 500)
        self.assertEqual(self.asked("HEAD", "/bucket/large")[0], 200)
        self.assertEqual(self.damaged("metadata"), 5)
        document = b"<Delete>%b</Delete>" % b"".join(
            b"<Object><Key>%b</Key></Object>" % key for key in (b"inline", b"large")
        )
        headers = {"x-amz-checksum-crc64nvme": checksum(document)}
        status, found, _ = self.asked(
            "POST", "/bucket?delete", document, headers=headers
        )
        self.assertEqual(status, 200, found)
        self.assertIn(b"<Deleted><Key>large</Key></Deleted>", found)
        self.assertIn(b"<Error><Key>inline</Key><Code>InternalError</Code>", found)
        self.assert_others()

    def test_doors(self) -> None:
        """A bucket's list of rights, a bucket's owner or a secret's user that changed lets nobody in."""
        stranger = self.pair("-u", "bob")
        self.assertEqual(self.asked("GET", "/bucket/small", pair=stranger)[0], 403)
        self.change("UPDATE secrets SET user = 'me' WHERE access_id = 'bob'")
        self.assertEqual(self.asked("GET", "/bucket/small", pair=stranger)[0], 500)
        self.change("UPDATE secrets SET user = 'bob' WHERE access_id = 'bob'")
        self.assertEqual(self.asked("GET", "/bucket/small", pair=stranger)[0], 403)
        world = (
            '[{"type":"WORLD","name":"WORLD","aclScope":"ACCESS","aclList":["ALL"]}]'
        )
        for column, value in (("acls", world), ("owner", "bob")):
            for table, name in (("buckets", "bucket"), ("volumes", "s3v")):
                with closing(sqlite3.connect(f"{self.data}/metadata.db")) as database:
                    [[kept]] = database.execute(
                        f"SELECT {column} FROM {table} WHERE name = ?", (name,)
                    )
                where = f"UPDATE {table} SET {column} = ? WHERE name = ?"
                self.change(where, value, name)
                status, _, _ = self.asked("GET", "/bucket/small", pair=stranger)
                self.assertIn(status, (403, 500), (table, column))
                status, _, _ = self.asked("PUT", "/bucket/new", b"x", pair=stranger)
                self.assertIn(status, (403, 500), (table, column))
                self.change(where, kept, name)
        self.assertGreaterEqual(self.damaged("metadata"), 3)

    def test_mended(self) -> None:
        """A service starts with damaged rows, those of its volume too, and an administrator gets rid of them."""
        self.process.stop()
        for table, where in (
            ("volumes", "name = 's3v'"),
            ("buckets", "name = 'bucket'"),
            ("versions", "key = 'inline'"),
        ):
            self.change(f"UPDATE {table} SET checked = checked + 2 WHERE {where}")
        self.change("UPDATE counters SET value = 'none' WHERE name = 'sequence'")
        self.process = self.served()
        self.assertIn("'ozgate admin fsck' looks through", self.process.output())
        self.assertEqual(self.asked("GET", "/bucket/large-well")[0], 500)
        code, said, _ = self.ozgate("admin", "fsck", "--remove-damaged")
        self.assertEqual(code, 1, said)
        self.assert_others()
        self.assertEqual(self.asked("GET", "/bucket/inline")[0], 404)
        self.assertEqual(self.asked("PUT", "/bucket/inline", b"new")[0], 200)
        self.assertEqual(self.asked("GET", "/bucket/inline"), (200, b"new", False))
        self.assertEqual(self.ozgate("admin", "fsck")[0], 0)

    def test_pages(self) -> None:
        """A page of the database that is none any more fails requests, not the service."""
        for number in range(300):
            self.asked("PUT", f"/bucket/{number:03}{'k' * 150}", b"x")
        self.process.stop()
        path = f"{self.data}/metadata.db"
        with closing(sqlite3.connect(path)) as connection:
            [[root]] = connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'current_versions'"
            )
        with open(path, "r+b") as file:
            file.seek((root - 1) * 4096)
            kind = file.read(1)[0]
            file.seek((root - 1) * 4096)
            file.write(bytes([kind ^ 0x40]))
        self.process = self.served()
        for _ in range(3):
            status, found, _ = self.asked("GET", "/bucket?list-type=2")
            self.assertEqual(status, 500)
            self.assertIn(b"<Code>InternalError</Code>", found)
        self.assertGreaterEqual(self.damaged("metadata"), 3)
        self.assert_others()


def checksum(data: bytes) -> str:
    """The CRC64NVME of a document, as a header has it."""
    return b64encode(crc64nvme(data).to_bytes(8, "big")).decode()

"""A gateway whose bytes are in an S3 engine, which is another ozgate: it is killed, started again, and asked with wrong keys."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import TestCase

from tests.running import ACCESS_KEY, SECRET_KEY, Server

MIB = 1 << 20
DATA = os.urandom(20 * MIB + 5)
SMALL = b"kept with its row"


class EngineTests(TestCase):
    """A gateway and its engine."""

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="ozgate-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.engine = Server(f"{self.folder}/engine")
        self.engine.start()
        self.addCleanup(self.engine.stop)
        self.assertEqual(self.engine.request("PUT", "/bytes")[0], 200)

    def gateway(self, secret: str = SECRET_KEY, **more: Any) -> Server:
        """A gateway over the engine, not started yet."""
        Path(self.folder, "secret").write_text(secret + "\n")
        settings = {
            "ozgate.blobs": f"s3+http://127.0.0.1:{self.engine.port}/bytes/deep",
            "ozgate.blobs.s3.access-key": ACCESS_KEY,
            "ozgate.blobs.s3.secret-key-file": f"{self.folder}/secret",
            "ozgate.blobs.s3.timeout": "3s",
            "ozgate.blobs.s3.deadline": "6s",
        }
        made = Server(
            f"{self.folder}/gateway",
            *(f"{key}={value}" for key, value in {**settings, **more}.items()),
        )
        self.addCleanup(self.stop, made)
        return made

    def stop(self, server: Server) -> None:
        """End a server that was started."""
        if server.process is not None:
            server.stop()

    def check(self, server: Server) -> None:
        """All bytes are there, whole and in ranges over the ends of their extents."""
        status, _, body = server.request("GET", "/bucket/large")
        self.assertEqual((status, body == DATA), (200, True))
        for first, last in ((16 * MIB - 3, 16 * MIB + 2), (20 * MIB, 20 * MIB + 4)):
            asked = {"range": f"bytes={first}-{last}"}
            status, _, body = server.request("GET", "/bucket/large", asked)
            self.assertEqual((status, body), (206, DATA[first : last + 1]))

    def test_engine_is_killed(self) -> None:
        """Without its engine a gateway answers 503 to what needs that and goes on with all else; nothing is lost, and all goes on when it is back."""
        server = self.gateway()
        server.start()
        self.assertIn("it verifies CRC64NVME", server.output())
        server.request("PUT", "/bucket")
        self.assertEqual(server.request("PUT", "/bucket/large", body=DATA)[0], 200)
        self.assertEqual(server.request("PUT", "/bucket/small", body=SMALL)[0], 200)
        self.check(server)
        self.engine.kill()
        self.assertEqual(server.request("GET", "/bucket/large")[0], 503)
        self.assertEqual(server.request("PUT", "/bucket/new", body=DATA)[0], 503)
        self.assertEqual(server.request("HEAD", "/bucket/large")[0], 200)
        self.assertEqual(server.request("GET", "/bucket/small")[2], SMALL)
        self.assertEqual(server.request("PUT", "/bucket/small", body=SMALL)[0], 200)
        self.assertEqual(server.request("GET", "/bucket?list-type=2")[0], 200)
        self.engine.start()
        self.check(server)
        self.assertEqual(server.request("GET", "/bucket/new")[0], 404)
        self.assertEqual(server.request("PUT", "/bucket/new", body=DATA)[0], 200)
        server.kill()
        server.start()
        self.check(server)
        self.assertNotIn(SECRET_KEY, server.output())

    def test_blob_is_gone(self) -> None:
        """An object that somebody took out of the engine is damage: a 500 and a line in the log, never a 404."""
        server = self.gateway()
        server.start()
        server.request("PUT", "/bucket")
        server.request("PUT", "/bucket/large", body=DATA)
        _, _, listed = self.engine.request("GET", "/bytes?list-type=2&prefix=deep/data")
        key = listed.partition(b"<Key>")[2].partition(b"</Key>")[0].decode()
        self.assertEqual(self.engine.request("DELETE", f"/bytes/{key}")[0], 204)
        try:
            status = server.request("GET", "/bucket/large")[0]
        except Exception:
            status = 500  # of a later extent: the answer is cut
        self.assertEqual(status, 500)
        self.assertEqual(server.request("HEAD", "/bucket/large")[0], 200)
        self.assertIn(key[-24:], server.output())

    def test_removed(self) -> None:
        """What nothing names any more is removed from the engine."""
        server = self.gateway(
            **{"ozgate.sweep.delay": "0s", "ozgate.sweep.interval": "1s"}
        )
        server.start()
        server.request("PUT", "/bucket")
        server.request("PUT", "/bucket/large", body=DATA)
        server.request("DELETE", "/bucket/large")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            _, _, listed = self.engine.request(
                "GET", "/bytes?list-type=2&prefix=deep/data"
            )
            if b"<Key>" not in listed:
                return
            time.sleep(0.2)
        self.fail("it is there still")

    def test_refused_starts(self) -> None:
        """A wrong secret, a bucket that is not there and an engine that is down are one line each, and the service ends."""
        for secret, more, said in (
            ("wrong" * 8, {}, "ozgate.blobs.s3.secret-key-file"),
            (
                SECRET_KEY,
                {"ozgate.blobs": f"s3+http://127.0.0.1:{self.engine.port}/nowhere"},
                "make it",
            ),
            (
                SECRET_KEY,
                {"ozgate.blobs": "s3+http://127.0.0.1:1/bytes"},
                "cannot be asked",
            ),
            (SECRET_KEY, {"ozgate.blobs.s3.access-key": ""}, "key pair"),
        ):
            server = self.gateway(secret, **more)
            error = self.assertRaises(RuntimeError, server.start)
            self.assertIn(said, str(error))
            self.assertNotIn("Traceback", str(error))
            server.process = None
            Path(server.log).unlink()

"""What a real service writes down and answers, whatever is sent to it: no secret is in a log, an answer or its command line."""

from __future__ import annotations

import http.client
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.localsocket import connect_local
from ozgate.auth.presign import presign
from tests.running import REGION, SECRET_KEY, Server
from tests.service.intruders import Pair, command, pair_of, send, signed


class SecretTests(SynchronousTestCase):
    """What is written down, and for whom."""

    def test_nowhere(self) -> None:
        """No secret and no signature is in a log, an answer or a command line, whatever goes wrong; files are their owner's.

        RustFS wrote secrets into its logs (GHSA-r54g, -8cm2, -333v; CVE-2026-22782, CVE-2026-45040).
        """
        with tempfile.TemporaryDirectory(prefix="ozgate-test-") as folder:
            server = Server(os.path.join(folder, "data"))
            server.start()
            try:
                pair = pair_of(server, "alice")
                chosen = "a secret of her choice"
                command(server, "set_secret", user="alice", secret=chosen)
                answers = list(self.provoke(server, (pair[0], chosen)))
                configuration = self.read_locally(server, "/conf")
                assert server.process is not None
                shown = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
            finally:
                server.stop()
            written = [Path(server.log).read_bytes()]
            for path in Path(server.data).iterdir():
                if path.suffix == ".log":
                    written.append(path.read_bytes())
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            self.assertEqual(len(written), 3)
            key = Path(server.data, "master.key").read_bytes().strip()
            secrets = [pair[1].encode(), chosen.encode(), SECRET_KEY.encode(), key]
            for text in (*written, *answers, configuration, shown):
                for secret in secrets:
                    self.assertNotIn(secret, text)
            for text in written:
                self.assertNotRegex(text, rb"ignature=(?!REDACTED)")
                self.assertNotIn(b"customers key", text.replace(b"+", b" "))
                self.assertNotIn(b"Traceback", text)

    def provoke(self, server: Server, pair: Pair) -> Iterable[bytes]:
        """Answers to requests that are well, wrong and broken."""
        now = time.time()
        hidden = {
            "x-amz-server-side-encryption-customer-key": "customers key",
            "x-amz-server-side-encryption-customer-algorithm": "AES256",
        }
        for target in ("/", "/none/key", "/none?policy"):
            for secret in (pair[1], "wrong"):
                yield signed(server, (pair[0], secret), "GET", target).data
                url = server.url + target
                made = presign(*("PUT", url, pair[0], secret, REGION, 60, now), hidden)
                target = made.removeprefix(server.url)
                for sent in (
                    f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n",
                    f"PUT {target} HTTP/1.1\r\n\r\n",
                    f"PUT {target}%zz HTTP/1.1\r\nHost: h\r\n\r\n",
                    f"PUT {target} HTTP/3\r\n\r\n",
                ):
                    yield send(server, sent.encode()).data

    def read_locally(self, server: Server, path: str) -> bytes:
        """What an administrator reads."""
        connection = http.client.HTTPConnection("localhost", timeout=20)
        connection.sock = connect_local(server.data)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

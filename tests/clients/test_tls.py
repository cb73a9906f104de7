"""Real clients over TLS: a certificate made by our command, bodies of any size, and certificates that change."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import SSLError
from cryptography import x509

from ozgate.auth.sigv4 import sign
from tests.authority import Authority, put
from tests.clients.botos import session
from tests.running import ACCESS_KEY, REGION, ROOT, SECRET_KEY, program
from tests.service.twistd import ServiceTestCase, Twistd

FREE = ("-D", "ozone.s3g.https-address=127.0.0.1:0")
PAIR = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
BLOCK = 1 << 20


class TlsTestCase(ServiceTestCase):
    """A service with TLS and security on, and clients that trust it.

    :ivar certificate: path of what clients trust.
    """

    certificate: str

    def secured(self, *arguments: str, policy: str = "HTTPS_ONLY") -> Twistd:
        """The service, with a new certificate."""
        self.authority = Authority()
        self.certificate = put(f"{self.folder}/ca.pem", self.authority.pem)
        self.issue("127.0.0.1", "first")
        return self.started(
            *FREE,
            *("-D", f"ozone.http.policy={policy}"),
            *("-D", "ozone.security.enabled=true"),
            *("-D", f"ozgate.tls.certificate={self.folder}/tls.pem"),
            *arguments,
            environment=PAIR,
        )

    def issue(self, *names: str) -> None:
        """Put another certificate in the service's file."""
        put(f"{self.folder}/tls.pem", b"".join(self.authority.issue(*names)))

    def client(self, url: str, verify: str | bool | None = None) -> Any:
        """boto3, which trusts the certificate unless told otherwise."""
        made = session(ACCESS_KEY, SECRET_KEY).client(
            "s3",
            endpoint_url=url,
            verify=self.certificate if verify is None else verify,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )
        self.addCleanup(made.close)
        return made

    def run_client(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """A client's exit code and output."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "S3_", "OZONE", "CURL_", "SSL_"))
        }
        ended = subprocess.run(
            arguments,
            cwd=self.folder,
            env={
                **kept,
                **PAIR,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_MAX_ATTEMPTS": "1",
                "HOME": self.folder,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        return ended.returncode, ended.stdout.decode(errors="replace")

    def connect(self, url: str) -> http.client.HTTPSConnection:
        """A connection that stays open."""
        host, _, port = url.removeprefix("https://").partition(":")
        connection = http.client.HTTPSConnection(
            host,
            int(port),
            timeout=60,
            context=ssl.create_default_context(cafile=self.certificate),
        )
        self.addCleanup(connection.close)
        return connection

    def ask_on(
        self,
        connection: http.client.HTTPSConnection,
        method: str,
        path: str,
        body: Any = None,
        length: int = 0,
    ) -> http.client.HTTPResponse:
        """A signed request's answer, whose body is still to be read."""
        url = f"https://{connection.host}:{connection.port}{path}"
        headers = sign(method, url, {}, ACCESS_KEY, SECRET_KEY, REGION, time.time())
        if length:
            headers["Content-Length"] = str(length)
        connection.request(method, path, body, headers)
        return connection.getresponse()


class ClientTests(TlsTestCase):
    """Clients as people use them."""

    def test_selfsigned(self) -> None:
        """What 'ozgate tls selfsigned' prints works as it stands there, and no client believes the server without."""
        folder = os.path.join(self.folder, "with space")
        code, told = self.run_client(
            *(sys.executable, "-m", "ozgate", "tls", "selfsigned", "--out", folder),
            PYTHONPATH=str(ROOT),
        )
        self.assertEqual(code, 0, told)
        joined = told.replace("\\\n", "")
        [server] = [line for line in joined.splitlines() if "twistd -n" in line]
        _, _, plugin, *options = shlex.split(server)
        self.assertEqual(plugin, "ozgate")
        process = self.started(*options, *FREE)
        [url] = process.urls
        trust = f"  export AWS_CA_BUNDLE='{folder}/cert.pem'\n"
        self.assertIn(trust, process.output())

        def pasted(start: str) -> list[str]:
            [line] = [each for each in joined.splitlines() if start in each]
            return shlex.split(line.replace("https://127.0.0.1:9879", url))

        exported = dict(each.split("=", 1) for each in pasted("  export ")[1:])
        aws, curl = program("aws"), shutil.which("curl") or self.fail("no curl")
        for code, arguments, environment in (
            (0, [aws, "s3", "mb", "s3://bucket"], exported),
            (0, [aws, *pasted("  aws --ca-bundle")[1:]], {}),
            (0, [curl, "-sS", *pasted("  curl --cacert")[1:]], {}),
            (254, [aws, "s3", "ls"], {"AWS_ENDPOINT_URL": url}),
            (60, [curl, "-sS", url], {}),
        ):
            ended, output = self.run_client(*arguments, **environment)
            if code == 254:
                self.assertNotEqual(ended, 0)
                self.assertIn("SSL validation failed", output)
            else:
                self.assertEqual(ended, code, output)
        self.certificate = exported["AWS_CA_BUNDLE"]
        self.client(url).put_object(Bucket="bucket", Key="key", Body=b"x")
        self.assertRaises(SSLError, self.client(url, verify=True).list_buckets)
        context = ssl.create_default_context(cafile=self.certificate)
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's default from 3.13 on
        self.assertEqual(self.answer(url, context)[0], 403)

    def test_side_by_side(self) -> None:
        """HTTP and HTTPS listen together, over one store."""
        process = self.secured(
            *("-D", "ozone.s3g.http-address=127.0.0.1:0"), policy="HTTP_AND_HTTPS"
        )
        clear, secured = process.urls
        self.assertTrue(clear.startswith("http://"))
        self.assertTrue(secured.startswith("https://"))
        self.client(clear).create_bucket(Bucket="bucket")
        self.client(clear).put_object(Bucket="bucket", Key="key", Body=b"both")
        got = self.client(secured).get_object(Bucket="bucket", Key="key")
        self.assertEqual(got["Body"].read(), b"both")

    def test_curl_signs(self) -> None:
        """curl stores and gets with signatures of its own, presigned URLs say https, and 100-continue works."""
        [url] = self.secured().urls
        self.client(url).create_bucket(Bucket="bucket")
        sent = put(f"{self.folder}/sent", os.urandom(3_000_000))
        curl = (
            *("curl", "-sS", "--fail", "--cacert", self.certificate),
            *("--aws-sigv4", "aws:amz:us-east-1:s3"),
            *("--user", f"{ACCESS_KEY}:{SECRET_KEY}"),
            *("-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"),
        )
        code, output = self.run_client(
            *curl, "-H", "Expect: 100-continue", "-T", sent, f"{url}/bucket/key"
        )
        self.assertEqual(code, 0, output)
        presigned = self.client(url).generate_presigned_url(
            "get_object", {"Bucket": "bucket", "Key": "key"}
        )
        self.assertTrue(presigned.startswith(url))
        for arguments in ((*curl, f"{url}/bucket/key"), (*curl[:5], presigned)):
            got = f"{self.folder}/got"
            code, output = self.run_client(*arguments, "-o", got)
            self.assertEqual(code, 0, output)
            self.assertEqual(Path(got).read_bytes(), Path(sent).read_bytes())

    def test_aws_cli_multipart(self) -> None:
        """A file in parts, several connections at once, and back."""
        [url] = self.secured().urls
        environment = {"AWS_ENDPOINT_URL": url, "AWS_CA_BUNDLE": self.certificate}
        sent = put(f"{self.folder}/sent", os.urandom(40 << 20))
        for arguments in (
            ("s3", "mb", "s3://bucket"),
            ("s3", "cp", "--quiet", sent, "s3://bucket/key"),
            ("s3", "cp", "--quiet", "s3://bucket/key", "got"),
        ):
            code, output = self.run_client(program("aws"), *arguments, **environment)
            self.assertEqual(code, 0, output)
        self.assertEqual(Path(self.folder, "got").read_bytes(), Path(sent).read_bytes())
        code, output = self.run_client(
            *(program("aws"), "s3api", "head-object", "--bucket", "bucket"),
            *("--key", "key"),
            **environment,
        )
        self.assertIn("-5", json.loads(output)["ETag"])


class LargeTests(TlsTestCase):
    """Bodies larger than what the service may hold in memory."""

    size = 384 * BLOCK
    room = 48 << 20
    """Bytes by which the process may grow while it moves several times as much."""

    def blocks(self) -> Iterator[bytes]:
        """The body: no block of it is like another."""
        block = bytearray(os.urandom(4096) * (BLOCK // 4096))
        for number in range(self.size // BLOCK):
            block[:8] = number.to_bytes(8, "big")
            self.sent.update(block)
            yield bytes(block)

    def peak(self, process: Twistd) -> int:
        """The most memory that a process ever had, in bytes."""
        status = Path(f"/proc/{process.process.pid}/status").read_text()
        [line] = [each for each in status.splitlines() if each.startswith("VmHWM:")]
        return int(line.split()[1]) << 10

    def test_large(self) -> None:
        """A body goes up and down whole, beside a reader that stalls, and is never held in memory."""
        process = self.secured()
        [url] = process.urls
        connection = self.connect(url)
        self.ask_on(connection, "PUT", "/bucket").read()
        for size in (8 * BLOCK,):  # what is grown once and kept
            self.ask_on(connection, "PUT", "/bucket/warm", b"w" * size).read()
            self.ask_on(connection, "GET", "/bucket/warm").read()
        before = self.peak(process)
        self.sent, got = blake2b(), blake2b()
        answer = self.ask_on(connection, "PUT", "/bucket/key", self.blocks(), self.size)
        self.assertEqual(answer.status, 200, answer.read())
        answer.read()
        stalled = self.ask_on(self.connect(url), "GET", "/bucket/key")
        stalled.read(1)
        answer = self.ask_on(connection, "GET", "/bucket/key")
        while data := answer.read(BLOCK):
            got.update(data)
        self.assertEqual(got.digest(), self.sent.digest())
        self.assertLess(self.peak(process) - before, self.room)


class ReloadTests(TlsTestCase):
    """Certificates that change under the running service."""

    def shown(self, url: str) -> list[str]:
        """The names of the certificate that a new connection is shown."""
        host, _, port = url.removeprefix("https://").partition(":")
        context = ssl.create_default_context(cafile=self.certificate)
        with (
            socket.create_connection((host, int(port)), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(True) or b""
        certificate = x509.load_der_x509_certificate(der)
        kind = x509.SubjectAlternativeName
        found = certificate.extensions.get_extension_for_class(kind)
        return found.value.get_values_for_type(x509.DNSName)

    def wait_shown(self, url: str, name: str) -> None:
        """Wait until new connections are shown a name, at most 20 seconds."""
        deadline = time.monotonic() + 60
        while self.shown(url) != [name]:
            self.assertLess(time.monotonic(), deadline, "not reloaded")

    def test_files_change(self) -> None:
        """Replaced files are taken up by themselves; an upload under way and its connection go on."""
        process = self.secured("-D", "ozgate.tls.check-interval=100ms")
        [url] = process.urls
        connection = self.connect(url)
        self.ask_on(connection, "PUT", "/bucket").read()

        def body() -> Iterator[bytes]:
            yield b"a" * BLOCK
            self.issue("127.0.0.1", "second")
            self.wait_shown(url, "second")
            yield b"b" * BLOCK

        self.assertEqual(self.shown(url), ["first"])
        answer = self.ask_on(connection, "PUT", "/bucket/key", body(), 2 * BLOCK)
        self.assertEqual((answer.status, answer.read()), (200, b""))
        answer = self.ask_on(connection, "GET", "/bucket/key")
        self.assertEqual(answer.read(), b"a" * BLOCK + b"b" * BLOCK)
        self.assertIn("certificates: 1 loaded", process.output())

    def test_signal(self) -> None:
        """SIGHUP reads them at once; a pair that does not fit is said and changes nothing."""
        process = self.secured("-D", "ozgate.tls.check-interval=1h")
        [url] = process.urls
        self.issue("127.0.0.1", "second")
        process.process.send_signal(signal.SIGHUP)
        self.wait_shown(url, "second")
        certificate, _ = self.authority.issue("127.0.0.1", "third")
        _, key = self.authority.issue("127.0.0.1", "other")
        put(f"{self.folder}/tls.pem", certificate + key)
        process.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while "those of before stay" not in process.output():
            self.assertLess(time.monotonic(), deadline, process.output())
        self.assertIn("is not that of the first certificate", process.output())
        self.assertEqual(self.shown(url), ["second"])

"""The admin listener's pages: health, the configuration, and who may see what."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit
from urllib.request import Request
from xml.etree import ElementTree

from twisted.trial.unittest import SkipTest

from ozgate.admin.localsocket import connect_local
from ozgate.auth.sigv4 import sign
from tests.running import REGION, free_port
from tests.service.twistd import LOOPBACK, ServiceTestCase, Twistd

SECURE = ("-D", "ozone.security.enabled=true")
PAIR = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "it's a secret"}
ALIVE = ("/healthz", "/minio/health/live")
READY = ("/readyz", "/minio/health/ready", "/minio/health/cluster")
GUARDED = ("/metrics", "/prom", "/conf")


class AdminTestCase(ServiceTestCase):
    """Asks the admin listener."""

    def get(
        self,
        process: Twistd,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Status and body, over TCP."""
        url = process.admin_url + path
        return self.answer(Request(url, method=method, headers=dict(headers or {})))

    def get_locally(self, path: str, method: str = "GET") -> tuple[int, bytes]:
        """Status and body, over the socket in the data folder."""
        connection = HTTPConnection("localhost", timeout=20)
        connection.sock = connect_local(self.data)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def begin_upload(self, url: str, length: int) -> socket.socket:
        """A PutObject whose head the service has taken, and whose body it waits for."""
        place = urlsplit(url)
        headers = sign("PUT", url + "/bucket/key", {}, "me", "x", REGION, time.time())
        headers |= {"Content-Length": str(length), "Expect": "100-continue"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        client = socket.create_connection((place.hostname, place.port), timeout=20)
        self.addCleanup(client.close)
        client.sendall(f"PUT /bucket/key HTTP/1.1\r\n{lines}\r\n".encode())
        self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 100 "))
        return client


class HealthTests(AdminTestCase):
    """Whether it lives, whether it can serve."""

    def test_well(self) -> None:
        """With security on, anybody learns that it lives and is ready, also under MinIO's paths, and with HEAD."""
        process = self.started("-D", LOOPBACK, *SECURE, environment=PAIR)
        for path in ALIVE:
            self.assertEqual(self.get(process, path), (200, b"alive\n"), path)
            self.assertEqual(self.get(process, path, "HEAD"), (200, b""), path)
        for path in READY:
            self.assertEqual(self.get(process, path), (200, b"ready\n"), path)
            self.assertEqual(self.get(process, path, "HEAD"), (200, b""), path)
        [url] = process.urls
        for path in (*ALIVE, *READY):
            said = b"alive\n" if path in ALIVE else b"ready\n"
            self.assertEqual(self.ask(url + path, pair=None), (200, said), path)
            found = self.ask(url + path, "HEAD", pair=None)
            self.assertEqual(found, (200, b""), path)

    def test_front_page(self) -> None:
        """Who opens the URL that the start prints learns what is there."""
        process = self.started("-D", LOOPBACK, *SECURE)
        status, body = self.get(process, "/")
        self.assertEqual(status, 200)
        for path in ("/healthz", "/readyz", "/metrics", "/conf", "/reload", "/secret"):
            self.assertIn(path, body.decode())

    def test_full_disk(self) -> None:
        """With less room than the reserve it lives, and is not ready."""
        process = self.started("-D", LOOPBACK, "-D", "ozgate.disk.reserve=1024PB")
        status, body = self.get(process, "/readyz")
        self.assertEqual(status, 503)
        self.assertTrue(body.startswith(b"the disk is full: "), body)
        self.assertEqual(self.get(process, "/healthz"), (200, b"alive\n"))

    def test_lost_blobs(self) -> None:
        """A blob store whose folders are gone, as when its disk is, is not ready; nothing else is told of it."""
        process = self.started("-D", LOOPBACK)
        shutil.rmtree(os.path.join(self.data, "blobs", "data"))
        for path in READY:
            self.assertEqual(
                self.get(process, path), (503, b"the blob store does not answer\n")
            )

    def test_lost_metadata(self) -> None:
        """A metadata store that another process keeps from writing is not ready."""
        import sqlite3

        process = self.started("-D", LOOPBACK)
        other = sqlite3.connect(
            os.path.join(self.data, "metadata.db"), isolation_level=None
        )
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.assertEqual(
            self.get(process, "/readyz"), (503, b"the metadata store does not answer\n")
        )
        other.execute("ROLLBACK")

    def test_stopping(self) -> None:
        """While it finishes what runs, new S3 connections are refused and it says that it stops."""
        process = self.started("-D", LOOPBACK)
        [url] = process.urls
        self.assertEqual(self.ask(url + "/bucket", "PUT")[0], 200)
        client = self.begin_upload(url, 10)
        process.process.send_signal(signal.SIGTERM)
        while self.get(process, "/readyz") != (503, b"the service is stopping\n"):
            self.assertIsNone(process.process.poll())
        place = urlsplit(url)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((place.hostname, place.port), timeout=20)
        self.assertEqual(self.get(process, "/healthz"), (200, b"alive\n"))
        client.sendall(b"0123456789")
        self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(process.wait(), -signal.SIGTERM)


class ConfigurationTests(AdminTestCase):
    """GET /conf."""

    def test_json(self) -> None:
        """Every key has its value and where it came from; secrets are masked."""
        path = os.path.join(self.folder, "site.xml")
        with open(path, "w") as file:
            file.write(
                "<configuration><property><name>ozgate.region</name>"
                "<value>eu-west-1</value></property></configuration>"
            )
        process = self.started(
            *("--config", path, "-D", LOOPBACK, *SECURE),
            environment=PAIR | {"OZONE-SITE.XML_ozgate.threads": "3"},
        )
        status, body = self.get_locally("/conf")
        self.assertEqual(status, 200)
        found = {
            each["key"]: (each["value"], each["resource"])
            for each in json.loads(body)["properties"]
        }
        self.assertEqual(found["ozgate.region"], ("eu-west-1", f"{path} line 1"))
        self.assertEqual(found["ozgate.threads"], ("3", "the environment"))
        self.assertEqual(found["ozone.security.enabled"], ("true", "-D"))
        self.assertEqual(found["ozone.s3g.list.max.keys.limit"], ("1000", "default"))
        self.assertEqual(found["ozgate.data"], (self.data, "--data"))
        masked = ("********", "AWS_SECRET_ACCESS_KEY")
        self.assertEqual(found["ozgate.s3.secret-key"], masked)
        self.assertEqual(found["hdds.prometheus.endpoint.token"], ("", "default"))
        self.assertNotIn(PAIR["AWS_SECRET_ACCESS_KEY"].encode(), body)
        self.assertNotIn(PAIR["AWS_SECRET_ACCESS_KEY"], process.output())

    def test_forms(self) -> None:
        """It is also had in Hadoop's XML, and one key at a time; nonsense is refused."""
        process = self.started("-D", LOOPBACK)
        _, body = self.get(process, "/conf?format=xml&name=ozgate.region")
        [found] = ElementTree.fromstring(body)
        self.assertEqual(
            {child.tag: child.text for child in found},
            {
                "name": "ozgate.region",
                "value": "us-east-1",
                "final": "false",
                "source": "default",
            },
        )
        self.assertGreater(
            len(ElementTree.fromstring(self.get(process, "/conf?format=xml")[1])), 20
        )
        self.assertEqual(self.get(process, "/conf?name=no.such")[0], 404)
        self.assertEqual(self.get(process, "/conf?format=yaml")[0], 400)


class AccessTests(AdminTestCase):
    """Everything but health needs an administrator when security is on."""

    def test_nobody(self) -> None:
        """Who comes over TCP and is not known sees health and nothing else."""
        process = self.started("-D", LOOPBACK, *SECURE, environment=PAIR)
        for path in GUARDED:
            status, body = self.get(process, path)
            self.assertEqual(status, 403, path)
            self.assertTrue(body.startswith(b"PERMISSION_DENIED "), body)
        self.assertEqual(self.get(process, "/reload", "POST")[0], 403)
        self.assertNotIn("reload:", process.output())
        self.assertEqual(self.get(process, "/healthz")[0], 200)

    def test_own_user(self) -> None:
        """The service's own user is an administrator over the socket."""
        self.started("-D", LOOPBACK, *SECURE, environment=PAIR)
        for path in GUARDED:
            self.assertEqual(self.get_locally(path)[0], 200, path)
        self.assertEqual(self.get_locally("/reload", "POST")[0], 200)
        self.assertEqual(self.get_locally("/reload")[0], 405)

    def test_security_off(self) -> None:
        """With security off whoever reaches it is an administrator."""
        process = self.started("-D", LOOPBACK)
        for path in GUARDED:
            self.assertEqual(self.get(process, path)[0], 200, path)
        self.assertEqual(self.get(process, "/reload", "POST")[0], 200)

    def test_token(self) -> None:
        """Prometheus' token opens the metrics, and nothing else; another one opens nothing."""
        token = "hdds.prometheus.endpoint.token=let me in"
        process = self.started("-D", LOOPBACK, "-D", token, *SECURE, environment=PAIR)
        right = {"Authorization": "Bearer let me in"}
        for path in ("/metrics", "/prom"):
            self.assertEqual(self.get(process, path, headers=right)[0], 200)
        self.assertEqual(self.get(process, "/conf", headers=right)[0], 403)
        for wrong in ("Bearer let me", "Bearer", "Bearer let me in again", "let me in"):
            headers = {"Authorization": wrong}
            self.assertEqual(self.get(process, "/prom", headers=headers)[0], 403)

    def test_no_token(self) -> None:
        """Where no token is set, an empty one opens nothing."""
        process = self.started("-D", LOOPBACK, *SECURE, environment=PAIR)
        headers = {"Authorization": "Bearer "}
        self.assertEqual(self.get(process, "/prom", headers=headers)[0], 403)

    def test_metrics_off(self) -> None:
        """The metrics can be turned off as in Ozone."""
        off = "hdds.prometheus.endpoint.enabled=false"
        process = self.started("-D", LOOPBACK, "-D", off)
        self.assertEqual(self.get(process, "/prom")[0], 404)
        self.assertEqual(self.get(process, "/conf")[0], 200)


class ListeningTests(AdminTestCase):
    """Where it listens."""

    def test_open_to_others(self) -> None:
        """With security off it does not listen beyond loopback."""
        everywhere = "ozone.s3g.webadmin.http-address=0.0.0.0:0"
        line = self.refused("-D", LOOPBACK, "-D", everywhere)
        self.assertIn("open to other machines", line)

    def test_taken(self) -> None:
        """A port that was asked for must be had; of the default one it is only said that it is not."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            line = self.refused(
                *("-D", LOOPBACK, "-D", f"ozone.s3g.webadmin.http-address={taken}")
            )
            self.assertIn("another program does already", line)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("127.0.0.1", 19878))
                other.listen()
            except OSError:
                raise SkipTest("port 19878 of this machine is in use") from None
            process = self.started(
                *("-D", LOOPBACK),
                environment={"OZONE-SITE.XML_ozone.s3g.webadmin.http-address": ""},
            )
            self.assertIn("administrators use the socket", process.output())
            self.assertEqual(self.get_locally("/readyz")[0], 200)

    def test_off(self) -> None:
        """Without a port the socket is still there; its folder lets nobody else in."""
        off = "ozone.s3g.webadmin.http.enabled=false"
        process = self.started("-D", LOOPBACK, "-D", off)
        self.assertNotIn("administered", process.output())
        self.assertEqual(self.get_locally("/metrics")[0], 200)

    def test_bind_host(self) -> None:
        """The host to listen on can be given apart from the address, as Ozone's key has it."""
        port = free_port()
        process = self.started(
            *("-D", LOOPBACK, "-D", "ozone.s3g.webadmin.http-bind-host=127.0.0.1"),
            *("-D", f"ozone.s3g.webadmin.http-address=gateway.example.com:{port}"),
        )
        self.assertEqual(process.admin_url, f"http://127.0.0.1:{port}")
        self.assertEqual(self.get(process, "/healthz")[0], 200)

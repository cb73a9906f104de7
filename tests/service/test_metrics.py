"""The metrics of a running service, read as Prometheus reads them."""

from __future__ import annotations

import os
import socket
import struct
from urllib.parse import urlsplit

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from ozgate import __version__
from tests.service.test_admin import AdminTestCase
from tests.service.twistd import LOOPBACK

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class MetricsTests(AdminTestCase):
    """GET /metrics."""

    def setUp(self) -> None:
        """A service with a bucket."""
        super().setUp()
        self.process = self.started("-D", LOOPBACK)
        [self.url] = self.process.urls
        self.assertEqual(self.ask(self.url + "/bucket", "PUT")[0], 200)

    def samples(self) -> Samples:
        """All samples, by name and labels."""
        status, body = self.get(self.process, "/metrics")
        self.assertEqual(status, 200)
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    def value(self, name: str, /, **labels: str) -> float:
        """One sample; 0 where there is none."""
        return self.samples().get((name, frozenset(labels.items())), 0.0)

    def until(self, value: float, name: str, /, **labels: str) -> None:
        """Wait for a sample to have a value, as long as the service lives."""
        for _ in range(1000):
            if self.value(name, **labels) == value:
                return
        raise AssertionError(f"{name} {labels} is {self.value(name, **labels)}")

    def test_requests(self) -> None:
        """Requests are counted by operation and status, with their bytes and their time."""
        body = os.urandom(100_000)
        self.assertEqual(self.ask(self.url + "/bucket/key", "PUT", body)[0], 200)
        for _ in range(2):
            self.assertEqual(self.ask(self.url + "/bucket/key"), (200, body))
        self.assertEqual(self.ask(self.url + "/bucket/none")[0], 404)
        self.until(2, "ozgate_requests_total", operation="GetObject", status="200")
        found = self.samples()

        def value(name: str, /, **labels: str) -> float:
            return found[name, frozenset(labels.items())]

        get, put = {"operation": "GetObject"}, {"operation": "PutObject"}
        self.assertEqual(value("ozgate_requests_total", status="404", **get), 1)
        self.assertEqual(value("ozgate_requests_total", status="200", **put), 1)
        self.assertEqual(value("ozgate_received_bytes_total", **put), len(body))
        self.assertEqual(value("ozgate_received_bytes_total", **get), 0)
        self.assertGreaterEqual(value("ozgate_sent_bytes_total", **get), 2 * len(body))
        self.assertEqual(value("ozgate_request_seconds_count", **get), 3)
        self.assertEqual(value("ozgate_request_seconds_bucket", le="+Inf", **get), 3)
        self.assertGreater(value("ozgate_request_seconds_sum", **get), 0)
        self.assertEqual(value("ozgate_errors_total", code="NoSuchKey"), 1)
        self.assertEqual(value("ozgate_requests_in_flight"), 0)

    def test_stores(self) -> None:
        """What the stores hold and what is left of the disk is told, and what runs."""
        self.assertEqual(self.ask(self.url + "/bucket/key", "PUT", b"x" * 1000)[0], 200)
        found = self.samples()
        names = {name for name, _ in found}
        volume = frozenset({("volume", "s3v")})
        self.assertEqual(found["ozgate_volume_used_bytes", volume], 1000)
        self.assertEqual(found["ozgate_volume_buckets", volume], 1)
        for part in ("database", "log", "free"):
            labels = frozenset({("part", part)})
            self.assertIn(("ozgate_metadata_bytes", labels), found)
        self.assertGreater(found["ozgate_disk_free_bytes", frozenset()], 0)
        self.assertGreater(found["ozgate_commit_interactions_count", frozenset()], 1)
        self.assertEqual(found["ozgate_sync_blobs_count", frozenset()], 0)
        self.assertGreater(found["process_resident_memory_bytes", frozenset()], 0)
        self.assertLessEqual({"process_cpu_seconds_total", "process_open_fds"}, names)
        [built] = [dict(labels) for n, labels in found if n == "ozgate_build_info"]
        self.assertEqual(built["version"], __version__)

    def test_syncs(self) -> None:
        """Each sync of a folder is counted, with the blobs whose names it made durable."""
        for number in range(3):
            url = f"{self.url}/bucket/large-{number}"
            self.assertEqual(self.ask(url, "PUT", b"x" * 100_000)[0], 200)
        self.assertEqual(self.value("ozgate_sync_blobs_count"), 3)
        self.assertEqual(self.value("ozgate_sync_blobs_sum"), 3)
        self.assertEqual(self.value("ozgate_sync_blobs_bucket", le="1.0"), 3)

    def test_in_flight_and_gone(self) -> None:
        """A request under way is in flight; a client that leaves is counted with the status 499."""
        client = self.begin_upload(self.url, 100)
        self.assertEqual(self.value("ozgate_requests_in_flight"), 1)
        self.assertEqual(self.value("ozgate_connections"), 1)
        # Reset, rather than closed in order: then there is nobody to answer.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        self.until(1, "ozgate_requests_total", operation="PutObject", status="499")
        self.assertEqual(self.value("ozgate_errors_total", code="ClientGone"), 1)
        self.assertEqual(self.value("ozgate_requests_in_flight"), 0)
        self.assertEqual(self.value("ozgate_connections"), 0)

    def test_no_operation(self) -> None:
        """What has no operation, or is no request at all, is counted under a dash."""
        place = urlsplit(self.url)
        for sent in (b"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", b"nonsense\r\n\r\n"):
            with socket.create_connection((place.hostname, place.port)) as client:
                client.settimeout(20)
                client.sendall(sent)
                self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 400 "))
        self.until(2, "ozgate_requests_total", operation="-", status="400")

    def test_openmetrics(self) -> None:
        """Who asks for OpenMetrics gets it; /prom is the same page."""
        headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
        status, body = self.get(self.process, "/prom", headers=headers)
        self.assertEqual(status, 200)
        names = {family.name for family in read_openmetrics(body.decode())}
        self.assertIn("ozgate_requests", names)

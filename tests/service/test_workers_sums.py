"""What holds over all workers of a service together: logs, metrics, limits, reloads, reads."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import time
from glob import glob
from hashlib import sha256
from pathlib import Path
from urllib.request import Request, urlopen

from tests.running import Server
from tests.service.workers import WorkersCase, until

MIB = 1 << 20
TOKEN = "workers"


class SumsTests(WorkersCase):
    """One service, whoever of it was asked."""

    def metrics(self, server: Server) -> dict[str, float]:
        """Every series with its value."""
        [url] = re.findall(r"^ozgate is administered at (\S+)$", server.output(), re.M)
        asked = Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        with urlopen(asked, timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        pairs = [line.rpartition(" ") for line in lines if line[:1] != "#"]
        return {name: float(value) for name, _, value in pairs}

    def test_logs_and_metrics(self) -> None:
        """Each request has one whole line in each log, whoever served it; the metrics have all, also those of a worker that was killed."""
        server = self.serve(f"hdds.prometheus.endpoint.token={TOKEN}")
        connections = self.connected(server)
        long, count = "k" * 700, 60
        for each in connections:
            for number in range(count):
                self.ask(each, server, "GET", f"/no-bucket/{long}{number}")
        expected = float(count * len(connections))
        name = 'ozgate_requests_total{operation="GetObject",status="404"}'
        found = self.metrics(server)
        self.assertEqual(found[name], expected)
        self.assertEqual(found["ozgate_connections"], len(connections))
        by_worker = [
            found[f'ozgate_worker_connections{{worker="{n}"}}'] for n in (1, 2)
        ]
        self.assertEqual(sum(by_worker), len(connections))
        self.assertGreater(min(by_worker), 0)
        before = self.workers(server)
        os.kill(before[1], signal.SIGKILL)
        until(lambda: self.workers(server)[1] != before[1], server.output())
        found = self.metrics(server)
        self.assertEqual(found[name], expected)
        self.assertEqual(found["ozgate_connections"], by_worker[1])
        self.assertEqual(found["ozgate_worker_starts_total"], 3)
        self.assertEqual(server.stop(), -signal.SIGTERM)
        line = re.compile(
            rf'127\.0\.0\.1 - \S+ \[[^]]+\] "GET /no-bucket/{long}\d+ HTTP/1\.1" 404 .*'
        )
        access = Path(server.data, "access.log").read_text().splitlines()
        whole = [each for each in access if line.fullmatch(each)]
        [audit] = glob(f"{server.data}/s3g-audit-*")
        lines = [
            each
            for each in Path(audit).read_text().splitlines()
            if long in each and each.count("| ret=") == 1
        ]
        # The killed one takes at most the lines of a second with it.
        self.assertGreater(len(whole), 0)
        self.assertEqual(
            [each for each in access if long in each and each not in whole], []
        )
        self.assertLessEqual(len(whole), expected)
        self.assertGreater(len(lines), 0)

    def test_rotation(self) -> None:
        """One of the workers moves a log that is large; no line of either is lost or torn, whichever file it is in."""
        server = self.serve("ozgate.log.max-size=4KB", "ozgate.log.keep=50")
        connections = self.connected(server)
        count = 0
        for _ in range(6):
            for each in connections:
                for _ in range(20):
                    count += 1
                    self.ask(each, server, "GET", f"/no-bucket/number-{count}-")
            time.sleep(1.1)
        self.assertEqual(server.stop(), -signal.SIGTERM)
        files = glob(f"{server.data}/access.log*")
        self.assertGreater(len(files), 2)
        text = "".join(Path(each).read_text() for each in files)
        found = re.findall(
            r'^127\.0\.0\.1 .* "GET /no-bucket/number-(\d+)- HTTP/1\.1" 404 ',
            text,
            re.M,
        )
        self.assertEqual(sorted(map(int, found)), list(range(1, count + 1)))

    def test_connections_of_one_address(self) -> None:
        """An address has so many connections in all, to whichever workers."""
        server = self.serve("ozgate.limit.connections-per-address=6")
        there: list[http.client.HTTPConnection] = []
        self.addCleanup(lambda: [each.close() for each in there])
        statuses = []
        for _ in range(12):
            made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            there.append(made)
            statuses.append(self.ask(made, server, "GET", "/")[0])
        self.assertEqual(statuses, [200] * 6 + [503] * 6)
        there.pop(0).close()

        def is_admitted() -> bool:
            made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            there.append(made)
            return self.ask(made, server, "GET", "/")[0] == 200

        until(is_admitted, "nobody is admitted again")

    def configured(self, site: Path) -> Server:
        """A service that reads a site file."""
        server = self.serve()
        server.stop()
        server.environment = lambda: {  # type: ignore[method-assign]
            **Server.environment(server),
            "OZGATE_CONFIG": os.path.abspath(site),
        }
        self.start(server)
        return server

    def test_reload(self) -> None:
        """Once a reload is over, it is over in every worker, and in one that starts later."""
        site = Path(self.mktemp())
        site.write_text("<configuration/>")
        server = self.configured(site)
        before = dict(self.workers(server))
        self.assertEqual(server.request("PUT", "/bucket")[0], 200)
        for key in "abc":
            self.assertEqual(server.request("PUT", f"/bucket/{key}", body=b"1")[0], 200)
        connections = self.connected(server)
        self.assertEqual(self.pages(server, connections), {3})
        key = "ozone.s3g.list.max.keys.limit"
        site.write_text(
            f"<configuration><property><name>{key}</name><value>1</value></property></configuration>"
        )
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "reload: audit log: " in server.output(), server.output())
        self.assertEqual(self.pages(server, connections), {1})
        os.kill(before[2], signal.SIGKILL)
        until(lambda: self.workers(server)[2] != before[2], server.output())
        self.assertEqual(self.pages(server, self.connected(server)), {1})

    def test_reload_while_one_begins(self) -> None:
        """A worker that was told to begin and does not serve yet takes up a reload before it does."""
        site, key = Path(self.mktemp()), "ozone.s3g.list.max.keys.limit"

        def configure(most: int) -> None:
            site.write_text(
                f"<configuration><property><name>{key}</name><value>{most}</value></property></configuration>"
            )

        configure(2)
        server = self.configured(site)
        before = dict(self.workers(server))
        self.assertEqual(server.request("PUT", "/bucket")[0], 200)
        for name in "abc":
            put = server.request("PUT", f"/bucket/{name}", body=b"1")
            self.assertEqual(put[0], 200)
        configure(1)
        assert server.process is not None
        os.kill(before[2], signal.SIGKILL)
        until(lambda: "it is started again" in server.output(), server.output())
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "reload: audit log: " in server.output(), server.output())
        until(lambda: self.workers(server)[2] != before[2], server.output())
        self.assertEqual(self.pages(server, self.connected(server)), {1})

    def pages(
        self, server: Server, connections: list[http.client.HTTPConnection]
    ) -> set[int]:
        """How many keys a page of a list has, by each worker."""
        answers = [
            self.ask(each, server, "GET", "/bucket")[1].count(b"<Key>")
            for each in connections
        ]
        return set(answers)

    def test_reads_hold_the_reaper(self) -> None:
        """What a worker sends to a slow client stays until it is sent, though it was deleted meanwhile, and goes then."""
        server = self.serve(
            "ozgate.sweep.interval=1s",
            "ozgate.sweep.delay=0s",
            "ozgate.http.minimum-rate=0",
        )
        self.assertEqual(server.request("PUT", "/bucket")[0], 200)
        body = os.urandom(24 * MIB)
        self.assertEqual(server.request("PUT", "/bucket/key", body=body)[0], 200)
        blobs = Path(server.data, "blobs")

        def stored() -> int:
            return sum(
                each.stat().st_size for each in blobs.rglob("*") if each.is_file()
            )

        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(60)
            client.connect(("127.0.0.1", server.port))
            client.sendall(server.head("GET", "/bucket/key"))
            begun = client.recv(2000)
            self.assertEqual(server.request("DELETE", "/bucket/key")[0], 204)
            time.sleep(4)
            self.assertGreater(stored(), 24 * MIB)
            _, _, got = begun.partition(b"\r\n\r\n")
            while len(got) < len(body):
                got += client.recv(MIB)
        self.assertEqual(sha256(got).digest(), sha256(body).digest())
        until(lambda: stored() < MIB, "it stays")

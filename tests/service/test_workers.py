"""Workers: how they live and die, with real processes and sockets."""

from __future__ import annotations

import http.client
import os
import signal
import time
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

from tests.running import SECRET_KEY, Server
from tests.service.workers import WorkersCase, is_alive, shut, until


def content(key: str) -> bytes:
    """What is written to a key: sometimes in the row, sometimes a blob."""
    digest = sha256(key.encode())
    return digest.digest() * (10 if digest.digest()[0] % 2 else 2000)


class Writer(Thread):
    """A client that writes one key after the other; each that was acknowledged is in ``done``."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__()
        self.server, self.prefix = server, name
        self.ended = Event()
        self.done: list[str] = []
        self.cut = 0

    def run(self) -> None:
        """Write until told to end; a connection that is cut is made anew."""
        connection: http.client.HTTPConnection | None = None
        number = 0
        while not self.ended.is_set():
            number += 1
            target = f"/bucket/{self.prefix}-{number}"
            if connection is None:
                connection = http.client.HTTPConnection(
                    "127.0.0.1", self.server.port, timeout=60
                )
            try:
                headers = self.server.signed("PUT", target)
                connection.request("PUT", target, content(target), headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.cut += 1
                connection.close()
                connection = None
            else:
                assert answer.status == 200, answer.status
                self.done.append(target)
        if connection is not None:
            connection.close()


class LifeTests(WorkersCase):
    """Processes end."""

    def read_back(self, server: Server, keys: list[str]) -> None:
        """Each is there as it was written."""
        for key in keys:
            status, _, body = server.request("GET", key)
            self.assertEqual((status, body == content(key)), (200, True), key)

    def test_killed_under_load(self) -> None:
        """A worker that is killed loses nothing that was acknowledged, cuts its own connections alone, and is started again."""
        server = self.serve()
        self.assertEqual(server.request("PUT", "/bucket")[0], 200)
        before = self.workers(server)
        waiting = self.connected(server)
        theirs = [self.worker_of(each, server) for each in waiting]
        writers = [Writer(server, f"w{n}") for n in range(6)]
        for each in writers:
            each.start()
        until(lambda: all(len(each.done) > 5 for each in writers), "nobody writes")
        os.kill(before[1], signal.SIGKILL)
        until(lambda: self.workers(server)[1] != before[1], server.output())
        counts = [len(each.done) for each in writers]
        until(
            lambda: all(
                len(each.done) > count + 5
                for each, count in zip(writers, counts, strict=True)
            ),
            "not everybody goes on",
        )
        for each in writers:
            each.ended.set()
        for each in writers:
            each.join()
        self.assertTrue(all(each.cut <= 1 for each in writers))
        for connection, pid in zip(waiting, theirs, strict=True):
            self.assertEqual(shut(connection), pid == before[1])
            if pid != before[1]:
                self.assertEqual(self.ask(connection, server, "GET", "/")[0], 200)
        self.assertIn("worker 1 ended by SIGKILL; it is started again", server.output())
        self.read_back(server, [key for each in writers for key in each.done])
        self.connected(server)

    def test_parent_killed(self) -> None:
        """When the parent is killed, its workers end at once, and the next start has everything and the same port."""
        server = self.serve()
        self.assertEqual(server.request("PUT", "/bucket")[0], 200)
        key = "/bucket/key"
        self.assertEqual(server.request("PUT", key, body=content(key))[0], 200)
        waiting = self.connected(server)
        pids = list(self.workers(server).values())
        server.kill()
        self.start(server)
        self.assertEqual([pid for pid in pids if is_alive(pid)], [])
        self.assertTrue(all(map(shut, waiting)))
        self.read_back(server, [key])

    def test_stopped(self) -> None:
        """A stop lets a request under way in a worker end, takes no new one, and leaves no process."""
        server = self.serve()
        self.assertEqual(server.request("PUT", "/bucket")[0], 200)
        connections = self.connected(server)
        slow = connections[-1]
        headers = server.signed("PUT", "/bucket/slow")
        slow.putrequest("PUT", "/bucket/slow", "host" in headers)
        for name, value in {**headers, "Content-Length": "6"}.items():
            slow.putheader(name, value)
        slow.endheaders(b"abc")
        time.sleep(0.2)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        until(lambda: all(map(shut, connections[:-1])), "idle ones stay")
        with self.assertRaises(OSError):
            server.connect()
        slow.send(b"def")
        self.assertEqual(slow.getresponse().status, 200)
        self.assertEqual(server.process.wait(30), -signal.SIGTERM)
        self.assertFalse(any(map(is_alive, self.workers(server).values())))
        self.assertNotIn("Traceback", server.output())
        self.start(server)
        self.assertEqual(server.request("GET", "/bucket/slow")[2], b"abcdef")

    def test_signals(self) -> None:
        """What a terminal sends to all processes, workers leave to their parent."""
        server = self.serve()
        pids = self.workers(server)
        for pid in pids.values():
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                os.kill(pid, number)
        self.connected(server)
        self.assertEqual(self.workers(server), pids)

    def test_secrets(self) -> None:
        """No secret is in a worker's command line or environment."""
        server = self.serve()
        for pid in self.workers(server).values():
            for name in ("cmdline", "environ"):
                said = Path(f"/proc/{pid}/{name}").read_bytes()
                self.assertNotIn(SECRET_KEY.encode(), said)
                self.assertNotIn(b"AWS_SECRET_ACCESS_KEY=", said)

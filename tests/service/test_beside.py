"""Two processes over one data folder, as far as that is meant: a service, and a process that only opens its stores."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

from ozgate.background.longreads import AFTER, EVERY, GRACE, LASTS
from tests.crash.test_clock_jumps import ClockedServer
from tests.forking import die_with_parent
from tests.running import ROOT, Server
from tests.service.beside import Answered, Asked, body_of
from tests.service.upkeep import MIB, UpkeepCase

SMALL, LARGE = 500, 3 * MIB


def digest(target: str, size: int) -> Answered:
    """What is answered to who reads what a target was given."""
    return 200, sha256(body_of(target, size)).hexdigest()


class Beside:
    """The second process."""

    def __init__(self, server: Server) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.service.beside", server.data],
            cwd=ROOT,
            env=server.environment(),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said == "open\n", said

    def ask(self, *asked: Asked) -> list[Answered]:
        """Have it answer requests."""
        self.begin(asked)
        return [tuple(each) for each in self.answer()]

    def slow(self, what: str) -> Any:
        """Have it do something for its slow client; what that gives."""
        self.begin(what)
        return self.answer()

    def begin(self, asked: Sequence[Asked] | str) -> None:
        """Have it begin to answer requests, or to do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """What it says then."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> int:
        """Have it close the stores; its exit code."""
        self.process.communicate(timeout=60)
        return self.process.returncode


class BesideCase(UpkeepCase):
    """A service, and what is beside it."""

    def beside(self) -> Beside:
        """A second process, which ends with the test."""
        beside = Beside(self.server)
        self.addCleanup(beside.process.wait)
        self.addCleanup(beside.process.kill)
        return beside


class BesideTests(BesideCase):
    """Both serve, and neither harms the other."""

    def ask(self, *asked: Asked) -> list[Answered]:
        """Have the service answer requests."""
        answers = []
        for method, target, size in asked:
            status, _, body = self.server.request(
                method, target, body=body_of(target, size)
            )
            answers.append((status, sha256(body).hexdigest()))
        return answers

    def sequence(self, key: str) -> int:
        """The number of the latest version of keys that are like it."""
        with closing(sqlite3.connect(f"{self.data}/metadata.db")) as connection:
            [(found,)] = connection.execute(
                "SELECT MAX(sequence) FROM versions WHERE key LIKE ?", (key,)
            )
        return int(found)

    def assert_well(self) -> None:
        """Fsck finds nothing, not in what is counted either."""
        code, out, error = self.ozgate("fsck")
        self.assertEqual((code, error), (0, ""), out)

    def test_each_reads_what_the_other_wrote(self) -> None:
        """Small and large objects of either process are read by the other, whose log was neither emptied nor looked through."""
        targets = [("/bucket/small", SMALL), ("/bucket/large", LARGE)]
        for target, size in targets:
            self.assertEqual(self.ask(("PUT", target, size))[0][0], 200)
        beside = self.beside()
        for target, size in targets:
            self.assertEqual(beside.ask(("GET", target, 0)), [digest(target, size)])
            other = f"{target}-beside"
            self.assertEqual(beside.ask(("PUT", other, size))[0][0], 200)
            self.assertEqual(self.ask(("GET", other, 0)), [digest(other, size)])
            self.assertEqual(self.ask(("DELETE", other, 0))[0][0], 204)
            self.assertEqual(beside.ask(("GET", other, 0))[0][0], 404)
        self.assertEqual(beside.end(), 0)
        for target, size in targets:
            self.assertEqual(self.ask(("GET", target, 0)), [digest(target, size)])
        self.assert_well()

    def test_by_turns(self) -> None:
        """Of writes to one key, by turns, the last is what both read, and its number is the largest."""
        beside, last = self.beside(), 0
        for turn in range(6):
            for ask in self.ask, beside.ask:
                size = SMALL + turn * (1 + (ask == self.ask))
                self.assertEqual(ask(("PUT", "/bucket/key", size))[0][0], 200)
                for reader in self.ask, beside.ask:
                    found = reader(("GET", "/bucket/key", 0))
                    self.assertEqual(found, [digest("/bucket/key", size)])
                number = self.sequence("key")
                self.assertGreater(number, last)
                last = number
        self.assertEqual(beside.end(), 0)
        self.assert_well()

    def test_at_once(self) -> None:
        """While both commit many writes at once, of which some are to the same keys, nothing is lost, and all is counted."""
        beside, statuses = self.beside(), []

        def write() -> None:
            puts = [("PUT", f"/bucket/shared{n % 5}", SMALL) for n in range(40)]
            puts += [("PUT", f"/bucket/service{n}", SMALL) for n in range(40)]
            statuses.extend(status for status, _ in self.ask(*puts))

        threads = [Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(8):
            puts = [("PUT", f"/bucket/shared{n}", SMALL) for n in range(5)]
            puts += [("PUT", f"/bucket/beside{turn}-{n}", SMALL) for n in range(20)]
            statuses.extend(status for status, _ in beside.ask(*puts))
        for thread in threads:
            thread.join()
        self.assertEqual(set(statuses), {200})
        keys = {f"shared{n}" for n in range(5)} | {f"service{n}" for n in range(40)}
        keys |= {f"beside{turn}-{n}" for turn in range(8) for n in range(20)}
        found = {
            key: (200, sha256(body).hexdigest())
            for key, body in self.served(self.client).items()
        }
        self.assertEqual(
            found, {key: digest(f"/bucket/{key}", SMALL) for key in sorted(keys)}
        )
        self.assertEqual(beside.end(), 0)
        self.assert_well()

    def test_killed(self) -> None:
        """The other is killed, again and again, while both write: no number is given twice, the next is the largest, and nothing is half there."""
        for turn in range(3):
            beside = self.beside()
            began = f"/bucket/began{turn}"
            self.assertEqual(beside.ask(("PUT", began, SMALL))[0][0], 200)
            puts = [("PUT", f"/bucket/beside{turn}-{n}", SMALL) for n in range(400)]
            beside.begin(puts)
            for n in range(5 + 10 * turn):
                self.ask(("PUT", f"/bucket/service{turn}-{n}", SMALL))
            beside.process.kill()
            beside.process.wait()
            last = self.sequence("%")
            self.assertEqual(
                self.ask(("PUT", f"/bucket/after{turn}", LARGE))[0][0], 200
            )
            self.assertGreater(self.sequence(f"after{turn}"), last)
            self.assertEqual(self.ask(("GET", began, 0)), [digest(began, SMALL)])
        with closing(sqlite3.connect(f"{self.data}/metadata.db")) as connection:
            [(count, different)] = connection.execute(
                "SELECT COUNT(sequence), COUNT(DISTINCT sequence) FROM versions"
            )
        self.assertEqual(count, different)
        for key, body in self.served(self.client).items():
            size = LARGE if key.startswith("after") else SMALL
            self.assertEqual(body, body_of(f"/bucket/{key}", size))
        self.assert_well()

    def test_suspended(self) -> None:
        """While the other is suspended in the middle of a transaction reads go on, and a write is surely not done; then all goes on, and nothing is lost."""
        beside = self.beside()
        self.assertEqual(self.ask(("PUT", "/bucket/key", SMALL))[0][0], 200)
        beside.begin("suspend")
        _, status = os.waitpid(beside.process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        for asked in ("PUT", SMALL + 1), ("DELETE", 0):
            method, size = asked
            self.assertEqual(self.ask((method, "/bucket/key", size))[0][0], 503)
            found = self.ask(("GET", "/bucket/key", 0))
            self.assertEqual(found, [digest("/bucket/key", SMALL)])
        beside.process.send_signal(signal.SIGCONT)
        self.assertEqual(beside.answer(), "went on")
        self.assertEqual(self.ask(("PUT", "/bucket/key", SMALL + 2))[0][0], 200)
        found = beside.ask(("GET", "/bucket/key", 0))
        self.assertEqual(found, [digest("/bucket/key", SMALL + 2)])
        self.assertEqual(beside.end(), 0)
        self.assert_well()

    def test_a_body_under_way(self) -> None:
        """A body that the service is being sent while the other opens and closes its stores is stored whole."""
        target = "/bucket/slow"
        body = body_of(target, LARGE)
        headers = {"content-length": str(len(body))}
        head = self.server.head("PUT", target, headers)
        with self.server.connect() as connection:
            connection.sendall(head + body[: 2 * MIB])
            self.assertEqual(self.beside().end(), 0)
            connection.sendall(body[2 * MIB :])
            self.assertIn(b" 200 OK\r\n", connection.recv(4096))
        self.assertEqual(self.ask(("GET", target, 0)), [digest(target, LARGE)])

    def test_two_services(self) -> None:
        """Two services on one folder are refused; so is the next one as long as a process of the one before has its stores open."""
        second = Server(self.data)
        line = str(self.assertRaises(RuntimeError, second.start))
        self.assertIn("is in use by process", line)
        beside = self.beside()
        self.assertEqual(beside.ask(("PUT", "/bucket/key", SMALL))[0][0], 200)
        self.server.stop()
        line = str(self.assertRaises(RuntimeError, second.start))
        self.assertIn("are in use by another process", line)
        self.assertEqual(beside.ask(("PUT", "/bucket/more", SMALL))[0][0], 200)
        self.assertEqual(beside.end(), 0)
        self.server.start()
        for target in "/bucket/key", "/bucket/more":
            self.assertEqual(self.ask(("GET", target, 0)), [digest(target, SMALL)])


class SlowClientTests(BesideCase):
    """The service removes what a slow client of the other process has yet to be sent. Clocks go on by minutes, for nobody waits so long."""

    settings = ("ozgate.sweep.delay=0s", "ozgate.sweep.interval=100ms")
    server: ClockedServer

    def setUp(self) -> None:
        """A service with an object in two blobs, which has been there for long; an eager reaper."""
        with patch("tests.service.upkeep.Server", ClockedServer):
            super().setUp()
        self.body = self.put_parts("key", 5 * MIB, MIB)
        self.ahead = 0.0

    def put_parts(self, key: str, *sizes: int) -> bytes:
        """Store an object in parts; its bytes."""
        named = {"Bucket": "bucket", "Key": key}
        named["UploadId"] = self.client.create_multipart_upload(**named)["UploadId"]
        parts, bodies = [], [self.random.randbytes(size) for size in sizes]
        for number, body in enumerate(bodies, 1):
            said = self.client.upload_part(**named, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": said["ETag"]})
        self.client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
        return b"".join(bodies)

    def wait(self, seconds: float) -> None:
        """Have time pass."""
        self.ahead += seconds
        self.server.set_clock(self.ahead)

    def blobs(self) -> int:
        """How many blobs there are."""
        folder = Path(self.data, "blobs", "data")
        return sum(path.is_file() for path in folder.rglob("*"))

    def begin(self) -> Beside:
        """The other process begins to send the object, which is removed a while later."""
        beside = self.beside()
        beside.slow("begin")
        self.wait(AFTER + EVERY)
        beside.slow("note")
        self.assertEqual(self.server.request("DELETE", "/bucket/key")[0], 204)
        return beside

    def go(self) -> None:
        """The blobs go."""
        deadline = time.monotonic() + 30
        while self.blobs():
            self.assertLess(time.monotonic(), deadline, "the blobs stay")
            time.sleep(0.05)

    def test_sent(self) -> None:
        """All of it is sent, however long that takes; then the blobs go."""
        beside = self.begin()
        for _ in range(6):
            self.wait(LASTS - 20)
            beside.slow("note")
            # Several rounds of the reaper.
            time.sleep(0.3)
            self.assertEqual(self.blobs(), 2)
        self.assertEqual(beside.slow("end"), sha256(self.body).hexdigest())
        self.wait(LASTS)
        self.go()

    def known(self) -> int:
        """How many processes others wait for."""
        with closing(sqlite3.connect(f"{self.data}/metadata.db")) as connection:
            [(count,)] = connection.execute("SELECT COUNT(*) FROM processes")
        return int(count)

    def test_killed(self) -> None:
        """When the process that was sending it dies, the blobs go a while later; a start after such kills waits for nobody."""
        beside = self.begin()
        beside.process.kill()
        beside.process.wait()
        for _ in range(2):
            time.sleep(0.3)
            self.assertEqual(self.blobs(), 2)
            self.wait(GRACE / 2000)
        self.wait(LASTS)
        self.go()
        self.assertEqual(self.known(), 2)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.known(), 1)

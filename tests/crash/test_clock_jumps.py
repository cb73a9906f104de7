"""A wall clock that is set under a running server, forward and back.

A real server, but for one thing: its ``time.time`` is replaced before Twisted is loaded, and adds what a file says, for
a test may not set the clock of the machine. :mod:`tests.unit.service.test_clocks` has what takes hours.
"""

from __future__ import annotations

import email.utils
import os
import re
import struct
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from unittest.mock import patch

from tests.crash.test_environment import BLOB, SMALL, ServerCase
from tests.running import ROOT, Server

HOUR, DAY = 3600.0, 86400.0
WRITERS = 6

REPLACED = """
import mmap, struct, time
real = time.time
with open({path!r}, "rb") as file:
    shown = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
time.time = lambda: real() + struct.unpack("d", shown)[0]
"""
"""What Python runs at its start, as ``sitecustomize``."""


class ClockedServer(Server):
    """A server whose clock can be set.

    :ivar jump: seconds by which it is ahead.
    """

    jump = 0.0
    forked = False

    def environment(self) -> dict[str, str]:
        """Have the clock replaced."""
        folder = Path(f"{self.data}.clock")
        folder.mkdir(exist_ok=True)
        if not self._clock.exists():
            self._clock.write_bytes(bytes(8))
        code = REPLACED.format(path=str(self._clock))
        folder.joinpath("sitecustomize.py").write_text(code)
        return {**super().environment(), "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}

    def set_clock(self, ahead: float, with_clients: bool = True) -> None:
        """Set it, and that of clients with it."""
        self.jump = ahead if with_clients else 0.0
        with open(self._clock, "r+b", buffering=0) as file:
            file.write(struct.pack("d", ahead))

    @property
    def _clock(self) -> Path:
        return Path(f"{self.data}.clock", "ahead")

    def now(self) -> float:
        """See :meth:`~tests.running.Server.now`."""
        return time.time() + self.jump


class ClockTests(ServerCase):
    """Jumps back by an hour and forward by a day and by eight, and back again."""

    server: ClockedServer

    def setUp(self) -> None:
        """Start a server with an eager reaper."""
        with patch("tests.crash.test_environment.Server", ClockedServer):
            self.begin("ozgate.sweep.delay=0s", "ozgate.sweep.interval=200ms")

    def modified(self, key: str) -> float:
        """When an object was stored, as its headers say."""
        headers = self.server.request("HEAD", f"/bucket/{key}")[1]
        return email.utils.parsedate_to_datetime(headers["last-modified"]).timestamp()

    def jump(self, *jumps: float) -> None:
        """Set the clock while everybody writes; nobody may wait for it to come round."""
        ended = threading.Event()
        broken: list[object] = []
        rounds = [0] * WRITERS

        def write(number: int) -> None:
            while not ended.is_set():
                body = b"%d " % rounds[number] * (10 + 5_000 * (number % 2))
                try:
                    status, _, found = self.server.request(
                        "PUT", f"/bucket/writer-{number}", {}, body
                    )
                    # What was signed before a jump comes too early or too late.
                    if status != 200 and b"RequestTimeTooSkewed" not in found:
                        broken.append((status, found))
                except Exception as error:
                    broken.append(error)
                rounds[number] += 1

        threads = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
        for thread in threads:
            thread.start()
        for ahead in jumps:
            self.more(rounds)
            self.server.set_clock(ahead)
        self.more(rounds)
        ended.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(broken, [])

    def more(self, rounds: list[int]) -> None:
        """Wait until each writer has done some more."""
        goal = [number + 3 for number in rounds]
        deadline = time.monotonic() + 60
        while any(done < least for done, least in zip(rounds, goal, strict=True)):
            self.assertLess(time.monotonic(), deadline, "a writer waits")
            time.sleep(0.01)

    def wait_for_reaper(self) -> None:
        """Bytes without a name go."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            listing = self.server.request("GET", "/bucket?list-type=2")[2].decode()
            named = sum(
                int(n) > 65536 for n in re.findall("<Size>(.*?)</Size>", listing)
            )
            blobs = Path(self.server.data, "blobs", "data")
            if sum(path.is_file() for path in blobs.rglob("*")) == named:
                return
            time.sleep(0.1)
        raise AssertionError("the reaper waits for the clock to come round")

    def test_back(self) -> None:
        """Back by an hour: everybody goes on, what is stored later is not older, and the reaper comes round."""
        self.assertEqual(self.put("early", SMALL), 200)
        self.jump(-HOUR, 0.0, -HOUR)
        self.assertEqual(self.put("late", SMALL), 200)
        self.assertEqual(self.put("early", BLOB), 200)
        self.assertGreaterEqual(self.modified("late"), time.time() - HOUR - 60)
        self.assertGreaterEqual(self.modified("early"), self.modified("late"))
        self.assert_there(early=BLOB, late=SMALL)
        self.server.kill()
        self.server.start()
        self.server.set_clock(0.0)
        self.assert_there(early=BLOB, late=SMALL)

    def test_forward_and_back(self) -> None:
        """Forward by a day and by eight, and back: uploads stay, times are right again, lists are in order, bytes go."""
        began = self.server.request("POST", "/bucket/many?uploads=")[2].decode()
        (upload_id,) = re.findall("<UploadId>(.*?)</UploadId>", began)
        target = f"/bucket/many?partNumber=1&uploadId={upload_id}"
        status, headers, _ = self.server.request("PUT", target, {}, BLOB)
        self.assertEqual(status, 200)
        self.jump(DAY, 8 * DAY)
        self.assertEqual(self.put("future", SMALL), 200)
        self.assertGreater(self.modified("future"), time.time() + 8 * DAY - 60)
        self.jump(0.0)
        self.assertEqual(self.put("now", SMALL), 200)
        self.assertLess(abs(self.modified("now") - time.time()), 60)
        listing = self.server.request("GET", "/bucket?list-type=2")[2].decode()
        keys = re.findall("<Key>(.*?)</Key>", listing)
        self.assertEqual(keys, sorted(keys))
        part = f"<Part><PartNumber>1</PartNumber><ETag>{headers['etag']}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
        target = f"/bucket/many?uploadId={upload_id}"
        self.assertEqual(self.server.request("POST", target, {}, document)[0], 200)
        self.assert_there(many=BLOB, future=SMALL, now=SMALL)
        self.wait_for_reaper()

    def test_slow_clients(self) -> None:
        """A body that is on its way when the clock is set forward is not taken for a slow one."""
        head = self.server.head(
            "PUT", "/bucket/slow", unsigned=(f"Content-Length: {len(BLOB)}",)
        )
        with self.server.connect() as connection:
            connection.sendall(head + BLOB[:1000])
            self.assertEqual(self.put("other", SMALL), 200)
            self.server.set_clock(DAY)
            for _ in range(3):
                self.assertEqual(self.put("other", SMALL), 200)
            connection.sendall(BLOB[1000:])
            self.assertIn(b"HTTP/1.1 200", connection.recv(65536))
        self.assert_there(slow=BLOB)

    def test_locks(self) -> None:
        """A version stays locked while the clock is set back, and forward by less than it is kept; a legal hold does not look at the clock."""
        made = {"x-amz-bucket-object-lock-enabled": "true"}
        self.assertEqual(self.server.request("PUT", "/locked", made)[0], 200)
        body = b"kept"
        digest = b64encode(md5(body).digest()).decode()
        until = datetime.fromtimestamp(time.time() + HOUR, UTC)
        retained = {
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        doomed = []
        for key, lock in (
            ("retained", retained),
            ("held", {"x-amz-object-lock-legal-hold": "ON"}),
        ):
            headers = {"content-md5": digest, **lock}
            put = self.server.request("PUT", f"/locked/{key}", headers, body)
            self.assertEqual(put[0], 200, put)
            doomed.append(f"/locked/{key}?versionId={put[1]['x-amz-version-id']}")
        for ahead, freed in (
            (-2 * HOUR, False),
            (0.5 * HOUR, False),
            (-8 * DAY, False),
            (8 * DAY, True),
        ):
            self.server.set_clock(ahead)
            retained_status, held_status = (
                self.server.request("DELETE", target)[0] for target in doomed
            )
            self.assertEqual(retained_status, 204 if freed else 403, ahead)
            self.assertEqual(held_status, 403)

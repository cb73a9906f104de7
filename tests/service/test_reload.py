"""SIGHUP and POST /reload on a running service."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

from tests.running import ROOT, program
from tests.service.test_admin import AdminTestCase
from tests.service.twistd import LOOPBACK, Twistd

LIMIT = "ozone.s3g.list.max.keys.limit"


class ReloadTestCase(AdminTestCase):
    """A service with a configuration file."""

    def setUp(self) -> None:
        """A folder for the file."""
        super().setUp()
        self.path = Path(self.folder, "site.xml")

    def configure(self, **values: str) -> None:
        """Write the file; ``__`` in a name stands for a dot, ``_`` for a hyphen."""
        properties = "".join(
            f"<property><name>{name.replace('__', '.').replace('_', '-')}</name>"
            f"<value>{escape(value)}</value></property>"
            for name, value in values.items()
        )
        self.path.write_text(f"<configuration>{properties}</configuration>")

    def start(self) -> Twistd:
        """Start with the file."""
        # A relative path means the folder of the start.
        return self.started("--config", "site.xml", "-D", LOOPBACK)

    def hang_up(self, process: Twistd, times: int = 1) -> list[str]:
        """Send SIGHUP and wait until that reload is over; all lines that reloads have logged."""
        process.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while process.output().count("reload: audit log: ") < times:
            self.assertLess(time.monotonic(), deadline, process.output())
            self.assertIsNone(process.process.poll())
            time.sleep(0.01)
        return re.findall(r" reload: (.*)$", process.output(), re.M)

    def reload(self, process: Twistd) -> dict[str, str]:
        """Reload over HTTP: outcomes by part."""
        status, body = self.get(process, "/reload", "POST")
        self.assertEqual(status, 200)
        return {each["part"]: each["outcome"] for each in json.loads(body)["reloaded"]}


class RotationTests(ReloadTestCase):
    """Log files that were moved away."""

    def test_logs(self) -> None:
        """After a rotation each request is in one file or the other, and new ones are in the new."""
        self.configure()
        process = self.start()
        [url] = process.urls
        logs = [Path(self.data, "access.log"), *Path(self.data).glob("s3g-audit-*")]
        self.assertEqual(self.ask(url + "/before", "PUT")[0], 200)
        for log in logs:
            log.rename(f"{log}.1")
        self.assertEqual(self.ask(url + "/between", "PUT")[0], 200)
        lines = self.hang_up(process)
        self.assertIn(f"access log: reopened {logs[0]}", lines)
        self.assertIn(f"audit log: reopened {logs[1]}", lines)
        self.assertEqual(self.ask(url + "/after", "PUT")[0], 200)
        process.stop()
        for log in logs:
            old, new = Path(f"{log}.1").read_text(), log.read_text()
            self.assertEqual(len(old.splitlines()), 2)
            self.assertIn("between", old)
            [line] = new.splitlines()
            self.assertIn("after", line)

    def test_bounded_logs(self) -> None:
        """Both logs are moved when they are large, so many of them are kept, and reloads go on in the new file."""
        self.configure(ozgate__log__max_size="2KB", ozgate__log__keep="2")
        process = self.start()
        [url] = process.urls
        logs = [Path(self.data, "access.log"), *Path(self.data).glob("s3g-audit-*")]
        for number in range(4):
            for _ in range(20):
                self.assertEqual(self.ask(f"{url}/round{number}")[0], 404)
            for log in logs:
                moved = Path(f"{log}.1")
                deadline = time.monotonic() + 60
                while not moved.exists() or f"round{number}" not in moved.read_text():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
            self.hang_up(process, number + 1)
        process.stop()
        for log in logs:
            there = sorted(each.name for each in log.parent.glob(f"{log.name}*"))
            self.assertEqual(there, [log.name, f"{log.name}.1", f"{log.name}.2"])
            kept = [log, Path(f"{log}.1"), Path(f"{log}.2")]
            said = "".join(each.read_text() for each in reversed(kept))
            rounds = re.findall(r"round(\d)", said)
            self.assertEqual(rounds, sorted(rounds))
            self.assertGreaterEqual(rounds.count("3"), 20)

    def test_no_log(self) -> None:
        """Logs that are turned off stay so."""
        self.configure(ozgate__log__access="-", ozgate__log__audit="-")
        process = self.start()
        self.assertEqual(self.reload(process)["access log"], "there is none")


class ConfigurationTests(ReloadTestCase):
    """A configuration file that was changed."""

    def test_taken_up(self) -> None:
        """What can change at run time does, the rest is said to need a restart; /conf shows what is in force."""
        self.configure(ozgate__threads="4")
        process = self.start()
        [url] = process.urls
        self.ask(url + "/bucket", "PUT")
        self.assertIn(b"<MaxKeys>1000<", self.ask(url + "/bucket")[1])
        self.configure(
            **{LIMIT.replace(".", "__"): "5"},
            ozgate__threads="6",
            hdds__prometheus__endpoint__token="a secret",
            ozgate__metadata="other://me@host/store",
        )
        lines = self.hang_up(process)
        self.assertIn(f"{LIMIT}: 1000 → 5, in force", lines)
        self.assertIn("ozgate.threads: 4 → 6, needs a restart", lines)
        self.assertIn("hdds.prometheus.endpoint.token: now ********, in force", lines)
        self.assertIn("→ other://me@host/store, needs a restart", str(lines))
        self.assertNotIn("a secret", process.output())
        self.assertIn(b"<MaxKeys>5<", self.ask(url + "/bucket")[1])
        _, body = self.get(process, "/conf")
        found = {
            each["key"]: (each["value"], each["resource"])
            for each in json.loads(body)["properties"]
        }
        self.assertEqual(found[LIMIT], ("5", f"{self.path} line 1"))
        self.assertEqual(found["ozgate.threads"][0], "4")
        outcomes = self.reload(process)
        self.assertNotIn(LIMIT, outcomes)
        self.assertEqual(outcomes["ozgate.threads"], "4 → 6, needs a restart")

    def test_back(self) -> None:
        """A key that is taken out of the file is its default again."""
        self.configure(ozgate__disk__reserve="1024PB")
        process = self.start()
        self.assertEqual(self.get(process, "/readyz")[0], 503)
        self.configure()
        self.assertIn("in force", self.reload(process)["ozgate.disk.reserve"])
        [url] = process.urls
        self.assertEqual(self.ask(url + "/bucket", "PUT")[0], 200)
        self.assertEqual(self.reload(process)["configuration"], "unchanged")

    def test_wrong(self) -> None:
        """A file that is wrong changes nothing; one line says what is wrong, and the service goes on."""
        self.configure()
        process = self.start()
        for text in (
            "nonsense",
            f"<configuration><property><name>{LIMIT}</name><value>0</value>"
            "</property></configuration>",
            "<configuration><property><name>ozgate.no.such</name><value>0</value>"
            "</property></configuration>",
            "<configuration><property><name>hadoop.security.auth_to_local</name>"
            "<value>RULE:[x</value></property></configuration>",
            "<configuration><property><name>ozgate.metadata</name>"
            "<value>other://me:my-secret@host/store</value></property></configuration>",
        ):
            self.path.write_text(text)
            outcomes = self.reload(process)
            self.assertTrue(
                outcomes["configuration"].startswith("failed, nothing changed: "), text
            )
            self.assertTrue(outcomes["access log"].startswith("reopened "))
        self.path.unlink()
        self.assertIn("failed", self.reload(process)["configuration"])
        self.assertNotRegex(process.output(), "Traceback|my-secret")
        self.assertEqual(self.get(process, "/readyz")[0], 200)

    def test_domains(self) -> None:
        """Domains for virtual hosts are taken up, too."""
        from urllib.request import Request

        self.configure()
        process = self.start()
        [url] = process.urls
        request = Request(url + "/", headers={"Host": "some-bucket.s3.example.com"})
        self.assertNotIn(b"some-bucket", self.answer(request)[1])
        self.configure(ozone__s3g__domain__name="s3.example.com")
        self.reload(process)
        self.assertIn(b"some-bucket", self.answer(request)[1])


class SignalTests(ReloadTestCase):
    """SIGHUP at other moments."""

    def test_many(self) -> None:
        """Several in a row are no harm, nor is one while it stops."""
        self.configure()
        process = self.start()
        for times in range(1, 4):
            self.hang_up(process, times)
        [url] = process.urls
        self.ask(url + "/bucket", "PUT")
        client = self.begin_upload(url, 10)
        process.process.send_signal(signal.SIGTERM)
        while self.get(process, "/readyz")[0] != 503:
            self.assertIsNone(process.process.poll())
        process.process.send_signal(signal.SIGHUP)
        client.sendall(b"0123456789")
        self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(process.wait(), -signal.SIGTERM)

    def test_terminal(self) -> None:
        """When the terminal that it was started from is closed, it ends as any program would."""
        ours, theirs = pty.openpty()
        log = Path(self.folder, "log")
        take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", take, program("twistd"), "-n"),
                    *("--pidfile=", "ozgate", "--data", self.data, "-D", LOOPBACK),
                    *("-D", "ozone.s3g.webadmin.http-address=127.0.0.1:0"),
                ],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=theirs,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        os.close(theirs)
        deadline = time.monotonic() + 60
        while "#info] ozgate listens on" not in log.read_text():
            self.assertLess(time.monotonic(), deadline, log.read_text())
            time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
        while "reload: audit log" not in log.read_text():
            self.assertLess(time.monotonic(), deadline, log.read_text())
            time.sleep(0.02)
        os.close(ours)
        self.assertEqual(process.wait(20), 0)
        self.assertIn("Server Shut Down", log.read_text())
        self.assertNotIn("Traceback", log.read_text())

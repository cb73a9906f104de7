"""What a service manager is told, on a real datagram socket, and the unit that it is given."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from ozgate.service.systemd import Notify
from tests.running import ROOT
from tests.service.twistd import LOOPBACK, ServiceTestCase

UNIT = ROOT / "etc" / "ozgate.service"


class Manager:
    """The service manager's socket.

    :param path: a name that begins with ``@`` is in the abstract name space.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.bind("\0" + path[1:] if path[0] == "@" else path)

    def told(self) -> dict[str, str]:
        """The next datagram."""
        lines = self.socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def told_with(self, name: str) -> dict[str, str]:
        """The next datagram that has that name."""
        while name not in (told := self.told()):
            pass
        return told


class ManagedTestCase(ServiceTestCase):
    """A manager."""

    forked = False

    def setUp(self) -> None:
        """Its socket."""
        super().setUp()
        self.manager = Manager(self.socket_path())
        self.addCleanup(self.manager.socket.close)


class NotifyTests(ManagedTestCase):
    """Datagrams of a real service."""

    def test_life(self) -> None:
        """It says when it listens, when it reloads and has done so, and when it stops."""
        process = self.started(
            "-D", LOOPBACK, environment={"NOTIFY_SOCKET": self.manager.path}
        )
        told = self.manager.told()
        self.assertEqual(told["READY"], "1")
        self.assertIn(process.urls[0], told["STATUS"])
        self.assertEqual(self.ask(process.urls[0] + "/")[0], 200)
        before = time.monotonic_ns() // 1000
        process.process.send_signal(signal.SIGHUP)
        told = self.manager.told()
        self.assertEqual(told["RELOADING"], "1")
        self.assertGreaterEqual(int(told["MONOTONIC_USEC"]), before)
        self.assertEqual(self.manager.told()["READY"], "1")
        process.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.manager.told()["STOPPING"], "1")
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertNotIn("cannot be told", process.output())

    def test_watchdog(self) -> None:
        """Where a sign of life is wanted it comes again and again, and only where this process is meant."""
        self.started(
            *("-D", LOOPBACK),
            environment={
                "NOTIFY_SOCKET": self.manager.path,
                "WATCHDOG_USEC": "200000",
            },
        )
        for _ in range(3):
            self.assertEqual(self.manager.told_with("WATCHDOG")["WATCHDOG"], "1")

    def test_no_manager(self) -> None:
        """A manager that has gone is no harm."""
        os.unlink(self.manager.path)
        process = self.started(
            "-D", LOOPBACK, environment={"NOTIFY_SOCKET": self.manager.path}
        )
        self.assertEqual(self.ask(process.urls[0] + "/")[0], 200)
        self.assertEqual(process.stop(), -signal.SIGTERM)
        self.assertIn("cannot be told", process.output())
        self.assertNotIn("Traceback", process.output())

    def test_failed_start(self) -> None:
        """A start that fails never says that it is ready."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            self.refused(
                *("-D", f"ozone.s3g.http-address={taken}"),
                environment={"NOTIFY_SOCKET": self.manager.path},
            )
        self.manager.socket.setblocking(False)
        told = []
        try:
            while True:
                told.append(self.manager.told())
        except BlockingIOError:
            pass
        self.assertEqual([each for each in told if "READY" in each], [])


class SocketTests(SynchronousTestCase):
    """The protocol, without a service."""

    def test_abstract(self) -> None:
        """A name that begins with @ is in the abstract name space."""
        manager = Manager(f"@ozgate-test-{os.getpid()}")
        self.addCleanup(manager.socket.close)
        Notify({"NOTIFY_SOCKET": manager.path}).ready("well")
        self.assertEqual(manager.told(), {"READY": "1", "STATUS": "well"})

    def test_nobody(self) -> None:
        """Without a manager nothing is told, and no sign of life is due."""
        notify = Notify({"WATCHDOG_USEC": "1000000"})
        notify.ready("well")
        self.assertEqual(notify.watchdog, 0)

    def test_watchdog(self) -> None:
        """Signs of life are due twice in the time that is granted, if this process is meant."""
        wanted = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "3000000"}
        own = str(os.getpid())
        self.assertEqual(Notify(wanted).watchdog, 1.5)
        self.assertEqual(Notify({**wanted, "WATCHDOG_PID": own}).watchdog, 1.5)
        self.assertEqual(Notify({**wanted, "WATCHDOG_PID": "1"}).watchdog, 0)
        self.assertEqual(Notify({**wanted, "WATCHDOG_USEC": "x"}).watchdog, 0)


class UnitTests(ServiceTestCase):
    """etc/ozgate.service."""

    def analyze(self, *arguments: str) -> str:
        """What ``systemd-analyze`` says of the unit, as installed for a program that exists."""
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            raise SkipTest("systemd-analyze is not installed")
        text = UNIT.read_text().replace("/opt/ozgate/bin/twistd", "/bin/true")
        unit = Path(self.folder, "ozgate.service")
        unit.write_text(re.sub(r"^(User|Group)=.*", r"\1=root", text, flags=re.M))
        done = subprocess.run(
            [analyze, *arguments, str(unit)], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def test_verify(self) -> None:
        """systemd has nothing to say against it."""
        self.assertEqual(self.analyze("verify", "--man=no"), "")

    def test_security(self) -> None:
        """It is exposed little, by systemd's own measure from 0 to 10, though here it counts as root's."""
        said = self.analyze("security", "--offline=true", "--no-pager")
        found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
        assert found is not None
        self.assertLess(float(found[1]), 3)

    def test_options(self) -> None:
        """What it starts are options that the service has; its time to stop is longer than the default grace."""
        unit = configparser.RawConfigParser(strict=False, delimiters="=")
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read(UNIT)
        service = unit["Service"]
        self.assertEqual(service["Type"], "notify")
        _, *arguments = service["ExecStart"].split()
        data, config = arguments.index("--data") + 1, arguments.index("--config") + 1
        path = Path(self.folder, "site.xml")
        path.write_text("<configuration/>")
        arguments[data], arguments[config] = self.data, str(path)
        process = self.launch(*arguments, "-D", LOOPBACK)
        process.wait_ready()
        from ozgate.config.settings import Settings

        self.assertGreater(int(service["TimeoutStopSec"]), Settings().stop_grace)

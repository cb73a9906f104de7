"""Daemons of a cluster, and the gateway, are killed and frozen under load: what was acknowledged stays, nothing half written is seen, service comes back by itself.

They have a cluster of their own: ``python -m tests.engines ozone --only kills``.
"""

from __future__ import annotations

import atexit
import http.client
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.engines.cluster import Cluster
from tests.engines.given import require_own
from tests.engines.programs import require_java
from tests.ozone.load import Load
from tests.running import Server

DEADLINE = 5
"""Seconds that the gateway gives a call to the cluster."""
BUCKET = "kills"
LONG = 180.0
"""Seconds within which everything has to be well again."""


def tell(text: str) -> None:
    """Say how far it is: some of it takes minutes."""
    print(f"  {text}", flush=True)


@cache
def own_cluster() -> Cluster:
    """One cluster for all tests here, which ends with the process. Its datanode syncs what it acknowledges."""
    folder = Path(tempfile.mkdtemp(prefix="ozgate-kills-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cluster = Cluster(folder / "cluster", syncs=True, tell=tell)
    atexit.register(cluster.stop)
    cluster.start()
    return cluster


class KillsTestCase(SynchronousTestCase):
    """Has a cluster, a gateway before it, and a load."""

    def setUp(self) -> None:
        """A gateway, and a bucket that is there once the gateway can serve."""
        require_own()
        require_java()
        self.cluster = own_cluster()
        self.folder = self.cluster.folder.parent
        self.server = Server(
            str(self.folder / self.id().rpartition(".")[2]),
            *self.cluster.ozone.settings(
                "ozone.security.enabled=false", f"ozgate.ozone.deadline={DEADLINE}s"
            ),
        )
        self.server.start()
        self.addCleanup(self.server.stop)
        self.load = Load(self.server, BUCKET, "-".join(self.id().split(".")[-2:]))
        self.wait_until("the bucket is there", self.is_well)

    def is_well(self) -> bool:
        """Whether keys can be written and read."""
        if self.status("PUT", f"/{BUCKET}") not in (200, 409):
            return False
        target = f"/{BUCKET}/probe"
        return (self.status("PUT", target, b"x"), self.status("GET", target)) == (
            200,
        ) * 2

    def status(self, method: str, target: str, body: bytes = b"") -> int:
        """What a request comes to; 0 where the connection fails."""
        try:
            return self.server.request(method, target, None, body)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Poll."""
        begun = time.monotonic()
        while not is_so():
            if time.monotonic() - begun > LONG:
                self.fail(f"{LONG:.0f} s, and not yet so: {what}; {self.load.statuses}")
            time.sleep(0.2)
        tell(f"after {time.monotonic() - begun:.1f} s: {what}")

    def under_load(
        self, break_it: Callable[[], None], mend: Callable[[], None]
    ) -> None:
        """Break something while clients are at work, mend it, and look.

        :param break_it: is followed by as much time as a call may take, and more.
        """
        load = self.load
        load.start()
        try:
            self.wait_until("writes come through", lambda: load.acknowledged() > 10)
            break_it()
            time.sleep(2 * DEADLINE)
            broken = load.acknowledged()
            mend()
            self.wait_until("it is well", self.is_well)
            self.wait_until(
                "writes come through again", lambda: load.acknowledged() > broken + 10
            )
        finally:
            load.stop()
        load.check()
        tell(f"{dict(load.statuses)}, the slowest took {load.slowest:.1f} s")
        self.assertFalse(load.wrong, "\n".join(load.wrong[:20]))

    def killed(self, name: str) -> None:
        """Kill a daemon, and start it again."""
        daemon = self.cluster.daemons[name]
        self.under_load(daemon.kill, lambda: self.cluster.restart(name))

    def frozen(self, name: str) -> None:
        """Freeze a daemon, and thaw it."""
        daemon = self.cluster.daemons[name]
        self.addCleanup(daemon.thaw)
        self.under_load(daemon.freeze, daemon.thaw)


class KillTests(KillsTestCase):
    """Each ends as a crash does, and is started again."""

    def test_om(self) -> None:
        """The Ozone Manager, which knows all names."""
        self.killed("om")

    def test_scm(self) -> None:
        """The Storage Container Manager, which gives out blocks."""
        self.killed("scm")

    def test_datanode(self) -> None:
        """The datanode, which has the bytes."""
        self.killed("dn")

    def test_gateway(self) -> None:
        """The gateway itself: what it was writing is not seen, and it serves after its next start."""
        self.under_load(self.server.kill, self.server.start)


class FreezeTests(KillsTestCase):
    """Each stays, with its connections open, and says nothing for a while."""

    def test_om(self) -> None:
        """The Ozone Manager."""
        self.frozen("om")

    def test_scm(self) -> None:
        """The Storage Container Manager."""
        self.frozen("scm")

    def test_datanode(self) -> None:
        """The datanode."""
        self.frozen("dn")

    def test_gateway(self) -> None:
        """The gateway."""
        assert self.server.process is not None
        send = self.server.process.send_signal
        self.under_load(lambda: send(signal.SIGSTOP), lambda: send(signal.SIGCONT))

    def test_stop(self) -> None:
        """A gateway that is told to end while the cluster says nothing ends, and a start does not wait for the cluster."""
        daemon = self.cluster.daemons["om"]
        self.addCleanup(daemon.thaw)
        self.load.start()
        self.wait_until("writes come through", lambda: self.load.acknowledged() > 5)
        daemon.freeze()
        time.sleep(1)
        self.assertIn(self.server.stop(), (0, -signal.SIGTERM))
        self.server.start()
        self.assertEqual(self.status("GET", f"/{BUCKET}/probe"), 503)
        daemon.thaw()
        self.wait_until("it is well", self.is_well)
        self.load.stop()
        self.load.check()
        self.assertFalse(self.load.wrong, "\n".join(self.load.wrong[:20]))


class AllTests(KillsTestCase):
    """Everything ends at once."""

    def test_all(self) -> None:
        """All daemons and the gateway: whatever had been acknowledged is there, where the datanode syncs it."""

        def kill() -> None:
            for daemon in self.cluster.daemons.values():
                daemon.kill()
            self.server.kill()

        def start() -> None:
            for name in self.cluster.daemons:
                self.cluster.restart(name)
            self.cluster.wait_for_writes()
            self.server.start()

        self.under_load(kill, start)

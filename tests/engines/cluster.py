"""A cluster of Apache Ozone of one's own, in a folder: SCM, OM, one datanode, and Ozone's S3 gateway."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import shutil
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.engines import sitefiles
from tests.engines.daemon import PATIENCE, Daemon
from tests.engines.given import Ozone
from tests.engines.programs import fetch_programs
from tests.kdc import Kdc

_OUT_OF_SAFE_MODE = '"ScmInSafeMode" : 0'
_SAFE_MODE = "jmx?qry=Hadoop:service=StorageContainerManager,name=SafeModeMetrics"

_MAINS = {
    "scm": (
        "org.apache.hadoop.hdds.scm.server.StorageContainerManagerStarter",
        sitefiles.SCM_BLOCKS,
    ),
    "om": ("org.apache.hadoop.ozone.om.OzoneManagerStarter", sitefiles.OM),
    "dn": ("org.apache.hadoop.ozone.HddsDatanodeService", sitefiles.DATANODE),
    "s3g": ("org.apache.hadoop.ozone.s3.Gateway", sitefiles.S3G),
    "httpfs": (
        "org.apache.ozone.fs.http.server.HttpFSServerWebServer",
        sitefiles.HTTPFS,
    ),
}
"""Daemons → their class, and the port at which they are up."""


def silent(_: str) -> None:
    """Tell nobody how far it is."""


class Cluster:
    """One that this process starts, and ends at the latest with itself.

    :param folder: to make; everything of it is in there.
    :param base: the first of its ports; free ones are looked for where it is 0.
    :param syncs: whether datanodes sync what they acknowledge.
    :param kdc: a realm, running, whose keytab :func:`~tests.engines.realm.of_ozone` made; ``None`` for no Kerberos.
    :param has_httpfs: whether HttpFS runs besides.
    :param is_quick: whether JVMs compile in haste: quicker to start, half as fast later.
    :param tell: called with how far it is.
    :ivar ozone: what tests are given.
    :ivar daemons: by name, in the order in which they start.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        base: int = 0,
        syncs: bool = False,
        kdc: Kdc | None = None,
        has_httpfs: bool = False,
        is_quick: bool = True,
        tell: Callable[[str], None] = silent,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.base = base or free_base()
        self.ozone = Ozone(self.folder / "conf")
        self._tell = tell
        self._syncs = syncs
        self._kdc = kdc
        options = ["-XX:TieredStopAtLevel=1"] if is_quick else []
        if kdc is not None:
            options.append(f"-Djava.security.krb5.conf={kdc.folder}/krb5.conf")
        names = [each for each in _MAINS if has_httpfs or each != "httpfs"]
        self.daemons = {each: self._daemon(each, options) for each in names}

    def _daemon(self, name: str, options: list[str]) -> Daemon:
        main, port = _MAINS[name]
        if name == "httpfs":
            home = self.folder / "httpfs"
            options = [
                *options,
                f"-Dhttpfs.home.dir={home}",
                *(f"-Dhttpfs.{each}.dir={home}/{each}" for each in ("log", "temp")),
                f"-Dhttpfs.config.dir={home}/conf",
            ]
        heap = "512m" if name == "om" else "384m"
        return Daemon(name, main, self.folder, self.base + port, heap, options)

    def start(self) -> None:
        """Fetch what it runs on, make its folder, start its daemons and wait until keys can be written.

        :raises RuntimeError: a daemon does not come up.
        :raises MavenError: its jars cannot be fetched.
        """
        fetch_programs(self._tell)
        self._write()
        daemons = self.daemons
        try:
            self._tell("SCM, for the first time")
            daemons["scm"].prepare()
            self._start("scm")
            self._tell("OM, for the first time")
            # The datanode wants SCM alone.
            daemons["dn"].start()
            daemons["om"].prepare()
            self._start("om", "dn")
            self._start(*(each for each in ("s3g", "httpfs") if each in daemons))
            self.wait_for_writes()
        except BaseException:
            self.stop()
            raise

    def _start(self, *names: str) -> None:
        """Start those that were not yet, and wait for all."""
        for name in names:
            if not self.daemons[name].is_running:
                self.daemons[name].start()
        for name in names:
            self._tell(f"waiting for {name}")
            self.daemons[name].wait()

    def wait_for_writes(self) -> None:
        """Wait until SCM lets blocks be written.

        :raises RuntimeError: it does not, for long.
        """
        self._tell("waiting for the end of safe mode")
        address = self.ozone.site["ozone.scm.http-address"]
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://{address}/{_SAFE_MODE}", None, 5) as at,
            ):
                if _OUT_OF_SAFE_MODE in at.read().decode():
                    return
            time.sleep(0.2)
        raise RuntimeError("SCM stays in safe mode:\n" + self.daemons["scm"].said())

    def restart(self, name: str) -> None:
        """Start a daemon that was killed, and wait until it listens."""
        self.daemons[name].start()
        self.daemons[name].wait()

    def stop(self) -> None:
        """End all daemons, whatever state they are in. Idempotent."""
        for daemon in self.daemons.values():
            daemon.stop()

    def _write(self) -> None:
        conf = self.folder / "conf"
        for name in ("conf", "log", "pid", "dn", "meta", "http"):
            Path(self.folder, name).mkdir(parents=True)
        keytab = f"{self._kdc.folder}/keytab" if self._kdc else ""
        site = sitefiles.ozone_site(
            self.folder,
            self.base,
            syncs=self._syncs,
            realm=self._kdc.realm if self._kdc else "",
            keytab=keytab,
        )
        core = sitefiles.core_site(self.base, secure=self._kdc is not None)
        sitefiles.write(conf / "ozone-site.xml", site)
        sitefiles.write(conf / "core-site.xml", core)
        sitefiles.write_log(conf / "log4j.properties")
        if "httpfs" in self.daemons:
            httpfs = sitefiles.httpfs_site(self.folder, self.base)
            sitefiles.write(conf / "httpfs-site.xml", httpfs)
            home = self.folder / "httpfs"
            for name in ("log", "temp"):
                Path(home, name).mkdir(parents=True)
            shutil.copytree(conf, home / "conf")
            secret = base64.b64encode(os.urandom(32)).decode()
            Path(home, "conf", "httpfs-signature.secret").write_text(secret)


def free_base() -> int:
    """The first of enough ports that are free on loopback now, below those that the system gives to connections."""
    while True:
        base = random.randrange(10_240, 32_000 - sitefiles.COUNT)
        if all(map(_is_free, range(base, base + sitefiles.COUNT))):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster as long as it is needed."""
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()

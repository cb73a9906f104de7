"""A small HDFS of one's own, in a folder: a name node, and data nodes, by the jars of Hadoop that Maven fetches once."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.engines import sitefiles
from tests.engines.cluster import free_base, silent
from tests.engines.daemon import PATIENCE, Daemon
from tests.engines.given import JAVA, engines
from tests.engines.runs import Outcome, trial
from tests.kdc import Kdc

VERSION = "3.4.3"
"""The release of Hadoop that everything is tested with."""
VARIABLE = "OZGATE_TEST_HDFS"
"""What names the folder of a running HDFS to tests."""
TESTS = "tests.hdfs"
LONGEST = 1800.0
"""Seconds of a run of all tests."""

_ARTIFACTS = ("hadoop-common", "hadoop-hdfs", "hadoop-hdfs-client")
_NAME_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
_DATA_NODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
_ADMIN = "org.apache.hadoop.hdfs.tools.DFSAdmin"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8"
_SECURE_CORE = {
    "hadoop.security.authentication": "kerberos",
    "hadoop.security.authorization": "true",
}
_STATE = "jmx?qry=Hadoop:service=NameNode,name=FSNamesystem"


class Hdfs:
    """One that this process starts, and ends at the latest with itself.

    :param folder: to make; everything of it is in there.
    :param nodes: data nodes, and copies of each block.
    :param kdc: a realm, running, whose ``keytab`` has the keys of ``hdfs/localhost`` and of whoever asks; ``None`` for no Kerberos.
    :ivar url: of its name node.
    :ivar daemons: ``nn``, ``dn1`` and so on.
    """

    def __init__(
        self,
        folder: str | Path,
        nodes: int = 1,
        tell: Callable[[str], None] = silent,
        kdc: Kdc | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.base = free_base()
        # A service's principal has the name of its host.
        host = "127.0.0.1" if kdc is None else "localhost"
        self.url = f"hdfs://{host}:{self.base}"
        self._kdc = kdc
        self._nodes = nodes
        self._tell = tell
        self.daemons: dict[str, Daemon] = {}

    def start(self) -> None:
        """Fetch what it runs on, start it, and wait until files can be written.

        :raises RuntimeError: it does not come up, or its jars cannot be fetched.
        """
        classes = fetch(self._tell)
        self._write()
        name_node = self._daemon("nn", _NAME_NODE, self.base, "384m", classes)
        self._tell("the name node, for the first time")
        name_node.prepare("-format")
        for number in range(1, self._nodes + 1):
            port = self.base + 2 + 3 * (number - 1)
            places = {
                "data.dir": f"file://{self.folder}/dn{number}",
                "address": f"127.0.0.1:{port}",
                "http.address": f"127.0.0.1:{port + 1}",
                "ipc.address": f"127.0.0.1:{port + 2}",
            }
            options = [
                f"-Ddfs.datanode.{name}={value}" for name, value in places.items()
            ]
            self._daemon(f"dn{number}", _DATA_NODE, port, "256m", classes, options)
        try:
            for daemon in self.daemons.values():
                daemon.start()
            self.wait()
        except BaseException:
            self.stop()
            raise

    def _daemon(
        self,
        name: str,
        main: str,
        port: int,
        heap: str,
        classes: str,
        arguments: Sequence[str] = (),
    ) -> Daemon:
        """A daemon that is not started yet."""
        daemon = self.daemons[name] = Daemon(
            name,
            main,
            self.folder,
            port,
            heap,
            ["-XX:TieredStopAtLevel=1", *self._realm()],
            classes=classes,
            arguments=arguments,
        )
        return daemon

    def _realm(self) -> list[str]:
        """What a JVM must know of the realm."""
        if self._kdc is None:
            return []
        return [f"-Djava.security.krb5.conf={self._kdc.folder}/krb5.conf"]

    def wait(self) -> None:
        """Wait until all data nodes are known, and files can be written.

        :raises RuntimeError: that takes too long.
        """
        self._tell("waiting for the data nodes")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            state = self._ask(_STATE)
            is_safe = '"FSState" : "safeMode"' in self._ask(f"{_STATE}State")
            if f'"NumLiveDataNodes" : {self._nodes}' in state and not is_safe:
                return
            time.sleep(0.3)
        said = "\n".join(daemon.said() for daemon in self.daemons.values())
        raise RuntimeError(f"HDFS does not come up:\n{said}")

    def _ask(self, what: str) -> str:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(
                f"http://127.0.0.1:{self.base + 1}/{what}", None, 5
            ) as at,
        ):
            text: str = at.read().decode()
            return text
        return ""

    def stop(self) -> None:
        """End all of it. Idempotent."""
        for daemon in self.daemons.values():
            daemon.stop()

    def _write(self) -> None:
        conf = self.folder / "conf"
        # The published jar has no pages, and looks for their folders.
        for name in ("hdfs", "datanode", "static"):
            Path(conf, "webapps", name).mkdir(parents=True)
        for name in ("log", "pid"):
            Path(self.folder, name).mkdir()
        address = f"127.0.0.1:{self.base}"
        core = {
            "fs.defaultFS": self.url,
            "hadoop.tmp.dir": f"{self.folder}/tmp",
        }
        hdfs = {
            "dfs.namenode.rpc-address": address,
            "dfs.namenode.http-address": f"127.0.0.1:{self.base + 1}",
            "dfs.namenode.name.dir": f"file://{self.folder}/nn",
            "dfs.replication": str(self._nodes),
            "dfs.namenode.safemode.extension": "0",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.namenode.fs-limits.min-block-size": "4096",
            "dfs.datanode.hostname": "127.0.0.1",
            "dfs.client.block.write.replace-datanode-on-failure.enable": "false",
            "dfs.heartbeat.interval": "1",
        }
        if self._kdc is not None:
            core |= _SECURE_CORE
            hdfs |= _secure(self._kdc)
        sitefiles.write(conf / "core-site.xml", core)
        sitefiles.write(conf / "hdfs-site.xml", hdfs)
        sitefiles.write_log(conf / "log4j.properties")


def _secure(kdc: Kdc) -> dict[str, str]:
    """What ``hdfs-site.xml`` has besides where there is Kerberos."""
    found = {
        "dfs.block.access.token.enable": "true",
        "dfs.data.transfer.protection": "authentication",
        # Without TLS for pages and ports that root alone may open, as a test is.
        "ignore.secure.ports.for.testing": "true",
    }
    for daemon in ("namenode", "datanode"):
        found[f"dfs.{daemon}.kerberos.principal"] = f"hdfs/localhost@{kdc.realm}"
        found[f"dfs.{daemon}.keytab.file"] = f"{kdc.folder}/keytab"
    principal = "dfs.web.authentication.kerberos.principal"
    found[principal] = f"HTTP/localhost@{kdc.realm}"
    found["dfs.web.authentication.kerberos.keytab"] = f"{kdc.folder}/keytab"
    return found


class GivenHdfs:
    """The HDFS that a run of tests is given.

    :ivar url: of its name node.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.url = (self.folder / "url").read_text().strip()

    def admin(self, *arguments: str) -> None:
        """Run ``hdfs dfsadmin`` with arguments, as ``-safemode enter``."""
        classes = f"{self.folder}/conf:{_list().read_text().strip()}"
        subprocess.run(
            [
                "java",
                *JAVA,
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classes,
                _ADMIN,
                *list(arguments),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )


def given() -> GivenHdfs:
    """The HDFS that ``OZGATE_TEST_HDFS`` names the folder of.

    :raises SkipTest: it names none, or there is no client.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise SkipTest(f"{VARIABLE} names no HDFS: see python -m tests.engines hdfs")
    return GivenHdfs(folder)


def fetch(tell: Callable[[str], None]) -> str:
    """The class path of HDFS, from Maven where it is not there yet.

    :raises RuntimeError: it cannot be had.
    """
    path = _list()
    with contextlib.suppress(FileNotFoundError):
        text = path.read_text().strip()
        if all(map(os.path.exists, text.split(":"))):
            return text
    if shutil.which("mvn") is None or shutil.which("java") is None:
        raise RuntimeError("the jars of HDFS were not fetched, and there is no mvn")
    tell("Maven: looking for HDFS")
    with tempfile.TemporaryDirectory(prefix="ozgate-hdfs-") as folder:
        Path(folder, "pom.xml").write_text(_pom())
        done = subprocess.run(
            [
                "mvn",
                "-B",
                "-q",
                f"{_PLUGIN}:build-classpath",
                "-Dmdep.outputFile=cp.txt",
                "-DincludeScope=runtime",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"Maven failed: {done.stdout[-500:]}")
        text = Path(folder, "cp.txt").read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return text


def _list() -> Path:
    return Path(engines(), "hdfs", "cp.txt")


def _pom() -> str:
    wanted = "".join(
        f"<dependency><groupId>org.apache.hadoop</groupId><artifactId>{each}</artifactId><version>{VERSION}</version></dependency>"
        for each in _ARTIFACTS
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>ozgate</groupId>'
        f"<artifactId>hdfs</artifactId><version>1</version><packaging>pom</packaging><dependencies>{wanted}</dependencies></project>"
    )


@contextlib.contextmanager
def running(tell: Callable[[str], None], nodes: int = 1) -> Iterator[Hdfs]:
    """An HDFS in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="ozgate-hdfs-"))
    hdfs = Hdfs(folder / "hdfs", nodes, tell)
    try:
        hdfs.start()
        (hdfs.folder / "url").write_text(hdfs.url)
        tell(f"HDFS is up: {VARIABLE}={hdfs.folder}  {hdfs.url}")
        yield hdfs
    finally:
        hdfs.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(asked: Any, tell: Callable[[str], None]) -> Outcome:
    """Run all tests over HDFS; one that does not come up is a failure."""
    try:
        if asked.fetch:
            fetch(tell)
            return Outcome(passed=1)
        if importlib.util.find_spec("hdfs_native") is None:
            raise RuntimeError("hdfs-native is not there: pip install -e '.[hdfs]'")
        with running(tell) as hdfs:
            if asked.wait:
                tell("Ctrl-C ends it")
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
                return Outcome(passed=1)
            tests = asked.tests or [TESTS]
            return trial(str(hdfs.folder), tests, LONGEST, VARIABLE)
    except RuntimeError as error:
        tell(str(error))
        return Outcome(failed=1)

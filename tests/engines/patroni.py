"""Three nodes of Patroni with one etcd, from Debian's packages and the recipes of ``etc/``: ``python -m tests.engines patroni``."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.engines.postgresql import (
    USER,
    children,
    connected,
    family_killed,
    owner,
    programs,
)
from tests.engines.runs import Outcome
from tests.engines.suites import history
from tests.forking import die_with_parent
from tests.running import ROOT, free_port

PATIENCE = 120.0
"""Seconds that the nodes have to become three that are well."""
_PATH = f"{os.environ['PATH']}:/usr/sbin"
_MEMORY = "/dev/shm"
_STANDBYS = "SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication WHERE state = 'streaming'"


def found(name: str) -> str:
    """The path of a program.

    :raises SkipTest: it is not installed.
    """
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise SkipTest(f"needs {name} (Debian: patroni etcd-server haproxy)")
    return path


class Node:
    """One machine: a Patroni, and the PostgreSQL that it runs.

    :ivar port: of its PostgreSQL.
    :ivar asked: the port where its Patroni says what it is.
    """

    def __init__(self, cluster: Patroni, number: int) -> None:
        self.name = f"db{number}"
        self.folder = cluster.folder / self.name
        self.port, self.asked = free_port(), free_port()
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None
        self.folder.mkdir()
        shutil.chown(self.folder, *cluster.whom)
        self.recipe = self.folder / "patroni.yml"
        self.recipe.write_text(self._written())

    def _written(self) -> str:
        """The recipe with the addresses of this node, which are all on one machine."""
        text = Path(ROOT, "etc", "patroni.yml").read_text()
        # What is left of a server that was killed goes with its folder.
        ours = (
            "        unix_socket_directories: ''\n"
            "        dynamic_shared_memory_type: mmap\n"
        )
        for told, here in (
            ("name: db1", f"name: {self.name}"),
            ("192.0.2.1:8008", f"127.0.0.1:{self.asked}"),
            ("192.0.2.1:5432", f"127.0.0.1:{self.port}"),
            (
                "192.0.2.1:2379,192.0.2.2:2379,192.0.2.3:2379",
                f"127.0.0.1:{self._cluster.etcd_port}",
            ),
            ("192.0.2.0/24", "127.0.0.1/32"),
            ("/var/lib/postgresql/15/ozgate", f"{self.folder}/data"),
            ("/var/lib/postgresql/pgpass", f"{self.folder}/pgpass"),
            ("/usr/lib/postgresql/15/bin", str(programs())),
            ("CHANGE-1", self._cluster.password),
            ("        wal_keep_size", f"{ours}        wal_keep_size"),
        ):
            assert told in text, told
            text = text.replace(told, here)
        return text

    def start(self) -> None:
        """Start its Patroni, which starts PostgreSQL, or finds it running."""
        command = (found("patroni"), str(self.recipe))
        self._process = self._cluster.run(command, self.folder / "log")

    def says(self, role: str) -> bool:
        """Whether its Patroni says that it has a role, such as ``primary`` or ``synchronous``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.asked, timeout=2)
        try:
            connection.request("GET", f"/{role}")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def patroni(self) -> list[int]:
        """The process of its Patroni."""
        assert self._process is not None
        return [self._process.pid]

    def postgres(self) -> list[int]:
        """The processes of its PostgreSQL, the server first; none where it does not run."""
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            said = (self.folder / "data" / "postmaster.pid").read_text()
            pid = int(said.splitlines()[0])
            if "postgres" in Path(f"/proc/{pid}/cmdline").read_text():
                return [pid, *children(pid)]
        return []

    def kill(self, patroni: bool = True, postgres: bool = True) -> None:
        """``kill -9`` of either or both."""
        family_killed(
            [
                *(self.patroni() if patroni else ()),
                *(self.postgres() if postgres else ()),
            ]
        )
        if patroni:
            assert self._process is not None
            self._process.wait(PATIENCE)

    def signal(self, number: signal.Signals, pids: Sequence[int]) -> None:
        """Send a signal to some processes that may have gone."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self) -> None:
        """End both. Idempotent."""
        if self._process is not None:
            self.signal(signal.SIGCONT, [*self.postgres(), *self.patroni()])
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait(PATIENCE)
        family_killed(self.postgres())


class Patroni:
    """The nodes, the etcd, and the HAProxy that leads to whoever leads.

    :ivar nodes: of which one leads.
    :ivar through: the ports that are in URLs: HAProxy's, or those of all nodes.
    :ivar passfile: what libpq finds passwords in.
    :raises SkipTest: something is not installed.
    """

    def __init__(self, proxied: bool = True) -> None:
        for program in ("patroni", "patronictl", "etcd", "haproxy"):
            found(program)
        user = owner()
        self._user = user
        self.whom = (user.pw_uid, user.pw_gid) if user else (os.getuid(), os.getgid())
        where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="ozgate-patroni-", dir=where))
        self.folder.chmod(0o755)
        self.password = token_hex(16)
        self.passfile = self.folder / "passfile"
        self.passfile.touch(0o600)
        self.passfile.write_text(f"127.0.0.1:*:*:*:{self.password}\n")
        self.etcd_port, self._peers, proxy = free_port(), free_port(), free_port()
        self._numbers = count(1)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.nodes = [Node(self, number) for number in (1, 2, 3)]
        self.through = [proxy] if proxied else [each.port for each in self.nodes]
        try:
            self.start_etcd()
            for each in self.nodes:
                each.start()
                self.leader()
            self.await_all()
            self._start_haproxy(proxy)
            self.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{self.password}'")
        except BaseException:
            self.end()
            raise

    def leader(self) -> Node:
        """Whoever leads; waits for one.

        :raises RuntimeError: nobody does.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for each in self.nodes:
                if each.says("primary"):
                    return each
            time.sleep(0.2)
        raise RuntimeError(f"nobody leads:\n{self.said()}")

    def await_leader_but(self, node: Node) -> None:
        """Wait until another one leads."""
        self._await_but(node, "primary")

    def await_synchronous_but(self, node: Node) -> None:
        """Wait until commits wait for another one."""
        self._await_but(node, "synchronous")

    def _await_but(self, node: Node, role: str) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if any(each.says(role) for each in self.nodes if each is not node):
                return
            time.sleep(0.2)
        raise RuntimeError(f"no other one is {role}:\n{self.said()}")

    def await_all(self) -> None:
        """Wait until one leads, and the two others follow it, one of them synchronously."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(Exception):
                # Only who is known as synchronous to etcd, too, may take over.
                known = sum(each.says("synchronous") for each in self.nodes)
                if known and self.execute(_STANDBYS) == [(2, 1)]:
                    return
            time.sleep(0.5)
        raise RuntimeError(f"the nodes are not well:\n{self.said()}")

    def start_etcd(self) -> None:
        """Start the etcd, on what it has."""
        clients, peers = (
            f"http://127.0.0.1:{port}" for port in (self.etcd_port, self._peers)
        )
        options = {
            "data-dir": str(self.folder / "etcd"),
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "enable-v2": "true",
        }
        command = [found("etcd"), *(f"--{name}={to}" for name, to in options.items())]
        log = self.folder / "etcd.log"
        self._processes["etcd"] = self.run(command, log, as_root=True)

    def restart_etcd(self, seconds: float) -> None:
        """Kill the etcd, and start it a while later."""
        self._processes["etcd"].kill()
        self._processes["etcd"].wait(PATIENCE)
        time.sleep(seconds)
        self.start_etcd()

    def _start_haproxy(self, port: int) -> None:
        text = Path(ROOT, "etc", "haproxy-postgresql.cfg").read_text()
        places = [("127.0.0.1:5000", f"127.0.0.1:{port}")]
        for number, each in enumerate(self.nodes, 1):
            told = f"192.0.2.{number}:5432 check port 8008"
            places.append((told, f"127.0.0.1:{each.port} check port {each.asked}"))
        for told, here in places:
            assert text.count(told) == 1, told
            text = text.replace(told, here)
        recipe = self.folder / "haproxy.cfg"
        recipe.write_text(text)
        command = (found("haproxy"), "-f", str(recipe), "-db")
        log = self.folder / "haproxy.log"
        self._processes["haproxy"] = self.run(command, log, as_root=True)

    def switch_over(self) -> None:
        """``patronictl switchover``, to whoever it likes."""
        leader = self.leader()
        command = (found("patronictl"), "-c", str(leader.recipe), "switchover")
        subprocess.run(
            [*command, "--force"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
        self.await_leader_but(leader)

    @property
    def port(self) -> int:
        """Where whoever leads listens."""
        return self.leader().port

    def database(self) -> str:
        """Make a new database; its URL, for the role that owns it."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} OWNER {USER}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database, on whoever leads."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.through)
        return f"postgresql://{USER}@{hosts}/{name}?passfile={self.passfile}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement on whoever leads, as the superuser; its rows."""
        with connected(self.port, database, self.passfile) as connection:
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def restart(self) -> None:
        """Another one leads, in order."""
        self.switch_over()

    def kill(self) -> None:
        """The machine of whoever leads is gone."""
        self.leader().kill()

    def start(self) -> None:
        """Start each machine that is gone."""
        for each in self.nodes:
            if each._process is not None and each._process.poll() is not None:
                each.start()

    def said(self, lines: int = 8) -> str:
        """The end of all logs."""
        logs = [each.folder / "log" for each in self.nodes]
        return "\n".join(
            "\n".join(each.read_text(errors="replace").splitlines()[-lines:])
            for each in logs
            if each.exists()
        )

    def run(
        self, command: Sequence[str], log: Path, as_root: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a program, which ends with this process."""
        whom: dict[str, Any] = {}
        if self._user is not None and not as_root:
            uid, gid = self.whom
            whom = {"user": uid, "group": gid, "extra_groups": []}
        with log.open("ab") as written:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                preexec_fn=die_with_parent,
                **whom,
            )

    def end(self) -> None:
        """End all of it, and remove it. Idempotent."""
        for node in self.nodes:
            node.end()
        for process in self._processes.values():
            process.kill()
            process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


def run(asked: Any, tell: Callable[[str], None]) -> Outcome:
    """A history of three gateways over it, with kills; one that cannot be explained is a failure. Or nodes to try things with."""
    try:
        for program in ("patroni", "patronictl", "etcd", "haproxy"):
            found(program)
    except SkipTest as error:
        tell(str(error))
        return Outcome(skipped=1)
    if asked.wait:
        cluster = Patroni()
        try:
            tell(
                f"Patroni is up: {cluster.database()}, patronictl -c {cluster.nodes[0].recipe}"
            )
            tell("Ctrl-C ends it")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
        finally:
            cluster.end()
        return Outcome(passed=1)
    return history("patroni", 9)

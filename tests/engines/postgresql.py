"""A PostgreSQL server of a test's own, from the programs that are installed: started, stopped, killed and frozen.

The service's user is no superuser there, as it should not be anywhere. Its password is in a file that its URLs name. Durability is as by default: ``fsync`` is on, though a folder in memory has nothing to sync.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.forking import die_with_parent
from tests.running import free_port

PATIENCE = 60.0
"""Seconds that it has to start or to stop."""
USER = "ozgate"
"""The role that owns the databases of tests."""
_MEMORY = "/dev/shm"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # What is left of a server that was killed goes with its folder.
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "200",
    "logging_collector": "off",
}


def programs() -> Path:
    """The folder of PostgreSQL's programs, of the newest release there is; Debian keeps them off the PATH.

    :raises SkipTest: there are none.
    """
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = [(float(each.parts[-3]), each.parent) for each in debian]
    if found:
        return max(found)[1]
    elsewhere = shutil.which("initdb")
    if elsewhere is None:
        raise SkipTest("PostgreSQL is not installed (Debian: postgresql)")
    return Path(elsewhere).resolve().parent


class PostgreSQL:
    """One server, in a folder of its own, which is removed by :meth:`end`.

    :param primary: which it is to be a standby of; one of its own if left out.
    :param settings: further ones, as its manual calls them.
    :ivar port: where it listens, on loopback.
    :ivar passfile: what libpq finds passwords in, for all servers that have the same ones.
    :ivar password: of all roles.
    :raises SkipTest: it is not installed, or not for this user.
    """

    def __init__(self, primary: PostgreSQL | None = None, **settings: str) -> None:
        self._programs = programs()
        self._owner = owner()
        where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="ozgate-postgresql-", dir=where))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.passfile = self.folder / "passfile"
        self._settings = {**_SETTINGS, "port": str(self.port), **settings}
        self.password = primary.password if primary else token_hex(16)
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.passfile.touch(0o600)
            self.passfile.write_text(f"127.0.0.1:*:*:*:{self.password}\n")
            if primary is not None:
                self.follow(primary)
                return
            self._make()
            self.start()
            self.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{self.password}'")
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The process id of the server, of which all others come."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers. It is killed when this process ends, however it does.

        :raises RuntimeError: it does not come up; its log is shown.
        """
        options = [part for each in self._settings.items() for part in _option(*each)]
        with (self.folder / "log").open("ab") as log:
            self._process = self._run("postgres", "-D", self._data, *options, log=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(_database_error()):
                self.execute("SELECT 1")
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL does not come up:\n{self.said()}")

    def follow(self, primary: PostgreSQL) -> None:
        """Start it as a standby, with a copy of another's data in the place of its own.

        :param primary: it runs, and this one does not.
        """
        shutil.rmtree(self._data, ignore_errors=True)
        primary.base_backup(self._data, "--write-recovery-conf")
        self.start()

    def base_backup(self, to: str, *options: str) -> None:
        """Copy all its data, while it runs, by ``pg_basebackup``.

        :param to: a folder that is not there yet.
        """
        self.make_folder(to)
        source = f"host=127.0.0.1 port={self.port} user=postgres"
        how = ("--checkpoint=fast", "--no-sync", *options)
        command = ("pg_basebackup", "--pgdata", to, "-d", source, *how)
        self._finish(*command, PGPASSWORD=self.password)

    def recover(self, backup: str, **settings: str) -> None:
        """Start it with a base backup in the place of its data, and wait until it has recovered as far as it is to.

        :param settings: where the archived log is, and what the target is.
        """
        shutil.rmtree(self._data)
        shutil.copytree(backup, self._data)
        Path(self._data, "recovery.signal").touch()
        for each in (self._data, *map(str, Path(self._data).rglob("*"))):
            if self._owner is not None:
                os.chown(each, self._owner.pw_uid, self._owner.pw_gid)
        usual, self._settings = self._settings, {**self._settings, **settings}
        try:
            self.start()
        finally:
            self._settings = usual
        deadline = time.monotonic() + PATIENCE
        while self.execute("SELECT pg_is_in_recovery()") != [(False,)]:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def promote(self) -> None:
        """Have a standby be a primary."""
        assert self.execute("SELECT pg_promote()") == [(True,)], self.said()

    def stop(self) -> None:
        """Stop it in order: sessions end, what is committed is checkpointed. Idempotent."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End all of it at once, as a crash of the machine does."""
        family_killed(self.freeze())
        assert self._process is not None
        self._process.wait(PATIENCE)

    def restart(self) -> None:
        """Stop it in order, and start it."""
        self.stop()
        self.start()

    def freeze(self) -> list[int]:
        """Let it run no more, with its connections open, until :meth:`thaw`; its processes, the server itself first."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        family = [self._process.pid, *children(self._process.pid)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        return family

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        for pid in (*children(self._process.pid), self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def end(self) -> None:
        """Stop it without more ado, and remove all of it. Idempotent."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """Make a new database; its URL, for the role that owns it."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} OWNER {USER}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database."""
        return (
            f"postgresql://{USER}@127.0.0.1:{self.port}/{name}?passfile={self.passfile}"
        )

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser; its rows."""
        with connected(self.port, database, self.passfile) as connection:
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def said(self, lines: int = 15) -> str:
        """The end of its log."""
        text = (self.folder / "log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def make_folder(self, path: str) -> None:
        """Make a folder for its files."""
        os.mkdir(path, 0o700)
        if self._owner is not None:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(self.password)
        self.make_folder(self._data)
        how = ("--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8")
        where = ("--pgdata", self._data, f"--pwfile={password}")
        self._finish("initdb", *where, *how, "--locale=C", "--no-sync")
        password.unlink()

    def _finish(self, name: str, *arguments: str, **environment: str) -> None:
        """Run one of its programs to its end."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as written:
            code = self._run(name, *arguments, log=written, **environment).wait(
                PATIENCE
            )
        if code:
            raise RuntimeError(f"{name} failed:\n{log.read_text(errors='replace')}")

    def _run(
        self, name: str, *arguments: str, log: Any, **environment: str
    ) -> subprocess.Popen[bytes]:
        owner = self._owner
        as_whom: dict[str, Any] = {}
        if owner is not None:
            as_whom = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            [str(self._programs / name), *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
            **as_whom,
        )

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        process.wait(PATIENCE)


def _option(name: str, value: str) -> tuple[str, str]:
    return "-c", f"{name}={value}"


def owner() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as, where that is not this user: it refuses to run as root."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise SkipTest(
            "PostgreSQL refuses root, and there is no user postgres"
        ) from None


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise SkipTest("psycopg is not installed (the extra postgresql)") from None
    return psycopg


def connected(port: int, database: str, passfile: Path) -> Any:
    """A connection of the superuser's, as a context."""
    return _psycopg().connect(
        host="127.0.0.1",
        port=port,
        dbname=database,
        user="postgres",
        passfile=str(passfile),
        autocommit=True,
        connect_timeout=10,
    )


def family_killed(family: Sequence[int]) -> None:
    """Kill processes at once, and wait until none of them lives: one would hold the next server up."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    while any(_is_alive(pid) for pid in family):
        time.sleep(0.01)


def _database_error() -> type[Exception]:
    kind: type[Exception] = _psycopg().OperationalError
    return kind


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    with contextlib.suppress(FileNotFoundError):
        return [
            int(each)
            for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []


def _is_alive(pid: int) -> bool:
    """Whether a process is there, and not about to be forgotten."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


@cache
def shared() -> PostgreSQL:
    """One for all tests of this process; it ends with that.

    :raises SkipTest: as :class:`PostgreSQL`.
    """
    server = PostgreSQL()
    atexit.register(server.end)
    return server

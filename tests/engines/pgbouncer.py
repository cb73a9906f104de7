"""PgBouncer in transaction mode before a PostgreSQL server: server connections change hands with each transaction."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.engines.postgresql import PATIENCE, USER, PostgreSQL, owner
from tests.forking import die_with_parent
from tests.running import free_port

_PATH = f"{os.environ['PATH']}:/usr/sbin"


class PgBouncer:
    """One, before a server of its own or another's; to whoever asks the server is what it stands before.

    :param server: one of its own if left out, which ends with it.
    :param connections: to the server, for each database.
    :ivar server: the PostgreSQL.
    :ivar passfile: what libpq finds passwords in.
    :raises SkipTest: either is not installed.
    """

    def __init__(self, server: PostgreSQL | None = None, connections: int = 10) -> None:
        program = shutil.which("pgbouncer", path=_PATH)
        if program is None:
            raise SkipTest("pgbouncer is not installed (Debian: pgbouncer)")
        self._program = program
        self._is_own = server is None
        self.server = server or PostgreSQL()
        self.passfile = self.server.passfile
        self.listens = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # Its recipe has a password.
        self._recipe = self.server.folder / f"pgbouncer{self.listens}.ini"
        self._recipe.touch(0o600)
        user = owner()
        self._whom: dict[str, Any] = {}
        if user is not None:
            self._whom = {"user": user.pw_uid, "group": user.pw_gid}
            os.chown(self._recipe, user.pw_uid, user.pw_gid)
        users = self._recipe.with_suffix(".users")
        users.write_text(f'"{USER}" "{self.server.password}"\n')
        self._recipe.write_text(
            f"[databases]\n* = host=127.0.0.1 port={self.server.port}"
            f" user={USER} password={self.server.password}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.listens}\n"
            f"unix_socket_dir =\nauth_type = any\nauth_file = {users}\n"
            f"pool_mode = transaction\nmax_client_conn = 500\n"
            f"default_pool_size = {connections}\n"
            # Else it stays away from a server that was down for a quarter of a minute.
            "server_login_retry = 1\n"
        )
        try:
            self.start_pooler()
        except BaseException:
            self.end()
            raise

    def start_pooler(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            [self._program, "-q", str(self._recipe)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
            **self._whom,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.listens)).close()
                return
            time.sleep(0.02)
        raise RuntimeError("PgBouncer does not listen")

    def stop_pooler(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it by a signal: SIGKILL ends all connections at once, SIGINT lets transactions end before."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                # It waits for clients that do not go.
                process.kill()
                process.wait(PATIENCE)

    @property
    def port(self) -> int:
        """Where the server listens."""
        return self.server.port

    def database(self) -> str:
        """Make a new database; its URL, through PgBouncer."""
        made = self.server.database()
        return self.url(made.partition("?")[0].rpartition("/")[2])

    def url(self, name: str) -> str:
        """The URL of a database, through PgBouncer."""
        return f"postgresql://{USER}@127.0.0.1:{self.listens}/{name}?passfile={self.passfile}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement at the server as the superuser; its rows."""
        return self.server.execute(sql, database)

    def restart(self) -> None:
        """Stop the server in order, and start it."""
        self.server.restart()

    def kill(self) -> None:
        """The server crashes."""
        self.server.kill()

    def start(self) -> None:
        """Start the server."""
        self.server.start()

    def end(self) -> None:
        """End it, and its server where that is its own. Idempotent."""
        self.stop_pooler()
        if self._is_own:
            self.server.end()

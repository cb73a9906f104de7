"""A PostgreSQL primary and its standby, of which the one takes the place of the other."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from tests.engines.postgresql import PATIENCE, USER, PostgreSQL

_STATE = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"


class Pair:
    """Two servers with the same passwords, known to libpq by one URL.

    :param synchronous: whether commits wait for a standby, so that nothing is lost with the primary; after it was lost they wait until there is another.
    :ivar primary: the server that can be written to.
    :ivar standby: the other one.
    :ivar passfile: as of :class:`PostgreSQL`.
    :raises SkipTest: likewise.
    """

    def __init__(self, synchronous: bool = True) -> None:
        self.synchronous = synchronous
        self.primary = PostgreSQL()
        try:
            if synchronous:
                # The standby has it, too: it is copied.
                self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                self.execute("SELECT pg_reload_conf()")
            self.standby = PostgreSQL(self.primary)
            self.ports = self.primary.port, self.standby.port
            self.passfile = self.primary.passfile
            self._joined()
        except BaseException:
            self.end()
            raise

    @property
    def port(self) -> int:
        """Where the primary listens."""
        return self.primary.port

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement on the primary as the superuser; its rows."""
        return self.primary.execute(sql, database)

    def database(self) -> str:
        """Make a new database; the URL of it, which names both servers."""
        made = self.primary.database()
        return self.url(made.partition("?")[0].rpartition("/")[2])

    def url(self, name: str) -> str:
        """The URL of a database, on whichever can be written to."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        where = f"postgresql://{USER}@{hosts}/{name}?passfile={self.passfile}"
        return f"{where}&target_session_attrs=read-write"

    def fail_over(self, frozen: float | None = None) -> None:
        """The primary is killed, and the standby takes over; the other is its standby then.

        :param frozen: seconds that the old primary stood still before; the standby takes over after half of them.
        """
        if frozen is not None:
            self.primary.freeze()
            time.sleep(frozen / 2)
            self._take_over()
            time.sleep(frozen / 2)
            self.standby.kill()
        else:
            self.primary.kill()
            self._take_over()
        self._join()

    def switch_over(self) -> None:
        """The primary stops in order, and the standby takes over."""
        self.primary.stop()
        self._take_over()
        self._join()

    def start(self) -> None:
        """Start the primary."""
        self.primary.start()

    def kill(self) -> None:
        """The primary crashes."""
        self.primary.kill()

    def restart(self) -> None:
        """Stop the primary in order, and start it."""
        self.primary.restart()

    def end(self) -> None:
        """Remove both. Idempotent."""
        with contextlib.suppress(AttributeError):
            self.standby.end()
        self.primary.end()

    def _take_over(self) -> None:
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def _join(self) -> None:
        self.standby.follow(self.primary)
        self._joined()

    def _joined(self) -> None:
        wanted = "sync" if self.synchronous else "async"
        deadline = time.monotonic() + PATIENCE
        while self.execute(_STATE) != [(wanted,)]:
            assert time.monotonic() < deadline, self.standby.said()
            time.sleep(0.05)

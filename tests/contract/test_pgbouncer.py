"""A metadata store behind PgBouncer, whose server connections change hands with each transaction."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Claim
from tests.engines.postgresql import shared
from tests.forking import die_with_parent
from tests.running import free_port

try:
    import psycopg

    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    psycopg = None  # type: ignore[assignment]

PATIENCE = 20.0
"""Seconds that it has to start."""


def add_one(tx: IMetadataTransaction, name: str) -> int:
    """Count in a named value."""
    tx.claim(Claim.setting(name))
    count = int(tx.setting(name) or 0) + 1
    tx.set_setting(name, b"%d" % count)
    return count


def read(tx: IMetadataTransaction, name: str) -> bytes | None:
    """A named value."""
    return tx.setting(name)


class PgBouncerTests(TestCase):
    """Transaction mode: nothing that a session keeps is there in the next transaction."""

    timeout = 60

    async def setUp(self) -> None:
        """Start it over a database of its own, with fewer server connections than the store has threads."""
        program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
        if psycopg is None or program is None:
            raise SkipTest("psycopg or pgbouncer is not installed (Debian: pgbouncer)")
        self.server = shared()
        url = self.server.database()
        self.name = url.partition("?")[0].rpartition("/")[2]
        self.port = free_port()
        self.start_pooler(program)
        wait = time.monotonic() + PATIENCE
        address = f"postgresql://ozgate@127.0.0.1:{self.port}/{self.name}"
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(address).close()
                break
            self.assertLess(time.monotonic(), wait)
        self.store = PostgreSQLMetadataStore(Address(address), reactor)
        await self.store.prepare()
        await self.store.open()
        self.addCleanup(self.store.close)

    def start_pooler(self, program: str) -> None:
        """Start it; it ends with the test."""
        folder = Path(tempfile.mkdtemp(prefix="ozgate-pgbouncer-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        password = self.server.passfile.read_text().strip().rpartition(":")[2]
        users = folder / "users"
        users.write_text(f'"ozgate" "{password}"\n')
        configuration = folder / "ini"
        configuration.write_text(
            f"[databases]\n{self.name} = host=127.0.0.1 port={self.server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            f"unix_socket_dir =\nauth_type = any\nauth_file = {users}\n"
            "pool_mode = transaction\ndefault_pool_size = 3\n"
        )
        text = configuration.read_text()
        configuration.write_text(
            text.replace(
                f"port={self.server.port}\n",
                f"port={self.server.port} user=ozgate password={password}\n",
            )
        )
        whom: dict[str, Any] = {}
        if not os.geteuid():
            postgres = pwd.getpwnam("postgres")
            whom = {"user": postgres.pw_uid, "group": postgres.pw_gid}
        made = subprocess.Popen(
            [program, "-q", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
            **whom,
        )
        self.addCleanup(made.wait)
        self.addCleanup(made.kill)

    async def test_many(self) -> None:
        """Of many that write at a time each builds on the one before, and who reads finds the last."""
        await gatherResults([self.store.write(add_one, "n") for _ in range(40)])
        found = await gatherResults([self.store.read(read, "n") for _ in range(20)])
        self.assertEqual(set(found), {b"40"})
        self.assertEqual(await self.store.write(add_one, "n"), 41)
        self.assertEqual(await self.store.read(read, "n"), b"41")

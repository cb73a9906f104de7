"""A database that is brought back by PostgreSQL's own tools, as ``docs/scale-out.md`` has it."""

from __future__ import annotations

import os
import subprocess

from tests.engines.postgresql import USER, PostgreSQL, programs
from tests.forking import run
from tests.gateways.fleet import FleetCase
from tests.running import ROOT


class RestoreCase(FleetCase):
    """One gateway, and tools that are not its own."""

    count = 1
    settings = ("ozgate.sweep.delay=1h", "ozgate.sweep.interval=100ms")

    def put_first(self) -> dict[str, bytes]:
        """Put what is to be there after all; the bodies."""
        [gateway] = self.gateways
        bodies = {f"key{n}": os.urandom((300, 100_000)[n % 2]) for n in range(6)}
        for key, body in bodies.items():
            self.assertEqual(gateway.request("PUT", f"/bucket/{key}", {}, body)[0], 200)
        return bodies

    def change(self) -> None:
        """Remove and replace some of it, and put more: three bodies have blobs."""
        [gateway] = self.gateways
        for key in ("key0", "key1"):
            self.assertEqual(gateway.request("DELETE", f"/bucket/{key}")[0], 204)
        for key in ("key2", "key3", "later"):
            gateway.request("PUT", f"/bucket/{key}", {}, os.urandom(90_000))

    def look(self, bodies: dict[str, bytes], url: str) -> None:
        """All is as it was before the change, and nothing is known of that; fsck finds nothing but its bytes."""
        [gateway] = self.gateways
        gateway.start()
        listed = gateway.request("GET", "/bucket?list-type=2")[2].decode()
        self.assertEqual(listed.count("<Key>"), len(bodies))
        for key, body in bodies.items():
            found = gateway.request("GET", f"/bucket/{key}")
            self.assertEqual((found[0], found[2]), (200, body), key)
        gateway.stop()
        said = self.fsck(gateway.data, url)
        self.assertEqual(said.count("orphan blob"), 3, said)
        self.assertIn(": 3 findings", said)

    def tool(self, name: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's."""
        command = [str(programs() / name), *arguments]
        subprocess.run(command, check=True, timeout=60)

    def fsck(self, data: str, url: str) -> str:
        """What ``ozgate admin fsck`` says of a gateway that is down."""
        blobs = f"files:{self.fleet.folder}/blobs"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "OZGATE_METADATA": url,
            "OZGATE_BLOBS": blobs,
            "OZGATE_MASTER_KEY": f"{self.fleet.folder}/master.key",
        }
        place = ("-m", "ozgate", "admin", "fsck", "--data", data)
        ended = run(*place, env=environment, cwd=self.fleet.folder)
        return ended.stdout + ended.stderr


class DumpTests(RestoreCase):
    """A dump of one moment, and what was written since."""

    def test_dump(self) -> None:
        """What was there when the database was dumped is there after it was restored, also what was removed and replaced since; fsck finds nothing but the bytes of what came later."""
        [gateway] = self.gateways
        bodies = self.put_first()
        dump = f"{self.fleet.folder}/dump"
        self.tool("pg_dump", "-Fc", f"--file={dump}", self.fleet.url)
        self.change()
        gateway.stop()
        restored = self.fleet.postgresql.database()
        self.tool("pg_restore", f"--role={USER}", f"--dbname={restored}", dump)
        gateway.settings = (*gateway.settings, f"ozgate.metadata={restored}")
        self.look(bodies, restored)


class ArchiveTests(RestoreCase):
    """A base backup, and the log since, which is archived."""

    def database(self) -> PostgreSQL:
        """One that archives its log."""
        archiving = {"archive_mode": "on", "archive_command": "cp %p ../archive/%f"}
        self.server = PostgreSQL(**archiving)
        self.addCleanup(self.server.end)
        self.archive = str(self.server.folder / "archive")
        self.server.make_folder(self.archive)
        return self.server

    def test_moment(self) -> None:
        """The database is brought back to a moment after the base backup and before what was written last: all of that moment is there."""
        [gateway] = self.gateways
        gateway.request("PUT", "/bucket/key0", {}, b"before the base backup")
        backup = f"{self.server.folder}/backup"
        self.server.base_backup(backup)
        bodies = self.put_first()
        self.server.execute("SELECT pg_create_restore_point('wanted')")
        self.change()
        gateway.stop()
        self.server.stop()
        self.server.recover(
            backup,
            restore_command="cp ../archive/%f %p",
            recovery_target_name="wanted",
            recovery_target_action="promote",
        )
        self.look(bodies, self.fleet.url)

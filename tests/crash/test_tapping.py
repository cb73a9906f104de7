"""What the tap sees of blobs and of SQLite, and what it can do to them: the crash tests stand on it."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from signal import SIGKILL

from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files.blobfile import BlobWriter, Place
from ozgate.errors import NoSpace
from tests.crash import tapping
from tests.crash.tapping import Call, Failing, Recording, Shortening, Tap, tapped
from tests.running import ROOT


def connect(path: str) -> sqlite3.Connection:
    """A connection as ozgate makes them."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


class BlobTests(SynchronousTestCase):
    """Calls of blobs."""

    def setUp(self) -> None:
        """A folder for a blob."""
        self.folder = os.path.abspath(self.mktemp())
        os.mkdir(self.folder)

    def write(self, tap: Tap) -> None:
        """Write a blob while tapped."""
        with tapped(tap, sqlite=False):
            writer = BlobWriter(Place(self.folder, None), None)
            writer.append([b"first", b"second"])
            writer.seal([b"third"], f"{self.folder}/blob")

    def test_recorded(self) -> None:
        """Writes come with their places and bytes; an unnamed file keeps one path until it is linked."""
        recording = Recording()
        self.write(recording)
        kinds = [call.kind for call in recording.calls]
        expected = "create_unnamed write write write sync link sync_folder"
        self.assertEqual(kinds, expected.split())
        unnamed, first, second, footer, sync, link, folder = recording.calls
        self.assertEqual({c.path for c in recording.calls[:6]}, {unnamed.path})
        self.assertEqual((first.offset, first.data), (0, b"firstsecond"))
        self.assertEqual((second.offset, second.data), (11, b"third"))
        self.assertEqual(footer.offset, 16)
        self.assertEqual(sync.layer, "blobs")
        self.assertEqual(link.target, f"{self.folder}/blob")
        self.assertEqual(folder.path, self.folder)

    def test_fails(self) -> None:
        """A call fails with the error that is asked for, and only that one."""
        with self.assertRaises(NoSpace):
            self.write(Failing(2, number=errno.ENOSPC))
        self.assertEqual(os.listdir(self.folder), [])

    def test_short(self) -> None:
        """A write that takes a part of its bytes is gone on with."""
        self.write(Shortening(2))
        with open(f"{self.folder}/blob", "rb") as file:
            self.assertEqual(file.read(16), b"firstsecondthird")

    def test_functions_are_back(self) -> None:
        """Nothing is tapped after the end."""
        recording = Recording()
        with tapped(recording, sqlite=False):
            pass
        BlobWriter(Place(self.folder, None), None).seal([], f"{self.folder}/blob")
        self.assertEqual(recording.calls, [])


class DatabaseTestCase(SynchronousTestCase):
    """A test with a database."""

    skip = tapping.unavailable()

    def setUp(self) -> None:
        """A place for a database."""
        self.folder = os.path.abspath(self.mktemp())
        os.mkdir(self.folder)
        self.path = f"{self.folder}/a.db"

    def fill(self) -> None:
        """Make a database with one row."""
        connection = connect(self.path)
        connection.execute("CREATE TABLE a (b)")
        connection.execute("INSERT INTO a VALUES ('there')")
        connection.close()


class SQLiteTests(DatabaseTestCase):
    """Calls of SQLite."""

    def test_recorded(self) -> None:
        """What SQLite writes is what its files hold, and a commit ends with a sync of the log."""
        recording = Recording()
        with tapped(recording):
            connection = connect(self.path)
            connection.execute("CREATE TABLE a (b)")
            before = len(recording.calls)
            connection.execute("INSERT INTO a VALUES (1)")
            commit = recording.calls[before:]
            self.assertEqual(
                commit[-1], Call("sync", f"{self.path}-wal", layer="sqlite")
            )
            log = bytearray(os.path.getsize(f"{self.path}-wal"))
            for call in recording.calls:
                if call.kind == "write" and call.path.endswith("-wal"):
                    assert call.data is not None
                    log[call.offset : call.offset + call.size] = call.data
            with open(f"{self.path}-wal", "rb") as file:
                self.assertEqual(file.read(), log)
            connection.close()
        self.assertIn("truncate", {call.kind for call in recording.calls})

    def test_name_of_the_log(self) -> None:
        """SQLite syncs the folder when it first syncs a new log; without it the log's name could be lost."""
        self.fill()
        recording = Recording()
        with tapped(recording):
            connection = connect(self.path)
            connection.execute("INSERT INTO a VALUES (1)")
            connection.close()
        kinds = [(call.kind, os.path.basename(call.path)) for call in recording.calls]
        first = kinds.index(("sync", "a.db-wal"))
        self.assertIn(("create", "a.db-wal"), kinds[:first])
        self.assertIn("sync_folder", [kind for kind, _ in kinds[: first + 1]])

    def test_fails(self) -> None:
        """Errors are those that the unix VFS gives: no room is SQLITE_FULL in a write, an I/O error in a sync."""
        self.fill()
        expected = {
            ("write", errno.ENOSPC): "SQLITE_FULL",
            ("write", errno.EIO): "SQLITE_IOERR_WRITE",
            ("write", errno.EDQUOT): "SQLITE_IOERR_WRITE",
            ("sync", errno.ENOSPC): "SQLITE_IOERR_FSYNC",
            ("read", errno.EIO): "SQLITE_IOERR_READ",
            ("open", errno.EMFILE): "SQLITE_CANTOPEN",
        }
        for (kind, number), name in expected.items():
            failing = Failing(1, lambda call, kind=kind: call.kind == kind)  # type: ignore[misc]
            failing.number = number
            with tapped(failing), self.assertRaises(sqlite3.Error) as caught:
                connect(self.path).execute("INSERT INTO a VALUES (1)")
            error: sqlite3.Error = caught.exception
            self.assertEqual(error.sqlite_errorname, name)
            self.assertEqual(failing.count, 1)

    def test_short(self) -> None:
        """A write that takes a part of its bytes is a full disk to SQLite, as its own VFS sees it."""
        self.fill()
        with tapped(Shortening(2)), self.assertRaises(sqlite3.Error) as caught:
            connect(self.path).execute("INSERT INTO a VALUES (1)")
        self.assertEqual(caught.exception.sqlite_errorname, "SQLITE_FULL")

    def test_left_over(self) -> None:
        """A connection that was tapped earlier counts for nobody later: the garbage collector closes such at any time."""
        self.fill()
        with tapped(Recording()):
            left = connect(self.path)
            left.execute("INSERT INTO a VALUES (1)")
        recording = Recording(lambda call: True)
        with tapped(recording):
            left.execute("INSERT INTO a VALUES (2)")
            left.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            left.close()
        self.assertEqual({call.kind for call in recording.calls} - {"unlink"}, set())

    def test_defect(self) -> None:
        """An exception that is no OSError reaches the test, not SQLite."""

        class Broken(Tap):
            def call(self, call: Call, real: object) -> None:  # type: ignore[override]
                raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError), tapped(Broken()):
            with self.assertRaises(sqlite3.Error):
                connect(self.path)

    def test_default_is_back(self) -> None:
        """Nothing is tapped after the end, also on a connection made before it."""
        recording = Recording()
        with tapped(recording):
            connection = connect(self.path)
        recording.calls.clear()
        connection.execute("CREATE TABLE a (b)")
        connection.close()
        connect(self.path).execute("INSERT INTO a VALUES (1)")
        self.assertEqual(recording.calls, [])


_CHILD = """
import sqlite3, sys
from tests.crash.tapping import Ending, tapped
with tapped(Ending(int(sys.argv[2]), part=float(sys.argv[3]))):
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("INSERT INTO a VALUES ('added')")
    connection.close()
print("alive")
"""


class EndingTests(DatabaseTestCase):
    """A process that ends at a call."""

    def test_killed(self) -> None:
        """The process dies at the call of that number, with a part of it done."""
        self.fill()
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        for at, part in ((1, 0), (4, 0.5), (1000, 0)):
            command = [sys.executable, "-c", _CHILD, self.path, str(at), str(part)]
            child = subprocess.run(
                command, capture_output=True, timeout=60, env=environment
            )
            ended = at < 1000
            self.assertEqual(child.returncode, -SIGKILL if ended else 0, child.stderr)
            self.assertEqual(child.stdout, b"" if ended else b"alive\n")
        rows = connect(self.path).execute("SELECT b FROM a").fetchall()
        self.assertEqual(rows, [("there",), ("added",)])

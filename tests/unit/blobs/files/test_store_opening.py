"""Opening the file blob store: what is made, taken up or refused in its folder."""

from __future__ import annotations

import errno
import os
import shutil

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import Absent, Unavailable
from ozgate.values import ByteRange
from tests.started import started
from tests.unit.blobs.files.support import FilesCase, at_once


class OpeningTests(FilesCase):
    """Opening the store."""

    def refusal(self, path: str, name: str = "files") -> str:
        store = FileBlobStore(path, name, self.clock, at_once, 10)
        return str(self.failureResultOf(started(store), Unavailable).value)

    def test_leftovers(self) -> None:
        """Files that were being written when the process died are removed at the next start."""
        self.store.close_store()
        with open(f"{self.path}/staging/abc", "w") as file:
            file.write("half")
        self.store = self.make()
        self.nothing_left()

    def test_leftovers_of_others(self) -> None:
        """Who opens the store beside another removes nothing that one is writing, also where files have staging names."""
        with open(f"{self.path}/staging/abc", "w") as file:
            file.write("half")
        other = FileBlobStore(self.path, "files", self.clock, at_once, 10)
        self.successResultOf(other.open_store())
        self.assertEqual(os.listdir(f"{self.path}/staging"), ["abc"])
        self.successResultOf(other.close_store())
        os.unlink(f"{self.path}/staging/abc")

    def test_not_prepared(self) -> None:
        """A folder that nobody prepared is refused by who only opens it, and nothing is put there."""
        path = self.mktemp()
        os.mkdir(path)
        store = FileBlobStore(path, "files", self.clock, at_once, 10)
        error = self.failureResultOf(store.open_store(), Unavailable)
        self.assertIn("not prepared", str(error.value))
        self.assertEqual(os.listdir(path), [])

    def test_in_use_by_two(self) -> None:
        """As long as anybody has the store open it cannot be prepared, whoever prepared it before."""
        other = FileBlobStore(self.path, "files", self.clock, at_once, 10)
        self.successResultOf(other.open_store())
        self.store.close_store()
        self.assertIn("in use", self.refusal(self.path))
        self.successResultOf(other.close_store())
        self.store = self.make()

    def test_half_made(self) -> None:
        """A start that was cut off while making the folders is taken up by the next."""
        for made in ("", "FORMAT.new", "FORMAT", "data", "data/00"):
            path = self.mktemp()
            store = FileBlobStore(path, "files", self.clock, at_once, 10)
            self.successResultOf(started(store))
            self.successResultOf(store.close_store())
            if made in ("", "FORMAT.new"):
                path = self.mktemp()
                os.mkdir(path)
                if made:
                    with open(f"{path}/FORMAT.new", "w") as file:
                        file.write("oz")
            else:
                os.rmdir(f"{path}/data/ff")
            self.make(path)
            self.assertEqual(len(os.listdir(f"{path}/data")), 256)

    def test_name(self) -> None:
        """A folder keeps the name of its store: under another one its blobs would be taken for nameless."""
        self.successResultOf(self.store.close_store())
        self.assertIn("called 'files'", self.refusal(self.path, "disk2"))
        path = self.mktemp()
        self.successResultOf(self.make(path, "disk2").close_store())
        for name in ("files", "disk3"):
            self.assertIn("called 'disk2'", self.refusal(path, name))
        self.successResultOf(self.make(path, "disk2").close_store())
        # Cut off before it had its format, it may still become anybody's.
        os.unlink(f"{path}/FORMAT")
        for part in ("data", "staging"):
            shutil.rmtree(f"{path}/{part}")
        self.make(path, "disk3")

    def test_identity(self) -> None:
        """A folder is told from every other one of its name: by the same for ever, also one that has none yet."""
        identity = self.store.identity
        self.assertRegex(identity, "^[0-9a-f]{16}$")
        self.successResultOf(self.store.close_store())
        again = self.make(self.path)
        self.assertEqual(again.identity, identity)
        beside = FileBlobStore(self.path, "files", self.clock, at_once, 10)
        self.successResultOf(beside.open_store())
        self.assertEqual(beside.identity, identity)
        for each in (again, beside):
            self.successResultOf(each.close_store())
        self.assertNotEqual(self.make(self.mktemp()).identity, identity)
        # From the time before.
        os.unlink(f"{self.path}/NAME")
        later = self.make(self.path)
        self.assertRegex(later.identity, "^[0-9a-f]{16}$")
        self.assertNotEqual(later.identity, identity)

    def test_gone(self) -> None:
        """While another folder is in the place of the one that was opened, or none, blobs are out of reach, and not lost."""
        blob = self.put(b"abc")
        os.rename(self.path, f"{self.path}-away")
        for is_there in (False, True):
            if is_there:
                store = self.make(self.path)
                self.successResultOf(store.close_store())
            for asked in (
                self.store.open(blob, ByteRange(0, 1)),
                self.store.inspect([blob]),
                self.store.verify(blob.id),
            ):
                error = self.failureResultOf(asked, Unavailable).value
                self.assertIn("is its disk mounted?", str(error))
        shutil.rmtree(self.path)
        os.rename(f"{self.path}-away", self.path)
        self.assertEqual(self.successResultOf(self.store.inspect([blob])), {})
        os.unlink(self.file(blob))
        self.failureResultOf(self.store.open(blob, ByteRange(0, 1)), Absent)

    def test_identity_on_a_full_disk(self) -> None:
        """A full disk keeps no identity, and the store opens without; it gets one when there is room."""
        self.successResultOf(self.store.close_store())
        os.unlink(f"{self.path}/NAME")
        real = syscalls.open_new

        def open_new(path: str) -> int:
            if path.endswith("/NAME.new"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(path)

        self.patch(syscalls, "open_new", open_new)
        store = self.make(self.path)
        self.assertEqual(store.identity, "")
        self.successResultOf(store.close_store())
        self.patch(syscalls, "open_new", real)
        self.assertNotEqual(self.make(self.path).identity, "")

    def test_newer_format(self) -> None:
        """A store that a newer ozgate wrote is refused, saying so."""
        self.store.close_store()
        with open(f"{self.path}/FORMAT", "w") as file:
            file.write("ozgate blobs 2\n")
        self.assertIn("have format 2", self.refusal(self.path))

    def test_foreign_format(self) -> None:
        """A FORMAT file of something else is refused."""
        self.store.close_store()
        with open(f"{self.path}/FORMAT", "w") as file:
            file.write("something else\n")
        self.assertIn("does not say that ozgate", self.refusal(self.path))

    def test_foreign_folder(self) -> None:
        """A folder with other things in it is refused, and nothing is put there."""
        path = self.mktemp()
        os.mkdir(path)
        with open(f"{path}/thesis.txt", "w"):
            pass
        self.assertIn("'thesis.txt'", self.refusal(path))
        self.assertEqual(os.listdir(path), ["thesis.txt"])

    def test_in_use(self) -> None:
        """A store that is open elsewhere is refused: its sweep would take what the other is writing."""
        self.assertIn("in use", self.refusal(self.path))

    def test_not_a_folder(self) -> None:
        """A path below a file is refused in one line."""
        message = self.refusal(f"{self.path}/FORMAT/blobs")
        self.assertIn("blobs cannot be kept in", message)
        self.assertNotIn("\n", message)

    def test_read_only(self) -> None:
        """A folder that may not be written to is refused when the store opens, not at the first PUT."""
        self.store.close_store()
        self.break_call("open_unnamed", errno.EROFS)
        self.assertIn("Read-only file system", self.refusal(self.path))

    def test_private(self) -> None:
        """Nobody else may read blobs."""
        blob = self.put(b"abc")
        self.assertEqual(os.stat(self.path).st_mode & 0o77, 0)
        self.assertEqual(os.stat(self.file(blob)).st_mode & 0o77, 0)

"""The folders of a blob store on HDFS, as those on a disk have them (:mod:`ozgate.blobs.files.folders`).

::

    FORMAT          "ozgate blobs 1": a blob is one file, in the form of :mod:`ozgate.blobs.files.blobfile`
    NAME            what blob references call the store, and what tells it from every other
    data/00 … ff    blobs, by the last two digits of their ids: none has so many that a name node has trouble with it
    staging/        what is being written, under names that are no ids (:mod:`ozgate.blobs.temporarynames`)

Several gateways prepare it, also while others write. Everything here blocks and runs in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ...errors import Absent, Damaged, NoSpace, StoreError, Unavailable
from ..blobids import FOLDERS
from ..clocks import check_clock
from ..files.folders import FORMAT, NAME, PREFIX
from ..temporarynames import is_left_over, temporary_name
from .filesystem import FileSystem, forget


class HdfsFolders:
    """The folders of one store.

    :param path: the folder of all.
    :param name: what blob references call the store.
    :param seconds: the clock that ids of blobs are made by.
    :ivar identity: what tells it from every other; ``""`` until it is known.
    """

    def __init__(
        self, system: FileSystem, path: str, name: str, seconds: Callable[[], float]
    ) -> None:
        self.identity = ""
        self._system = system
        self._path = path
        self._name = name
        self._seconds = seconds

    def path_of(self, blob_id: str) -> str:
        """Where a blob is."""
        return f"{self._path}/data/{blob_id[-2:]}/{blob_id}"

    def folder(self, ending: str) -> str:
        """Where blobs are whose ids end so."""
        return f"{self._path}/data/{ending}"

    @property
    def path_of_format(self) -> str:
        """The file that says what the folder is."""
        return f"{self._path}/FORMAT"

    def new_staging(self) -> str:
        """A new path for what is being written."""
        return f"{self._path}/staging/{temporary_name()}"

    def prepare(self) -> None:
        """Make what is missing, and remove what nobody writes any more.

        :raises Unavailable: the folder cannot be used; the message says why in one line.
        """
        system, path = self._system, self._path
        with _in_one_line():
            system.make_folder(f"{path}/staging")
            if not system.is_there(f"{path}/FORMAT"):
                self._check_strangers()
                self._keep(NAME, f"{self._name} {os.urandom(8).hex()}\n".encode())
                self._keep("FORMAT", PREFIX + b"%d\n" % FORMAT)
            self._check()
            self._make_fan_out()
            self._clear_staging()

    def open(self) -> None:
        """Find out whether it is prepared.

        :raises Unavailable: the folder cannot be used, or is not prepared; the message says why in one line.
        """
        with _in_one_line():
            self._check()

    def check_there(self) -> None:
        """Make sure that the folder is the one that was opened: what is not in another one is not lost.

        :raises Unavailable: it is another, or there is none.
        """
        try:
            found = self._read(NAME)
        except Absent:
            found = ""
        if found.split() != [self._name, self.identity]:
            raise Unavailable(
                f"{self._system.url}{self._path} is not the folder any more that was opened"
            )

    def _check(self) -> None:
        where = f"{self._system.url}{self._path}"
        try:
            text, named = self._read("FORMAT"), self._read(NAME)
        except Absent:
            raise Unavailable(f"{where} is not prepared to keep blobs") from None
        number = text.removeprefix(PREFIX.decode()).strip()
        if not text.startswith(PREFIX.decode()) or not number.isdigit():
            raise Unavailable(f"{where}/FORMAT does not say that ozgate keeps blobs")
        if int(number) > FORMAT:
            raise Unavailable(
                f"blobs in {where} have format {int(number)}; this version of ozgate knows {FORMAT} at most"
            )
        name, _, identity = named.strip().partition(" ")
        if name != self._name:
            raise Unavailable(
                f"the blobs in {where} are those of a store called {name!r}, not {self._name!r}: give it its own name, or the other one another folder"
            )
        self.identity = identity.strip()

    def _check_strangers(self) -> None:
        """Refuse a folder that is something else."""
        for name, _ in self._system.entries(self._path):
            if name not in (NAME, "FORMAT", "staging"):
                raise Unavailable(
                    f"{self._system.url}{self._path} holds {name!r} and no FORMAT: not a folder of ozgate's blobs"
                )

    def _read(self, name: str) -> str:
        path = f"{self._path}/{name}"
        reader = self._system.open(path)
        with self._system.translated(f"reading {path}"):
            data: bytes = reader.read_range(0, min(len(reader), 128))
            return bytes(data).decode("ascii", "replace")

    def _keep(self, name: str, text: bytes) -> None:
        """Make a file, unless it is there, or another makes it meanwhile."""
        system, path = self._system, f"{self._path}/{name}"
        if system.is_there(path):
            return
        new = self.new_staging()
        writer = system.create(new, None)
        with system.translated(f"writing {path}"):
            writer.write(text)
            writer.hsync()
            writer.close()
        forget(writer)
        try:
            system.rename(new, path)
        except StoreError:
            system.delete(new)
            if not system.is_there(path):
                raise

    def _make_fan_out(self) -> None:
        system, data = self._system, f"{self._path}/data"
        system.make_folder(data)
        there = {name for name, _ in system.entries(data)}
        for name in FOLDERS:
            if name not in there:
                system.make_folder(f"{data}/{name}")

    def _clear_staging(self) -> None:
        """Remove what nobody writes any more, by the name node's clock."""
        now = self._now()
        check_clock(self._seconds(), now, self._system.url)
        staging = f"{self._path}/staging"
        for name, written in list(self._system.entries(staging)):
            if is_left_over(name, now - written):
                self._system.delete(f"{staging}/{name}")

    def _now(self) -> float:
        path = self.new_staging()
        writer = self._system.create(path, None)
        with self._system.translated("trying to write"):
            writer.close()
        forget(writer)
        try:
            return self._system.written(path)
        finally:
            with suppress(StoreError):
                self._system.delete(path)


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Have ``Unavailable`` raised for whatever a file system says, as a start has it."""
    try:
        yield
    except (NoSpace, Absent, Damaged) as error:
        raise Unavailable(str(error)) from error

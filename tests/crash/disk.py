"""What a disk may hold after the power went, as far as the calls made on it tell.

The model is POSIX's, and no file system's: the bytes of a file are there once it was synced, a name is there once its
folder was. Of what was not synced each write and each name may be there or not, by itself, and a write may be
there in part. A file system that promises more, such as names in their order, leaves fewer of these images.

Reading and writing an image is this module's too; what a store makes of one is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b

from attrs import define, field, frozen

from tests.crash.tapping import Call

BLOCK = 4096
"""What disks and page caches write at once."""


@define(eq=False)
class File:
    """A file, by whatever names.

    :ivar synced: its bytes as they were when it was synced last.
    :ivar pending: writes and truncations since.
    """

    synced: bytes = b""
    pending: list[Write] = field(factory=list)

    def content(self, kept: Mapping[Write, bytes | None] | None) -> bytes:
        """Its bytes with some of what is pending.

        :param kept: the pending calls that took effect, with the bytes that did; ``None`` for all of them.
        """
        if not self.pending:
            return self.synced
        data = bytearray(self.synced)
        for write in self.pending:
            if kept is None:
                write.apply(data)
            elif write in kept:
                write.apply(data, kept[write])
        return bytes(data)


@lru_cache(maxsize=256)
def _digest(data: bytes) -> bytes:
    """Files are the same in most images, and Python knows the hash of bytes it has seen."""
    return blake2b(data, digest_size=16).digest()


FOLDER = File()
"""What the name of a folder leads to."""


@define(eq=False)
class Write:
    """A write or truncation that is not synced.

    :ivar data: what was written; ``None`` for a truncation to ``offset`` bytes.
    """

    offset: int
    data: bytes | None

    def apply(self, content: bytearray, part: bytes | None = None) -> None:
        """Do it.

        :param part: of the data, what arrives; ``None`` for all.
        """
        data = self.data if part is None else part
        if self.data is None or data is None:
            missing = self.offset - len(content)
            content.extend(bytes(max(missing, 0)))
            del content[self.offset :]
            return
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : self.offset + len(data)] = data


@define(eq=False)
class Renaming:
    """Names that were given or taken by one call, and are not synced.

    :ivar names: each with the file it leads to now; ``None`` for none.
    """

    names: dict[str, File | None]

    def touches(self, folder: str) -> bool:
        """Whether a name is in that folder."""
        return any(os.path.dirname(name) == folder for name in self.names)


@frozen
class Image:
    """What a disk may hold.

    :ivar kind: which of what was pending is there.
    :ivar files: bytes by path.
    :ivar folders: those that were made meanwhile, each with whether it is there.
    """

    kind: str
    files: Mapping[str, bytes]
    folders: Mapping[str, bool] = field(factory=dict)

    def digest(self, folder: str) -> bytes:
        """Names what it holds, whatever its kind.

        :param folder: what paths are taken from.
        """
        whole = blake2b(digest_size=16)
        for path, there in sorted(self.folders.items()):
            if there:
                whole.update(path.removeprefix(folder).encode() + b"/")
        for path in sorted(self.files):
            whole.update(path.removeprefix(folder).encode() + b"\0")
            whole.update(_digest(self.files[path]))
        return whole.digest()


class Disk:
    """A disk under a workload.

    :param files: what it holds durably at the beginning, by path.
    :param folders: those that are not there yet, and will be made, each after what it is in. Others are there.
    """

    def __init__(self, files: Mapping[str, bytes], folders: Sequence[str] = ()) -> None:
        self._names = {path: File(data) for path, data in files.items()}
        self._synced_names = dict(self._names)
        self._renamings: list[Renaming] = []
        self._writes: dict[Write, File] = {}
        self._made = tuple(folders)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is pending."""
        return not self._writes and not self._renamings

    def do(self, call: Call) -> None:
        """Have a call take effect."""
        kind, path = call.kind, call.path
        if kind in ("create", "create_unnamed"):
            # Without a name that is a path, no image ever has it: it is only found by its link.
            self._rename({path: File()}, durable=kind == "create_unnamed")
        elif kind == "write":
            assert call.data is not None
            self._write(self._names[path], call.offset, call.data)
        elif kind == "truncate":
            self._write(self._names[path], call.size, None)
        elif kind == "sync":
            self._sync(self._names[path])
        elif kind == "sync_folder":
            self._sync_folder(path)
        elif kind == "link":
            self._rename({call.target: self._names[path]})
        elif kind == "rename":
            self._rename({path: None, call.target: self._names[path]})
        elif kind == "unlink":
            self._rename({path: None})
        elif kind == "mkdir":
            self._rename({path: FOLDER})

    def _write(self, file: File, offset: int, data: bytes | None) -> None:
        last = file.pending[-1] if file.pending else None
        if data and last and last.data and last.offset + len(last.data) == offset:
            if len(last.data) < BLOCK // 2:
                # The header of a frame and its page: one write to a disk, for the two lie side by side.
                last.data += data
                return
        write = Write(offset, data)
        file.pending.append(write)
        self._writes[write] = file

    def _sync(self, file: File) -> None:
        file.synced = file.content(None)
        for write in file.pending:
            del self._writes[write]
        file.pending.clear()

    def lose(self, path: str) -> None:
        """Have a sync of a file fail as Linux does: what was pending is forgotten, and the next sync knows nothing of it."""
        file = self._names[path]
        for write in file.pending:
            del self._writes[write]
        file.pending.clear()

    def _sync_folder(self, folder: str) -> None:
        kept = []
        for renaming in self._renamings:
            if renaming.touches(folder):
                _apply(self._synced_names, renaming)
            else:
                kept.append(renaming)
        self._renamings = kept

    def _rename(self, names: dict[str, File | None], durable: bool = False) -> None:
        renaming = Renaming(names)
        _apply(self._names, renaming)
        if not durable:
            self._renamings.append(renaming)

    # Images

    def written(self) -> Image:
        """Everything arrived, as when only the process dies."""
        return self._image("all", None, self._renamings)

    def images(self, thorough: bool = True) -> Iterator[Image]:
        """What the disk may hold now. The same may come more than once.

        :param thorough: whether with every way in which a single write may be torn; else with one.
        """
        renamings, writes = self._renamings, list(self._writes)
        yield self.written()
        yield self._image("nothing", {}, ())
        if renamings:
            yield self._image("names without data", {}, renamings)
            yield self._image("data without names", None, ())
        for number in range(len(renamings)):
            others = renamings[:number] + renamings[number + 1 :]
            yield self._image(f"without name {number}", None, others)
            yield self._image(
                f"with name {number} alone", None, renamings[number : number + 1]
            )
        for number, write in enumerate(writes):
            yield from self._images_of(number, write, writes, thorough)

    def _images_of(
        self, number: int, write: Write, writes: Sequence[Write], thorough: bool
    ) -> Iterator[Image]:
        """Images in which one write is not as it was meant."""
        names = self._renamings
        before: dict[Write, bytes | None] = {each: None for each in writes[:number]}
        others: dict[Write, bytes | None] = {
            each: None for each in writes if each is not write
        }
        yield self._image(f"up to write {number}", before, names)
        yield self._image(f"without write {number}", others, names)
        if write.data is None:
            return
        for name, part in _torn(write.data):
            torn: Mapping[Write, bytes | None] = {**others, write: part}
            yield self._image(f"{name} of write {number}", torn, names)
            if not thorough:
                return
        # The size of the file arrived, the bytes did not.
        hollow: Mapping[Write, bytes | None] = {**others, write: bytes(len(write.data))}
        if write.offset >= len(self._writes[write].synced):
            yield self._image(f"zeros for write {number}", hollow, names)
        if len(write.data) > 1:
            name, part = next(_torn(write.data))
            last: Mapping[Write, bytes | None] = {**before, write: part}
            yield self._image(f"up to {name} of write {number}", last, names)

    def _image(
        self,
        kind: str,
        kept: Mapping[Write, bytes | None] | None,
        renamings: Iterable[Renaming],
    ) -> Image:
        names = dict(self._synced_names)
        for renaming in renamings:
            _apply(names, renaming)
        folders: dict[str, bool] = {}
        for path in self._made:
            folders[path] = path in names and folders.get(os.path.dirname(path), True)
        lost = frozenset(path for path, there in folders.items() if not there)
        files = {
            path: file.content(kept)
            for path, file in names.items()
            if file is not FOLDER
            and not os.path.basename(path).startswith("#")
            and os.path.dirname(path) not in lost
        }
        return Image(kind, files, folders)


def _apply(names: dict[str, File], renaming: Renaming) -> None:
    for name, file in renaming.names.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _torn(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Parts of a write that may arrive alone; each begins where the write does."""
    if len(data) < 2:
        return
    yield "half", data[: len(data) // 2]
    if (blocks := len(data) // BLOCK) > 1:
        yield "half a block", data[: BLOCK // 2]
        yield "all but half a block", data[: blocks * BLOCK - BLOCK // 2]


# Images in a folder


def read_tree(folder: str) -> dict[str, bytes]:
    """What is in a folder, by path; folders that are empty are not seen."""
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                found[path] = file.read()
    return found


class Folder:
    """A folder that holds one image after the other.

    :ivar known: the files that may be there; ``None`` when that is unknown, as at first.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: set[str] | None = None
        self._made: set[str] = set()

    def hold(self, image: Image) -> None:
        """Have it hold that image and nothing else, but for folders that are empty."""
        for path in self._files() if self.known is None else self.known:
            with suppress(FileNotFoundError):
                os.unlink(path)
        self.known = set(image.files)
        for path, there in reversed([*image.folders.items()]):
            if not there:
                with suppress(FileNotFoundError):
                    os.rmdir(path)
                self._made.discard(path)
        for path, there in image.folders.items():
            if there:
                os.makedirs(path, exist_ok=True)
        for path, data in image.files.items():
            parent = os.path.dirname(path)
            if parent not in self._made:
                os.makedirs(parent, exist_ok=True)
                self._made.add(parent)
            with open(path, "wb", buffering=0) as file:
                file.write(data)

    def _files(self) -> list[str]:
        found = []
        folders = [self.path]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        found.append(entry.path)
        return found

"""Every call that blobs make on HDFS, and none besides.

All methods block and run in a thread. What hdfs-native raises is made store errors of, by what the name node says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ...errors import Absent, Damaged, NoSpace, StoreError, Unavailable

_FULL = re.compile(
    r"QuotaExceededException|quota of \S+ is exceeded|No space left on device"
)
_NO_ROOM = re.compile(
    r"could only be written to \d+ of the \d+ \w+ nodes?\. There are (?P<nodes>\d+) datanode\(s\) running and (?P<excluded>no|\d+) node"
)
"""What a name node says that finds no data node for a block. Source: BlockManager.chooseTarget4NewBlock of Hadoop 3.4."""
_STACK = re.compile(r"\\n\\tat |\n\tat ")
"""Where Java's frames begin in what a name node says, written as they are or as Rust shows a text."""
_LONGEST = 300
"""Characters shown of what a server says."""


class HdfsPath:
    """Where a store is.

    :param url: ``hdfs://NAMESERVICE/FOLDER`` or ``hdfs://HOST:PORT/FOLDER``.
    :raises Unavailable: it is no such thing.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.netloc or "@" in parts.netloc or not parts.path.strip("/"):
            raise Unavailable(
                f"{url.partition('@')[0]!r} names no folder of HDFS: it is to be hdfs://NAMESERVICE/FOLDER or hdfs://HOST:PORT/FOLDER"
            )
        self.system = f"hdfs://{parts.netloc}"
        self.folder = "/" + parts.path.strip("/")


def import_client() -> Any:
    """The module hdfs_native.

    :raises Unavailable: it is not installed.
    """
    try:
        import hdfs_native
    except ImportError:
        raise Unavailable(
            "hdfs: needs hdfs-native: pip install 'ozgate[hdfs]'"
        ) from None
    return hdfs_native


class FileSystem:
    """A file system.

    :param url: of its name nodes; what HADOOP_CONF_DIR has says where those of a name service are.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._native = import_client()
        self._client: Any = None

    @property
    def _asked(self) -> Any:
        if self._client is None:
            self._client = self._native.Client(self.url)
        return self._client

    def create(self, path: str, block_size: int | None) -> Any:
        """Begin a file that must not be there yet.

        :return: has ``write``, ``hsync`` and ``close``. **Whatever ends it otherwise commits what there is**: its name must be one that nobody reads.
        """
        options = self._native.WriteOptions(overwrite=False, create_parent=False)
        if block_size is not None:
            options.block_size = block_size
        with self.translated("writing a blob"):
            return self._asked.create(path, options)

    def open(self, path: str) -> Any:
        """A reader; has ``read_range``, ``read_range_stream`` and a length (``len``)."""
        with self.translated(f"opening {path}"):
            return self._asked.read(path)

    def length(self, path: str) -> int:
        """Bytes in a file."""
        with self.translated(f"looking at {path}"):
            found: int = self._asked.get_file_info(path).length
            return found

    def copies(self, path: str) -> int:
        """How many data nodes are to have each block of a file."""
        with self.translated(f"looking at {path}"):
            found: int = self._asked.get_file_info(path).replication
            return found

    def written(self, path: str) -> float:
        """When a file was closed, or begun while it is open, in seconds by the name node's clock."""
        with self.translated(f"looking at {path}"):
            return float(self._asked.get_file_info(path).modification_time) / 1000

    def is_there(self, path: str) -> bool:
        """Whether there is a file or folder."""
        try:
            self.written(path)
        except Absent:
            return False
        return True

    def rename(self, old: str, new: str) -> None:
        """Rename a file, in the place of no other."""
        with self.translated(f"naming {new}"):
            self._asked.rename(old, new, False)

    def delete(self, path: str) -> None:
        """Remove a file. Idempotent."""
        with self.translated(f"deleting {path}"):
            try:
                self._asked.delete(path, False)
            except FileNotFoundError:
                return

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it. Idempotent."""
        with self.translated(f"making the folder {path}"):
            self._asked.mkdirs(path, 0o700, True)

    def entries(self, path: str) -> Iterator[tuple[str, float]]:
        """Names in a folder, in the order of their bytes, each with when it was written; asked for a page at a time."""
        with self.translated(f"listing {path}"):
            for found in self._asked.list_status(path, False):
                name = found.path.rpartition("/")[2]
                yield name, float(found.modification_time) / 1000

    @contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """Raise store errors for what hdfs-native raises."""
        try:
            yield
        except (StoreError, GeneratorExit):
            raise
        except BaseException as error:
            # A panic of Rust's is no Exception.
            raise store_error(f"{self.url}: {doing}", error) from error


def forget(writer: Any) -> None:
    """Have a writer do nothing when it is dropped: it would close its file again, in whatever thread that is, and wait for the name node.

    Source: CPython's iobase_finalize, which calls ``close`` of what is not marked closed; hdfs-native's own ``close`` does not mark it.
    """
    io.RawIOBase.close(writer)


def store_error(doing: str, error: BaseException) -> StoreError:
    """What stores raise for an error of hdfs-native.

    :return: ``Absent`` where there is no such file, ``NoSpace`` where a quota or all data nodes are full, ``Damaged`` where the checksums of HDFS say
        so, ``Unavailable`` for anything else: safe mode, a standby, nobody who answers.
    """
    said = " ".join(_STACK.split(str(error), 1)[0].split()) or type(error).__name__
    message = f"{doing}: {said[:_LONGEST]}"
    if "GSS_S_NO_CRED" in said:
        message = f"{doing}: it has no ticket of Kerberos: KRB5_CLIENT_KTNAME is to name the keytab of this service's user"
    if isinstance(error, FileNotFoundError):
        return Absent(message)
    if type(error).__name__ == "ChecksumError":
        return Damaged(message)
    no_room = _NO_ROOM.search(said)
    if no_room and no_room["nodes"] != "0" and no_room["excluded"] == "no":
        return NoSpace(message)
    return NoSpace(message) if _FULL.search(said) else Unavailable(message)

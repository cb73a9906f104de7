"""Names made durable: one ``fsync`` of a folder for all files that came into it meanwhile."""

from __future__ import annotations

from threading import Event, Lock

from . import syscalls

MOST = 64
"""Files that go into one folder while there is always another being made durable: then comes the next folder, so that all fill evenly."""


class FolderSyncs:
    """The folders that files go into, and their syncs. Safe in several threads.

    Files that are being made durable at a time go into the same folder, so that they have a sync to share: each waits for one that begins after it
    has its name, and while one is under way the next is that of all who come.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns: dict[str, Lock] = {}
        self._coming: dict[str, _Round] = {}
        self._under_way = 0
        self._folder = ""
        self._left = 0
        self._sizes: list[int] = []

    def begin(self, ending: str) -> str:
        """A file is about to be made durable; :meth:`end` follows.

        :param ending: of its id, as it would be if it were alone.
        :return: that which it gets: the last two digits name its folder.
        """
        with self._lock:
            if not self._under_way or not self._left:
                self._folder = ending[-2:]
                self._left = MOST
            self._left -= 1
            self._under_way += 1
            return ending[:-2] + self._folder

    def end(self) -> None:
        """It is, or it failed."""
        with self._lock:
            self._under_way -= 1

    def sync(self, folder: str) -> None:
        """Make durable the names that were in a folder when this was called.

        :raises OSError: that failed, for all who waited for it, and for those who came while it was under way: the
            kernel tells of an error once.
        """
        with self._lock:
            turn = self._turns.setdefault(folder, Lock())
            found = self._coming.get(folder)
            if found is None:
                mine = self._coming[folder] = _Round()
            else:
                found.followers += 1
        if found is None:
            found = mine
            with turn:
                self._lead(folder, mine)
        else:
            found.over.wait()
        if found.failed:
            raise OSError(*found.failed[0].args)

    def waiting(self, folder: str) -> int:
        """How many wait for a sync of a folder that has not begun."""
        with self._lock:
            coming = self._coming.get(folder)
            return 0 if coming is None else 1 + coming.followers

    def sizes(self) -> list[int]:
        """How many names each sync made durable, of those since this was last asked."""
        with self._lock:
            found, self._sizes = self._sizes, []
            return found

    def _lead(self, folder: str, mine: _Round) -> None:
        """Sync for all who are in this round, which nobody enters any more."""
        with self._lock:
            self._coming.pop(folder, None)
        try:
            if not mine.failed:
                syscalls.fsync_folder(folder)
                with self._lock:
                    self._sizes.append(1 + mine.followers)
        except OSError as error:
            mine.failed.append(error)
            with self._lock:
                if (coming := self._coming.get(folder)) is not None:
                    coming.failed.append(error)
        finally:
            mine.over.set()


class _Round:
    """One sync, for several.

    :ivar followers: how many wait for the one who does it.
    :ivar over: that it has been.
    :ivar failed: what it failed with.
    """

    def __init__(self) -> None:
        self.followers = 0
        self.over = Event()
        self.failed: list[OSError] = []

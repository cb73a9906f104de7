"""A key or part being written, as threads see it.

To close a stream of Ozone's client is to commit it, with as many bytes as were written, and also after a write that has failed. So a stream
is closed only with something before the commit that looks on: it raises where nothing is to be kept, and holds the length against what was written
where it is. Source: ``KeyOutputStream.close`` of Ozone 2.2.0, which flushes, runs what was set by ``setPreCommits``, and only then commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import local
from typing import TYPE_CHECKING, Any

from .calls import begin_change
from .found import ETAG
from .held import Held
from .refusals import error_of
from .wide import widened

if TYPE_CHECKING:
    from .client import Client

Opening = Callable[["Client"], Any]
"""What opens a stream of Ozone's client, in a thread that may wait."""


class Hooks:
    """What is run before commits: two lists of one ``CheckedRunnable``, made once, for streams of all threads.

    :param java: looks a class up.
    """

    def __init__(self, java: Callable[[str], Any]) -> None:
        import jpype

        self._error = java("java.io.IOException")
        self._now = local()
        lists = java("java.util.Collections")
        runnable = "org.apache.ratis.util.function.CheckedRunnable"
        self.refusing = lists.singletonList(
            jpype.JProxy(runnable, {"run": self._refuse})
        )
        self.checking = lists.singletonList(
            jpype.JProxy(runnable, {"run": self._check})
        )

    def begin(self, stream: Any, length: int) -> None:
        """Say what this thread is about to close, and how many bytes it has to have."""
        self._now.stream, self._now.length = stream, length
        self._now.is_reached = False

    def is_reached(self) -> bool:
        """Whether this thread has asked for the commit."""
        return bool(self._now.is_reached)

    def end(self) -> None:
        """Forget what this thread closed."""
        self._now.stream = None

    def _refuse(self) -> None:
        raise self._error("it is dropped")

    def _check(self) -> None:
        places = self._now.stream.getKeyOutputStream().getLocationInfoList()
        found = sum(each.getLength() for each in places)
        if found != self._now.length:
            raise self._error(f"{found} of {self._now.length} bytes were written")
        if not begin_change():
            raise self._error("whoever wrote it was told of a failure meanwhile")
        self._now.is_reached = True


class KeyStream(Held):
    """A stream of Ozone's client, or what is to become one.

    :param released: called when it has nothing in memory any more; in any thread.
    """

    def __init__(self, released: Callable[[], None]) -> None:
        super().__init__()
        self._released = released
        self._stream: Any = None
        self._hooks: Hooks | None = None
        self._length = 0

    @property
    def is_open(self) -> bool:
        """Whether it has to be released in a thread."""
        return self._stream is not None

    def open(self, client: Client, opening: Opening, is_wide: bool) -> None:
        """Begin to write.

        :param is_wide: whether it may have much in memory.
        """
        self._hooks = client.hooks
        self._stream = opening(widened(client) if is_wide else client)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write in order."""
        write = self._stream.write
        for each in pieces:
            write(each)
            self._length += len(each)

    def commit(
        self, pieces: Iterable[bytes], etag: str, metadata: Mapping[str, str]
    ) -> None:
        """Write the rest, and make it the key or part.

        :raises Uncertain: the OM was asked for the commit, and no answer came.
        :raises Unavailable: it was not.
        """
        self.write(pieces)
        kept = self._stream.getMetadata()
        for name, value in metadata.items():
            kept.put(name, value)
        kept.put(ETAG, etag)
        assert self._hooks is not None
        commit(self._stream, self._hooks, self._length)
        self._stream = None

    def release(self) -> None:
        """Drop it, where it was not committed."""
        try:
            if self._stream is not None and self._hooks is not None:
                drop(self._stream, self._hooks)
        finally:
            self._stream = None
            self._released()


def commit(stream: Any, hooks: Hooks, length: int) -> None:
    """Have a stream that took so many bytes become the key or part.

    :raises Uncertain: the OM was asked for that, and no answer came.
    :raises Unavailable: it was not.
    """
    stream.setPreCommits(hooks.checking)
    hooks.begin(stream, length)
    try:
        stream.close()
    except Exception as error:
        if not hasattr(error, "getCause"):
            raise
        raise error_of(error, hooks.is_reached()) from None
    finally:
        hooks.end()


def drop(stream: Any, hooks: Hooks) -> None:
    """Release a stream's buffers, with nothing of it kept."""
    try:
        stream.setPreCommits(hooks.refusing)
        stream.close()
    except Exception as error:
        # That is what the hook is for; what else fails leaves as little behind.
        if not hasattr(error, "getCause"):
            raise

"""The end of the process that writes: runs what a worker sends, and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import forget_frames
from ...interfaces import IMetadataStore
from .frames import Frames
from .packing import Outcome, is_ours, packed_answer, unpacked


class WritesServed(Frames):
    """The writes of one worker.

    A frame has what a worker asks for in one turn of its reactor. The store is asked for all of it at once, so that it goes into one
    commit, with what other workers send in the same turn of this reactor; when all of it is durable, one frame says what came of it.

    :param store: runs the interactions.
    :param now: the store's time in milliseconds: told with each answer, so that the worker's is not behind what it wrote.
    :ivar ended: fires with ``None`` when the worker, or its end, is gone. What it had under way is done, each interaction as a whole.
    """

    _log = Logger()

    def __init__(self, store: IMetadataStore, now: Callable[[], int]) -> None:
        super().__init__()
        self._store = store
        self._now = now
        self._is_joined = True
        self.ended: Deferred[None] = Deferred()

    def frame_received(self, number: int, payload: memoryview) -> None:
        """Run what a worker asks for."""
        try:
            asked = unpacked(payload)
        except Exception:
            self._log.failure("a worker sent what is no interaction, and is left")
            self.leave()
            return
        frame = _Frame(number, len(asked), self._answer)
        write = self._store.write
        for place, (interaction, values) in enumerate(asked):
            write(interaction, *values).addBoth(frame.came, place)

    def _answer(self, number: int, outcomes: list[Outcome]) -> None:
        for succeeded, error in outcomes:
            if not succeeded and not is_ours(error):
                # Nobody raised it on purpose, and its traceback stays in this process.
                self._log.warn(
                    "an interaction of a worker failed: {traceback}",
                    traceback=Failure(error).getTraceback(),
                )
        if self._is_joined:
            self.send(number, packed_answer(self._now(), outcomes))
        for succeeded, error in outcomes:
            if not succeeded:
                forget_frames(error)

    def leave(self) -> None:
        """End the connection once every answer so far has left."""
        if self._is_joined and self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The worker is gone, or its end of the connection."""
        self._is_joined = False
        self.ended.callback(None)


class _Frame:
    """What comes of the interactions of one frame, until all of it is there."""

    def __init__(
        self, number: int, count: int, done: Callable[[int, list[Outcome]], None]
    ) -> None:
        self._number = number
        self._missing = count
        self._done = done
        self._outcomes: list[Outcome] = [(False, None)] * count

    def came(self, result: Any, place: int) -> None:
        """One interaction is over."""
        failed = isinstance(result, Failure)
        self._outcomes[place] = (not failed, result.value if failed else result)
        self._missing -= 1
        if not self._missing:
            self._done(self._number, self._outcomes)

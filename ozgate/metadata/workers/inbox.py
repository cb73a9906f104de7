"""What the thread that writes is asked to do: by its own process, and by workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from select import POLLIN, POLLOUT, poll
from typing import Any, NamedTuple

from .serving import Served, Turn


class Write(NamedTuple):
    """An interaction that was asked for.

    :ivar done: the Deferred that fires, in the reactor's thread, with what comes of it; of a worker's, the :class:`~ozgate.metadata.workers.serving.Turn` in which it was asked for.
    """

    done: Any
    interaction: Callable[..., Any]
    args: tuple[Any, ...]


class Outcome(NamedTuple):
    """What came of a write.

    :ivar done: the write's.
    :ivar value: what it returned, or what it failed with.
    """

    done: Any
    succeeded: bool
    value: Any


class Inbox:
    """Writes that wait. :meth:`put`, :meth:`end`, :meth:`serve` and :meth:`close` are for the reactor's thread, all else for the one that writes.

    Workers are heard and answered by the thread that writes itself: by way of the reactor each batch would take two of its turns, and two threads
    would hand the interpreter to and fro.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[list[Write] | Served | None] = SimpleQueue()
        self._workers: dict[int, Served] = {}
        self._heard = poll()
        self._pipe: tuple[int, int] | None = None

    def put(self, writes: list[Write]) -> None:
        """Have interactions of this process run."""
        self._queue.put(writes)
        self._wake()

    def end(self) -> None:
        """Have nothing taken that comes after this."""
        self._queue.put(None)
        self._wake()

    def serve(self, worker: Served) -> None:
        """Have the interactions run that a worker sends."""
        if self._pipe is None:
            self._pipe = os.pipe()
            for each in self._pipe:
                os.set_blocking(each, False)
            self._heard.register(self._pipe[0], POLLIN)
        self._queue.put(worker)
        self._wake()

    def _wake(self) -> None:
        """Have the thread look into the queue, where it waits for workers as well."""
        if self._pipe is not None:
            # A pipe that is full wakes it, too.
            with suppress(BlockingIOError):
                os.write(self._pipe[1], b"x")

    def take(self, most: int) -> tuple[list[Write], bool]:
        """Wait for work, then take what there is; and whether more may follow.

        :param most: interactions, above which no more are added.
        """
        batch: list[Write] = []
        while not batch:
            if self._workers:
                self._hear(batch, self._queue.empty())
            while len(batch) < most and not (
                self._queue.empty() and (batch or self._workers)
            ):
                found = self._queue.get()
                if found is None:
                    return batch, False
                if isinstance(found, Served):
                    self._workers[found.fileno()] = found
                    self._heard.register(found, POLLIN)
                else:
                    batch += found
        return batch, True

    def _hear(self, batch: list[Write], wait: bool) -> None:
        """Take what workers have sent."""
        for descriptor, event in self._heard.poll(None if wait else 0):
            worker = self._workers.get(descriptor)
            if worker is None:
                os.read(descriptor, 4096)
                continue
            if event & POLLOUT and worker.go_on():
                self._heard.modify(worker, POLLIN)
            if event & ~POLLOUT:
                for turn in worker.turns():
                    batch += [Write(turn, *each) for each in turn.interactions]
                if worker.has_ended:
                    del self._workers[descriptor]
                    self._heard.unregister(descriptor)
                    worker.close()

    def answered(
        self, outcomes: Sequence[Outcome], now: Callable[[], int]
    ) -> Sequence[Outcome]:
        """Tell workers what came of what they asked for; the outcomes of what this process did.

        :param now: the store's time in milliseconds.
        """
        if self._pipe is None:
            return outcomes
        ours = []
        for outcome in outcomes:
            turn, succeeded, value = outcome
            if not isinstance(turn, Turn):
                ours.append(outcome)
            elif turn.came(succeeded, value) and not turn.answer(now()):
                self._heard.modify(turn.worker, POLLIN | POLLOUT)
        return ours

    def close(self) -> None:
        """Leave all workers, once the thread that writes is over. What came of their last writes has been sent, unless one takes no answers."""
        for worker in self._workers.values():
            worker.close()
        while not self._queue.empty():
            late = self._queue.get()
            if isinstance(late, Served):
                late.close()
        for each in self._pipe or ():
            os.close(each)

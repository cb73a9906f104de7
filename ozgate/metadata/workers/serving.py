"""A worker, as the thread that writes has it: what it sends to be run, and how that is answered."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import forget_frames
from .frames import Frames
from .packing import Outcome, Sent, is_ours, packed_answer, unpacked


class Turn:
    """What a worker asks for in one turn of its reactor: a frame, which one frame answers.

    :ivar worker: whose it is.
    :ivar interactions: what is asked for.
    """

    def __init__(self, worker: Served, number: int, interactions: list[Sent]) -> None:
        self.worker = worker
        self.interactions = interactions
        self._number = number
        self._outcomes: list[Outcome] = []

    def came(self, succeeded: bool, value: object) -> bool:
        """The next of its interactions is over; whether it was the last."""
        self._outcomes.append((succeeded, value))
        return len(self._outcomes) == len(self.interactions)

    def answer(self, now: int) -> bool:
        """Tell the worker.

        :param now: the store's time in milliseconds, so that the worker's is not behind what it wrote.
        :return: whether the answer has gone as a whole.
        """
        return self.worker.answer(self._number, now, self._outcomes)


class Served:
    """One worker. All of it is for the thread that writes.

    :param end: a connected socket, at whose other end the worker is.
    :param ended: called when it is gone, or has sent what it should not. What it had under way is done, each interaction as a whole.
    :ivar has_ended: whether it is.
    """

    _log = Logger()

    def __init__(self, end: socket.socket, ended: Callable[[], object]) -> None:
        self._frames = Frames(end)
        self._ended = ended
        self.has_ended = False

    def fileno(self) -> int:
        """The descriptor of the connection."""
        return self._frames.fileno()

    def turns(self) -> list[Turn]:
        """What it has sent, if anything. Nothing of a frame that has what it should not is run."""
        turns = []
        try:
            for number, payload in self._frames.received():
                sent = [(asked, tuple(values)) for asked, values in unpacked(payload)]
                turns.append(Turn(self, number, sent))
        except (EOFError, OSError):
            self.has_ended = True
        except Exception:
            self._log.failure("a worker sent what is no interaction, and is left")
            self.has_ended = True
        return turns

    def answer(self, number: int, now: int, outcomes: list[Outcome]) -> bool:
        """See :meth:`Turn.answer`. One that is gone is not answered."""
        for succeeded, error in outcomes:
            if not succeeded and not is_ours(error):
                # Nobody raised it on purpose, and its traceback stays in this process.
                self._log.warn(
                    "an interaction of a worker failed: {traceback}",
                    traceback=Failure(error).getTraceback(),
                )
        gone = True
        if not self.has_ended:
            try:
                gone = self._frames.send(number, packed_answer(now, outcomes))
            except OSError:
                # What it sent before is still to be read, and then the end.
                pass
            except Exception:
                self._log.failure("a worker cannot be answered, and is left")
                self._frames.cut()
        for succeeded, error in outcomes:
            if not succeeded:
                forget_frames(error)
        return gone

    def go_on(self) -> bool:
        """Send what of the answers has not gone yet; whether all has."""
        try:
            return self._frames.go_on()
        except OSError:
            return True

    def close(self) -> None:
        """End the connection."""
        self.has_ended = True
        self._frames.close()
        self._ended()

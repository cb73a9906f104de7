"""What goes wrong in a history, and the states it may leave."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

from attrs import define, frozen
from hypothesis import strategies as st

from tests.crash.model import Model
from tests.crash.operations import Answer, Operation
from tests.crash.tapping import Call, Real, Tap

STEADY = frozenset("advise close listdir read_nowait writeback".split())
"""Kinds of calls that promise nothing, or whose failures are looked at elsewhere."""

GROWING = frozenset("allocate create create_unnamed link mkdir write".split())
"""Kinds of calls that a full disk fails."""

ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EMFILE)


@frozen
class Trouble:
    """What goes wrong during a step.

    :ivar kind: ``error``, ``crash``, or ``""`` for nothing.
    :ivar at: number of the call to the disk at which it does, from 1.
    :ivar number: the error.
    :ivar done: how much of that call is done: nothing, all of it, or half of a write.
    :ivar dies: whether the process dies after an error, when all was read.
    :ivar again: the call of the start that follows at which the process dies once more; 0 for none.
    """

    kind: str = ""
    at: int = 0
    number: int = errno.EIO
    done: float = 0
    again: int = 0
    dies: bool = False


CALM = Trouble()

_CALLS = st.one_of(st.integers(1, 6), st.integers(1, 26))
"""Most requests make few calls."""

_QUIET = st.just(CALM)
_ERRORS = st.one_of(
    st.builds(Trouble, st.just("error"), _CALLS, st.sampled_from(ERRORS)),
    st.builds(Trouble, st.just("error"), _CALLS, done=st.just(1), dies=st.booleans()),
)
_CRASHES = st.builds(
    Trouble,
    st.just("crash"),
    _CALLS,
    done=st.sampled_from((0, 0.5, 1)),
    again=st.one_of(st.just(0), st.integers(1, 30)),
)
TROUBLES = st.one_of(_QUIET, _QUIET, _QUIET, _ERRORS, _CRASHES)


@define
class Disk(Tap):
    """A disk, to which things happen.

    :ivar full: whether nothing more fits.
    :ivar struck: whether the trouble came.
    """

    full: bool = False
    struck: bool = False
    _trouble: Trouble = CALM
    _count: int = 0
    _die: Callable[[], None] = lambda: None

    def arm(self, trouble: Trouble, die: Callable[[], None] = lambda: None) -> None:
        """Have something go wrong from now on.

        :param die: makes the image of a process that dies at that moment.
        """
        self._trouble, self._die = trouble, die
        self._count, self.struck = 0, False

    def call(self, call: Call, real: Real[Any]) -> Any:
        """See :class:`Tap`."""
        if call.kind in STEADY:
            return real()
        if self.full and call.kind in GROWING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._count += 1
        if self.struck or self._count != self._trouble.at:
            return real()
        self.struck = True
        if self._trouble.kind == "crash":
            return self._crash(call, real)
        if self._trouble.done:
            real()
        number = self._trouble.number
        raise OSError(number, os.strerror(number))

    def _crash(self, call: Call, real: Real[Any]) -> Any:
        """Make the image of what is left; what runs on from here is a ghost."""
        done = self._trouble.done
        if not done:
            self._die()
            return real()
        result = real(call.size // 2) if call.kind == "write" and done < 1 else real()
        self._die()
        return result


REFUSED = "refused"
"""An outcome: surely not done."""

LOST = "lost"
"""An outcome: done or not."""

Outcome = Answer | str


def possible(
    models: Sequence[Model],
    operations: Sequence[Operation],
    outcomes: Sequence[Outcome],
) -> list[Model]:
    """Every state that operations under way at once may have led to, in any order, with these outcomes."""
    pairs = [
        pair for pair in zip(operations, outcomes, strict=True) if pair[1] != REFUSED
    ]
    found: list[Model] = []
    for model in models:
        for order in permutations(pairs):
            for state in _led_to(model, order):
                if state not in found:
                    found.append(state)
    return found


def _led_to(
    model: Model, order: Sequence[tuple[Operation, Outcome]]
) -> Sequence[Model]:
    """The states after operations in this order; none when an answer is not what it should be."""
    states = [model]
    for operation, outcome in order:
        before, states = states, []
        for state in before:
            after = state.copy()
            answer = operation.meant(after)
            if outcome in (LOST, answer):
                states.append(after)
            if outcome == LOST and operation.changes:
                states.append(state)
    return states

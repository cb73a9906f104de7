"""Metadata in plain Python data: a second implementation, for tests of what is above.

It shares no code with the SQLite provider: listings are worked out from all keys, with nothing sought.
Every interaction that writes runs twice, the first time on a copy that is thrown away, and both runs
must come to the same: an interaction that keeps state, asks a clock or draws a random number is found out.
The first time each claim says that what was read before may be out of date, the second time it says that it is not: to look again must make no
difference. Others can be let in between (:meth:`MemoryMetadataStore.let_in`): what they overtake must come to what it comes to after them. Whoever changes what it has not claimed is found out too. What an interaction is given goes through :mod:`pickle` first, so that one which is handed a socket, a gateway or a function of
the moment is found out as well.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, TypeVarTuple

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ..errors import Overtaken, Unavailable
from ..interfaces import IMetadataStore, IMetadataTransaction
from .memory_claims import Unclaimed
from .memory_rows import MemoryTransaction
from .memory_state import LEAD, State

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Impure(AssertionError):
    """An interaction came to two different results on the same state."""


class Unsendable(AssertionError):
    """An interaction, or what it was given, that could not be sent to another process."""


def _sent(
    interaction: Callable[[IMetadataTransaction, *Ts], T], args: tuple[*Ts]
) -> tuple[*Ts]:
    """The arguments of an interaction as another process gets them: functions by name, all else as copies.

    :raises Unsendable: they cannot be sent, or the interaction is no function at the top of its module.
    """
    if getattr(interaction, "__self__", None) is not None:
        raise Unsendable(f"{interaction!r} is a method")
    try:
        function, copies = pickle.loads(pickle.dumps((interaction, args)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Unsendable(f"{interaction!r}, given {args!r}: {error}") from error
    if function is not interaction:
        raise Unsendable(f"{interaction!r} is not what its name means")
    arguments: tuple[*Ts] = copies
    return arguments


_Outcome = tuple[Any, Exception | None]
"""What an interaction returned, or what it raised."""


def _outcome(
    interaction: Callable[..., Any], tx: MemoryTransaction, args: tuple[Any, ...]
) -> _Outcome:
    try:
        return interaction(tx, *args), None
    except Exception as error:
        return None, error


def _comparable(value: object) -> bool:
    """Whether two equal values of this type are equal: not so without an ``__eq__``."""
    if isinstance(value, (tuple, list)):
        return all(map(_comparable, value))
    if isinstance(value, Mapping):
        return all(map(_comparable, value.values()))
    return any("__eq__" in vars(kind) for kind in type(value).__mro__[:-1])


def _check_same(
    interaction: object,
    first: _Outcome,
    second: _Outcome,
    wrote: State,
    wrote_again: State,
) -> None:
    """Make sure that two runs of an interaction came to the same.

    :raises Impure: they did not.
    """
    (value, error), (again, error_again) = first, second
    if type(error) is not type(error_again) or str(error) != str(error_again):
        raise Impure(f"{error!r}, and then {error_again!r}")
    if wrote != wrote_again:
        raise Impure(f"{interaction!r} wrote {wrote}, and then {wrote_again}")
    if _comparable(value) and value != again:
        raise Impure(f"{interaction!r} gave {value!r}, and then {again!r}")


@define
class _Tables:
    """What providers beside each other share.

    :ivar last: the highest time given.
    """

    state: State = field(factory=State)
    last: int = 0


@implementer(IMetadataStore)
class MemoryMetadataStore:
    """Metadata that lasts as long as the object. All Deferreds have fired when they are returned.

    :param clock: what tells the time.
    :param beside: another one, whose rows this one has as well, as two processes have those of one database.
    """

    def __init__(
        self, clock: IReactorTime, beside: MemoryMetadataStore | None = None
    ) -> None:
        self._clock = clock
        self._tables: _Tables = _Tables() if beside is None else beside._tables
        self._is_open = False
        self._claims_to_go = 0
        self._others: Callable[[], object] | None = None

    @property
    def _state(self) -> State:
        return self._tables.state

    @_state.setter
    def _state(self, state: State) -> None:
        self._tables.state = state

    def _now(self) -> int:
        wall = int(self._clock.seconds() * 1000)
        if not wall < self._tables.last <= wall + LEAD:
            self._tables.last = wall
        return self._tables.last

    def prepare(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IMetadataStore`. There is nothing to prepare: it lasts no longer than the process."""
        return succeed(None)

    def open(self) -> Deferred[None]:
        """Make ready."""
        self._is_open = True
        return succeed(None)

    def close(self) -> Deferred[None]:
        """Refuse from now on."""
        self._is_open = False
        return succeed(None)

    def read(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *args: *Ts
    ) -> Deferred[T]:
        """Run an interaction that only reads."""
        if not self._is_open:
            return fail(Unavailable("the store is not open"))
        tx = MemoryTransaction(self._state, self._now(), writing=False)
        try:
            return succeed(interaction(tx, *_sent(interaction, args)))
        except Exception:
            return fail()

    def write(
        self,
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> Deferred[T]:
        """Run an interaction twice, keeping what the second run did.

        :return: fails with :class:`Impure` when the runs differ in what they return or raise, with :class:`Unsendable`
            when it could be run nowhere else, with :class:`~ozgate.testing.memory_claims.Unclaimed` when it changed what it had not claimed.
        """
        if not self._is_open:
            return fail(Unavailable("the store is not open"))
        try:
            copies, others = _sent(interaction, args), _sent(interaction, args)
        except Unsendable:
            return fail()
        now, before = self._now(), self._state
        rehearsal = MemoryTransaction(before.copy(), now, True, self._at_claim)
        first = _outcome(interaction, rehearsal, copies)
        tx = MemoryTransaction(self._state.copy(), now, True)
        second = _outcome(interaction, tx, others)
        # One that was overtaken is rolled back, and run anew.
        is_anew = isinstance(first[1], Overtaken) and self._state is not before
        if not is_anew:
            try:
                _check_same(interaction, first, second, rehearsal.state, tx.state)
            except Impure:
                return fail()
        again, error = second
        if error is not None:
            return fail(error)
        try:
            tx.check_growth(MemoryTransaction(self._state, now, False))
        except Unclaimed:
            return fail()
        self._state = tx.state
        return succeed(again)

    def let_in(self, others: Callable[[], object], claims: int = 1) -> None:
        """Let others in between, as those of another process come: once what writes next has claimed so many times, less one, and waits for a claim.

        :param others: writes, by way of this store, what does not wait for what is claimed by then.
        """
        self._others, self._claims_to_go = others, claims

    def _at_claim(self, state: State) -> State:
        """What is read once a claim is held."""
        others = self._others
        if others is None:
            return state
        self._claims_to_go -= 1
        if self._claims_to_go:
            return state
        self._others = None
        others()
        return self._state.copy()

    def snapshot(self) -> State:
        """Everything stored: two that are equal are of stores that hold the same."""
        return self._state.copy()

    def restore(self, snapshot: State) -> None:
        """Hold again what was held then."""
        self._state = snapshot.copy()

    def reusable(self) -> int:
        """Unknown."""
        return 0

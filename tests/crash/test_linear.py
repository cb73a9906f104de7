"""The checker of histories, checked: what it accepts and refuses, and against trying every order."""

from __future__ import annotations

import math
from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.crash.linear import (
    CREATE,
    DELETE,
    GET,
    PUT,
    REPLACE,
    Event,
    Undecided,
    order_of,
)


def get(begun: float, ended: float, found: str | int) -> Event:
    """A read of a value, or an error's status."""
    return Event(GET, begun, ended, answer=found)


def put(begun: float, ended: float, value: str, answer: int | None = 200) -> Event:
    """A write; without an answer when that is None, as the others."""
    return Event(PUT, begun, ended, value, answer=answer)


def create(begun: float, ended: float, value: str, answer: int | None = 200) -> Event:
    """A write where there is nothing."""
    return Event(CREATE, begun, ended, value, answer=answer)


def replace(
    begun: float, ended: float, seen: str, value: str, answer: int | None = 200
) -> Event:
    """A write over one value."""
    return Event(REPLACE, begun, ended, value, seen, answer)


def delete(begun: float, ended: float, answer: int | None = 204) -> Event:
    """A removal."""
    return Event(DELETE, begun, ended, answer=answer)


def by_trying(events: list[Event]) -> bool:
    """Whether any order of the events, without some that got no answer, explains them."""
    lost = [event for event in events if event.answer is None]
    for count in range(len(lost) + 1):
        for never in combinations(lost, count):
            happened = [event for event in events if event not in never]
            if any(_explains(order) for order in permutations(happened)):
                return True
    return False


def _explains(order: tuple[Event, ...]) -> bool:
    state, now = None, -math.inf
    for event in order:
        now = max(now, event.begun)
        state, answer = event.happen(state)
        if event.ended < now or event.answer not in (None, answer):
            return False
    return True


GOOD = {
    "nothing": [],
    "one after the other": [
        put(0, 1, "a"),
        get(2, 3, "a"),
        delete(4, 5),
        get(6, 7, 404),
    ],
    "a read beside a write sees either": [
        put(0, 9, "a"),
        get(1, 2, 404),
        get(3, 4, "a"),
    ],
    "writes at once in the order that reads tell": [
        put(0, 5, "a"),
        put(0, 5, "b"),
        get(6, 7, "a"),
    ],
    "one creator of many": [
        create(0, 5, "a", 412),
        create(0, 5, "b"),
        create(0, 5, "c", 412),
        get(6, 7, "b"),
    ],
    "a replacement of what is there": [
        put(0, 1, "a"),
        replace(2, 5, "a", "b"),
        replace(2, 5, "a", "c", 412),
        get(6, 7, "b"),
    ],
    "a replacement of nothing": [replace(0, 1, "a", "b", 404)],
    "without an answer, done": [put(0, 5, "a", None), get(6, 7, "a")],
    "without an answer, not done": [put(0, 5, "a", None), get(6, 7, 404)],
    "without an answer, done late": [
        put(0, math.inf, "a", None),
        get(1, 2, 404),
        get(3, 4, "a"),
    ],
    "without an answer, seen by a refusal only": [
        put(0, 5, "a", None),
        create(1, 2, "b", 412),
        get(3, 4, "a"),
    ],
}

BAD = {
    "an acknowledged write is lost": [put(0, 1, "a"), get(2, 3, 404)],
    "an old value comes back": [
        put(0, 1, "a"),
        put(2, 3, "b"),
        get(4, 5, "b"),
        get(6, 7, "a"),
    ],
    "what nobody wrote": [put(0, 1, "a"), get(2, 3, "b")],
    "what is written later": [get(0, 1, "a"), put(2, 3, "a")],
    "two creators": [create(0, 5, "a"), create(0, 5, "b")],
    "no creator": [create(0, 5, "a", 412), create(0, 5, "b", 412)],
    "two replace the same": [
        put(0, 1, "a"),
        replace(2, 5, "a", "b"),
        replace(2, 5, "a", "c"),
    ],
    "a replacement of what is gone": [
        put(0, 1, "a"),
        delete(2, 3),
        replace(4, 5, "a", "b"),
    ],
    "a deletion that is none": [put(0, 1, "a"), delete(2, 3), get(4, 5, "a")],
    "reads that disagree about the order": [
        put(0, 9, "a"),
        put(0, 9, "b"),
        get(1, 2, "a"),
        get(3, 4, "b"),
        get(5, 6, "a"),
    ],
    "done after the process died": [
        put(0, 5, "a", None),
        get(6, 7, 404),
        get(8, 9, "a"),
    ],
    "done by half: seen, then not": [
        put(0, 9, "a", None),
        get(1, 2, "a"),
        get(3, 4, 404),
    ],
}

TIMES = st.integers(0, 8)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Short histories, of any answers; no value is written twice."""
    events: list[Event] = []
    for number in range(draw(st.integers(0, 5))):
        begun = draw(TIMES)
        ended = begun + draw(TIMES)
        kind = draw(st.sampled_from((GET, PUT, CREATE, REPLACE, DELETE)))
        value = f"{number}" if kind not in (GET, DELETE) else ""
        others = st.sampled_from("01234")
        seen = draw(others) if kind == REPLACE else ""
        answers: dict[str, st.SearchStrategy[str | int | None]] = {
            GET: st.one_of(st.just(404), others),
            PUT: st.just(200),
            CREATE: st.sampled_from((200, 412)),
            REPLACE: st.sampled_from((200, 404, 412)),
            DELETE: st.just(204),
        }
        answer = draw(st.one_of(answers[kind], answers[kind], st.none()))
        events.append(Event(kind, begun, ended, value, seen, answer))
    return events


class CheckerTests(SynchronousTestCase):
    """Right answers, whatever the history."""

    def test_good(self) -> None:
        """What can be explained is, by an order that does."""
        for name, events in GOOD.items():
            order = order_of(events)
            assert order is not None, name
            self.assertTrue(_explains(tuple(order)), name)
            self.assertTrue(by_trying(events), name)

    def test_bad(self) -> None:
        """What cannot be explained is not."""
        for name, events in BAD.items():
            self.assertIsNone(order_of(events), name)
            self.assertFalse(by_trying(events), name)

    @settings(deadline=None, max_examples=500, derandomize=True, database=None)
    @given(histories())
    def test_any(self, events: list[Event]) -> None:
        """Any short history is judged as by trying every order."""
        order = order_of(events)
        self.assertEqual(order is not None, by_trying(events))
        if order is not None:
            self.assertTrue(_explains(tuple(order)))

    def test_gives_up(self) -> None:
        """A search that takes too long says so."""
        events = [put(0, 9, str(n)) for n in range(9)]
        events += [get(0, 9, str(n)) for n in range(9)]
        with self.assertRaises(Undecided):
            order_of(events, most=3)

    def test_crowd(self) -> None:
        """A hundred writers at once, each value read, and a lie in the end: both are decided."""
        events = [put(0, 1000, f"v{n}") for n in range(100)]
        events += [get(2 * n, 2 * n + 1, f"v{n}") for n in range(100)]
        self.assertIsNotNone(order_of(events))
        self.assertIsNone(order_of([*events, get(1001, 1002, "v50")]))

"""Whether a history of one key is linearizable: the search of Wing and Gong, with Lowe's memory of where it has been.

A history is *linearizable* when each request can be thought to happen at one moment between its begin and its end, so that
every answer is right in that order. A request without an answer happened at some moment after its begin, or never.

Sources: J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects", 1993; G. Lowe, "Testing for Linearizability",
2017. Deciding is NP-complete; what makes it quick here is that no value is written twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from attrs import field, frozen

__all__ = ["Event", "Undecided", "order_of"]

GET, PUT, CREATE, REPLACE, DELETE = "get", "put", "create", "replace", "delete"
"""What a request does: read; write; write where nothing is; write where ``seen`` is; remove."""

MOST = 2_000_000
"""Steps after which a search gives up."""


@frozen
class Event:
    """A request on one key.

    :ivar begun: when it was sent, in seconds of any clock.
    :ivar ended: when its answer was there; of one without an answer, when it can no longer happen.
    :ivar value: what it writes; no other request of the history writes the same.
    :ivar seen: what ``REPLACE`` wants to find.
    :ivar answer: the status; of a GET that found something, what it found; ``None`` for no answer.
    """

    kind: str
    begun: float
    ended: float = math.inf
    value: str = ""
    seen: str = ""
    answer: str | int | None = None

    def happen(self, state: str | None) -> tuple[str | None, str | int]:
        """What is there afterwards, and the answer."""
        if self.kind == GET:
            return state, 404 if state is None else state
        if self.kind == DELETE:
            return None, 204
        if self.kind == CREATE and state is not None:
            return state, 412
        if self.kind == REPLACE and state != self.seen:
            return state, 404 if state is None else 412
        return self.value, 200

    @property
    def observed(self) -> str | None:
        """What must have been there for the answer to be right, where it tells."""
        if self.kind == GET and self.answer != 404:
            return str(self.answer)
        if self.kind == REPLACE and self.answer == 200:
            return self.seen
        return None


class Undecided(Exception):
    """The search took too long."""


def order_of(events: Sequence[Event], most: int = MOST) -> list[Event] | None:
    """An order in which every answer is right; ``None`` when there is none.

    Requests without an answer that are not in it did not happen. At first there is nothing.

    :raises Undecided: it was not found in ``most`` steps.
    """
    return _Search(events).run(most)


@frozen
class _Node:
    """What happened so far.

    :ivar done: the events that did, a bit each.
    :ivar state: what is there.
    :ivar now: a time before which nothing more happens: the latest begin of those that did.
    :ivar last: the event that happened last, by number.
    """

    done: int = 0
    state: str | None = None
    now: float = -math.inf
    last: int = -1
    before: _Node | None = field(default=None, repr=False)


class _Search:
    """The search of one history."""

    def __init__(self, events: Sequence[Event]) -> None:
        known = [event for event in events if event.answer is not None]
        # What got no answer and changes nothing tells nothing.
        lost = [event for event in events if event.answer is None and event.kind != GET]
        self._known = sorted(known, key=lambda event: event.begun)
        self._events = [*self._known, *sorted(lost, key=lambda event: event.ended)]
        self._observers: dict[str, int] = {}
        for number, event in enumerate(self._known):
            value = event.observed
            if value is not None:
                self._observers[value] = self._observers.get(value, 0) | 1 << number

    def run(self, most: int) -> list[Event] | None:
        """See :func:`order_of`."""
        root = _Node()
        stack = [(root, self._next(root))]
        been = {(root.done, root.state)}
        steps = 0
        everything = (1 << len(self._known)) - 1
        while stack:
            node, following = stack[-1]
            if node.done & everything == everything:
                return self._path(node)
            child = next(following, None)
            if child is None:
                stack.pop()
            elif (child.done, child.state) not in been:
                been.add((child.done, child.state))
                stack.append((child, self._next(child)))
                steps += 1
                if steps > most:
                    raise Undecided(f"no order of {len(self._events)} in {most} steps")
        return None

    def _path(self, node: _Node) -> list[Event]:
        found = []
        at: _Node | None = node
        while at is not None and at.last >= 0:
            found.append(self._events[at.last])
            at = at.before
        return found[::-1]

    def _next(self, node: _Node) -> Iterator[_Node]:
        """What may have happened next, the likeliest first."""
        waiting, until = self._waiting(node)
        lost = self._lost(node, until)
        writes = []
        for number in waiting:
            event = self._events[number]
            after, answer = event.happen(node.state)
            if answer != event.answer:
                continue
            if after != node.state or event.kind == DELETE:
                writes.append(number)
                continue
            yield self._after(node, number)
            if not any(self._events[other].ended < event.begun for other in lost):
                # It changes nothing, then or later, so that nothing is gained by waiting for it.
                return
        if node.state is not None:
            # A value does not come back: whoever saw it did so before it goes.
            still = self._observers.get(node.state, 0) & ~node.done
            writes = [number for number in writes if not still & ~(1 << number)]
            lost = [] if still else lost
        writes.sort(key=self._due)
        for number in (*writes, *self._different(node, lost)):
            yield self._after(node, number)

    def _waiting(self, node: _Node) -> tuple[list[int], float]:
        """Answered events that may be next, and the first end among them: what begins later is not next."""
        missing = ~node.done & ((1 << len(self._known)) - 1)
        until = math.inf
        found = []
        while missing:
            lowest = missing & -missing
            number = lowest.bit_length() - 1
            event = self._known[number]
            if event.begun > until:
                break
            found.append(number)
            until = min(until, event.ended)
            missing ^= lowest
        return [n for n in found if self._known[n].begun <= until], until

    def _lost(self, node: _Node, until: float) -> list[int]:
        """Events without an answer that may be next."""
        first = len(self._known)
        return [
            number
            for number in range(first, len(self._events))
            if not node.done >> number & 1
            and self._events[number].begun <= until
            and self._events[number].ended >= node.now
        ]

    def _different(self, node: _Node, lost: Sequence[int]) -> Iterator[int]:
        """Of the events without an answer, those that make a difference.

        Of those whose value nobody ever sees, one is as good as another: the one that ends first will do.
        """
        unseen: set[bool] = set()
        for number in lost:
            event = self._events[number]
            after, _ = event.happen(node.state)
            if after == node.state:
                continue
            if after is None or after not in self._observers:
                if event.kind in (PUT, DELETE):
                    if (after is None) in unseen:
                        continue
                    unseen.add(after is None)
            yield number

    def _due(self, number: int) -> tuple[bool, float]:
        """Sorts writes: those that nobody sees first, then by when they ended."""
        event = self._events[number]
        return event.value in self._observers, event.ended

    def _after(self, node: _Node, number: int) -> _Node:
        event = self._events[number]
        state, _ = event.happen(node.state)
        now = max(node.now, event.begun)
        return _Node(node.done | 1 << number, state, now, number, node)

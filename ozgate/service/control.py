"""What a parent and one of its workers say to each other, over a socket that nobody else has: values, pickled, one after the other.

It is both ends of one program of one user, so that what is read is believed. Settings go this way, the secret ones, too: command lines and
environments can be read by others.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

CONTROL, WRITES = 3, 4
"""Descriptors that a worker inherits: its end of that socket, and of the one that its writes go through."""

_ANSWER = "answer"


@implementer(IFileDescriptorReceiver)
class Control(Int32StringReceiver):
    """One end.

    :param heard: called with what the other end says: a kind, a value, and what takes the answer where one is awaited, else ``None``.
    :param gone: called when the other end is no more.
    :ivar descriptors: those that were received, in their order.
    """

    MAX_LENGTH = 64 << 20
    transport: Any

    def __init__(
        self,
        heard: Callable[[str, Any, Callable[[Any], None] | None], None],
        gone: Callable[[], None],
    ) -> None:
        self._heard = heard
        self._gone = gone
        self._asked: dict[int, Deferred[Any]] = {}
        self._numbers = count(1)
        self.descriptors: list[int] = []

    def tell(self, kind: str, value: object = None) -> None:
        """Say something."""
        self._send((kind, 0, value))

    def ask(self, kind: str, value: object = None) -> Deferred[Any]:
        """Ask something.

        :return: fires with the answer; fails with ``ConnectionDone`` when there will be none.
        """
        answer: Deferred[Any] = Deferred()
        if not self.connected:
            answer.errback(ConnectionDone())
            return answer
        number = next(self._numbers)
        self._asked[number] = answer
        self._send((kind, number, value))
        return answer

    def pass_on(self, descriptor: int) -> None:
        """Give a descriptor to the other end, which has it once it hears what is said next."""
        self.transport.sendFileDescriptor(descriptor)

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """One came."""
        self.descriptors.append(descriptor)

    def stringReceived(self, string: bytes) -> None:
        """Something was said, whole."""
        kind, number, value = pickle.loads(string)
        if kind == _ANSWER:
            self._asked.pop(number).callback(value)
            return
        answer = (lambda said: self._send((_ANSWER, number, said))) if number else None
        self._heard(kind, value, answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other end is no more."""
        self.connected = 0
        asked, self._asked = self._asked, {}
        for each in asked.values():
            each.errback(ConnectionDone())
        self._gone()

    def _send(self, message: tuple[str, int, object]) -> None:
        if self.connected:
            self.sendString(pickle.dumps(message))  # type: ignore[no-untyped-call]

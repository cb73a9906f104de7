"""How much of the service its clients may have at once: connections, in all and from one address, and bytes of bodies.

Whoever is over a limit hears 503 ``SlowDown`` with ``Retry-After`` before anything of a body is taken, and costs
next to nothing. Knows no S3 but its error classes.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from zope.interface import implementer

from ..errors import SlowDown

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from .channel import GatewayChannel

ALL, ADDRESS = "connections", "connections-per-address"
REQUESTS, BYTES = "requests", "inflight-bytes"
"""What a limit is of: the last word of its key, and the label of its metric."""

OTHERS = 512
"""File descriptors for everything that is no client's: stores, logs, listeners, the admin listener's connections."""

EACH = 2
"""File descriptors that a client takes: the connection, and the blob that it reads or writes."""


def descriptors() -> int:
    """Files that this process may have open; 0 for any number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft


def raise_descriptors() -> None:
    """Let this process have as many files open as the operating system permits: what shells set is for ``select``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Linux refuses a hard limit that is above fs.nr_open, even the one that is in force.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_for(wanted: int, files: int) -> int:
    """Connections that may be open, so that there is a file descriptor left for each one's blob.

    :param wanted: ``ozgate.limit.connections``; 0 for as many as there can be.
    :param files: open files that this process may have; 0 for any number.
    """
    most = max((files - OTHERS) // EACH, 16) if files else wanted
    return min(wanted, most) if wanted else most


@lru_cache(maxsize=4096)
def group_of(host: str) -> str:
    """Whose connection it is, by its address: of a global IPv6 address the /64, all of which one host may have."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(found, IPv6Address):
        return host
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return found.exploded[:19] if found.is_global else host


class ConnectionLimits:
    """Counts the connections of each address.

    :ivar most: connections that may be open; 0 for any number.
    :ivar most_of_one: those that one address may have; 0 for any number.
    :param refused: called with :data:`ALL` or :data:`ADDRESS` for each connection that is one too many.
    """

    def __init__(
        self,
        most: int = 0,
        most_of_one: int = 0,
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.most = most
        self.most_of_one = most_of_one
        self._refused = refused
        self._by_group: dict[str, int] = {}

    def admits(
        self,
        address: object,
        there: int,
        make_room: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Whether one more connection may be, and count it as refused if not.

        :param address: the client's, or its host as text; what has none, a UNIX socket, is counted in all only.
        :param there: connections that are open.
        :param make_room: ends one of them, if one is to spare. Asked only for who has not enough of them already.
        """
        if not self.admits_of_one(address):
            return False
        if self.most and there >= self.most and not make_room():
            self._refused(ALL)
            return False
        return True

    def admits_of_one(self, address: object) -> bool:
        """The same, as far as that client is concerned."""
        host = host_of(address)
        if self.most_of_one and host is not None:
            if self.of_one(host) >= self.most_of_one:
                self._refused(ADDRESS)
                return False
        return True

    def of_one(self, host: str) -> int:
        """Connections that the client at an address has."""
        return self._by_group.get(group_of(host), 0)

    def note(self, own: int) -> None:
        """So many connections are open in this process now. Nobody else asks, where there is one process."""

    def everywhere(self, own: int) -> int:
        """Connections that are open in all processes, where so many are in this one."""
        return own

    def opened(self, address: object) -> None:
        """A connection is open."""
        host = host_of(address)
        if host is not None:
            group = group_of(host)
            self._by_group[group] = self._by_group.get(group, 0) + 1

    def closed(self, address: object) -> None:
        """A connection that was :meth:`opened` is no more."""
        host = host_of(address)
        if host is not None:
            group = group_of(host)
            left = self._by_group[group] - 1
            if left:
                self._by_group[group] = left
            else:
                del self._by_group[group]


def host_of(address: object) -> str | None:
    """The host of an address; ``None`` of a UNIX socket's."""
    return address if isinstance(address, str) else getattr(address, "host", None)


@implementer(IHalfCloseableProtocol)
class Refusal(Protocol):
    """A connection too many: the first it says is answered, whatever it is, and soon it is gone.

    The answer waits for the request, since clients take for broken what speaks before it is asked.

    :ivar patience: seconds that it lasts at most.
    :ivar taken: bytes that are read and dropped at most, so that the client, which sends, can read.
    """

    patience = 2.0
    taken = 1 << 20

    transport: Any

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._over: IDelayedCall | None = None
        self._left = self.taken

    def connectionMade(self) -> None:
        """Begin to wait, so long and no longer."""
        self._over = self._refusals.clock.callLater(self.patience, self.abort)
        self._refusals.add(self)

    def dataReceived(self, data: bytes) -> None:
        """Answer the first bytes, drop all."""
        if self._left == self.taken:
            self.transport.write(self._refusals.answer())
            if isinstance(self.transport, tcp.Connection):
                self.transport.loseWriteConnection()
            else:  # half of a TLS connection cannot be closed; this ends it once the client agrees
                self.transport.loseConnection()
        self._left -= len(data)
        if self._left < 0:
            self.abort()

    def readConnectionLost(self) -> None:
        """The client has said all."""
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """We have said all."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone."""
        self._refusals.discard(self)
        if self._over is not None and self._over.active():
            self._over.cancel()

    def abort(self) -> None:
        """End it at once."""
        self.transport.abortConnection()


class Refusals:
    """The connections that are being refused, or leave to make room: few, for each one too many ends the oldest.

    :param clock: ``IReactorTime`` of their patience.
    :param answer: makes the answer, head and body.
    """

    most = 64

    def __init__(self, clock: IReactorTime, answer: Callable[[], bytes]) -> None:
        self.clock = clock
        self.answer = answer
        self._there: dict[Refusal | GatewayChannel, None] = {}

    def __len__(self) -> int:
        return len(self._there)

    def add(self, refusal: Refusal | GatewayChannel) -> None:
        """One more; the oldest ends where there are too many."""
        self._there[refusal] = None
        if len(self._there) > self.most:
            oldest = next(iter(self._there))
            # At once: it is lost only in the reactor's next turn, and more may come in this one.
            del self._there[oldest]
            oldest.abort()

    def discard(self, refusal: Refusal | GatewayChannel) -> None:
        """It is gone."""
        self._there.pop(refusal, None)

    def abort(self) -> None:
        """End them all."""
        for refusal in list(self._there):
            refusal.abort()


class BodyMemory:
    """Bytes of bodies that requests under way hold, all together, and of answers that clients have not taken yet.

    :ivar most: bytes that may be held; 0 for any number.
    :ivar held: bytes that are accounted for.
    :param refused: called with :data:`BYTES` for each body that is one too many.
    """

    def __init__(
        self, most: int = 0, refused: Callable[[str], None] = lambda reason: None
    ) -> None:
        self.most = most
        self.held = 0
        self._refused = refused

    def account(self, announced: int | None, most: int, here: int = 0) -> Account:
        """Account for a body from now on.

        :param announced: its length, where the client says it.
        :param most: bytes of it that are in memory at a time, at most.
        :param here: bytes of it that have come.
        :raises SlowDown: it would not find room as things are.
        """
        self.check(most if announced is None else min(announced, most))
        taken = min(here, most)
        return Account(self, most - taken, taken)

    def answer(self, count: int, *, refusable: bool) -> Account:
        """Account for an answer that is in memory until the client has taken it.

        :param refusable: whether it can be refused still: what has been done must be answered.
        :raises SlowDown: there is no room.
        """
        if refusable:
            self.check(count)
        return Account(self, 0, count)

    def is_plenty(self, part: int = 4) -> bool:
        """Whether less than one part in so many is held, so that a body may take more than it needs."""
        return not self.most or self.everywhere() < self.most // part

    def everywhere(self) -> int:
        """Bytes that are held in all processes."""
        return self.held

    def check(self, count: int) -> None:
        """Make sure that there is room for so many bytes more.

        :raises SlowDown: there is not.
        """
        if self.most and self.everywhere() + count > self.most:
            self._refused(BYTES)
            raise SlowDown()


class Account:
    """What one body takes of a :class:`BodyMemory`: what has come of it, up to what is held of it at a time.

    So a client that announces much and sends little takes little.
    """

    __slots__ = ("_left", "_memory", "_taken")

    def __init__(self, memory: BodyMemory, most: int, taken: int = 0) -> None:
        self._memory = memory
        self._left = most
        self._taken = taken
        memory.held += taken

    def take(self, count: int) -> None:
        """So many bytes more have come.

        :raises SlowDown: others took the room meanwhile.
        """
        count = min(count, self._left)
        if count:
            self._memory.check(count)
            self._memory.held += count
            self._taken += count
            self._left -= count

    def close(self) -> None:
        """The request is over."""
        self._memory.held -= self._taken
        self._taken = self._left = 0

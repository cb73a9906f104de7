"""Users as the operating system knows them: names and groups, asked off the reactor's thread and kept for a while.

The operating system may ask a directory on another machine (NSS, LDAP), which may take long, or for ever. So nobody waits
longer than :data:`PATIENCE`, and what asks has threads of its own, which nothing else needs.
"""

from __future__ import annotations

import grp
import os
import pwd
import time
from collections.abc import Callable
from threading import Thread
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, TimeoutError
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..batches import RunInThread
from ..errors import Unavailable
from ..immutable import frozen

_log = Logger()

K = TypeVar("K")
V = TypeVar("V")

KEPT = 300.0
"""Seconds that an answer is kept. Hadoop's ``hadoop.security.groups.cache.secs``."""

STALEST = 3600.0
"""Seconds that the last answer is used for at most while the operating system gives none."""

PATIENCE = 5.0
"""Seconds that a request waits for an answer."""

RETRY = 30.0
"""Seconds after which it is waited for again."""

MOST_KEPT = 10_000
"""Answers."""

AT_ONCE = 4
"""Questions, each in a thread."""


def local_user(uid: int) -> str:
    """The name of a user of this machine; the number where it has none. Blocks."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def groups_of(name: str) -> frozenset[str]:
    """The groups of a user of this machine; none where there is no such user. Blocks."""
    try:
        numbers = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    except (KeyError, ValueError):
        return frozenset()
    found = set()
    for number in numbers:
        try:
            found.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return frozenset(found)


def in_daemon_threads(reactor: IReactorFromThreads) -> RunInThread:
    """A ``run_in_thread`` whose threads hold up neither each other nor the end of the process, however long they take."""

    def run(f: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()

        def work() -> None:
            try:
                value = f(*args)
            except BaseException:
                reactor.callFromThread(done.errback, Failure())
            else:
                reactor.callFromThread(done.callback, value)

        Thread(target=work, name="ozgate-accounts", daemon=True).start()
        return done

    return run


@frozen
class _Kept(Generic[V]):
    """An answer.

    :ivar asked: when it was given.
    :ivar until: when it is asked for again.
    """

    value: V
    asked: float
    until: float


class LookUp(Generic[K, V]):
    """A question that may block, asked in a thread once for all who wait for the same answer.

    :param look_up: answers it.
    :param unknown: what is said where no answer comes; may raise.
    :param run_in_thread: ``run_in_thread(f, *args)`` → Deferred.
    :param clock: times the waiting.
    :param seconds: tells the time, by a clock that nobody sets.
    """

    def __init__(
        self,
        look_up: Callable[[K], V],
        unknown: Callable[[K], V],
        run_in_thread: RunInThread,
        clock: IReactorTime,
        seconds: Callable[[], float],
    ) -> None:
        self._look_up = look_up
        self._unknown = unknown
        self._run_in_thread = run_in_thread
        self._clock = clock
        self._seconds = seconds
        self._limit = DeferredSemaphore(AT_ONCE)
        self._kept: dict[K, _Kept[V]] = {}
        self._waiting: dict[K, dict[Deferred[None], None]] = {}
        self._forgotten = 0

    async def of(self, key: K) -> V:
        """The answer: at once where it is known, else when it comes, or :data:`PATIENCE` is over."""
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._seconds():
            if key not in self._waiting:
                self._ask(key)
            waiting = self._waiting.get(key)
            if waiting is not None:
                await self._wait(key, waiting)
            kept = self._kept.get(key)
        return self._unknown(key) if kept is None else kept.value

    def forget(self) -> None:
        """Ask anew from now on; what is being answered is good only for who waits for it."""
        self._kept.clear()
        self._forgotten += 1

    def _ask(self, key: K) -> None:
        self._waiting[key] = {}
        asking = self._limit.run(self._run_in_thread, self._look_up, key)
        asking.addCallback(self._keep, key, self._forgotten)
        asking.addErrback(self._fail, key)
        asking.addCallback(self._tell, key)

    async def _wait(self, key: K, waiting: dict[Deferred[None], None]) -> None:
        told: Deferred[None] = Deferred()
        waiting[told] = None
        told.addTimeout(PATIENCE, self._clock)
        try:
            await told
        except TimeoutError:
            self._make_do(key, f"no answer in {PATIENCE:g} s")
        finally:
            # The answer may never come, and others go on asking.
            waiting.pop(told, None)

    def _keep(self, value: V, key: K, forgotten: int) -> None:
        now = self._seconds()
        until = now + KEPT if forgotten == self._forgotten else now
        self._store(key, _Kept(value, now, until))

    def _fail(self, failure: Failure, key: K) -> None:
        self._make_do(key, failure.getErrorMessage())

    def _make_do(self, key: K, why: str) -> None:
        """Go on with the last answer, unless it is too old, and leave it at that for a while."""
        now = self._seconds()
        kept = self._kept.pop(key, None)
        if kept is not None and kept.until > now:  # another has waited as long
            self._kept[key] = kept
            return
        _log.warn(
            "the operating system does not say who {key} is ({why}): what it said before holds, for an hour at most",
            key=key,
            why=why,
        )
        if kept is not None and now < kept.asked + STALEST:
            self._store(key, _Kept(kept.value, kept.asked, now + RETRY))
            return
        try:
            self._store(key, _Kept(self._unknown(key), now - STALEST, now + RETRY))
        except Unavailable:
            return

    def _store(self, key: K, kept: _Kept[V]) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = kept

    def _tell(self, _: object, key: K) -> None:
        for told in list(self._waiting.pop(key)):
            told.callback(None)


def _no_groups(name: str) -> frozenset[str]:
    """Groups only give rights: who is in none may do less, never more."""
    return frozenset()


def _no_name(uid: int) -> str:
    raise Unavailable(f"the operating system does not say who user {uid} is: try again")


class Accounts:
    """The users of this machine.

    :param run_in_thread: what calls that may block for long are made with.
    :param groups: the groups of a name.
    :param names: the name of a number.
    """

    def __init__(
        self,
        run_in_thread: RunInThread,
        clock: IReactorTime,
        groups: Callable[[str], frozenset[str]] = groups_of,
        names: Callable[[int], str] = local_user,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._groups = LookUp(groups, _no_groups, run_in_thread, clock, seconds)
        self._names = LookUp(names, _no_name, run_in_thread, clock, seconds)

    async def groups_of(self, name: str) -> frozenset[str]:
        """The groups of a user; none where there is no such user, or nothing is to be known of it."""
        return await self._groups.of(name)

    async def name_of(self, uid: int) -> str:
        """The name of a user; the number where it has none.

        :raises Unavailable: the operating system does not say.
        """
        return await self._names.of(uid)

    def forget(self) -> None:
        """Ask anew from now on."""
        self._groups.forget()
        self._names.forget()

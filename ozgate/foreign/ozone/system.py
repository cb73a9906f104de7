"""What the service sees of a cluster of Apache Ozone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ...errors import NotImplemented, StoreError, Unavailable
from ...interfaces import IForeignSystem, IVerifier
from ...values import ForeignBucket, OnBehalf, Presented, Signatory
from .bucket import OzoneBucket, create_bucket, delete_bucket, list_buckets
from .calls import Calls
from .client import Client
from .commands.asking import OzoneCommands
from .jars import find_conf, find_jars
from .jvm import find_jpype, leave_at_once, start_jvm
from .methods import make_known
from .refusals import error_of
from .security import BELIEVED, Security, read_security
from .verifying import (
    can_be_right,
    check_form,
    check_verifies,
    signatory_of,
    unverified,
    who_signed,
)
from .warming import warm_up
from .writing import Writers

_GRACE = 5.0
"""Seconds that a stop waits for calls that are under way."""

_START = 60.0
"""Seconds that a call waits at least for a JVM and a client: on a busy machine their start takes its time, once."""

_log = Logger()


class Connection:
    """The one client of a cluster that a process has, made when it is first asked for.

    :param settings: every declared knob, by key.
    :param security: how the cluster is entered.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Mapping[str, Any],
        security: Security = BELIEVED,
    ) -> None:
        self.reactor = reactor
        self.settings = settings
        self.security = security
        self.client: Client | None = None
        self.deadline: float = settings["ozgate.ozone.deadline"]
        self.wide_reads = 0
        """Large runs that are read now in larger pieces."""
        self.calls = Calls(reactor, settings["ozgate.ozone.threads"], self.deadline)
        # Fires when the thread that makes a client has come to its end.
        self._made: Deferred[None] = succeed(None)
        self._waiting: list[Deferred[None]] = []
        self._is_stopped = False

    def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        behalf: OnBehalf,
        is_change: bool = False,
    ) -> Deferred[Any]:
        """Call ``function(client, *args)`` in a thread, as :meth:`Calls.run` does, once there is a client; what is given is that of whoever asks.

        :return: fails with ``Unavailable`` as well where there is none in time.
        """
        if self.client is not None:
            asked = behalf.user, function, *args
            return self.calls.run(
                _ask, self.client, *asked, behalf=behalf, is_change=is_change
            )
        ready = self.ready()
        ready.addTimeout(max(self.deadline, _START), self.reactor, _too_late)
        return ready.addCallback(
            lambda _: self.run(function, *args, behalf=behalf, is_change=is_change)
        )

    def ready(self) -> Deferred[None]:
        """Have a client, made anew where that failed before.

        :return: fires once there is one; fails with ``Unavailable``. Cancelling has no effect on others.
        """
        if self._is_stopped:
            return fail(Unavailable("the client of the cluster is stopped"))
        if self.client is not None:
            return succeed(None)
        if not self._waiting:
            # A thread of its own, and no deadline: a cluster that does not answer keeps it for half a minute.
            self._made = Deferred()
            Thread(target=self._make, name="ozone_start", daemon=True).start()
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def stop(self) -> Deferred[None]:
        """Let what is under way end, within a bound, and close the client where nothing is under way any more: closed below a call it would hang."""
        self._is_stopped = True
        made: Deferred[None] = Deferred()
        self._made.addCallback(lambda _: _fire(made))
        made.addTimeout(_GRACE, self.reactor).addErrback(_not_closed)
        return made.addCallback(self._stop)

    def _stop(self, ignored: None) -> Deferred[None]:
        return self.calls.stop(_GRACE).addCallback(self._close)

    def _close(self, is_quiet: bool) -> Deferred[None]:
        client, self.client = self.client, None
        if client is None:
            return succeed(None)
        if not is_quiet:
            leave_at_once()
            return succeed(None)
        closed: Deferred[None] = Deferred()
        Thread(target=self._closed, args=(client, closed), daemon=True).start()
        closed.addTimeout(_GRACE, self.reactor)
        return closed.addErrback(_not_closed)

    def _closed(self, client: Client, closed: Deferred[None]) -> None:
        try:
            client.close()
        except BaseException as error:
            _log.warn("the cluster's client is not closed: {error}", error=error)
        self.reactor.callFromThread(_fire, closed)

    def _make(self) -> None:
        made: Client | Failure
        try:
            conf = find_conf(self.settings)
            start_jvm(find_jars(self.settings), self.settings["ozgate.ozone.heap"])
            made = Client(conf, self.security)
            # Nobody else asks Java for anything yet: see there.
            make_known(made)
            warm_up(made)
            if self.security.is_on:
                check_verifies(made)
        except StoreError:
            made = Failure()
        except BaseException as error:
            is_java = hasattr(error, "getCause")
            made = Failure(
                error_of(error, False) if is_java else Unavailable(str(error))
            )
        self.reactor.callFromThread(self._is_made, made)
        self.reactor.callFromThread(_fire, self._made)

    def _is_made(self, made: Client | Failure) -> None:
        waiting, self._waiting = self._waiting, []
        if isinstance(made, Client):
            self.client = made
            self.calls.set_identity(made.take_on, made.clear)
        for each in waiting:
            if isinstance(made, Client):
                _fire(each)
            elif not each.called:
                each.errback(made)


def _ask(client: Client, user: str, function: Callable[..., Any], *args: Any) -> Any:
    return function(client.faces.of(user), *args)


def _too_late(result: Any, timeout: float) -> Any:
    """What a timed wait fails with."""
    raise Unavailable("the client of the cluster is not ready in time")


def _not_closed(failure: Failure) -> None:
    failure.trap(TimeoutError)
    leave_at_once()


def _fire(waiting: Deferred[None]) -> None:
    if not waiting.called:
        waiting.callback(None)


@implementer(IForeignSystem)
class OzoneSystem:
    """A cluster.

    :param connection: by which it is asked.
    """

    verifies = False

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._writers = Writers(connection, connection.settings["ozgate.ozone.writers"])
        self.commands = OzoneCommands(connection, self._writers)

    def start(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return self.connection.ready()

    def stop(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return self.connection.stop()

    def bucket(self, volume: str, name: str, behalf: OnBehalf) -> OzoneBucket:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return OzoneBucket(self.connection, self._writers, (volume, name), behalf)

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int, behalf: OnBehalf
    ) -> Deferred[Sequence[ForeignBucket]]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return self.connection.run(
            list_buckets, volume, prefix, after, limit, behalf=behalf
        )

    def create_bucket(self, volume: str, name: str, behalf: OnBehalf) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return self.connection.run(
            create_bucket, (volume, name), behalf=behalf, is_change=True
        )

    def delete_bucket(self, volume: str, name: str, behalf: OnBehalf) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return self.connection.run(
            delete_bucket, (volume, name), behalf=behalf, is_change=True
        )


@implementer(IVerifier)
class SecureOzone(OzoneSystem):
    """A cluster that verifies what its callers sign."""

    verifies = True

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`~ozgate.interfaces.IVerifier`. One call of the OM, of whose answer nothing is kept; an access id that nobody has is told as a wrong signature, as the OM does.

        :return: fails with ``NotImplemented`` where the OM cannot verify what is signed so; with ``Unavailable`` where it does not answer.
        """
        try:
            check_form(presented)
        except NotImplemented:
            return fail()
        if not can_be_right(presented):
            return succeed(None)
        # Nobody is known by name yet.
        behalf = OnBehalf(presented=presented)
        asked = self.connection.run(who_signed, presented.access_id, behalf=behalf)
        return asked.addCallbacks(signatory_of, unverified, (presented,))


def make_system(reactor: Any, settings: Mapping[str, Any]) -> OzoneSystem:
    """The cluster that the settings name, not asked yet.

    :param settings: every declared knob, by key.
    :raises Unavailable: JPype is not installed, its files cannot be read, or it is secure and nobody can log in.
    """
    find_jpype()
    security = read_security(settings)
    connection = Connection(reactor, settings, security)
    return (SecureOzone if security.is_on else OzoneSystem)(connection)

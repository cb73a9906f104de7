"""The facets of a transaction that belong to no bucket and to nobody: leases, processes and named values."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from ..values import Process

__all__ = ["ILeases", "IProcesses", "ISettings"]


class ILeases(Interface):
    """Work that only one process does at a time.

    A lease is had by one *owner*, the id of a process or of a piece of work, until a time. Its *term* is a number that
    grows by one whenever another owner gets it than had it last, and never else. So whoever finds, in a transaction, that
    the lease is still of the term it began with knows that nobody else had it in between; an owner that
    comes back too late, but before anybody else came, goes on in its term.
    """

    def lease(name: str, owner: str, seconds: float, term: int = 0) -> int | None:
        """Take or renew a lease.

        :param seconds: how long from now on nobody else gets it, a day at most; 0 gives it up. One that would last for longer than that was taken when
            the clock was wrong, and is over.
        :param term: the one that the work began with: it is renewed in that term, or not at all. 0 where the work begins.
        :return: the term, from 1 on. ``None``, and nothing changes, while another owner has the lease; and where a ``term``
            was given, also when another owner had it since.
        """

    def end_leases(owner: str) -> None:
        """End all that an owner has, of whom it is known that it is dead: nobody need wait until its time is over."""


class IProcesses(Interface):
    """The processes that use the store at once, and which of them have been reading for long."""

    def processes() -> Sequence[Process]:
        """All of them, but those that are known to have ended."""

    def put_process(process: Process) -> None:
        """Store a process; what was stored of the same id is replaced."""

    def remove_process(process_id: str) -> None:
        """Forget a process that is dead, or about to end; nothing happens if it is gone."""


class ISettings(Interface):
    """Named values of the store's own."""

    def setting(name: str) -> bytes | None:
        """A named value of the store's own, such as the check value of the master key."""

    def set_setting(name: str, value: bytes | None) -> None:
        """Keep a named value, or remove it with ``None``."""

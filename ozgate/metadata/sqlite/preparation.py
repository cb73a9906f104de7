"""What is done to a database once, before any process opens it, by whoever holds the data folder."""

from __future__ import annotations

import sqlite3
from threading import Thread

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from .connections import prepare_database
from .inspection import FromThread
from .logcheck import ACCEPTING, check_log, mark_relaxed

_log = Logger()


def prepare(
    path: str, reactor: FromThread, relaxed: bool, accept_lost: bool
) -> Deferred[sqlite3.Connection]:
    """Look whether the log has lost anything, empty it, and bring the schema up to date, in a thread.

    :param relaxed: commits need not wait for the disk.
    :param accept_lost: go on although the log has lost commits; see :mod:`ozgate.metadata.sqlite.logcheck`.
    :return: fires when the database can be opened, with what :func:`~.connections.prepare_database` returns, or fails with ``Unavailable``.
    """
    done: Deferred[sqlite3.Connection] = Deferred()

    def work() -> None:
        try:
            _look_at_log(path, accept_lost)
            connection = prepare_database(path, relaxed and _mark(path))
        except BaseException as error:
            reactor.callFromThread(done.errback, error)
        else:
            reactor.callFromThread(done.callback, connection)

    Thread(target=work, name="ozgate-preparation", daemon=True).start()
    return done


def _look_at_log(path: str, accept_lost: bool) -> None:
    """Before SQLite makes use of it.

    :raises Unavailable: it has lost what was acknowledged.
    """
    if lost := check_log(path, accept_lost):
        _log.error(
            "{lost}. It goes on without: {key} is true", lost=lost, key=ACCEPTING
        )


def _mark(path: str) -> bool:
    """Note that the log may have gaps from now on; whether it could be noted, and may."""
    try:
        mark_relaxed(path)
    except OSError as error:
        _log.warn(
            "{path}: commits wait for the disk, for it cannot be noted that they need not: {error}",
            path=path,
            error=error,
        )
        return False
    return True

"""How an interaction is run in a transaction: once, or anew where another was faster, with an end that is known, or said to be unknown."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from psycopg.errors import UniqueViolation

from ...errors import Overtaken, StoreError, Unavailable, Uncertain
from .connections import ERRORS, translated
from .session import Session
from .settling import ABORTED, COMMITTED, end_of
from .transaction import ReadTransaction, Transaction

T = TypeVar("T")

ATTEMPTS = 12
"""How often an interaction is run before it is given up."""

TAKEN = 3
"""How often where a row is there already that it makes: somebody was faster, or it is a fault of ours, which others do not cure."""

MOST = 25.0
"""Seconds that a transaction may take until its commit is asked for, which takes as long as a statement may (30 s at most), if it waits for a standby. What it gives up, at the time when it began,
may be seen by reads until it is over, and the reaper leaves them a minute (:data:`ozgate.content.readers.MARGIN`)."""

_TIMELY = f"""SELECT (CASE WHEN clock_timestamp() - transaction_timestamp() < $1 * interval '1 second' THEN 'true'
    ELSE 'a transaction took more than {MOST:.0f} s' END)::boolean"""
"""Fails where a transaction is too old by the server's clock: its gateway may have stood still after it looked at its own."""

_PAUSE = 0.005
"""Seconds that are waited for at most before the second run; before each that follows, twice as long."""


Work = Callable[[Any], Any]
"""An interaction, which is given the transaction."""

Tell = Callable[[int, bool, Any], None]
"""Is told of one of several interactions: whether it succeeded, and what it returned or raised."""


class Lost(Exception):
    """The connection broke before the commit was asked for, or the commit surely failed: run it anew over another one."""


class Unconfirmed(Exception):
    """An interaction ended by what was only guessed: run it anew without."""


def read(
    session: Session, tx: ReadTransaction, works: Sequence[Work], tell: Tell
) -> None:
    """Run interactions that read, and say what came of each before their transaction is ended.

    A connection that broke while it was idle, as all do when a server is restarted, is made anew once. Where one after the other waits in vain, as for a table that is locked,
    all together have the time of one statement.

    :param tell: called once for each.
    """
    left = dict(enumerate(works))
    may_break = True
    until = time.monotonic() + session.address.statement
    while left:
        is_new = session.open()
        try:
            session.begin(tx.HOW)
            tx.begin()
            tx.start()
            _run_each(tx, left, tell)
            session.end()
        except ERRORS as error:
            session.roll_back()
            if session.is_broken and may_break and not is_new:
                may_break = False
            elif left:
                # The first that was not told of is the one that failed; the others are run anew.
                number = next(iter(left))
                del left[number]
                failure = translated(error, session.address)
                tell(number, False, failure)
                if time.monotonic() > until:
                    for number in left:
                        tell(number, False, Unavailable(f"{failure}, before this"))
                    return


def _run_each(tx: ReadTransaction, left: dict[int, Work], tell: Tell) -> None:
    """Run those that are left, each of which is left no more once it was told of."""
    for number, work in tuple(left.items()):
        tx.begin()
        try:
            value = work(tx)
        except ERRORS:
            raise
        except BaseException as error:
            tell(number, False, error)
        else:
            tell(number, True, value)
        del left[number]


def write(session: Session, tx: Transaction, work: Callable[[Any], T]) -> T:
    """Run an interaction until it is committed, or surely is not.

    :return: what it returned, when that is durable.
    :raises Uncertain: it may have been committed.
    """
    tx.guess(True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(session, tx, work)
        except Unconfirmed:
            tx.guess(False)
            continue
        except Overtaken as error:
            if tx.has_guessed:
                tx.guess(False)
            is_taken = isinstance(error.__cause__, UniqueViolation)
            if attempt >= (TAKEN if is_taken else ATTEMPTS):
                raise
            reason: Exception = error
        except Lost as error:
            if attempt > 2:
                raise Unavailable(str(error)) from error.__cause__
            reason = error
        time.sleep(random.uniform(0, _PAUSE * 2**attempt))
        del reason
    raise AssertionError("it is raised in the last attempt")


def _once(session: Session, tx: Transaction, work: Callable[[Any], T]) -> T:
    session.open()
    began = time.monotonic()
    try:
        session.begin(tx.HOW)
        tx.begin()
        value = work(tx)
        if tx.is_unconfirmed:
            raise Unconfirmed()
        xid = tx.finish()
        _check_age(session, began)
        if tx.touches_bytes:
            session.change(_TIMELY, (MOST,))
    except ERRORS as error:
        raise _failed(session, error) from error
    except BaseException as error:
        session.roll_back()
        if tx.is_unconfirmed and isinstance(error, Exception):
            raise Unconfirmed() from error
        raise
    _commit(session, xid)
    return value


def _check_age(session: Session, began: float) -> None:
    """Make sure that a transaction does not end so late that others counted on its end.

    :raises Unavailable: it would: it is not done.
    """
    spent = time.monotonic() - began
    if spent > MOST:
        raise Unavailable(
            f"{session.address.where}: a transaction took {spent:.0f} s, more than {MOST:.0f}, and was given up"
        )


def _failed(session: Session, error: Exception) -> Exception:
    """What a transaction failed with whose commit was not asked for."""
    session.roll_back()
    translation = translated(error, session.address)
    if session.is_broken and not session.was_cut:
        return Lost(str(translation))
    return translation


def _commit(session: Session, xid: str) -> None:
    """Commit, and know of it.

    An error says for certain that nothing was committed only where the session outlives it: what fails before the commit is in the log, as a constraint that is checked
    then, a conflict of serialization or a full disk, is rolled back, and after that PostgreSQL rolls nothing back. Where the session ends with it, whatever
    the error is, it may have come later: an administrator's shutdown (57P01), a crash (57P02), a log that cannot be written (a PANIC with 53100), a
    connection that fails, also between a pooler and its server (08P01).
    Source: PostgreSQL, ``CommitTransaction`` and ``RecordTransactionAbort`` of ``src/backend/access/transam/xact.c``.

    :param xid: the number of the transaction.
    :raises Lost: it was not committed, for the connection broke.
    :raises Uncertain: it may have been.
    """
    where = f"metadata in {session.address.where}"
    try:
        is_done = session.commit()
    except ERRORS as error:
        session.roll_back()
        if session.is_broken or getattr(error, "sqlstate", None) is None:
            _settle(session, xid, error)
            return
        raise translated(error, session.address) from error
    except BaseException:
        session.close()
        raise
    if not is_done:
        raise Unavailable(f"{where}: the transaction was aborted")
    if session.warned:
        # As of a wait for a standby that was given up: it is committed here, and perhaps nowhere else.
        raise Uncertain(f"{where}: the commit was warned of")


def _settle(session: Session, xid: str, error: Exception) -> None:
    """Find out how a transaction ended whose commit was not answered.

    :raises Lost: it was rolled back.
    :raises Uncertain: that cannot be found out.
    """
    place = session.timeline, session.incarnation, session.address
    session.close()
    end = end_of(xid, *place)
    if end == COMMITTED:
        return
    said: StoreError = translated(error, session.address)
    if end == ABORTED:
        raise Lost(str(said)) from error
    raise Uncertain(f"{said}; whether it was committed could not be found out")

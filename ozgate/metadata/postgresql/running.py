"""How an interaction is run in a transaction: once, or anew where another was faster, with an end that is known, or said to be unknown."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ...errors import Overtaken, StoreError, Unavailable, Uncertain
from .connections import ERRORS, translated
from .session import Session
from .settling import ABORTED, COMMITTED, end_of
from .transaction import ReadTransaction, Transaction

T = TypeVar("T")

ATTEMPTS = 12
"""How often an interaction is run before it is given up."""

_PAUSE = 0.005
"""Seconds that are waited for at most before the second run; before each that follows, twice as long."""


_ENDED = "57P"
"""How SQLSTATE begins where a server ends the session. Source: PostgreSQL, "PostgreSQL Error Codes" (Operator Intervention)."""


class Lost(Exception):
    """The connection broke before the commit was asked for, or the commit surely failed: run it anew over another one."""


def read(
    session: Session, tx: ReadTransaction, work: Callable[[Any], T], tell: Any
) -> None:
    """Run an interaction that reads, and say what came of it before the transaction is ended.

    A connection that broke while it was idle, as all do when a server is restarted, is made anew once.

    :param tell: called with the outcome: whether it succeeded, and what it returned or raised.
    """
    for is_last in (False, True):
        is_new = session.open()
        try:
            session.begin(tx.HOW)
            tx.begin()
            value = work(tx)
        except ERRORS as error:
            session.roll_back()
            if is_last or is_new or not session.is_broken:
                tell(False, translated(error, session.address))
                return
        except BaseException as error:
            session.roll_back()
            tell(False, error)
            return
        else:
            tell(True, value)
            _end(session)
            return


def _end(session: Session) -> None:
    """End a transaction whose outcome was told."""
    try:
        session.end()
    except ERRORS:
        session.close()


def write(session: Session, tx: Transaction, work: Callable[[Any], T]) -> T:
    """Run an interaction until it is committed, or surely is not.

    :return: what it returned, when that is durable.
    :raises Uncertain: it may have been committed.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(session, tx, work)
        except Overtaken as error:
            if attempt == ATTEMPTS:
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
    try:
        session.begin(tx.HOW)
        tx.begin()
        value = work(tx)
        xid = tx.finish()
    except ERRORS as error:
        raise _failed(session, error) from error
    except BaseException:
        session.roll_back()
        raise
    _commit(session, xid)
    return value


def _failed(session: Session, error: Exception) -> Exception:
    """What a transaction failed with whose commit was not asked for."""
    session.roll_back()
    translation = translated(error, session.address)
    if session.is_broken and not session.was_cut:
        return Lost(str(translation))
    return translation


def _commit(session: Session, xid: str) -> None:
    """Commit, and know of it.

    :param xid: the number of the transaction.
    :raises Lost: it was not committed, for the connection broke.
    :raises Uncertain: it may have been.
    """
    where = f"metadata in {session.address.where}"
    try:
        is_done = session.commit()
    except ERRORS as error:
        state = getattr(error, "sqlstate", None)
        if session.is_broken or state is None or state.startswith(_ENDED):
            _settle(session, xid, error)
            return
        raise _failed(session, error) from error
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

"""How a transaction ended whose commit was not answered."""

from __future__ import annotations

import time

from psycopg import errors

from .connections import Address
from .session import Session

COMMITTED, ABORTED = "committed", "aborted"
"""As ``pg_xact_status`` says it."""

SECONDS = 20.0
"""How long a server is asked that is not there, or does not know yet."""

_PAUSE = 0.2

_STATUS = (
    "SELECT pg_xact_status($1::xid8), left(pg_walfile_name(pg_current_wal_lsn()), 8),"
    " (SELECT id FROM incarnation)"
)
"""And of which server that is: behind a pooler each transaction may come to another one."""


def end_of(xid: str, timeline: str, incarnation: str, address: Address) -> str:
    """How a transaction ended.

    After a failover numbers may mean other transactions: the standby may not have had this one, and have given its number to another.
    So may they after a crash: numbers whose transactions left nothing in the log are given again, so that what is committed by that number is perhaps another's; what is aborted by it, or not
    given out yet, was surely not committed.
    What was committed is waited for once more, by a commit that comes after it in the log, so that it is as durable as any.
    Source: PostgreSQL, "Transaction ID and Snapshot Information Functions".

    :param xid: its number.
    :param timeline: of the server that it began on.
    :param incarnation: likewise.
    :return: :data:`COMMITTED`, :data:`ABORTED`, or ``""`` where that cannot be told in :data:`SECONDS`.
    """
    until = time.monotonic() + SECONDS
    session = Session(address)
    try:
        while time.monotonic() < until:
            try:
                session.open()
                if session.timeline != timeline:
                    return ""
                with session.limited(max(until - time.monotonic(), _PAUSE)):
                    end = _ask(session, xid, timeline, incarnation)
                if end is None:
                    return ""
                if end in (COMMITTED, ABORTED):
                    return end
            except Exception:
                # Of PostgreSQL's, or that the system has no thread or descriptor left.
                session.close()
            time.sleep(_PAUSE)
        return ""
    finally:
        session.close()


def _ask(session: Session, xid: str, timeline: str, incarnation: str) -> str | None:
    """How it ended; ``""`` where that is not known yet, ``None`` where nobody can know it any more."""
    session.begin("READ WRITE")
    try:
        end, *server = session.ask(_STATUS, (xid,)).fetchone()
    except errors.InvalidParameterValue:
        # "transaction ID … is in the future"
        session.roll_back()
        return ABORTED
    if server[0] != timeline or (end == COMMITTED and server[1] != incarnation):
        session.roll_back()
        return None
    if end == COMMITTED:
        # What writes to the log has a commit wait for it; this changes nothing.
        session.change("SELECT pg_logical_emit_message(true, 'ozgate', '')")
    is_done = session.commit()
    return str(end) if is_done and not session.warned else ""

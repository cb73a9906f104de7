"""What nearly every request asks for and hardly anybody changes: who is who, volumes, buckets and their documents, kept for as long as they are as they were.

One row, the *epoch*, says so. Whatever changes such a row puts a new random id there, in the same transaction: who sees the one sees the other. So two
snapshots of one epoch have the same such rows, however many objects were written between them, and whoever reads asks for the epoch first, in the
snapshot of whatever else he asks for. Nothing here is ever stale.

The database does it itself, by triggers, so that nobody who writes can forget it: a gateway of an older release, a copy, an administrator by hand. They
are deferred: the row is locked at the commit alone, after all else, so that nobody who has it waits for anybody. Those that change such rows are
committed one after the other, and all others never touch it. An id is never given twice, so that neither a crash nor a failover can bring one back.
Source: PostgreSQL, "CREATE TRIGGER" (constraint triggers), "Read Committed Isolation Level".
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

KINDS = (
    "volumes",
    "buckets",
    "configurations",
    "users",
    "groups",
    "policies",
    "secrets",
)
"""The tables whose rows may be kept."""

# Once in a transaction, however many rows it has changed. The number in the id is of 64 bits, that of the row (xmin) of 32, which begin anew; the former is
# another transaction's in a database that was restored, the latter is not.
_CHANGED = """CREATE FUNCTION epoch_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE me xid8 := pg_current_xact_id();
BEGIN
    IF NOT EXISTS (SELECT 1 FROM epoch WHERE xmin = me::xid AND starts_with(id, me::text || '-')) THEN
        INSERT INTO epoch VALUES (1, me::text || '-' || gen_random_uuid()::text)
            ON CONFLICT (place) DO UPDATE SET id = EXCLUDED.id;
    END IF;
    RETURN NULL;
END $$"""

_TRIGGER = """CREATE CONSTRAINT TRIGGER epoch_ends AFTER INSERT OR UPDATE OR DELETE ON {kind}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION epoch_ends()"""

EPOCHS = (
    """CREATE TABLE epoch (
        place smallint PRIMARY KEY CHECK (place = 1),
        id text COLLATE "C" NOT NULL
    ) WITH (fillfactor = 10)""",
    "INSERT INTO epoch VALUES (1, gen_random_uuid()::text)",
    _CHANGED,
    *(_TRIGGER.format(kind=kind) for kind in KINDS),
)
"""Statements that make it."""

EPOCH = "SELECT id FROM epoch"

TOLD = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint, time_noted.last_value"
"""What :class:`~ozgate.metadata.postgresql.times.Times` makes the time of, from ``time_noted``."""

EPOCH_NOW = f"SELECT id, {TOLD} FROM epoch, time_noted"

UNWATCHED = f"""SELECT {len(KINDS)} - COUNT(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = current_schema()::regnamespace AND tgfoid = to_regproc('epoch_ends')
    AND tgenabled IN ('O', 'A') AND tginitdeferred"""
"""How many tables lack their trigger."""

KEPT = 4096
"""Rows that are kept at most."""

KEPT_BYTES = 8 << 20
"""Bytes of documents among them."""

ABSENT = 1024
"""Rows that are known not to be there at most: which these are says whoever asks, known here or not."""

_LONGEST = 256
"""Characters of the name of such a row at most."""


class Missed(BaseException):
    """Something is asked for that is not kept. No interaction catches it, as it is no ``Exception``.

    :ivar wanted: what that is, where it is known.
    """

    def __init__(self, wanted: Any = None) -> None:
        self.wanted = wanted
        super().__init__()


class Known:
    """What was read in one epoch.

    :ivar epoch: its id; ``""`` where nobody knows one, so that nothing is kept.
    """

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self._kept: dict[Hashable, Any] = {}
        self._absent: set[Hashable] = set()
        self._bytes = 0

    def find(self, place: tuple[str, Hashable]) -> tuple[Any] | None:
        """What was read there, in a tuple, for it may be ``None``; ``None`` where it was not.

        :param place: one of :data:`KINDS`, and what tells the row.
        """
        found = self._kept.get(place)
        if found is None:
            return (None,) if place in self._absent else None
        return (found,)

    def keep(self, place: tuple[str, Hashable], value: Any, size: int = 0) -> None:
        """Keep what was read, also that there is nothing. Where there is no room, what was kept goes.

        :param place: as that of :meth:`find`.
        :param size: bytes that it takes of :data:`KEPT_BYTES`.
        :raises ValueError: no epoch ends when such a row changes.
        """
        if place[0] not in KINDS:
            raise ValueError(f"rows of {place[0]} change within an epoch")
        if not self.epoch or size > KEPT_BYTES:
            return
        if value is None:
            if len(self._absent) >= ABSENT:
                self._absent.clear()
            if len(str(place[1])) <= _LONGEST:
                self._absent.add(place)
            return
        if len(self._kept) >= KEPT or self._bytes + size > KEPT_BYTES:
            self._kept.clear()
            self._bytes = 0
        self._kept[place] = value
        self._bytes += size


class Epochs:
    """The epoch that a process has heard of last, for all of its threads.

    :ivar last: what is known of it.
    """

    def __init__(self) -> None:
        self.last = Known("")

    def of(self, epoch: str | None) -> Known:
        """What is known of an epoch: the last, or a new one.

        :param epoch: ``None`` where the database has none.
        """
        last = self.last
        if last.epoch != epoch or not epoch:
            last = self.last = Known(epoch or "")
        return last

    def forget(self) -> None:
        """What is kept may be of an epoch that is over."""
        self.last = Known("")

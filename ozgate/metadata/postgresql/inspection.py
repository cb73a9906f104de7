"""Looks at everything that a PostgreSQL database holds, each in one snapshot, beside transactions: for scrub and fsck.

While one is under way, rows that are changed or removed keep their old states ("dead tuples"). Source: PostgreSQL manual, "Routine Vacuuming".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from ...errors import Unavailable
from ...values import BlobUser, DamagedRow, Drift
from .connections import Address
from .epochs import UNWATCHED
from .transaction import ReadTransaction

MOST_USERS = 1000
"""Versions and parts that are told of at most."""

_SECONDS = 86_400.0
"""How long a look may take."""

# Here whole tables are read, and joined by hashes, also where statistics are not there yet and say that there is one row.
_PLANS = (
    "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true),"
    " set_config('enable_nestloop', 'off', true), set_config('plan_cache_mode', 'auto', true)"
)

_WRONG = (
    (
        "triggers and rules are not ozgate's, and run as if they were",
        """SELECT (SELECT COUNT(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
            WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
            AND tgfoid IS DISTINCT FROM to_regproc('epoch_ends'))
        + (SELECT COUNT(*) FROM pg_rules WHERE schemaname = current_schema())""",
    ),
    (
        "triggers that end an epoch are not there, so that reads are stale: restore the database as it was dumped",
        UNWATCHED,
    ),
    (
        "indexes are not valid: REINDEX them",
        """SELECT COUNT(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace""",
    ),
    (
        "keys are listed that have no version, or another newest one: ozgate admin fsck mends those that have one",
        """SELECT COUNT(*) FROM current_versions FULL JOIN (
            SELECT * FROM (SELECT DISTINCT ON (bucket, key) bucket, key, sequence, is_delete_marker FROM versions
                ORDER BY bucket, key, sequence DESC) AS each WHERE is_delete_marker = 0
        ) AS newest USING (bucket, key, sequence) WHERE newest.is_delete_marker IS NULL OR modified IS NULL""",
    ),
    (
        "rows of extents belong to no version and no part: nothing is lost, they only take room",
        """SELECT COUNT(*) FROM extents WHERE NOT EXISTS (SELECT 1 FROM versions WHERE sequence = owner)
        AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.owner = extents.owner)
        AND NOT EXISTS (SELECT 1 FROM retired WHERE retired.owner = extents.owner)""",
    ),
    (
        "bodies belong to no version: nothing is lost, they only take room",
        """SELECT COUNT(*) FROM bodies WHERE NOT EXISTS (
            SELECT 1 FROM versions WHERE versions.sequence = bodies.sequence)""",
    ),
    (
        "rows of completed parts belong to no version: nothing is lost, they only take room",
        """SELECT COUNT(*) FROM object_parts WHERE NOT EXISTS (
            SELECT 1 FROM versions WHERE versions.sequence = object_parts.sequence)""",
    ),
    (
        "uploaded parts belong to no upload: nothing is lost, they only take room",
        """SELECT COUNT(*) FROM parts WHERE NOT EXISTS (
            SELECT 1 FROM uploads WHERE uploads.number = upload)""",
    ),
)
"""What is wrong when a count is not 0, and the count."""

_HELD = """WITH stored AS (
    SELECT bucket, SUM(size)::bigint AS bytes, COUNT(*) AS names FROM versions GROUP BY bucket
), uploaded AS (
    SELECT bucket, SUM(parts.size)::bigint AS bytes FROM uploads JOIN parts ON parts.upload = uploads.number GROUP BY bucket
), used AS (
    SELECT place, SUM(bytes)::bigint AS bytes, SUM(names)::bigint AS names FROM usage GROUP BY place
), held AS (
    SELECT volume, name, COALESCE(stored.bytes, 0) + COALESCE(uploaded.bytes, 0) AS bytes,
        COALESCE(stored.names, 0) AS names, COALESCE(used.bytes, 0) AS used_bytes, COALESCE(used.names, 0) AS used_names
    FROM buckets LEFT JOIN stored ON stored.bucket = number LEFT JOIN uploaded ON uploaded.bucket = number
    LEFT JOIN used ON place = number
) SELECT volume, name, bytes - used_bytes AS more_bytes, names - used_names AS more_names FROM held
    WHERE (bytes, names) <> (used_bytes, used_names)
UNION ALL SELECT name, '', each.bytes - used_bytes, each.names - used_names FROM (
    SELECT volumes.name, COALESCE((SELECT SUM(held.bytes)::bigint FROM held WHERE volume = volumes.name), 0) AS bytes,
        (SELECT COUNT(*) FROM held WHERE volume = volumes.name) AS names,
        COALESCE(used.bytes, 0) AS used_bytes, COALESCE(used.names, 0) AS used_names
    FROM volumes LEFT JOIN used ON place = -number
) AS each WHERE (each.bytes, each.names) <> (used_bytes, used_names)"""

_VERSIONS_OF = """SELECT versions.sequence, buckets.volume, buckets.name, versions.key,
    versions.version_id, '', 0 FROM versions JOIN buckets ON buckets.number = versions.bucket
    WHERE versions.sequence = ANY($1::bigint[]) LIMIT $2"""

_PARTS_OF = """SELECT parts.owner, buckets.volume, buckets.name, uploads.key,
    '', uploads.upload_id, parts.number FROM parts
    JOIN uploads ON uploads.number = parts.upload
    JOIN buckets ON buckets.number = uploads.bucket
    WHERE parts.owner = ANY($1::bigint[]) LIMIT $2"""

_OWNERS = {"versions": 2, "bodies": 0, "extents": 0, "object_parts": 0}
"""Tables, and where in their keys is the number of the version or part."""


def unhurried(address: Address) -> Address:
    """Where looks are taken: the same database, whose statements may take as long as they need."""
    return evolve(address, statement=_SECONDS)


class Inspection(ReadTransaction):
    """Looks; see :class:`~ozgate.interfaces.IInspected`."""

    def examine(self) -> Sequence[str]:
        """What is wrong with how the database is built; its pages are looked at by PostgreSQL's own ``pg_amcheck``."""
        return list(self._wrong())

    def _wrong(self) -> Iterator[str]:
        self._execute(_PLANS)
        for what, statement in _WRONG:
            (count,) = self._execute(statement).fetchone()
            if count:
                yield f"{count} {what}"

    def drifts(self) -> Sequence[Drift]:
        """The counters that are off."""
        self._execute(_PLANS)
        return [Drift(*row) for row in self._execute(_HELD).fetchall()]

    def users_of(self, store: str, blob_ids: Sequence[str]) -> Sequence[BlobUser]:
        """The versions and parts that name these blobs."""
        self._execute(_PLANS)
        owned: dict[int, set[str]] = {}
        rows = self._execute(
            "SELECT DISTINCT owner, blob FROM extents WHERE blob = ANY($1::text[]) AND store = $2",
            (list(blob_ids), store),
        )
        for owner, blob in rows.fetchall():
            owned.setdefault(owner, set()).add(blob)
        return self._users(owned)

    def users_of_row(self, row: DamagedRow) -> Sequence[BlobUser]:
        """The versions or parts that a damaged row belongs to."""
        self._execute(_PLANS)
        column = _OWNERS.get(row.table)
        owner = None if column is None else row.place[column]
        return self._users({owner: {""}}) if isinstance(owner, int) else ()

    def _users(self, owned: Mapping[int, set[str]]) -> Sequence[BlobUser]:
        """The versions and parts of these numbers, once for each of the blobs that a number stands for."""
        asked = (list(owned), MOST_USERS)
        found = [self._execute(each, asked) for each in (_VERSIONS_OF, _PARTS_OF)]
        return [
            BlobUser(blob, volume, bucket, key.decode("utf-8", "replace"), *place)
            for rows in found
            for owner, volume, bucket, key, *place in rows.fetchall()
            for blob in sorted(owned[owner])
        ]


def no_copy(where: str) -> Unavailable:
    """What says that copies are PostgreSQL's own."""
    return Unavailable(
        f"metadata in {where} are backed up by PostgreSQL's own means: pg_basebackup with its log, or pg_dump"
    )

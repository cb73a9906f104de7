"""The statements by which versions come and go: one each, for every statement is a round trip.

Each puts ``versions``, ``current_versions`` and ``bodies`` right at once: its parts all see the state before it, and none the others' changes
(source: PostgreSQL manual, "7.8.4. Data-Modifying Statements in WITH"), so that each row is changed by one of them only.
"""

from __future__ import annotations

from functools import cache

from ..declared.tables import BODIES, VERSIONS
from .epochs import TOLD

COLUMNS = (*VERSIONS.columns, "checked")
"""The columns of a version that are stored, in their order: what :attr:`VERSIONS.row` makes."""

SELECTED = ", ".join([f"versions.{name}" for name in COLUMNS])

_SHOWN = ("sequence", "modified", "size", "etag", "traits")
"""What the list of current versions has besides the key."""

_LISTED = f"INSERT INTO current_versions (bucket, key, {', '.join(_SHOWN)})"

_OR_RELISTED = "ON CONFLICT (bucket, key) DO UPDATE SET " + ", ".join(
    [f"{name} = excluded.{name}" for name in _SHOWN]
)

_PARAMETERS = {name: f"${place}" for place, name in enumerate(COLUMNS, 1)}

# A null version that is the newest so far is found by its id from now on.
_ADDED = f"""WITH newest AS (
    SELECT sequence, version_id FROM versions WHERE bucket = $1 AND key = $2
    ORDER BY sequence DESC LIMIT 1
), beneath AS (
    UPDATE versions SET is_beneath = 1 FROM newest
    WHERE bucket = $1 AND key = $2 AND versions.sequence = newest.sequence
    AND newest.version_id = 'null' AND $9 <> 'null'
), done AS (
    INSERT INTO versions ({", ".join(COLUMNS)}) SELECT {", ".join(_PARAMETERS.values())}
    WHERE EXISTS (SELECT 1 FROM buckets WHERE number = $1)
    AND NOT EXISTS (SELECT 1 FROM newest WHERE version_id = $9)
    AND NOT EXISTS (SELECT 1 FROM versions WHERE bucket = $1 AND key = $2 AND version_id = $9
        AND (version_id <> 'null' OR is_beneath = 1))
    RETURNING 1
)"""

# A row over another one's: its place in the order is another one then.
_TAKEN = f"""WITH done AS (
    UPDATE versions SET {", ".join([f"{name} = {_PARAMETERS[name]}" for name in COLUMNS[2:]])}
    WHERE bucket = $1 AND key = $2 AND sequence = $17 AND size = $18 RETURNING 1
), before AS (
    DELETE FROM bodies WHERE sequence = $17 AND EXISTS (SELECT 1 FROM done) RETURNING 1
)"""

_UNLISTED = """, unlisted AS (
    DELETE FROM current_versions WHERE bucket = $1 AND key = $2 AND EXISTS (SELECT 1 FROM done)
)"""

_NOW_LISTED = f""", listed AS (
    {_LISTED} SELECT $1, $2, {", ".join([_PARAMETERS[name] for name in _SHOWN])} FROM done {_OR_RELISTED}
)"""


@cache
def added(is_marker: bool, has_body: bool, takes_place: bool) -> str:
    """A statement that adds a version, which becomes the latest.

    It takes the row of the version; where it takes the place of another, the sequence and the size of that one; the row of the body if it has one. It
    gives how many were added, 1 or 0, and how many bodies went.

    :param takes_place: whether it is written over the row of the latest, whose id it has.
    """
    parts = [_TAKEN if takes_place else _ADDED, _UNLISTED if is_marker else _NOW_LISTED]
    if has_body:
        first = len(COLUMNS) + (3 if takes_place else 1)
        columns = [*BODIES.columns, "checked"]
        values = ", ".join([f"${first + place}" for place in range(len(columns))])
        parts.append(
            f", body AS (INSERT INTO bodies ({', '.join(columns)}) SELECT {values} FROM done)"
        )
    bodies = "(SELECT COUNT(*) FROM before)" if takes_place else "0"
    return f"{''.join(parts)} SELECT (SELECT COUNT(*) FROM done), {bodies}"


REMOVED = f"""WITH done AS (
    DELETE FROM versions WHERE bucket = $1 AND key = $2 AND sequence = $3 RETURNING size
), newest AS (
    SELECT * FROM versions WHERE bucket = $1 AND key = $2 AND sequence <> $3
    ORDER BY sequence DESC LIMIT 1
), unlisted AS (
    DELETE FROM current_versions WHERE bucket = $1 AND key = $2 AND sequence = $3
    AND NOT EXISTS (SELECT 1 FROM newest WHERE is_delete_marker = 0)
), listed AS (
    {_LISTED} SELECT bucket, key, {", ".join([f"newest.{name}" for name in _SHOWN])} FROM newest, done
    WHERE newest.sequence < $3 AND is_delete_marker = 0 {_OR_RELISTED}
), body AS (
    DELETE FROM bodies WHERE sequence = $3 AND EXISTS (SELECT 1 FROM done) RETURNING 1
) SELECT (SELECT size FROM done), (SELECT COUNT(*) FROM body)"""
"""Removes a version, by bucket, key and sequence. It gives the size that it had, nothing where it was not there, and how many bodies went."""

CHANGED = (*VERSIONS.replaced(VERSIONS.columns), "checked")
"""The columns that change when a version is replaced."""

REPLACED = f"""WITH done AS (
    UPDATE versions SET {", ".join([f"{name} = ${place}" for place, name in enumerate(CHANGED, 4)])}
    WHERE bucket = $1 AND key = $2 AND sequence = $3 RETURNING modified, etag, traits
) UPDATE current_versions SET modified = done.modified, etag = done.etag, traits = done.traits FROM done
    WHERE bucket = $1 AND key = $2 AND sequence = $3"""
"""Changes what may change of a version: takes its place, and what :data:`CHANGED` have then."""

LATEST = f"""SELECT {SELECTED}, current_versions.sequence FROM (SELECT 1) AS one
    LEFT JOIN LATERAL (
        SELECT * FROM versions WHERE bucket = $1 AND key = $2 ORDER BY sequence DESC LIMIT 1
    ) AS versions ON true
    LEFT JOIN current_versions ON current_versions.bucket = $1 AND current_versions.key = $2"""
"""The newest version of a key, and which one the list of current versions has: should they differ, one of them was lost."""

BODY_AT_ONCE = 16_384
"""Bytes of a body that come with its version at most: who asks for the head alone does not want them."""

NEAREST = f"""SELECT (SELECT id FROM epoch), {TOLD}, {SELECTED}, current_versions.sequence, {BODIES.select} FROM time_noted
    LEFT JOIN LATERAL (
        SELECT * FROM versions WHERE bucket = $1 AND key = $2 ORDER BY sequence DESC LIMIT 1
    ) AS versions ON true
    LEFT JOIN current_versions ON current_versions.bucket = $1 AND current_versions.key = $2
    LEFT JOIN bodies ON bodies.sequence = versions.sequence AND versions.size <= {BODY_AT_ONCE}"""
"""As :data:`LATEST`, in one snapshot with the epoch, with the time, and with the body where that is small."""

# The last term is that of the index.
NAMED = f"""SELECT {SELECTED} FROM versions
    WHERE bucket = $1 AND key = $2 AND version_id = $3 AND (version_id <> 'null' OR is_beneath = 1)"""

STORED = (
    f"SELECT {SELECTED} FROM versions WHERE bucket = $1 AND key = $2 AND sequence = $3"
)

RELISTED = f"""WITH newest AS (
    SELECT * FROM versions WHERE bucket = $1 AND key = $2 ORDER BY sequence DESC LIMIT 1
), unlisted AS (
    DELETE FROM current_versions WHERE bucket = $1 AND key = $2
    AND NOT EXISTS (SELECT 1 FROM newest WHERE is_delete_marker = 0)
) {_LISTED} SELECT bucket, key, {", ".join([f"newest.{name}" for name in _SHOWN])} FROM newest
    WHERE is_delete_marker = 0 {_OR_RELISTED}"""
"""Has the list of current versions say of a key what its versions are."""

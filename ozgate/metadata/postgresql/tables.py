"""The tables of what is no object: volumes, buckets, who is who, what processes share. Those of objects are in ``objecttables``.

Text is compared by its bytes, as everywhere here (``COLLATE "C"``). There are no foreign keys: each insert would lock the row that it refers to, and
so make a hot one of a bucket's; claims have what belongs together change together. Source: PostgreSQL, "Row-Level Locks".
"""

from __future__ import annotations

from .base import STEP

_TEXT = 'text COLLATE "C"'

ORDER = (
    f"CREATE SEQUENCE version_sequence INCREMENT BY {STEP}",
    # A sequence for the reason that it is kept without a transaction, so that nobody waits for anybody.
    "CREATE SEQUENCE time_noted",
    # A crash leaves it empty, as does a promotion: numbers of transactions mean nothing then that were given before. Source: PostgreSQL, "CREATE TABLE" (UNLOGGED).
    f"""CREATE UNLOGGED TABLE incarnation (
        place smallint PRIMARY KEY CHECK (place = 1),
        id {_TEXT} NOT NULL
    )""",
    """CREATE FUNCTION claim(things bigint[], shared boolean[])
        RETURNS TABLE (xid text, sequence bigint, clock bigint, noted bigint) LANGUAGE plpgsql AS $$
    BEGIN
        FOR place IN 1 .. COALESCE(cardinality(things), 0) LOOP
            IF shared[place] THEN
                PERFORM pg_advisory_xact_lock_shared(things[place]);
            ELSE
                PERFORM pg_advisory_xact_lock(things[place]);
            END IF;
        END LOOP;
        RETURN QUERY SELECT pg_current_xact_id()::text, nextval('version_sequence'),
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint, time_noted.last_value
            FROM time_noted;
    END $$""",
)

BUCKETS = (
    f"""CREATE TABLE volumes (
        number bigint PRIMARY KEY,
        name {_TEXT} NOT NULL UNIQUE,
        owner {_TEXT} NOT NULL,
        created bigint NOT NULL,
        admin {_TEXT} NOT NULL,
        quota_bytes bigint NOT NULL,
        quota_names bigint NOT NULL,
        acls {_TEXT} NOT NULL,
        modified bigint NOT NULL,
        checked bigint NOT NULL
    )""",
    f"""CREATE TABLE buckets (
        number bigint PRIMARY KEY,
        volume {_TEXT} NOT NULL,
        name {_TEXT} NOT NULL,
        owner {_TEXT} NOT NULL,
        created bigint NOT NULL,
        region {_TEXT} NOT NULL,
        versioning {_TEXT} NOT NULL,
        source_volume {_TEXT},
        source_bucket {_TEXT},
        quota_bytes bigint NOT NULL,
        quota_names bigint NOT NULL,
        acls {_TEXT} NOT NULL,
        modified bigint NOT NULL,
        layout {_TEXT} NOT NULL,
        configured {_TEXT} NOT NULL,
        checked bigint NOT NULL,
        UNIQUE (volume, name)
    )""",
    f"""CREATE TABLE configurations (
        bucket bigint NOT NULL,
        kind {_TEXT} NOT NULL,
        document bytea NOT NULL,
        checked bigint NOT NULL,
        PRIMARY KEY (bucket, kind)
    )""",
    # Room in each page, so that a new state of a row finds place beside the old one, and the index stays as it is.
    """CREATE TABLE usage (
        place bigint NOT NULL,
        shard integer NOT NULL,
        bytes bigint NOT NULL,
        names bigint NOT NULL,
        PRIMARY KEY (place, shard)
    ) WITH (fillfactor = 50)""",
)

IDENTITIES = (
    f"""CREATE TABLE users (
        name {_TEXT} PRIMARY KEY,
        id {_TEXT} NOT NULL,
        created bigint NOT NULL,
        is_disabled smallint NOT NULL,
        groups {_TEXT} NOT NULL,
        policies {_TEXT} NOT NULL,
        inline {_TEXT} NOT NULL,
        tags {_TEXT} NOT NULL,
        more {_TEXT} NOT NULL,
        checked bigint NOT NULL
    )""",
    f"""CREATE TABLE groups (
        name {_TEXT} PRIMARY KEY,
        id {_TEXT} NOT NULL,
        created bigint NOT NULL,
        policies {_TEXT} NOT NULL,
        inline {_TEXT} NOT NULL,
        more {_TEXT} NOT NULL,
        checked bigint NOT NULL
    )""",
    f"""CREATE TABLE policies (
        name {_TEXT} PRIMARY KEY,
        id {_TEXT} NOT NULL,
        created bigint NOT NULL,
        document {_TEXT} NOT NULL,
        updated bigint NOT NULL,
        version bigint NOT NULL,
        description {_TEXT} NOT NULL,
        tags {_TEXT} NOT NULL,
        more {_TEXT} NOT NULL,
        checked bigint NOT NULL
    )""",
    f"""CREATE TABLE secrets (
        access_id {_TEXT} PRIMARY KEY,
        "user" {_TEXT} NOT NULL,
        created bigint NOT NULL,
        expires bigint,
        is_managed smallint NOT NULL,
        is_disabled smallint NOT NULL,
        limits {_TEXT} NOT NULL,
        description {_TEXT} NOT NULL,
        created_by {_TEXT} NOT NULL,
        sealed bytea NOT NULL,
        checked bigint NOT NULL
    )""",
    'CREATE INDEX secrets_of_users ON secrets ("user", access_id)',
)

SHARED = (
    f"""CREATE TABLE leases (
        name {_TEXT} PRIMARY KEY,
        owner {_TEXT} NOT NULL,
        expires bigint NOT NULL,
        term bigint NOT NULL
    )""",
    f"""CREATE TABLE processes (
        id {_TEXT} PRIMARY KEY,
        since bigint NOT NULL,
        reads_since bigint NOT NULL,
        noted_until bigint NOT NULL
    )""",
    f"""CREATE TABLE settings (
        name {_TEXT} PRIMARY KEY,
        value bytea NOT NULL
    )""",
    f"""CREATE TABLE events (
        sequence bigint PRIMARY KEY,
        event {_TEXT} NOT NULL,
        checked bigint NOT NULL
    )""",
)

"""The statements of the first three migrations, as they were released."""

from __future__ import annotations

_COUNTED = """SELECT
    (SELECT COALESCE(SUM(size), 0) FROM versions WHERE bucket = buckets.number)
    + (SELECT COALESCE(SUM(parts.size), 0) FROM uploads
        JOIN parts ON parts.upload = uploads.number WHERE uploads.bucket = buckets.number),
    (SELECT COUNT(*) FROM versions WHERE bucket = buckets.number)"""
"""Bytes and names of the bucket of an outer statement, from its rows."""

TABLES = (
    """CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE volumes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        created INTEGER NOT NULL
    )""",
    # AUTOINCREMENT: a bucket's number is never given to another bucket.
    """CREATE TABLE buckets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        volume TEXT NOT NULL REFERENCES volumes (name),
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        created INTEGER NOT NULL,
        region TEXT NOT NULL,
        versioning TEXT NOT NULL,
        source_volume TEXT,
        source_bucket TEXT,
        UNIQUE (volume, name)
    )""",
    """CREATE TABLE configurations (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        kind TEXT NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (bucket, kind)
    ) WITHOUT ROWID""",
    # The columns that can be long come last, so that a listing does not read them.
    """CREATE TABLE versions (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        is_latest INTEGER NOT NULL,
        is_delete_marker INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        owner TEXT NOT NULL,
        storage_class TEXT NOT NULL,
        version_id TEXT NOT NULL,
        checksum_algorithm TEXT NOT NULL,
        checksum_type TEXT NOT NULL,
        checksum_value TEXT NOT NULL,
        parts_count INTEGER NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (bucket, key, sequence DESC)
    ) WITHOUT ROWID""",
    # What a listing of current objects reads, and nothing else. The two flags are in it, although
    # they never differ, for SQLite to see that it need not look at the table.
    """CREATE UNIQUE INDEX current_versions ON versions (
        bucket, key, sequence, modified, size, etag, owner, storage_class,
        version_id, checksum_algorithm, checksum_type, is_latest, is_delete_marker
    ) WHERE is_latest = 1 AND is_delete_marker = 0""",
    # Finds a version by its id. The only version of a key in a bucket that was never
    # versioned is found without, so that it costs such a bucket nothing.
    """CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)
        WHERE is_latest = 0 OR version_id <> 'null'""",
    """CREATE TABLE bodies (
        sequence INTEGER PRIMARY KEY,
        body BLOB NOT NULL
    )""",
    # An owner is the sequence of a version, or the number of a part from the same counter.
    """CREATE TABLE extents (
        owner INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        blob_length INTEGER NOT NULL,
        blob_crc64nvme INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        length INTEGER NOT NULL,
        PRIMARY KEY (owner, ordinal)
    ) WITHOUT ROWID""",
    "CREATE INDEX extents_blob ON extents (blob, store)",
    """CREATE TABLE object_parts (
        sequence INTEGER NOT NULL,
        number INTEGER NOT NULL,
        size INTEGER NOT NULL,
        checksum TEXT,
        PRIMARY KEY (sequence, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE uploads (
        number INTEGER PRIMARY KEY,
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        upload_id TEXT NOT NULL,
        initiated INTEGER NOT NULL,
        owner TEXT NOT NULL,
        storage_class TEXT NOT NULL,
        checksum_algorithm TEXT NOT NULL,
        checksum_type TEXT NOT NULL,
        is_completed INTEGER NOT NULL,
        completed TEXT NOT NULL,
        completed_parts TEXT NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        UNIQUE (bucket, key, upload_id)
    )""",
    """CREATE INDEX open_uploads ON uploads (bucket, key, upload_id)
        WHERE is_completed = 0""",
    "CREATE INDEX uploads_initiated ON uploads (initiated)",
    """CREATE TABLE parts (
        upload INTEGER NOT NULL,
        number INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified INTEGER NOT NULL,
        checksums TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE doomed (
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        doomed_at INTEGER NOT NULL,
        PRIMARY KEY (store, blob)
    ) WITHOUT ROWID""",
    "CREATE INDEX doomed_order ON doomed (doomed_at)",
    """CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE secrets (
        access_id TEXT PRIMARY KEY,
        secret TEXT NOT NULL
    ) WITHOUT ROWID""",
)


SURFACE = (
    "ALTER TABLE volumes ADD COLUMN admin TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE volumes ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE volumes ADD COLUMN quota_names INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE volumes ADD COLUMN acls TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE volumes ADD COLUMN modified INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE volumes ADD COLUMN used_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE volumes ADD COLUMN used_names INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE buckets ADD COLUMN quota_names INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE buckets ADD COLUMN acls TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE buckets ADD COLUMN modified INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN used_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN used_names INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN layout TEXT NOT NULL DEFAULT 'OBJECT_STORE'",
    "UPDATE buckets SET modified = created",
    "UPDATE volumes SET modified = created, admin = owner",
    f"UPDATE buckets SET (used_bytes, used_names) = ({_COUNTED})",
    """UPDATE volumes SET (used_bytes, used_names) = (
        SELECT COALESCE(SUM(used_bytes), 0), COUNT(*) FROM buckets
        WHERE buckets.volume = volumes.name
    )""",
    # Nothing issued secrets before this version, and clear ones are not wanted any more.
    "DROP TABLE secrets",
    """CREATE TABLE secrets (
        access_id TEXT PRIMARY KEY,
        user TEXT NOT NULL,
        sealed BLOB NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER
    ) WITHOUT ROWID""",
    """CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID""",
)


LISTING = (
    # What a listing shows that repeats from row to row is one column: SQLite and Python take time for each.
    """CREATE TABLE versions_3 (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        is_latest INTEGER NOT NULL,
        is_delete_marker INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        traits TEXT NOT NULL,
        version_id TEXT NOT NULL,
        checksum_value TEXT NOT NULL,
        parts_count INTEGER NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (bucket, key, sequence DESC)
    ) WITHOUT ROWID""",
    """INSERT INTO versions_3 SELECT bucket, key, sequence, is_latest, is_delete_marker, modified, size, etag,
        owner || char(10) || storage_class || char(10) || checksum_algorithm || char(10) || checksum_type,
        version_id, checksum_value, parts_count, tags, headers, metadata FROM versions""",
    "DROP TABLE versions",
    "ALTER TABLE versions_3 RENAME TO versions",
    """CREATE UNIQUE INDEX current_versions ON versions (
        bucket, key, modified, size, etag, traits, is_latest, is_delete_marker
    ) WHERE is_latest = 1 AND is_delete_marker = 0""",
    """CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)
        WHERE is_latest = 0 OR version_id <> 'null'""",
)

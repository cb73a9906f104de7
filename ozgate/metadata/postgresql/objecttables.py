"""The tables of objects: versions and where their bytes are, uploads and parts, and blobs that lost their names.

A row has the columns of its declaration (:mod:`ozgate.metadata.declared.tables`), so that its check is that of SQLite's, and rows go from one to
the other as they are. Keys are bytes, as PostgreSQL's text has no NUL (source: PostgreSQL manual, "8.3. Character Types"); bytes sort as keys do.

There are no foreign keys: each insert would lock the row of its bucket, and all of one bucket would write to that row (source: PostgreSQL manual,
"13.3.2. Row-Level Locks"). What is claimed is there.
"""

from __future__ import annotations

_TEXT = 'text COLLATE "C" NOT NULL'

OBJECTS = (
    # No row says that it is the latest: it would be written again whenever another comes. A null version that was found beneath
    # others says so, once; until then it is found as the newest.
    f"""CREATE TABLE versions (
        bucket bigint NOT NULL,
        key bytea NOT NULL,
        sequence bigint NOT NULL,
        is_delete_marker smallint NOT NULL,
        modified bigint NOT NULL,
        size bigint NOT NULL,
        etag {_TEXT},
        traits {_TEXT},
        version_id {_TEXT},
        checksum_value {_TEXT},
        parts_count bigint NOT NULL,
        tags {_TEXT},
        headers {_TEXT},
        metadata {_TEXT},
        more {_TEXT},
        checked bigint NOT NULL,
        is_beneath smallint NOT NULL DEFAULT 0
    )""",
    "CREATE UNIQUE INDEX versions_order ON versions (bucket, key, sequence DESC)",
    """CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)
        WHERE version_id <> 'null' OR is_beneath = 1""",
    # What a listing of current objects reads, and nothing else. None of its columns but those of the key is in an index, so that a
    # row that is written anew leaves the index as it is ("heap-only tuples"), for which pages have room.
    f"""CREATE TABLE current_versions (
        bucket bigint NOT NULL,
        key bytea NOT NULL,
        sequence bigint NOT NULL,
        modified bigint NOT NULL,
        size bigint NOT NULL,
        etag {_TEXT},
        traits {_TEXT},
        PRIMARY KEY (bucket, key)
    ) WITH (fillfactor = 90)""",
    f"""CREATE TABLE bodies (
        sequence bigint PRIMARY KEY,
        seal {_TEXT},
        body bytea NOT NULL,
        checked bigint NOT NULL
    )""",
    # An owner is the sequence of a version, or the number of a part from the same counter.
    f"""CREATE TABLE extents (
        owner bigint NOT NULL,
        start bigint NOT NULL,
        store {_TEXT},
        blob {_TEXT},
        blob_length bigint NOT NULL,
        blob_crc64nvme bigint NOT NULL,
        "offset" bigint NOT NULL,
        length bigint NOT NULL,
        seal {_TEXT},
        checked bigint NOT NULL,
        PRIMARY KEY (owner, start)
    )""",
    "CREATE INDEX extents_blob ON extents (blob, store)",
    f"""CREATE TABLE object_parts (
        sequence bigint NOT NULL,
        number bigint NOT NULL,
        start bigint NOT NULL,
        size bigint NOT NULL,
        checksum text COLLATE "C",
        etag {_TEXT},
        checked bigint NOT NULL,
        PRIMARY KEY (sequence, number)
    )""",
    f"""CREATE TABLE uploads (
        number bigint PRIMARY KEY,
        bucket bigint NOT NULL,
        key bytea NOT NULL,
        upload_id {_TEXT},
        initiated bigint NOT NULL,
        owner {_TEXT},
        storage_class {_TEXT},
        checksum_algorithm {_TEXT},
        checksum_type {_TEXT},
        is_completed smallint NOT NULL,
        completed {_TEXT},
        completed_parts {_TEXT},
        tags {_TEXT},
        headers {_TEXT},
        metadata {_TEXT},
        more {_TEXT},
        checked bigint NOT NULL
    )""",
    # The key comes last, so that no list is read in this order, in which there are completed ones, too.
    "CREATE UNIQUE INDEX named_uploads ON uploads (bucket, upload_id, key)",
    """CREATE INDEX open_uploads ON uploads (bucket, key, upload_id)
        WHERE is_completed = 0""",
    "CREATE INDEX uploads_initiated ON uploads (initiated, number)",
    f"""CREATE TABLE parts (
        upload bigint NOT NULL,
        number bigint NOT NULL,
        owner bigint NOT NULL,
        size bigint NOT NULL,
        etag {_TEXT},
        modified bigint NOT NULL,
        checksums {_TEXT},
        checked bigint NOT NULL,
        PRIMARY KEY (upload, number)
    )""",
    """CREATE TABLE retired (
        owner bigint PRIMARY KEY,
        retired_at bigint NOT NULL,
        checked bigint NOT NULL
    )""",
    f"""CREATE TABLE doomed (
        store {_TEXT},
        blob {_TEXT},
        doomed_at bigint NOT NULL,
        PRIMARY KEY (store, blob)
    )""",
    "CREATE INDEX doomed_order ON doomed (store, doomed_at, blob)",
)
"""Statements that make them."""

RELIST = (
    "DELETE FROM current_versions",
    """INSERT INTO current_versions (bucket, key, sequence, modified, size, etag, traits)
    SELECT bucket, key, sequence, modified, size, etag, traits FROM (
        SELECT DISTINCT ON (bucket, key) * FROM versions ORDER BY bucket, key, sequence DESC
    ) AS newest WHERE is_delete_marker = 0""",
    """UPDATE versions SET is_beneath = 1 WHERE version_id = 'null' AND is_beneath = 0 AND EXISTS (
        SELECT 1 FROM versions AS newer WHERE newer.bucket = versions.bucket AND newer.key = versions.key
        AND newer.sequence > versions.sequence)""",
)
"""Statements that make anew, from the versions, what follows from them: for whoever stored versions in another way than one by one."""

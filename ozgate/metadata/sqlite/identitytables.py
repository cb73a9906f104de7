"""The statements of the migration that brings users, groups and policies."""

from __future__ import annotations

IDENTITIES = (
    """CREATE TABLE users (
        name TEXT PRIMARY KEY,
        id TEXT NOT NULL,
        created INTEGER NOT NULL,
        is_disabled INTEGER NOT NULL,
        groups TEXT NOT NULL,
        policies TEXT NOT NULL,
        inline TEXT NOT NULL,
        tags TEXT NOT NULL,
        more TEXT NOT NULL DEFAULT '',
        checked INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE groups (
        name TEXT PRIMARY KEY,
        id TEXT NOT NULL,
        created INTEGER NOT NULL,
        policies TEXT NOT NULL,
        inline TEXT NOT NULL,
        more TEXT NOT NULL DEFAULT '',
        checked INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE policies (
        name TEXT PRIMARY KEY,
        id TEXT NOT NULL,
        created INTEGER NOT NULL,
        document TEXT NOT NULL,
        updated INTEGER NOT NULL,
        version INTEGER NOT NULL,
        description TEXT NOT NULL,
        tags TEXT NOT NULL,
        more TEXT NOT NULL DEFAULT '',
        checked INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "ALTER TABLE secrets ADD COLUMN is_managed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE secrets ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE secrets ADD COLUMN limits TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE secrets ADD COLUMN description TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE secrets ADD COLUMN created_by TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX secrets_of_users ON secrets (user, access_id)",
)

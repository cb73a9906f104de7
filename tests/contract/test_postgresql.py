"""The provider of metadata on PostgreSQL keeps the contract, on a real server."""

from __future__ import annotations

from functools import cache

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest

from ozgate.interfaces import IMetadataStore
from ozgate.testing.metadata_contract import Provider, contract_of
from tests.engines.postgresql import shared

try:
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    PostgreSQLMetadataStore = None  # type: ignore[assignment,misc]

_EMPTY = """DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'ozgate_schema' LOOP
        EXECUTE format('DELETE FROM %I', found.tablename);
    END LOOP;
    IF to_regclass('time_noted') IS NOT NULL THEN
        PERFORM setval('time_noted', 1, false);
    END IF;
END $$"""
"""As a new database, once its schema was made: which is what takes time."""


@cache
def database() -> str:
    """The URL of the one that all tests here have, one after the other."""
    return shared().database()


class PostgreSQL(Provider):
    """The provider on PostgreSQL."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A database in which nothing is."""
        if PostgreSQLMetadataStore is None:
            raise SkipTest("psycopg is not installed (the extra postgresql)")
        name = database().partition("?")[0].rpartition("/")[2]
        shared().execute(_EMPTY, name)
        return self.make_other(None, clock)

    def make_other(self, store: IMetadataStore | None, clock: Clock) -> IMetadataStore:
        """Connections of its own to the same database."""
        return PostgreSQLMetadataStore(Address(database()), reactor, clock.seconds)


globals().update(contract_of(PostgreSQL))

"""Lists over metadata in PostgreSQL: what they cost the gateway and the database, and that this does not grow with the bucket.

A PostgreSQL server of the benchmark's own (Debian: ``postgresql``, the extra ``postgresql``) gets buckets of 10,000 keys and of as many as asked for,
and one of 1,000 prefixes with 1,000 keys each. What lists read is put there by statements, as versions that nobody reads would only take room and time.
Measured are the time of the database for a page, in both buckets by turns; for a page of 1,000 common prefixes, which is one statement; and the CPU time
of a gateway that lists 1,000,000 keys. Small objects are in :mod:`benchmarks.gateways`.
Run ``python -m benchmarks.postgresql [keys]``, 5,000,000 by default; 100,000 take a minute.
"""

from __future__ import annotations

import json
import os
import tempfile
from statistics import median
from typing import Any

import psycopg
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.filling import make_bucket
from benchmarks.measure import Gateway, argument, verdict
from benchmarks.versions import list_all
from ozgate.metadata.postgresql.connections import Address
from ozgate.metadata.postgresql.listing import Range, in_order, rolled_up
from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
from ozgate.metadata.postgresql.versions import CURRENT
from ozgate.values import Claim
from tests.engines.postgresql import PostgreSQL

SMALL = 10_000
PREFIXES = KEYS_OF_EACH = 1000
PAGE = 1000

_PUT = """INSERT INTO current_versions SELECT {bucket}, convert_to({name}, 'UTF8'), n, 1700000000000, 4096,
    md5(n::text), E'benchmark\\nSTANDARD\\nCRC64NVME\\nFULL_OBJECT' FROM generate_series(0, {keys} - 1) AS n"""

FLAT = "'key-' || lpad(n::text, 9, '0')"
DEEP = f"lpad((n / {KEYS_OF_EACH})::text, 6, '0') || '/' || lpad((n % {KEYS_OF_EACH})::text, 6, '0')"

_PLANS = "SET jit = off; SET enable_bitmapscan = off; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"


def add(tx: Any, name: str) -> int:
    """Make a bucket; its number."""
    tx.claim(Claim.volume("s3v"), Claim.volume_usage("s3v"), Claim.name("s3v", name))
    return make_bucket(tx, name).number


async def made(url: str, names: list[str]) -> dict[str, int]:
    """Buckets in a new database, by name."""
    store = PostgreSQLMetadataStore(Address(url), reactor)
    await store.prepare()
    await store.open()
    numbers = {name: await store.write(add, name) for name in names}
    await store.close()
    return numbers


def buckets_in(url: str, names: list[str]) -> dict[str, int]:
    """Likewise. The reactor runs for nothing else, and not again."""
    found: dict[str, int] = {}

    async def run() -> None:
        found.update(await made(url, names))

    try:
        react(lambda _: Deferred.fromCoroutine(run()))
    except SystemExit as ended:
        if ended.code:
            raise
    return found


class Database:
    """What the database needs for a statement."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(
            url, autocommit=True, cursor_factory=psycopg.RawCursor
        )
        for each in _PLANS.split("; "):
            self._connection.execute(each)

    def fill(self, bucket: int, keys: int, name: str) -> None:
        """Have so many keys listed in a bucket."""
        self._connection.execute(_PUT.format(bucket=bucket, keys=keys, name=name))

    def settle(self) -> None:
        """Have no work left from that."""
        self._connection.execute("VACUUM ANALYZE current_versions")

    def milliseconds(self, statement: str, wanted: Range, rows: int) -> float:
        """What a page takes the database, without what is between it and us."""
        explained = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
        parameters = wanted.parameters(PAGE + 1)
        row = self._connection.execute(explained, parameters).fetchone()
        assert row is not None
        [plan] = row[0] if isinstance(row[0], list) else json.loads(row[0])
        if plan["Plan"]["Actual Rows"] != rows:
            raise RuntimeError(f"{plan['Plan']['Actual Rows']} rows of {rows}")
        taken: float = plan["Execution Time"]
        return taken


def by_turns(database: Database, small: int, large: int, keys: int) -> bool:
    """Pages out of the middle of both buckets."""
    statement = in_order(CURRENT, False)
    spent: dict[int, list[float]] = {small: [], large: []}
    for turn in range(60):
        for bucket, count in ((small, SMALL), (large, keys)):
            after = f"key-{count * (turn + 1) // 80:09d}"
            page = Range(bucket, "", after, "")
            spent[bucket].append(database.milliseconds(statement, page, PAGE + 1))
    few, many = median(spent[small]), median(spent[large])
    print(
        f"     a page of {PAGE}: {few:.3f} ms of {SMALL:,} keys, {many:.3f} ms of {keys:,}"
    )
    return verdict("a page of many keys", many / few, 1.5, at_most=True, unit="x")


def skipping(database: Database, bucket: int) -> bool:
    """A page of common prefixes."""
    statement, wanted = rolled_up(CURRENT, False), Range(bucket, "", "", "/")
    spent = [database.milliseconds(statement, wanted, PREFIXES) for _ in range(15)]
    name = f"{PREFIXES} prefixes of {KEYS_OF_EACH} keys, time of the database"
    return verdict(name, median(spent), 60, at_most=True, unit=" ms")


def listing(server: Gateway, bucket: str, keys: int) -> bool:
    """All of a bucket, by a gateway."""
    list_all(server, "small", "")
    before = server.cpu
    found = list_all(server, bucket, "")
    rate = found / (server.cpu - before)
    if found != keys:
        raise RuntimeError(f"{found} listed of {keys}")
    return verdict(
        "keys listed per CPU-second of the gateway", rate, 60_000, at_most=False
    )


def main() -> int:
    """Print the figures; 1 when one misses."""
    keys = int(argument(__doc__, "keys", 5_000_000))
    listed = min(keys, 1_000_000)
    engine = PostgreSQL()
    try:
        with tempfile.TemporaryDirectory(prefix="ozgate-postgresql-") as folder:
            url = engine.database()
            names = ["small", "large", "listed", "prefixes"]
            numbers = buckets_in(url, names)
            small, large, million, prefixes = (numbers[name] for name in names)
            database = Database(url)
            database.fill(small, SMALL, FLAT)
            database.fill(large, keys, FLAT)
            database.fill(million, listed, FLAT)
            database.fill(prefixes, PREFIXES * KEYS_OF_EACH, DEEP)
            database.settle()
            engine.execute("CHECKPOINT")
            results = [
                by_turns(database, small, large, keys),
                skipping(database, prefixes),
            ]
            option = ("-D", f"ozgate.metadata={url}")
            server = Gateway(os.path.join(folder, "data"), None, *option)
            try:
                results.append(listing(server, "listed", listed))
            finally:
                server.stop()
    finally:
        engine.end()
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""What a database and a bucket hold, as tests look at it: all rows, and the bytes of all blobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from typing import Any

from attrs import Factory, field, frozen

from tests import elsewhere

_OTHERS = ("ozgate_schema", "time_noted", "incarnation", "epoch")
"""Tables that say nothing of what is stored."""


@frozen
class Rows:
    """All rows; two that are equal are of databases that hold the same.

    :ivar tables: by name, in order.
    :ivar doomed: by store and id.
    :ivar columns: of each table, in order.
    """

    tables: Mapping[str, tuple[Any, ...]] = Factory(dict)
    doomed: Mapping[tuple[str, str], Any] = Factory(dict)
    columns: Mapping[str, list[str]] = field(factory=dict, eq=False)

    def _by(self, table: str, *names: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        places = [self.columns[table].index(name) for name in names]
        return {
            tuple(_text(row[place]) for place in places): row
            for row in self.tables[table]
        }

    @property
    def buckets(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """By volume and name."""
        return self._by("buckets", "volume", "name")

    @property
    def versions(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """The last one of each key, by bucket and key."""
        return self._by("versions", "bucket", "key")

    @property
    def uploads(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """By bucket, key and id."""
        return self._by("uploads", "bucket", "key", "upload_id")


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


@cache
def _connection(url: str) -> Any:
    import psycopg

    return psycopg.connect(url, autocommit=True)


@cache
def _tables(url: str) -> tuple[str, ...]:
    found = _connection(url).execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    return tuple(name for (name,) in found.fetchall() if name not in _OTHERS)


def rows_of(url: str) -> Rows:
    """All rows of a database."""
    connection, tables = _connection(url), dict[str, tuple[Any, ...]]()
    columns: dict[str, list[str]] = {}
    with connection.pipeline():
        asked = {t: connection.execute(f"SELECT * FROM {t}") for t in _tables(url)}
    for table, cursor in asked.items():
        tables[table] = tuple(sorted(cursor.fetchall(), key=repr))
        columns[table] = [column.name for column in cursor.description]
    doomed = tables.pop("doomed")
    places = {(store, blob): since for store, blob, since in doomed}
    return Rows(tables, places, columns)


def emptied(url: str) -> None:
    """Have a database hold nothing, not even a time before which it cannot be."""
    with_rows(url, Rows())
    _connection(url).execute("SELECT setval('time_noted', 1, false)")


def with_rows(url: str, rows: Rows) -> None:
    """Have a database hold these rows, and no others."""
    connection = _connection(url)
    found = dict(rows.tables)
    found["doomed"] = tuple((*place, since) for place, since in rows.doomed.items())
    with connection.transaction(), connection.pipeline():
        for table in _tables(url):
            connection.execute(f"DELETE FROM {table}")
            for row in found.get(table, ()):
                holes = ", ".join(["%s"] * len(row))
                connection.execute(f"INSERT INTO {table} VALUES ({holes})", row)


class Objects(MutableMapping[str, bytes]):
    """The bytes of blobs, by their ids. Those that are taken away can be brought back.

    :param place: bucket and prefix.
    """

    def __init__(self, place: str) -> None:
        self._bucket, _, prefix = place.partition("/")
        self._prefix = f"{prefix}/data/"
        self._away: dict[str, bytes] = {}

    def _ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        status, _, answer = elsewhere.engine().request(method, target, body=body)
        if status == 404:
            raise KeyError(target)
        assert status < 300, answer
        return answer

    def _target(self, blob_id: str) -> str:
        return f"/{self._bucket}/{self._prefix}{blob_id[-1]}{blob_id[-2]}/{blob_id}"

    def __iter__(self) -> Iterator[str]:
        from tests.contract.s3engine import keys_of

        query = f"list-type=2&prefix={self._prefix.replace('/', '%2F')}"
        listed = keys_of(self._ask("GET", f"/{self._bucket}?{query}"))
        assert len(listed) < 1000, "there may be more"
        return iter([key.rpartition("/")[2] for key in listed])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getitem__(self, blob_id: str) -> bytes:
        return _bytes_in(self._ask("GET", self._target(blob_id)))

    def __setitem__(self, blob_id: str, data: bytes) -> None:
        """Bring a blob back, or change its bytes, as a bad disk does: beneath the checks."""
        stored = self._away.pop(blob_id, None)
        if stored is None:
            stored = self._ask("GET", self._target(blob_id))
        self._ask("PUT", self._target(blob_id), _with_bytes(stored, data))

    def __delitem__(self, blob_id: str) -> None:
        self._away[blob_id] = self._ask("GET", self._target(blob_id))
        self._ask("DELETE", self._target(blob_id))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def become(self, wanted: Mapping[str, bytes]) -> None:
        """Hold what another mapping has, and nothing else; all of that was here before."""
        if wanted is self:
            wanted = {each: _bytes_in(self._away[each]) for each in self._away}
        here = set(self)
        for each in here.difference(wanted):
            del self[each]
        for each in set(wanted).difference(here):
            self[each] = wanted[each]


def _bytes_in(stored: bytes) -> bytes:
    from ozgate.blobs.s3.frames import CHECK, FRAME, TRAILER

    frames = stored[: -TRAILER.size]
    starts = range(0, len(frames), FRAME)
    return b"".join(frames[at : at + FRAME][: -CHECK.size] for at in starts)


def _with_bytes(stored: bytes, data: bytes) -> bytes:
    """An object with other bytes, and the checks that it has."""
    from ozgate.blobs.s3.frames import BLOCK, CHECK, FRAME, TRAILER

    frames, made = stored[: -TRAILER.size], b""
    for number, at in enumerate(range(0, len(frames), FRAME)):
        check = frames[at : at + FRAME][-CHECK.size :]
        made += data[number * BLOCK : (number + 1) * BLOCK] + check
    return made + stored[-TRAILER.size :]

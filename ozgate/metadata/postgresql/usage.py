"""What buckets and volumes use: counted in a transaction, stored before its commit.

There is no hot row. What a bucket uses is the sum of its rows in ``usage``, one for each *shard*, and a transaction adds to that of its
server process: two that write at the same time hardly ever wait for each other. Where a quota is set, its claim has them come one after the other.
A volume's are under its number, less than nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SHARDS = 32
"""Rows of a bucket at most: as many transactions as are likely to commit at a time, and few enough to be added up by each reader."""

USED_OF = (
    "LEFT JOIN LATERAL (SELECT SUM(bytes)::bigint AS bytes, SUM(names)::bigint AS names"
    " FROM usage WHERE place = {place}) AS used ON true"
)
USED = "COALESCE(used.bytes, 0), COALESCE(used.names, 0)"

_OF_BUCKET = f"SELECT $1::bigint, pg_backend_pid() % {SHARDS}, $2::bigint, $3::bigint"
_OF_VOLUME = (
    f"SELECT -number, pg_backend_pid() % {SHARDS}, ${{}}::bigint, ${{}}::bigint"
    " FROM volumes WHERE volumes.name = ${}"
)
_ADD = (
    "INSERT INTO usage (place, shard, bytes, names) {}"
    " ON CONFLICT (place, shard) DO UPDATE"
    " SET bytes = usage.bytes + EXCLUDED.bytes, names = usage.names + EXCLUDED.names"
)
ADD_TO_BUCKET = _ADD.format(_OF_BUCKET)
ADD_TO_VOLUME = _ADD.format(_OF_VOLUME.format(2, 3, 1))
ADD_TO_BOTH = _ADD.format(f"{_OF_BUCKET} UNION ALL {_OF_VOLUME.format(5, 6, 4)}")
"""As nearly every write has it: a bucket, and the volume that it is in."""


class Usage:
    """Changes of the counters that a transaction has yet to store."""

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[int, int]] = {}
        self._volumes: dict[str, tuple[int, int]] = {}

    def forget(self) -> None:
        """A transaction begins: nothing is to be stored."""
        self._buckets.clear()
        self._volumes.clear()

    def add(self, volume: str, bucket: int, size: int, names: int) -> None:
        """Count rows that were written, or with negative numbers removed.

        :param volume: the name of the volume that the bucket is in.
        :param bucket: its number.
        """
        self.add_to_bucket(bucket, size, names)
        self.add_to_volume(volume, size, 0)

    def add_to_bucket(self, bucket: int, size: int, names: int) -> None:
        """Likewise, of a bucket alone."""
        more_bytes, more_names = self.of_bucket(bucket)
        self._buckets[bucket] = more_bytes + size, more_names + names

    def add_to_volume(self, volume: str, size: int, names: int) -> None:
        """Likewise, of a volume alone."""
        more_bytes, more_names = self.of_volume(volume)
        self._volumes[volume] = more_bytes + size, more_names + names

    def of_bucket(self, bucket: int) -> tuple[int, int]:
        """Bytes and names that are not stored yet."""
        return self._buckets.get(bucket, (0, 0))

    def of_volume(self, volume: str) -> tuple[int, int]:
        """Likewise."""
        return self._volumes.get(volume, (0, 0))

    def forget_bucket(self, bucket: int) -> None:
        """A bucket is gone."""
        self._buckets.pop(bucket, None)

    def forget_volume(self, volume: str) -> None:
        """A volume is gone; another of its name begins at nothing."""
        self._volumes.pop(volume, None)

    def store(self, execute: Callable[[str, tuple[Any, ...]], object]) -> None:
        """Add to the rows, in the same order in every transaction."""
        buckets = [each for each in sorted(self._buckets.items()) if any(each[1])]
        volumes = [each for each in sorted(self._volumes.items()) if any(each[1])]
        if len(buckets) == len(volumes) == 1:
            [[number, more]], [[name, others]] = buckets, volumes
            execute(ADD_TO_BOTH, (number, *more, name, *others))
        else:
            for number, more in buckets:
                execute(ADD_TO_BUCKET, (number, *more))
            for name, more in volumes:
                execute(ADD_TO_VOLUME, (name, *more))
        self.forget()

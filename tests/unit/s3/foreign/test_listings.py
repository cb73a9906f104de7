"""Pages of keys of another system, against a listing worked out the plain way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.foreign.listings import rolled_page
from ozgate.testing.listing_reference import (
    DELIMITERS,
    KEYS,
    TEXTS,
    Entry,
    examples,
    expected,
    shown,
    utf8,
)
from ozgate.testing.memory_foreign import MemoryForeignSystem
from ozgate.testing.memory_foreign_keys import Key
from ozgate.values import ITSELF, ForeignObject


class RolledTests(SynchronousTestCase):
    """Prefixes, delimiters, what to go on after, and limits, of any characters."""

    @examples
    @given(
        keys=st.sets(KEYS, max_size=20),
        prefix=st.one_of(st.just(""), TEXTS),
        delimiter=DELIMITERS,
        after=st.one_of(st.just(""), TEXTS),
        limit=st.integers(1, 5),
    )
    def test_pages(
        self, keys: set[str], prefix: str, delimiter: str, after: str, limit: int
    ) -> None:
        """All pages together are the listing, and each is as long as it may be."""
        system = MemoryForeignSystem(MemoryReactorClock())
        self.successResultOf(system.create_bucket("s3v", "b", ITSELF))
        there = system.kept("s3v", "b").keys
        for key in keys:
            is_folder = key.endswith("/")
            there[key] = Key(ForeignObject(key, 0, 0, is_folder=is_folder), b"")
        left = [
            (key, key)
            for key in sorted(keys, key=utf8)
            if key > after and not (key.endswith("/") and _holds(key, keys))
        ]
        wanted = expected(left, prefix, delimiter)
        wanted = [entry for entry in wanted if entry != (after, None)]
        got: list[Entry] = []
        while True:
            bucket = system.bucket("s3v", "b", ITSELF)
            asked = rolled_page(bucket, prefix, after, delimiter, limit)
            page = self.successResultOf(Deferred.fromCoroutine(asked))
            entries = shown(page, lambda item: item.key)
            got += entries
            if page.next_after is None:
                break
            self.assertEqual(len(entries), limit)
            after = page.next_after
        self.assertEqual(got, wanted)


def _holds(folder: str, keys: set[str]) -> bool:
    """Whether something is in a folder."""
    return any(key.startswith(folder) for key in keys - {folder})

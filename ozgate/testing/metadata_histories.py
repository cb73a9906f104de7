"""Contract of metadata: several versions of each key, markers and null versions among them, after any history; held against plain lists."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Content, ObjectVersion
from .listing_reference import examples, new_bucket
from .metadata_base import MetadataTests, blob, doomed_names, extents, put
from .metadata_needs import claim_whole

KEYS = ("a/1", "a/2", "b")


class Step(NamedTuple):
    """One change of one key.

    :ivar what: ``put``, ``mark``, ``copy`` the version of a place, ``tag`` or ``remove`` it.
    :ivar is_null: whether what comes is the null version.
    :ivar place: of a version, the newest is 0; beyond the last it means none.
    """

    what: str
    key: str
    is_null: bool
    place: int


STEPS = st.builds(
    Step,
    st.sampled_from(("put", "put", "mark", "copy", "tag", "remove", "remove")),
    st.sampled_from(KEYS),
    st.booleans(),
    st.integers(0, 3),
)

Histories = dict[str, list[tuple[ObjectVersion, Content]]]
"""Key → its versions, the newest first, and where their bytes are."""


class HistoryTests(MetadataTests):
    """Versions after any history."""

    async def test_histories(self) -> None:
        """Whatever came and went, every version is found, listed, and has its bytes; one of each key is the latest; no byte is kept or let go of that should not be."""
        await self.write(_histories)

    async def test_many(self) -> None:
        """Of a key with a thousand versions, any is found by its id, and its neighbors are listed after it."""
        await self.write(_many, self.bucket)
        for number in (0, 500, 998):
            found = await self.read("version", self.bucket, "key", f"v{number:03}")
            self.assertEqual((found.etag, found.is_latest), (str(number), False))
            page = await self.read(
                "version_page", self.bucket, "", "key", found.version_id, "/", 2
            )
            below = [f"v{n:03}" for n in (number - 1, number - 2) if n >= 0]
            self.assertEqual([item.version_id for item in page.items], below)
        latest = await self.read("latest", self.bucket, "key")
        self.assertEqual((latest.version_id, latest.is_latest), ("v999", True))


def _many(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for number in range(1000):
        put(tx, bucket, "key", version_id=f"v{number:03}", etag=str(number))


def _histories(tx: IMetadataTransaction) -> None:
    seen = 0

    @examples
    @given(st.lists(STEPS, max_size=14))
    def check(steps: list[Step]) -> None:
        nonlocal seen
        bucket = new_bucket(tx)
        held: Histories = {key: [] for key in KEYS}
        for number, step in enumerate(steps):
            seen += 1
            before = _blobs(held)
            _play(tx, bucket, held[step.key], step, f"{seen}x{number}")
            gone = before - _blobs(held)
            doomed = set(doomed_names(tx))
            assert gone <= doomed, (steps, gone - doomed)
            assert not _blobs(held) & doomed, (steps, doomed)
        _check(tx, bucket, held)

    check()


def _blobs(held: Histories) -> set[str]:
    """The blobs that any version names."""
    return {
        extent.blob.id
        for versions in held.values()
        for _, content in versions
        for extent in content.extents
    }


def _play(
    tx: IMetadataTransaction,
    bucket: Bucket,
    held: list[tuple[ObjectVersion, Content]],
    step: Step,
    name: str,
) -> None:
    """Make one change in the store and in the list."""
    claim_whole(tx, bucket)
    there = held[step.place] if step.place < len(held) else None
    if step.what == "remove":
        if there is not None:
            tx.remove_version(bucket, there[0])
            held.remove(there)
    elif step.what == "tag":
        if there is not None and not there[0].is_delete_marker:
            changed = evolve(there[0], tags={"n": name})
            tx.replace_version(bucket, changed)
            held[step.place] = changed, there[1]
    else:
        content = extents(name) if step.what == "put" else Content(b"")
        if step.what == "copy" and there is not None:
            content = there[1]
        version_id = "null" if step.is_null else f"v{name}"
        made = put(
            tx,
            bucket,
            step.key,
            content,
            version_id=version_id,
            etag=name,
            is_delete_marker=step.what == "mark",
        )
        held[:] = [each for each in held if each[0].version_id != version_id]
        held.insert(0, (made, content))


def _check(tx: IMetadataTransaction, bucket: Bucket, held: Histories) -> None:
    """Hold everything that can be asked against the lists."""
    live, rows, used = [], list[tuple[str, str, bool, bool]](), [0, 0]
    for key, versions in held.items():
        latest = tx.latest(bucket, key)
        assert (latest is None) == (not versions)
        if latest is not None and not latest.is_delete_marker:
            live.append((key, latest.etag))
        for place, (version, content) in enumerate(versions):
            expected = evolve(version, is_latest=place == 0)
            assert tx.version(bucket, key, version.version_id) == expected
            assert place or latest == expected
            assert tx.content(bucket, version) == content
            shown = expected.is_latest, expected.is_delete_marker
            rows.append((key, version.version_id, *shown))
            used = [used[0] + version.size, used[1] + 1]
        assert tx.version(bucket, key, "another") is None
    page = tx.page(bucket, "", "", "", 100)
    assert [(item.key, item.etag) for item in page.items] == live
    prefixes = ("a/",) if any(key.startswith("a/") for key, _ in live) else ()
    assert tx.page(bucket, "", "", "/", 100).common_prefixes == prefixes
    assert _listed(tx, bucket) == rows
    found = tx.bucket(bucket.volume, bucket.name)
    assert found is not None
    assert [found.used_bytes, found.used_names] == used
    assert list(tx.recount(bucket)) == used
    assert all(tx.is_named("files", name) for name in _blobs(held))
    assert not tx.is_named("files", blob("another").id)


def _listed(
    tx: IMetadataTransaction, bucket: Bucket
) -> Sequence[tuple[str, str, bool, bool]]:
    """All versions, in pages of two."""
    found: list[tuple[str, str, bool, bool]] = []
    markers: tuple[Any, str] = ("", "")
    while markers[0] is not None:
        page = tx.version_page(bucket, "", *markers, "", 2)
        found += [
            (item.key, item.version_id, item.is_latest, item.is_delete_marker)
            for item in page.items
        ]
        markers = page.next_key, page.next_version_id
    return found

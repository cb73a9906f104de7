"""Contract of metadata: what buckets and volumes use is counted with the rows, whatever happens to them."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import DeferredList

from ..interfaces import IMetadataTransaction, IShared
from ..values import Bucket, Claim, Content, ObjectVersion, Volume
from .metadata_base import (
    OWNER,
    MetadataTests,
    Refused,
    extents,
    part,
    put,
    upload,
)
from .metadata_needs import claim_whole

HISTORIES = 60
"""Histories that are played in one test."""

Step = tuple[str, str, str, int]
"""What is done, in which bucket, to which key, and a number that it takes."""

NAMES = ("b1", "b2", "link")

STEPS = st.tuples(
    st.sampled_from(
        "put put marker remove retag part part complete abort drop refuse".split()
    ),
    st.sampled_from(NAMES),
    st.sampled_from(("k1", "k2")),
    st.integers(0, 5),
)


def counted(tx: IMetadataTransaction) -> tuple[object, object]:
    """What the store says is used, and what a count of all rows comes to."""
    said: list[Any] = []
    found: list[Any] = []
    for volume in tx.volumes("", "", 100):
        buckets = tx.buckets(volume.name, "", "", 100)
        counts = [tx.recount(bucket) for bucket in buckets]
        said += [(bucket.used_bytes, bucket.used_names) for bucket in buckets]
        said.append((volume.used_bytes, volume.used_names))
        found += [*counts, (sum(size for size, _ in counts), len(buckets))]
    return said, found


def play(tx: IMetadataTransaction, steps: Sequence[Step]) -> None:
    """Do what a history says, in a volume of its own.

    :raises Refused: it says so; nothing of it is to be left.
    """
    buckets = tx.buckets("played", "", "", 100)
    tx.claim(
        Claim.volume("played"),
        *(Claim.name("played", name) for name in NAMES),
        *(Claim.bucket(bucket.number) for bucket in buckets),
    )
    if tx.volume("played") is None:
        tx.add_volume(Volume("played", OWNER, tx.now()))
    for step in steps:
        _play(tx, *step)
        said, found = counted(tx)
        assert said == found, (steps, said, found)


def _play(
    tx: IMetadataTransaction, action: str, name: str, key: str, number: int
) -> None:
    if action == "refuse":
        raise Refused()
    bucket = tx.bucket("played", name)
    if bucket is None:
        source = ("played", "b1") if name == "link" else None
        bucket = tx.add_bucket(Bucket("played", name, OWNER, tx.now(), source=source))
    if bucket.source is not None:
        if action == "drop":
            tx.remove_bucket(bucket)
        return
    content = extents(*(f"{name}-{key}-{n}" for n in range(number)))
    if action == "put":
        put(tx, bucket, key, content, version_id=f"v{number % 2}")
    elif action == "marker":
        put(tx, bucket, key, Content(b""), version_id="m", is_delete_marker=True)
    elif action in ("part", "complete", "abort"):
        _play_upload(tx, bucket, action, key, number)
    elif action == "drop":
        _drop(tx, bucket, number)
    elif (latest := tx.latest(bucket, key)) is not None:
        if action == "remove":
            tx.remove_version(bucket, latest)
        else:
            tx.replace_version(bucket, evolve(latest, tags={"n": "1"}, size=999))


def _play_upload(
    tx: IMetadataTransaction, bucket: Bucket, action: str, key: str, number: int
) -> None:
    found = tx.upload(bucket, key, "u")
    if found is None:
        found = upload(tx, bucket, key, "u")
    if action == "abort":
        tx.remove_upload(bucket, found)
    elif found.completed is not None:
        return
    elif action == "part":
        names = [f"{key}-part-{n}" for n in range(number)]
        tx.put_part(bucket, found, part(1 + number % 2, *names))
    else:
        made = put(tx, bucket, key, Content(b"x" * number), version_id="done")
        tx.complete_upload(bucket, evolve(found, completed=made))


def _drop(tx: IMetadataTransaction, bucket: Bucket, number: int) -> None:
    """Empty a bucket and remove it, and now and then its volume, to make that anew."""
    for item in tx.version_page(bucket, "", "", "", "", 100).items:
        found = tx.version(bucket, item.key, item.version_id)
        assert found is not None
        tx.remove_version(bucket, found)
    tx.remove_bucket(bucket)
    if number < 3 and not tx.buckets("played", "", "", 1):
        volume = tx.volume("played")
        assert volume is not None
        tx.remove_volume(volume)
        tx.add_volume(volume)


class UsageTests(MetadataTests):
    """Bytes and names are counted with the rows."""

    async def used(self, name: str = "bucket") -> tuple[int, int]:
        """What a bucket uses. All counters are right."""
        said, found = await self.read(counted)
        self.assertEqual(said, found)
        bucket = await self.read("bucket", "s3v", name)
        return bucket.used_bytes, bucket.used_names

    async def test_versions(self) -> None:
        """Every version counts, a delete marker as a name without bytes; what is removed does not."""
        bucket = self.bucket
        self.assertEqual(await self.used(), (0, 0))
        first = await self.write(put, bucket, "a", Content(b"12345"))
        self.assertEqual(await self.used(), (5, 1))
        await self.write(put, bucket, "a", extents("b1", "b2"))
        self.assertEqual(await self.used(), (16, 1))
        added = await self.write(_add, bucket)
        self.assertEqual(await self.used(), (19, 3))
        await self.write("remove_version", bucket, added)
        await self.write("remove_version", bucket, added)
        await self.write("remove_version", bucket, first)
        self.assertEqual(await self.used(), (19, 2))

    async def test_parts(self) -> None:
        """Uploaded parts count in bytes until their upload is completed or dropped."""
        for interaction, expected in (
            (_begin, (48, 0)),
            (_replace_part, (40, 0)),
            (_complete, (32, 1)),
            (_drop_uploads, (8, 1)),
        ):
            await self.write(interaction, self.bucket)
            self.assertEqual(await self.used(), expected)

    async def test_removed_bucket(self) -> None:
        """A removed bucket gives its volume back a name and the bytes of its uploads."""
        await self.write(_begin_in_another)
        self.assertEqual(await self.read(_volume), (8, 2))
        bucket = await self.read("bucket", "s3v", "b")
        await self.write("remove_bucket", bucket)
        await self.write("remove_bucket", bucket)
        self.assertEqual(await self.read(_volume), (0, 1))

    async def test_links(self) -> None:
        """A link counts as a name of its volume and holds nothing."""
        await self.add_bucket("link", source=("s3v", "bucket"))
        await self.write(put, self.bucket, "k")
        self.assertEqual(await self.used("link"), (0, 0))
        volume = await self.read("volume", "s3v")
        self.assertEqual((volume.used_bytes, volume.used_names), (4, 2))

    async def test_volume_made_again(self) -> None:
        """A volume emptied, removed and made again in one interaction begins at nothing."""
        await self.write(_fill)
        for _ in range(2):
            await self.write(_renew)
            said, found = await self.read(counted)
            self.assertEqual(said, found)

    async def test_seen_at_once(self) -> None:
        """An interaction sees what it and those before it in a crowd have counted."""
        outcomes = await DeferredList(
            [self.write(_seen_at_once, self.bucket, number) for number in range(4)],
            consumeErrors=True,
        )
        values = [value for succeeded, value in outcomes if succeeded]
        if IShared.providedBy(self.store):
            # They happen one by one, in any order.
            values.sort()
        self.assertEqual(values, [(4, 1, 4), (8, 2, 8), (12, 3, 12)])
        self.assertEqual(await self.used(), (12, 3))

    async def test_histories(self) -> None:
        """After any history, in crowds of which some fail, all that is used is what the rows come to."""
        histories: list[list[list[Step]]] = []

        @settings(
            max_examples=HISTORIES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(st.lists(STEPS, max_size=8), max_size=8))
        def draw(history: list[list[Step]]) -> None:
            histories.append(history)

        draw()
        for history in histories:
            outcomes = await DeferredList(
                [self.write(play, steps) for steps in history], consumeErrors=True
            )
            for succeeded, value in outcomes:
                if not succeeded:
                    value.trap(Refused)
            said, found = await self.read(counted)
            self.assertEqual(said, found, history)

    async def test_size_stays(self) -> None:
        """Replacing a version's members does not change its size, nor what is counted."""
        found, bucket = await self.write(_replace_members, self.bucket)
        self.assertEqual(found.tags, {"a": "b"})
        self.assertEqual((found.size, bucket.used_bytes), (4, 4))

    async def test_recount_of_nothing(self) -> None:
        """A bucket that holds nothing is counted as nothing, in a reading interaction too."""
        self.assertEqual(tuple(await self.read("recount", self.bucket)), (0, 0))
        await self.write(put, self.bucket, "k", Content(b""))
        self.assertEqual(await self.read("recount", self.bucket), (0, 1))


def _add(tx: IMetadataTransaction, bucket: Bucket) -> ObjectVersion:
    put(tx, bucket, "a", Content(b"123"), version_id="v1")
    marker = {"version_id": "v2", "is_delete_marker": True}
    return put(tx, bucket, "a", Content(b""), **marker)


def _begin_in_another(tx: IMetadataTransaction) -> None:
    tx.claim(Claim.volume("s3v", shared=True), Claim.name("s3v", "b"))
    bucket = tx.add_bucket(Bucket("s3v", "b", OWNER, tx.now()))
    tx.put_part(bucket, upload(tx, bucket, "k", "u"), part(1, "p"))


def _volume(tx: IMetadataTransaction) -> tuple[int, int]:
    found = tx.volume("s3v")
    assert found is not None
    return found.used_bytes, found.used_names


def _seen_at_once(
    tx: IMetadataTransaction, place: Bucket, number: int
) -> tuple[Any, ...]:
    put(tx, place, f"k{number}")
    bucket, volume = tx.bucket("s3v", "bucket"), tx.volume("s3v")
    assert bucket is not None
    assert volume is not None
    if number == 2:
        raise Refused()
    return bucket.used_bytes, bucket.used_names, volume.used_bytes


def _begin(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for key in ("a", "b"):
        begun = upload(tx, bucket, key, "u")
        tx.put_part(bucket, begun, part(1, "p1", "p2"))
        tx.put_part(bucket, begun, part(2, "p3"))


def _replace_part(tx: IMetadataTransaction, bucket: Bucket) -> None:
    claim_whole(tx, bucket)
    begun = tx.upload(bucket, "a", "u")
    assert begun is not None
    tx.put_part(bucket, begun, part(1, "p4"))


def _complete(tx: IMetadataTransaction, bucket: Bucket) -> None:
    begun = tx.upload(bucket, "a", "u")
    assert begun is not None
    made = put(tx, bucket, "a", extents("p4"))
    tx.complete_upload(bucket, evolve(begun, completed=made))


def _drop_uploads(tx: IMetadataTransaction, bucket: Bucket) -> None:
    claim_whole(tx, bucket)
    for key in ("a", "b"):
        begun = tx.upload(bucket, key, "u")
        assert begun is not None
        tx.remove_upload(bucket, begun)


def _fill(tx: IMetadataTransaction) -> None:
    tx.claim(Claim.volume("v"), Claim.name("v", "b"))
    tx.add_volume(Volume("v", OWNER, tx.now()))
    put(tx, tx.add_bucket(Bucket("v", "b", OWNER, tx.now())), "k")


def _renew(tx: IMetadataTransaction) -> None:
    bucket, volume = tx.bucket("v", "b"), tx.volume("v")
    assert bucket is not None
    assert volume is not None
    tx.claim(Claim.volume("v"), Claim.name("v", "b"), Claim.bucket(bucket.number))
    found = tx.latest(bucket, "k")
    assert found is not None
    tx.remove_version(bucket, found)
    tx.remove_bucket(bucket)
    tx.remove_volume(volume)
    _fill(tx)


def _replace_members(
    tx: IMetadataTransaction, bucket: Bucket
) -> tuple[ObjectVersion | None, Bucket | None]:
    added = put(tx, bucket, "k")
    tx.replace_version(bucket, evolve(added, size=99, tags={"a": "b"}))
    return tx.latest(bucket, "k"), tx.bucket("s3v", "bucket")

"""What others change between an interaction's look at something and its claim of it, as another process can where several write at once.

SQLite has one writer, and nobody comes between; the provider in memory lets others in where a test says so. It holds what the overtaken interaction
comes to against what it comes to after the others; one that is :class:`~ozgate.errors.Overtaken` it rolls back and runs anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SkipTest

from ozgate import secondlook
from ozgate.errors import Overtaken
from ozgate.s3 import versions
from ozgate.s3.perform import multipart
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.memory_rows import MemoryTransaction
from ozgate.testing.memory_state import State
from ozgate.testing.metadata_base import ask
from ozgate.values import Acl, Claim, Content
from tests.operations.past import VOLUME
from tests.operations.rights import BUILT, Asked, AuthorizationTestCase
from tests.operations.uploads import LARGE, SMALL

CHANGING = [
    row
    for row in BUILT
    if row.method in ("PUT", "POST", "DELETE") and row.name != "CreateBucket"
]
"""Operations that change something in a bucket, or the bucket."""

Written = Sequence[tuple[Any, tuple[Any, ...]]]
"""Interactions with their arguments."""


def shown(state: State) -> object:
    """What is stored, but for the ids of blobs, in which there is randomness."""
    return (
        state.volumes,
        state.buckets,
        {
            place: [each.version for each in kept]
            for place, kept in state.versions.items()
        },
        state.uploads,
        {
            place: [evolve(part, content=Content()) for part in parts.values()]
            for place, parts in state.parts.items()
        },
    )


class OvertakenTestCase(AuthorizationTestCase):
    """A bucket, a link to it, and what others do."""

    store: MemoryMetadataStore

    async def _fill(self) -> None:
        await super()._fill()
        store = self.client.gateway.metadata
        if not isinstance(store, MemoryMetadataStore):
            raise SkipTest(
                "numbers that a transaction took come back only in memory, when all is undone: see tests.contract.test_postgresql_races"
            )
        self.store = store
        self.patch(multipart, "token_hex", lambda count: "a" * 2 * count)
        self.patch(versions, "urandom", lambda count: b"\xaa" * count)
        await self.link("link", "bucket")

    async def written(self, work: Callable[[], Awaitable[object]]) -> Written:
        """What some requests write; it is undone."""
        written: list[tuple[Any, tuple[Any, ...]]] = []
        write, before = self.store.write, self.store.snapshot()
        random = [
            self.patch(multipart, "token_hex", lambda count: "b" * 2 * count),
            self.patch(versions, "urandom", lambda count: b"\xbb" * count),
        ]

        def writing(*asked: Any) -> Deferred[Any]:
            written.append((asked[0], asked[1:]))
            return write(*asked)

        patched = self.patch(self.store, "write", writing)
        await work()
        patched.restore()
        for each in random:
            each.restore()
        self.store.restore(before)
        return written

    def replay(self, written: Written) -> None:
        """Have others write that; what is refused to them is none of our business."""
        for interaction, args in written:
            self.store.write(interaction, *args).addErrback(lambda failure: None)

    async def overtaken(
        self, asked: Asked, others: Written, claims: int = 1, who: str = "testuser"
    ) -> tuple[int, str | None]:
        """Ask; others come in between. See :meth:`outcome`."""
        return await self.outcome(partial(self.send, asked, who), others, claims)

    async def outcome(
        self,
        work: Callable[[], Awaitable[tuple[int, str | None]]],
        others: Written,
        claims: int = 1,
    ) -> tuple[int, str | None]:
        """Do something; others come in between, as a claim is waited for.

        The status, and all that is stored, must be what they are where others come first. It is undone.
        """
        start = self.store.snapshot()
        let_in: list[bool] = []

        def write() -> None:
            let_in.append(True)
            self.replay(others)

        self.store.let_in(write, claims)
        found = await work(), shown(self.store.snapshot())
        self.assertEqual(let_in, [True], work)
        self.store.restore(start)
        self.replay(others)
        expected = await work(), shown(self.store.snapshot())
        self.store.restore(start)
        # Of several things that are amiss any may be said.
        self.assertEqual(found[0][0], expected[0][0], work)
        self.assertEqual(found[1], expected[1], work)
        return found[0]

    def through(self, asked: Asked) -> Asked:
        """The same by way of the link."""
        target = asked.target.replace("/bucket", "/link", 1)
        headers = dict(asked.headers)
        if "x-amz-copy-source" in headers:
            headers["x-amz-copy-source"] = "/link/key"
        return evolve(asked, target=target, headers=headers)

    def asked(self, name: str, **headers: str) -> Asked:
        """A request for an operation."""
        (row,) = (row for row in BUILT if row.name == name)
        return self.request_for(row, **headers)


class MatrixTests(OvertakenTestCase):
    """Every operation that changes something, overtaken by whatever changes what it is about."""

    async def remake(self) -> None:
        """Remove the bucket with all that is in it, and make one of the same name."""
        await self.ask("DELETE", "/bucket/key")
        removed = await self.ask("DELETE", "/bucket")
        made = await self.ask("PUT", "/bucket")
        self.assertEqual((removed.status, made.status), (204, 200))

    async def fill_again(self) -> None:
        """Likewise, and put another object into the new one."""
        await self.remake()
        await self.put(SMALL)

    async def give_away(self) -> None:
        """Give the bucket to another owner."""
        await self.change("bucket", owner="other", acls=())

    async def turn_link(self) -> None:
        """Have the link lead to another bucket."""
        await self.change("link", source=(VOLUME, "empty"))

    async def turn_link_and_fill(self) -> None:
        """Likewise, where there is an object of that name."""
        await self.turn_link()
        await self.put(LARGE[:70_000], "/empty/key")

    async def close_link(self) -> None:
        """Take the right to follow the link."""
        await self.change("link", owner="other", acls=())

    async def bound(self) -> None:
        """Set quotas that leave no room."""
        await self.change("bucket", quota_bytes=1, quota_names=1)
        await self.change_volume(quota_bytes=1)

    async def put_both(self) -> None:
        """Put other objects, to the key and into the empty bucket."""
        await self.put(SMALL)
        await self.put(SMALL, "/empty/key")

    def everything(self) -> list[Asked]:
        """Requests of every operation, and of what else asks what is there before it writes."""
        asking = [self.request_for(row) for row in CHANGING]
        asking.append(self.asked("PutObject", if_none_match="*"))
        asking.append(evolve(self.asked("CopyObject"), target="/empty/copy"))
        return asking

    async def all_changes(self) -> list[Written]:
        """What others write: by each request, and whatever else changes what requests are about."""
        others = [
            self.remake,
            self.fill_again,
            self.give_away,
            self.turn_link,
            self.turn_link_and_fill,
            self.close_link,
            self.bound,
            self.put_both,
        ]
        others += [partial(self.send, each) for each in self.everything()]
        return [await self.written(each) for each in others]

    async def test_directly(self) -> None:
        """Each comes to what it comes to after the others: the status, and every row."""
        written = await self.all_changes()
        for each in self.everything():
            for other in written:
                await self.overtaken(each, other)

    async def test_through_a_link(self) -> None:
        """So does each by way of a link."""
        written = await self.all_changes()
        for each in map(self.through, self.everything()):
            for other in written:
                await self.overtaken(each, other)


class AnewTests(OvertakenTestCase):
    """What is run anew, and for what."""

    async def remade(self) -> Written:
        """Another bucket of the same name."""

        async def remake() -> None:
            await self.ask("DELETE", "/empty")
            await self.ask("PUT", "/empty")

        return await self.written(remake)

    async def test_other_bucket(self) -> None:
        """A body that was on its way to a bucket goes into the one that has its name by now."""
        raised: list[str] = []

        def overtaken(message: str) -> Overtaken:
            raised.append(message)
            return Overtaken(message)

        self.patch(secondlook, "Overtaken", overtaken)
        others = await self.remade()
        self.store.let_in(lambda: self.replay(others))
        await self.put(LARGE, "/empty/key")
        self.assertEqual(len(raised), 1)
        self.assertEqual((await self.get("/empty/key")).body, LARGE)

    async def test_nobody_runs_it_anew(self) -> None:
        """Where a provider gives up, the client is told to come again: nothing was done."""
        self.patch(self.store, "write", lambda *_: fail(Overtaken("too late")))
        response = await self.ask("PUT", "/bucket/key", SMALL)
        self.assertEqual((response.status, response.code), (503, "ServiceUnavailable"))
        self.assertIn("retry-after", response.headers)


class QuotaTests(OvertakenTestCase):
    """Quotas are compared with what is used once that is claimed."""

    CLAIMS = 3
    """The bucket, the key or upload, and what is used."""

    async def filled(self) -> Written:
        """Somebody else takes the last room, for another key."""
        return await self.written(lambda: self.put(SMALL, "/bucket/other"))

    async def check(self, name: str) -> None:
        """An operation that fits until others come is refused."""
        asked = self.asked(name)
        if name == "PutObject":
            asked = evolve(asked, target="/bucket/new")
        others = await self.filled()
        self.assertEqual(
            await self.overtaken(asked, others, self.CLAIMS), (403, "QuotaExceeded")
        )

    async def test_bytes(self) -> None:
        """The space quota of a bucket."""
        await self.change("bucket", quota_bytes=len(LARGE) + len(SMALL) * 3)
        await self.check("PutObject")

    async def test_names(self) -> None:
        """The quota of names."""
        await self.change("bucket", quota_names=2)
        await self.check("PutObject")

    async def test_volume(self) -> None:
        """The space quota of a volume."""
        await self.change_volume(quota_bytes=len(LARGE) + len(SMALL) * 3)
        await self.check("PutObject")

    async def test_part(self) -> None:
        """Parts."""
        await self.change("bucket", quota_bytes=len(LARGE) + len(SMALL) * 2)
        await self.check("UploadPart")

    async def test_buckets(self) -> None:
        """The quota of names of a volume, when a bucket is made."""
        await self.change_volume(quota_names=4)
        others = await self.written(lambda: self.ask("PUT", "/another"))
        found = await self.overtaken(self.asked("CreateBucket"), others, 2)
        self.assertEqual(found, (403, "QuotaExceeded"))


class RightsTests(OvertakenTestCase):
    """Rights that somebody has at the first look, and not at the second."""

    async def withdrawn(self, bucket: str) -> Written:
        """The owner of a bucket, and of the volume, grants nothing any more."""

        async def withdraw() -> None:
            await self.grant(bucket=bucket)
            await self.change_volume(acls=())

        return await self.written(withdraw)

    async def test_withdrawn(self) -> None:
        """What was granted in the bucket, or in the volume where it is about a bucket, is asked of what is claimed."""
        await self.change_volume(acls=(Acl.parse("user:other:wc"),))
        for bucket in ("bucket", "empty"):
            await self.grant("user:other:a", bucket=bucket)
        for row in BUILT:
            if row.method in ("PUT", "POST", "DELETE"):
                named = "empty" if row.name == "DeleteBucket" else "bucket"
                asked = self.request_for(row)
                others = await self.withdrawn(named)
                found = await self.overtaken(asked, others, who="other")
                self.assertEqual(found, (403, "AccessDenied"), row.name)

    async def test_source(self) -> None:
        """The right to read the source of a copy is asked again once its key is claimed, which comes last."""
        await self.add_bucket("source")
        await self.put(LARGE, "/source/key")
        await self.grant("user:other:a")
        await self.grant("user:other:r", bucket="source")
        others = await self.withdrawn("source")
        headers = {"x-amz-copy-source": "/source/key"}
        upload = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        for target in ("/bucket/copy", upload):
            asked = Asked("PUT", target, headers, b"")
            found = await self.overtaken(asked, others, 2, "other")
            self.assertEqual(found, (403, "AccessDenied"), target)

    async def test_made(self) -> None:
        """A bucket that another makes of the same name is the other's."""
        asked = self.asked("CreateBucket")
        others = await self.written(lambda: self.send(asked, "other"))
        self.assertEqual(
            await self.overtaken(asked, others), (409, "BucketAlreadyExists")
        )

    async def test_made_again(self) -> None:
        """One's own that is given away meanwhile keeps the list that its new owner has."""
        self.client = self.client.with_settings(new_bucket_ownership="ObjectWriter")
        asked = Asked("PUT", "/again", {}, b"")
        self.assertEqual(await self.send(asked), (200, None))
        others = await self.written(partial(self.change, "again", owner="other"))
        found = await self.overtaken(asked, others, 2)
        self.assertEqual(found, (409, "BucketAlreadyExists"))

    async def test_strangers(self) -> None:
        """Who may not do something claims nothing for it: a claim has others wait."""
        claimed: list[Claim] = []

        def claim(tx: MemoryTransaction, *claims: Claim) -> bool:
            claimed.extend(claims)
            return real(tx, *claims)

        real = MemoryTransaction.claim
        self.patch(MemoryTransaction, "claim", claim)
        await self.change_volume(acls=())
        claimed.clear()
        for row in BUILT:
            asked = self.request_for(row)
            for each in (asked, self.through(asked)):
                status, _ = await self.send(each, "other")
                self.assertIn(
                    status, (200, 403) if row.name == "ListBuckets" else (403,)
                )
                self.assertEqual(claimed, [], each)
        # Nor of a source that one may not read.
        await self.add_bucket("mine", VOLUME, "other")
        claimed.clear()
        headers = {"x-amz-copy-source": "/bucket/key"}
        asked = Asked("PUT", "/mine/copy", headers, b"")
        self.assertEqual((await self.send(asked, "other"))[0], 403)
        numbers = {claim.number for claim in claimed}
        mine = (await self.store.read(ask, "bucket", (VOLUME, "mine"))).number
        self.assertEqual(numbers, {0, mine})

"""What changes while a body comes: keys, rights, groups and buckets, of every operation that takes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from attrs import evolve
from twisted.internet.defer import succeed

from ozgate.auth.accounts import Accounts
from ozgate.auth.administrators import Administrators
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.operations import Body, Operation
from ozgate.testing.inmemory import CLIENT, join, settle
from ozgate.values import Acl, Bucket, Claim
from tests.operations.past import VOLUME
from tests.operations.rights import (
    BUILT,
    UNLOCKED,
    Asked,
    AuthorizationTestCase,
)
from tests.operations.support import HOST
from tests.operations.uploads import LARGE
from tests.wire.support import Peer

WHILE = 5.0
"""Seconds that a body takes at most, and that a key is good for."""

PLACE = b"<CreateBucketConfiguration></CreateBucketConfiguration>"


def remake(tx: IMetadataTransaction, bucket: Bucket, owner: str) -> None:
    """Remove a bucket with all that is in it, and make another of its name; an interaction."""
    tx.claim(
        Claim.volume(bucket.volume),
        Claim.name(bucket.volume, bucket.name),
        Claim.bucket(bucket.number),
    )
    for key in ("key", "other"):
        while (version := tx.latest(bucket, key)) is not None:
            tx.remove_version(bucket, version)
    tx.remove_bucket(bucket)
    tx.add_bucket(Bucket(bucket.volume, bucket.name, owner, tx.now()))


class MeanwhileTests(AuthorizationTestCase):
    """Half of a body comes, something changes, then comes the rest."""

    def requests(self) -> Iterator[tuple[Operation, Asked]]:
        """Those with bodies, and for objects and parts one too large for a row."""
        for row in BUILT:
            if row.body is Body.NONE:
                continue
            asked = self.request_for(row)
            if row.name == "CreateBucket":
                asked = evolve(asked, body=PLACE)
            yield row, asked
            if row.body is Body.STREAM:
                yield row, evolve(asked, body=LARGE)

    async def halved(
        self, asked: Asked, who: str, change: Callable[[], Awaitable[Any]]
    ) -> bytes:
        """What is answered where something changes after half of the body."""
        signed = self.client.as_user(who)._sign(
            asked.method, asked.target, asked.headers
        )
        fields = {"host": HOST, **signed, "content-length": str(len(asked.body))}
        lines = [f"{asked.method} {asked.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([*lines, "connection: close", "", ""]).encode()
        peer, server = Peer(), self.client.site.buildProtocol(CLIENT)
        assert server is not None
        join(self.clock, server, peer)
        half = len(asked.body) // 2
        peer.send(head + asked.body[:half])
        settle(self.clock)
        self.assertEqual(bytes(peer.data), b"", asked)
        await change()
        self.clock.advance(WHILE / 2)
        settle(self.clock)
        peer.send(asked.body[half:])
        settle(self.clock)
        return await peer.ended

    def rows(self) -> Any:
        """All rows but the list of blobs that may go."""
        metadata: Any = self.client.gateway.metadata
        return evolve(metadata.snapshot(), doomed={})

    async def check_refused_meanwhile(
        self, asked: Asked, who: str, change: Callable[[], Awaitable[Any]], code: str
    ) -> None:
        """Assert that a request is refused because of a change, and does nothing; then undo the change."""
        before = self.holds()
        changed: list[Any] = []

        async def note() -> None:
            await change()
            changed.append(self.rows())

        said = await self.halved(asked, who, note)
        self.assertIn(f"<Code>{code}</Code>".encode(), said, asked)
        self.assertEqual(self.rows(), changed[0], asked)
        after, blobs = self.holds()
        doomed = {blob for _, blob in after.doomed}
        self.assertLessEqual(blobs.keys(), before[1].keys() | doomed, asked)
        self.undo(before)

    def undo(self, before: tuple[Any, dict[str, bytes]]) -> None:
        """Hold again what was held then."""
        gateway: Any = self.client.gateway
        gateway.metadata.restore(before[0])
        gateway.blobs.default.data = dict(before[1])

    async def test_nothing(self) -> None:
        """Where nothing changes, it is done, however long it took."""

        async def nothing() -> None:
            pass

        for row, asked in self.requests():
            before = self.holds()
            said = await self.halved(asked, "testuser", nothing)
            status, code = UNLOCKED.get(row.name, (20, None))
            self.assertTrue(said.startswith(b"HTTP/1.1 %d" % status), (asked, said))
            self.assertIn(f"<Code>{code}</Code>".encode() if code else b"", said)
            self.undo(before)

    async def test_keys(self) -> None:
        """A key that is revoked or replaced, or expires, does nothing any more, however small the body is that comes so slowly."""
        ways: tuple[Callable[[str], Any], ...] = (
            lambda key: self.secrets.revoke(key),
            lambda key: self.secrets.set(key, "another"),
            lambda key: succeed(self.clock.advance(WHILE)),
        )
        numbers = count()
        for _, asked in self.requests():
            for ends in ways:
                key = await self.issue("testuser", str(next(numbers)), WHILE)
                await self.check_refused_meanwhile(
                    asked, key, partial(ends, key), "InvalidAccessKeyId"
                )

    async def test_rights(self) -> None:
        """A right that is withdrawn is none any more when the body is here."""

        async def withdraw() -> None:
            await self.grant()
            await self.change_volume(acls=())

        await self.grant("user:other:a")
        for _, asked in self.requests():
            await self.check_refused_meanwhile(asked, "other", withdraw, "AccessDenied")

    async def test_people(self) -> None:
        """Who has left a group, or is no administrator any more, has no right by that when the body is here."""
        gateway = self.client.gateway
        before = gateway.administrators
        nobody = Administrators(
            gateway.settings,
            Accounts(gateway.run_in_thread, self.clock, lambda name: frozenset()),
            realm="EXAMPLE.COM",
        )

        async def left() -> None:
            gateway.administrators = nobody

        await self.grant("group:staff:a")
        await self.change_volume(acls=(Acl.parse("group:staff:c"),))
        boss = await self.issue("boss")
        for who in ("other", boss):
            for _, asked in self.requests():
                await self.check_refused_meanwhile(asked, who, left, "AccessDenied")
                gateway.administrators = before

    async def test_remade_bucket(self) -> None:
        """A bucket that another has made anew is another's: its old owner's rights are gone with the old one."""
        store = self.client.gateway.metadata

        async def remade() -> None:
            found = await self.look(_itself)
            await store.write(remake, found, "somebody")

        for row, asked in self.requests():
            if row.name != "CreateBucket":
                await self.check_refused_meanwhile(
                    asked, "testuser", remade, "AccessDenied"
                )

    async def test_bucket_made(self) -> None:
        """A bucket that another makes while its document comes is the other's."""

        async def made() -> None:
            await self.add_bucket("fresh", VOLUME, "somebody")

        (asked,) = (
            asked for row, asked in self.requests() if row.name == "CreateBucket"
        )
        await self.check_refused_meanwhile(
            asked, "testuser", made, "BucketAlreadyExists"
        )


def _itself(tx: IMetadataTransaction, bucket: Bucket) -> Bucket:
    return bucket

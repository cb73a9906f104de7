"""Requests of some hundred bytes that have gigabytes read and hashed: how many at once, for whom, and for how long.

Found here: three copies of 5 GB whose clients had closed had read 12 GB and used 34 CPU-seconds 75 seconds later, and 64 of them made
another user's small PUT take 1.7 seconds. On a real server: :mod:`tests.attack.test_hashing_service`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from ozgate.admin.pages.metrics import Metrics
from ozgate.gateway.turns import WAITING
from ozgate.interfaces import IByteSource, IMetadataTransaction
from ozgate.s3.perform import digesting
from ozgate.testing.inmemory import CLIENT, join, settle
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import BlobRef, ByteRange
from tests.operations.past import VOLUME
from tests.operations.rights import AuthorizationTestCase
from tests.operations.support import HOST, Response
from tests.operations.uploads import LARGE, PART, dashed, etag_of
from tests.wire.support import Peer

SLICE = 1 << 20
USERS = ("testuser", "other", "somebody")


class Reads:
    """What is read of blobs, slice by slice, each held up until a test lets it go on.

    :ivar begun: the blobs of the slices that were begun, in order.
    :ivar held: slices that are held up.
    """

    def __init__(self, blobs: Any) -> None:
        self._open = blobs.open
        self.begun: list[str] = []
        self.held: list[tuple[str, Deferred[None]]] = []

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """In the place of the store's."""
        self.begun.append(blob.id)
        going: Deferred[Any] = Deferred()
        entry = blob.id, going
        self.held.append(entry)
        going.addBoth(lambda result: (self.held.remove(entry), result)[1])
        going.addCallback(lambda _: self._open(blob, byte_range))
        return going


class HashingTestCase(AuthorizationTestCase):
    """Copies of an object whose MD5 nobody knows, in slices of 1 MiB, the hashing of which a test looks on.

    :ivar reads: of blobs.
    """

    async def _fill(self) -> None:
        await super()._fill()
        self.patch(digesting, "SLICE", SLICE)
        await self.upload(PART, LARGE, target="/bucket/source")
        self.upload_id = await self.begin("/bucket/target")
        self.kinds = {
            "part": (
                f"/bucket/target?partNumber=1&uploadId={self.upload_id}",
                {"x_amz_copy_source": "/bucket/source"},
            ),
            "copy": (
                "/bucket/target",
                {
                    "x_amz_copy_source": "/bucket/source",
                    "x_amz_checksum_algorithm": "SHA256",
                },
            ),
        }
        self.limit(limit_hashing=2, limit_hashing_user=1)
        blobs: Any = self.client.gateway.blobs.default
        self.reads = Reads(blobs)
        self.patch(blobs, "open", self.reads.open)

    def limit(self, **limits: int) -> None:
        """Set some limits."""
        gateway = self.client.gateway
        gateway.turns.take_up(evolve(gateway.settings, **limits))

    def ask_for(self, kind: str, who: str = "testuser") -> Deferred[Response]:
        """Begin a copy."""
        target, headers = self.kinds[kind]
        client = self.client.as_user(who)
        asked = client.begin("PUT", target, dashed(headers))
        settle(self.clock)
        return asked

    def say(self, kind: str) -> Peer:
        """Begin a copy on a connection of its own."""
        target, headers = self.kinds[kind]
        signed = self.client._sign("PUT", target, dashed(headers))
        fields = {"host": HOST, **signed, "content-length": "0"}
        lines = [f"PUT {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        peer, server = Peer(), self.client.site.buildProtocol(CLIENT)
        join(self.clock, server, peer)
        peer.send("\r\n".join([*lines, "", ""]).encode())
        settle(self.clock)
        return peer

    def step(self) -> str:
        """Let the slice go on that was held up first; its blob."""
        blob, going = self.reads.held[0]
        going.callback(None)
        settle(self.clock)
        return blob

    def run_out(self) -> None:
        """Let everything go on to its end."""
        while self.reads.held:
            self.step()

    def assert_over(self, begun: int) -> None:
        """Nothing more was read, and nobody is there who reads or waits."""
        turns = self.client.gateway.turns
        self.assertEqual(self.reads.held, [])
        self.assertEqual(len(self.reads.begun), begun)
        self.assertEqual((turns.in_flight, turns.waiting), (0, 0))
        self.assertIsNone(self.client.gateway.readers.oldest())


class GoneTests(HashingTestCase):
    """Clients that go."""

    async def test_gone(self) -> None:
        """When the client closes, by half or all, or breaks off, nothing more is read, nothing is stored, no connection stays."""
        ways: tuple[Callable[[Any], None], ...] = (
            lambda it: it.loseWriteConnection(),
            lambda it: it.loseConnection(),
            lambda it: it.abortConnection(),
        )
        before = self.holds()
        for kind in self.kinds:
            for go in ways:
                self.reads.begun.clear()
                peer = self.say(kind)
                self.step()
                self.step()
                self.assertEqual(len(self.reads.begun), 3)
                go(peer.transport)
                settle(self.clock)
                self.assert_over(3)
                self.assertEqual(self.client.site.connections, set())
                self.assertEqual(bytes(peer.data), b"")
                self.assertEqual(self.holds(), before)

    async def test_gone_while_waiting(self) -> None:
        """Who goes while it waits is forgotten, and what it wanted is never begun."""
        first = self.ask_for("part")
        peers = [self.say(kind) for kind in self.kinds for _ in range(3)]
        turns = self.client.gateway.turns
        self.assertEqual((turns.in_flight, turns.waiting), (1, 6))
        for peer in peers:
            peer.transport.loseWriteConnection()
        settle(self.clock)
        self.assertEqual((turns.in_flight, turns.waiting), (1, 0))
        self.assertEqual(len(self.client.site.connections), 1)
        self.run_out()
        self.assertEqual((await first).status, 200)
        self.assert_over(len(self.reads.begun))

    async def test_half_closed_elsewhere(self) -> None:
        """Who has said all and asks for what costs nothing hears the answer."""
        self.kinds["known"] = (
            self.kinds["part"][0],
            {"x_amz_copy_source": "/bucket/key"},
        )
        peer = self.say("known")
        peer.transport.loseWriteConnection()
        settle(self.clock)
        self.assertIn(b" 200 OK", bytes(peer.data))


class UnwantedTests(HashingTestCase):
    """What makes a copy impossible while it is worked out."""

    async def ends(
        self, kind: str, change: Callable[[], Awaitable[Any]], code: str, who: str
    ) -> None:
        """Assert that nothing more is read after a change, and that the client hears why."""
        self.reads.begun.clear()
        asked = self.ask_for(kind, who)
        self.step()
        self.assertEqual(len(self.reads.begun), 2)
        self.assertFalse(asked.called)
        await change()
        self.step()
        response = self.successResultOf(asked)
        self.assertEqual(response.code, code, (kind, code))
        self.assert_over(2)

    async def test_key_revoked(self) -> None:
        """The key is revoked."""
        for kind in self.kinds:
            key = await self.issue("testuser", f"key{kind}")

            async def revoke(key: str = key) -> None:
                await self.secrets.revoke(key)

            await self.ends(kind, revoke, "InvalidAccessKeyId", key)

    async def test_right_withdrawn(self) -> None:
        """The right to write to the target, or to read the source, is withdrawn."""
        for left in ("r", "w"):
            for kind in self.kinds:
                await self.grant("user:other:rwl")

                async def withdraw(left: str = left) -> None:
                    await self.grant(f"user:other:{left}")

                await self.ends(kind, withdraw, "AccessDenied", "other")

    async def test_upload_aborted(self) -> None:
        """The upload is aborted."""

        async def abort() -> None:
            gone = await self.ask("DELETE", f"/bucket/target?uploadId={self.upload_id}")
            self.assertEqual(gone.status, 204)

        await self.ends("part", abort, "NoSuchUpload", "testuser")

    async def test_source_removed(self) -> None:
        """The source is removed."""
        for kind in self.kinds:

            async def remove() -> None:
                await self.ask("DELETE", "/bucket/source")

            await self.ends(kind, remove, "NoSuchKey", "testuser")
            await self.upload(PART, LARGE, target="/bucket/source")

    async def test_source_removed_anytime(self) -> None:
        """Whatever was looked up just before the source is removed, it is not taken for damaged."""
        metadata: Any = self.client.gateway.metadata
        read, left = metadata.read, [0]

        def read_then_remove(*arguments: Any) -> Any:
            found = read(*arguments)
            left[0] -= 1
            if left[0] == 0:
                metadata.write(_remove_source)
            return found

        self.patch(metadata, "read", read_then_remove)
        for kind in self.kinds:
            for later in range(1, 5):
                asked = self.ask_for(kind)
                self.step()
                left[0] = later
                self.run_out()
                self.assertEqual(self.successResultOf(asked).code, "NoSuchKey", later)
                await self.upload(PART, LARGE, target="/bucket/source")
        self.assertEqual(self.client.gateway.tally.damaged, {})

    async def test_source_replaced(self) -> None:
        """The source is replaced: no more of the old one is read, and the copy is one of the new."""
        for kind in self.kinds:
            asked = self.ask_for(kind)
            self.step()
            old = set(self.reads.begun)
            other = PART[::-1]
            await self.upload(other, LARGE, target="/bucket/source")
            self.reads.begun.clear()
            self.run_out()
            self.assertEqual(old & set(self.reads.begun), set())
            response = await asked
            self.assertEqual(response.status, 200, response.body)
            if kind == "part":
                self.assertEqual(response.text("ETag"), etag_of(other + LARGE))
            await self.upload(PART, LARGE, target="/bucket/source")
            self.reads.begun.clear()

    async def test_changed_while_waiting(self) -> None:
        """What cannot be done any more when its turn comes is not begun."""
        for kind in self.kinds:
            key = await self.issue("testuser", f"key{kind}")
            first = self.ask_for("part")
            second = self.ask_for(kind, key)
            await self.secrets.revoke(key)
            self.run_out()
            self.assertEqual((await first).status, 200)
            response = self.successResultOf(second)
            self.assertEqual(response.code, "InvalidAccessKeyId")
        self.assertEqual(len(set(self.reads.begun)), 2)
        self.assertEqual(len(self.reads.begun), 2 * len(self.slices()))

    def slices(self) -> range:
        """Those of the source; one has the end of one blob and the beginning of another."""
        return range(-(-len(PART + LARGE) // SLICE))


class BoundsTests(HashingTestCase):
    """How many at once."""

    async def crowd(self) -> dict[str, str]:
        """Sources of each user; the user by blob."""
        await self.grant(*(f"user:{user}:a" for user in USERS))
        users = {}
        for number, user in enumerate(USERS):
            source = f"source-{user}"
            await self.upload(
                bytes([number]) * len(PART), LARGE, target=f"/bucket/{source}"
            )
            for blob in await self.blobs_named(source):
                users[blob] = user
            target = f"/bucket/target?partNumber={number + 1}&uploadId={self.upload_id}"
            self.kinds[user] = (target, {"x_amz_copy_source": f"/bucket/{source}"})
        return users

    async def test_bounds(self) -> None:
        """Two are hashed at once, none of them of the same user, and users take turns, whoever asked first and most."""
        users = await self.crowd()
        counts = {"testuser": 5, "other": 1, "somebody": 1}
        asked = [self.ask_for(who, who) for who, n in counts.items() for _ in range(n)]
        turns = self.client.gateway.turns
        order = []
        while self.reads.held:
            there = [users[blob] for blob, _ in self.reads.held]
            self.assertLessEqual(len(there), 2)
            self.assertEqual(len(set(there)), len(there))
            self.assertEqual(turns.in_flight, len(there))
            order.append(users[self.step()])
        for each in asked:
            self.assertEqual((await each).status, 200)
        # While the others have something to do, none has two turns more than they.
        last = max(len(order) - order[::-1].index(user) for user in USERS[1:])
        had = [order[:last].count(user) for user in USERS]
        self.assertLessEqual(max(had) - min(had), 2, order)
        self.assert_over(len(self.reads.begun))

    async def test_too_many(self) -> None:
        """One too many is refused with the time to come again, and it is one of the user's who has most that wait."""
        await self.crowd()
        self.limit(limit_hashing=1, limit_hashing_user=1, limit_hashing_waiting=3)
        first = [self.ask_for("testuser") for _ in range(4)]
        refused = [self.ask_for("testuser")]
        second = self.ask_for("other", "other")
        refused.append(first.pop())
        for each in refused:
            response = self.successResultOf(each)
            self.assertEqual((response.status, response.code), (503, "SlowDown"))
            self.assertEqual(response.headers["retry-after"], "1")
        gateway = self.client.gateway
        self.assertEqual(gateway.tally.refused, {WAITING: len(refused)})
        shown = {
            sample.name: sample.value
            for family in Metrics(gateway, lambda: 0).collect()
            for sample in family.samples
            if sample.name.startswith("ozgate_hashing")
        }
        self.assertEqual(shown, {"ozgate_hashing": 1, "ozgate_hashing_waiting": 3})
        self.run_out()
        for each in (*first, second):
            self.assertEqual((await each).status, 200)
        self.assert_over(len(self.reads.begun))


def _remove_source(tx: IMetadataTransaction) -> None:
    bucket = tx.bucket(VOLUME, "bucket")
    assert bucket is not None
    claim_whole(tx, bucket)
    version = tx.latest(bucket, "source")
    assert version is not None
    tx.remove_version(bucket, version)

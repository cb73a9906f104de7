"""What a gateway keeps of rows that hardly change is never stale, and reads that need no thread survive their connection."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from ozgate.interfaces import IMetadataTransaction
from ozgate.secondlook import claimed
from ozgate.testing.metadata_base import OWNER, extents, put
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import (
    Bucket,
    ByteRange,
    Claim,
    Content,
    Group,
    ManagedPolicy,
    Secret,
    User,
    Volume,
)
from tests.contract.test_postgresql_failures import FailureCase

try:
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.epochs import KINDS
except ImportError:
    # Each test is skipped.
    pass

ROUNDS = int(os.environ.get("OZGATE_EPOCH_ROUNDS", "60"))
"""How often rows change under those who read."""

_TRIGGERS = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'epoch_ends' AND tgdeferrable AND tginitdeferred"


def _made(tx: IMetadataTransaction) -> Bucket:
    tx.claim(Claim.volume("v"), Claim.volume_usage("v"), Claim.name("v", "b"))
    tx.add_volume(Volume("v", OWNER, 0))
    return tx.add_bucket(Bucket("v", "b", OWNER, 0))


def _bucket_of(tx: IMetadataTransaction) -> Bucket:
    found = tx.bucket("v", "b", False)
    assert found is not None
    return found


def _put_secret(tx: IMetadataTransaction, number: int) -> None:
    tx.claim(Claim.user("u"), Claim.secret("id"))
    tx.put_secret(Secret("id", "u", b"%d" % number, 0, None))


def _put_user(tx: IMetadataTransaction, number: int) -> None:
    tx.claim(Claim.user("u"))
    tx.put_user(User("u", str(number), 0))


def _put_group(tx: IMetadataTransaction, number: int) -> None:
    tx.claim(Claim.group("g"))
    tx.put_group(Group("g", str(number), 0))


def _put_policy(tx: IMetadataTransaction, number: int) -> None:
    tx.claim(Claim.policy("p"))
    tx.put_policy(ManagedPolicy("p", str(number), 0, "{}", 0))


def _put_document(tx: IMetadataTransaction, number: int) -> None:
    bucket = _bucket_of(tx)
    claim_whole(tx, bucket)
    tx.set_configuration(bucket, "policy", b"%d" % number)


def _secret(tx: IMetadataTransaction) -> str:
    found = tx.secret_row("id")
    return "" if found is None else found.sealed.decode()


def _user(tx: IMetadataTransaction) -> str:
    found = tx.user("u")
    return "" if found is None else found.id


def _group(tx: IMetadataTransaction) -> str:
    found = tx.group("g")
    return "" if found is None else found.id


def _policy(tx: IMetadataTransaction) -> str:
    found = tx.policy("p")
    return "" if found is None else found.id


def _document(tx: IMetadataTransaction) -> str:
    return (tx.configuration(_bucket_of(tx), "policy") or b"").decode()


RARE: tuple[tuple[Callable[..., None], Callable[..., str]], ...] = (
    (_put_secret, _secret),
    (_put_user, _user),
    (_put_group, _group),
    (_put_policy, _policy),
    (_put_document, _document),
)


def _time(tx: IMetadataTransaction) -> int:
    return tx.now()


def _put_object(tx: IMetadataTransaction, key: str, body: bytes) -> None:
    bucket = _bucket_of(tx)
    tx.claim(*Claim.inside(bucket), Claim.key(bucket.number, key))
    put(tx, bucket, key, Content(body))


def _object(tx: IMetadataTransaction, key: str) -> bytes | None:
    bucket = _bucket_of(tx)
    version = tx.latest(bucket, key)
    if version is None:
        return None
    return tx.content(bucket, version, ByteRange(0, version.size), 10).body


class EpochCase(FailureCase):
    """Two gateways over one database."""

    async def setUp(self) -> None:
        """Open both, and have the second read without a thread."""
        await super().setUp()
        self.other = await self.opened(Address(self.url))
        self.bucket = await self.store.write(_made)
        await self.store.write(_put_object, "k", b"0")
        await self.near()

    async def near(self) -> None:
        """Wait until the second gateway reads so."""
        while await self.threads(_object, "k"):
            await deferLater(reactor, 0.01)

    async def threads(self, interaction: Callable[..., Any], *args: Any) -> int:
        """How often a thread is needed for a read of the second gateway."""
        near, asked = self.other._near, []
        real = near._elsewhere

        def elsewhere(work: Any) -> Deferred[Any]:
            asked.append(work)
            return real(work)

        near._elsewhere = elsewhere
        try:
            await self.other.read(interaction, *args)
        finally:
            near._elsewhere = real
        return len(asked)

    def epoch(self) -> Any:
        """The epoch that the database is in."""
        return self.server.execute("SELECT id FROM epoch", self.name)


class StalenessTests(EpochCase):
    """Nothing that is kept is stale."""

    timeout = 600

    async def test_never_stale(self) -> None:
        """What two transactions have changed at a time is seen by each read that begins after them, through whatever gateway, while objects come all the time."""
        for number in range(1, ROUNDS + 1):
            first, second = RARE[number % 5], RARE[(number + 1 + number % 3) % 5]
            changes = [
                self.store.write(first[0], number),
                self.other.write(second[0], number),
                self.store.write(_put_object, "k", b"%d" % number),
            ]
            # Reads that begin meanwhile keep what they find.
            meanwhile = [
                store.read(look)
                for _ in range(3)
                for _, look in RARE
                for store in (self.store, self.other)
            ]
            await gatherResults(changes, consumeErrors=True)
            for store in (self.other, self.store, self.other):
                for _, look in {first, second}:
                    self.assertEqual(await store.read(look), str(number))
                self.assertEqual(await store.read(_object, "k"), b"%d" % number)
            await gatherResults(meanwhile, consumeErrors=True)
            for _, look in {first, second}:
                self.assertEqual(await self.other.read(look), str(number))

    async def test_objects_end_no_epoch(self) -> None:
        """An object that another gateway puts is seen without a thread, and what is kept is kept on."""
        before = self.epoch()
        for number in range(3):
            await self.store.write(_put_object, "k", b"%d" % number)
            self.assertEqual(await self.threads(_object, "k"), 0)
            self.assertEqual(await self.other.read(_object, "k"), b"%d" % number)
        self.assertEqual(self.epoch(), before)

    async def test_kinds(self) -> None:
        """Each table whose rows may be kept ends an epoch when a row comes, changes or goes, whoever does that; a transaction that is rolled back ends none."""
        found = self.server.execute(_TRIGGERS, self.name)
        self.assertEqual({name for (name,) in found}, set(KINDS))
        await gatherResults([self.store.write(put, 1) for put, _ in RARE])
        seen = {self.epoch()[0]}
        for kind in KINDS:
            for done in (
                "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM {0}; DELETE FROM {0}",
                "INSERT INTO {0} SELECT * FROM old_{0}",
                "UPDATE {0} SET checked = checked",
            ):
                copied = (
                    f"CREATE TABLE IF NOT EXISTS old_{kind} AS SELECT * FROM {kind}"
                )
                self.server.execute(copied, self.name)
                self.server.execute(done.format(kind), self.name)
                self.assertNotIn(self.epoch()[0], seen, (kind, done))
                seen.add(self.epoch()[0])
        rolled = "DO $$ BEGIN DELETE FROM users; RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN END $$"
        self.server.execute(rolled, self.name)
        self.assertIn(self.epoch()[0], seen)

    async def test_triggers_are_missed(self) -> None:
        """A database where one of them is gone is told of, and no gateway starts on it."""
        self.assertEqual(await self.store.examine(), [])
        self.server.execute("DROP TRIGGER epoch_ends ON secrets", self.name)
        [line] = await self.store.examine()
        self.assertIn("epoch", line)
        opening = Deferred.fromCoroutine(self.opened(Address(self.url)))
        await self.refused(opening, "epoch")


class NearTests(EpochCase):
    """Reads without a thread."""

    async def test_found(self) -> None:
        """They find what a thread finds: bodies, extents, nothing, and what follows from a damaged row."""
        bucket = self.bucket
        large = bytes(40_000)
        await self.store.write(_put_object, "large", large)
        await self.store.write(_put_extents, bucket)
        for key in ("k", "large", "none"):
            work = self.other._readers.run(lambda tx, key=key: _object(tx, key))
            self.assertEqual(await self.other.read(_object, key), await work)
        self.assertEqual(await self.other.read(_object, "large"), large)
        self.assertEqual(await self.threads(_object, "none"), 0)
        self.assertEqual(await self.threads(_object, "large"), 1)
        self.assertIsNone(await self.other.read(_object, "blob"))
        self.assertEqual(await self.threads(_object, "nul\0"), 0)
        self.assertEqual(await self.threads(_time), 0)
        before = await self.store.read(_time)
        self.assertLessEqual(before, await self.other.read(_time))
        self.server.execute("UPDATE bodies SET body = 'x'", self.name)
        for run in (self.other.read, self.store.read):
            await self.failed(run(_object, "k"), "Damaged")

    async def test_errors(self) -> None:
        """What an interaction raises is raised, but not before it is known that it holds."""
        await self.failed(self.other.read(_refuses), "KeyError")
        await self.store.write(_put_user, 1)
        self.assertEqual(await self.other.read(_refuses), "1")

    async def test_restarted(self) -> None:
        """A server that is started anew, or whose connections end, is not noticed."""
        for end in (
            self.server.restart,
            lambda: self.server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ozgate'"
            ),
        ):
            end()
            self.assertEqual(await self.other.read(_object, "k"), b"0")
            self.other._near._not_before = 0
            await self.near()

    async def test_frozen(self) -> None:
        """What a server does not answer is left to threads, which wait for it."""
        asked = len(self.other._readers._sessions)
        self.server.freeze()
        try:
            reads = [self.other.read(_object, "k") for _ in range(3)]
            await deferLater(reactor, 0.2)
            self.other._near._lose()
        finally:
            self.server.thaw()
        self.assertEqual(await gatherResults(reads), [b"0"] * 3)
        self.assertGreaterEqual(len(self.other._readers._sessions), asked)

    async def test_closed_meanwhile(self) -> None:
        """A store that is closed ends what was asked before."""
        reads = [self.other.read(_object, "k") for _ in range(3)]
        await self.other.close()
        self.assertEqual(await gatherResults(reads), [b"0"] * 3)

    async def failed(self, work: Deferred[Any], name: str) -> None:
        """Hold a failure against what it is to be."""
        try:
            await work
        except Exception as error:
            self.assertEqual(type(error).__name__, name)
        else:
            self.fail("it went well")


class GuessTests(EpochCase):
    """Buckets that a write looks at before it claims anything."""

    async def test_confirmed(self) -> None:
        """A bucket that another gateway has changed meanwhile is the changed one by the time that it is claimed, and what was said of the old one is not answered."""
        for number in range(20):
            await self.other.write(_put_in, "k", b"%d" % number)
            changed = f"{OWNER}{number}"
            await self.store.write(_give, changed)
            self.assertEqual(await self.other.write(_put_in, "k", b"n"), changed)
            await self.store.write(_give, OWNER)
            self.assertEqual(await self.other.write(_owner_of), OWNER)

    async def test_refused(self) -> None:
        """Who is refused by what is kept of a bucket is refused by what is there, or not at all; likewise where there is none by now."""
        await self.other.write(_put_in, "k", b"1")
        await self.store.write(_give, "eve")
        self.assertEqual(await self.other.write(_only_for, "eve"), "eve")
        await self.store.write(_give, OWNER)
        with self.assertRaises(PermissionError):
            await self.other.write(_only_for, "eve")
        self.assertEqual(await self.other.write(_only_for, OWNER), OWNER)
        await self.store.write(_remade)
        self.assertEqual(await self.other.write(_put_in, "k", b"2"), "new")
        self.assertEqual(await self.store.read(_object, "k"), b"2")

    async def test_objects(self) -> None:
        """A guess spares the database a question, and is there although nobody reads."""
        await self.store.write(_put_in, "k", b"1")
        self.assertTrue(await self.store.write(_has_guessed))


def _put_in(tx: IMetadataTransaction, key: str, body: bytes) -> str:
    bucket = claimed(tx, partial(_bucket_of, tx), Claim.inside)
    tx.claim(Claim.key(bucket.number, key))
    put(tx, bucket, key, Content(body))
    return bucket.owner


def _only_for(tx: IMetadataTransaction, owner: str) -> str:
    def look() -> Bucket:
        found = _bucket_of(tx)
        if found.owner != owner:
            raise PermissionError(found.owner)
        return found

    return claimed(tx, look, Claim.inside).owner


def _owner_of(tx: IMetadataTransaction) -> str:
    return _bucket_of(tx).owner


def _has_guessed(tx: Any) -> bool:
    claimed(tx, partial(_bucket_of, tx), Claim.inside)
    return bool(tx.has_guessed)


def _give(tx: IMetadataTransaction, owner: str) -> None:
    bucket = claimed(tx, partial(_bucket_of, tx), Claim.whole)
    tx.replace_bucket(evolve(bucket, owner=owner))


def _remade(tx: IMetadataTransaction) -> None:
    """Another bucket in its place."""
    bucket = claimed(tx, partial(_bucket_of, tx), Claim.whole)
    tx.claim(Claim.volume("v"), Claim.volume_usage("v"), Claim.name("v", "b"))
    version = tx.latest(bucket, "k")
    assert version is not None
    tx.remove_version(bucket, version)
    tx.remove_bucket(bucket)
    tx.add_bucket(Bucket("v", "b", "new", 0))


def _put_extents(tx: IMetadataTransaction, bucket: Bucket) -> None:
    tx.claim(*Claim.inside(bucket), Claim.key(bucket.number, "blob"))
    put(tx, bucket, "blob", extents("b1"))


def _refuses(tx: IMetadataTransaction) -> str:
    found = tx.user("u")
    if found is None:
        raise KeyError("u")
    return found.id

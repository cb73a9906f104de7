"""Locked versions under every operation of the table, whoever asks and whatever is bypassed: they stay as they are (RustFS GHSA-j548)."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.changing.locks import Lock, lock_of, with_lock
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import NULL_VERSION, ObjectVersion
from tests.operations.rights import BUILT, Asked, AuthorizationTestCase

BYPASS = {"x-amz-bypass-governance-retention": "true"}
DAY = 86_400


class LockTests(AuthorizationTestCase):
    """A bucket with object lock, all versions in which are locked."""

    def lock(self, mode: str, hold: str = "") -> Lock:
        """A lock that lasts for a day."""
        until = int(self.clock.seconds() + DAY) * 1000 if mode else 0
        return Lock(mode, until, hold)

    async def locked(self, lock: Lock, versioning: str = "Enabled") -> None:
        """Have the bucket so, and each version that is there locked."""
        volume = self.client.gateway.settings.volume_name
        await self.client.gateway.metadata.write(_lock_all, volume, lock, versioning)

    async def versions(self) -> dict[int, tuple[Any, ...]]:
        """What there is of each version, but for what may change."""
        volume = self.client.gateway.settings.volume_name
        found = await self.client.gateway.metadata.read(_versions, volume)
        return {
            each.sequence: (evolve(each, tags={}, is_latest=True), lock_of(each))
            for each in found
        }

    def asked(self) -> list[Asked]:
        """A request for each operation, on the current version, and on one that is named."""
        requests = []
        for row in BUILT:
            request = self.request_for(row)
            requests.append(request)
            requests.append(evolve(request, headers={**request.headers, **BYPASS}))
            if "/key" in request.target:
                sign = "&" if "?" in request.target else "?"
                target = f"{request.target}{sign}versionId={NULL_VERSION}"
                requests.append(evolve(request, target=target))
                headers = {**request.headers, **BYPASS}
                requests.append(evolve(request, target=target, headers=headers))
        return requests

    async def attack(self, lock: Lock, versioning: str) -> None:
        """Send all, as the owner, an administrator and one who may do all, and look for what was locked after each."""
        await self.locked(lock, versioning)
        before = await self.versions()
        self.assertGreater(len(before), 0)
        metadata: Any = self.client.gateway.metadata
        start = metadata.snapshot()
        for who in ("testuser", self.boss, "other"):
            for asked in self.asked():
                await self.send(asked, who)
                after = await self.versions()
                for sequence, found in before.items():
                    self.assertIn(sequence, after, (asked, who))
                    kept = evolve(after[sequence][0], more=found[0].more)
                    self.assertEqual(kept, found[0], (asked, who))
                    self.assertTrue(_lasts(found[1], after[sequence][1]), (asked, who))
                metadata.restore(start)

    async def test_compliance(self) -> None:
        """What COMPLIANCE keeps is kept by every operation, in a bucket that is versioned, and in one that should be."""
        self.boss = await self.issue("boss")
        await self.grant("user:other:a")
        for versioning in ("Enabled", "Suspended", ""):
            await self.attack(self.lock("COMPLIANCE"), versioning)

    async def test_held(self) -> None:
        """What is held is kept by every operation but the one that lifts it."""
        self.boss = await self.issue("boss")
        await self.grant("user:other:a")
        await self.attack(self.lock("", "ON"), "Suspended")


def _lasts(before: Lock, after: Lock) -> bool:
    """Whether a lock keeps its version at least as long as it was to."""
    return (
        before.mode in ("", after.mode)
        and after.until >= before.until
        and before.hold in ("", after.hold)
    )


def _lock_all(
    tx: IMetadataTransaction, volume: str, lock: Lock, versioning: str
) -> None:
    bucket = tx.bucket(volume, "bucket")
    assert bucket is not None
    claim_whole(tx, bucket)
    tx.replace_bucket(evolve(bucket, versioning=versioning))
    document = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
    tx.set_configuration(bucket, "object-lock", document)
    for version in _versions(tx, volume):
        tx.replace_version(bucket, evolve(version, more=with_lock({}, lock)))


def _versions(tx: IMetadataTransaction, volume: str) -> list[ObjectVersion]:
    bucket = tx.bucket(volume, "bucket")
    assert bucket is not None
    page = tx.version_page(bucket, "", "", "", "", 1000)
    found = [tx.version(bucket, each.key, each.version_id) for each in page.items]
    return [each for each in found if each is not None]

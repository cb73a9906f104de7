"""Contract of metadata: claims. What several transactions that decide about the same come to."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import DeferredList

from ..interfaces import IMetadataTransaction
from ..values import Claim
from .metadata_base import MetadataTests, Refused

EACH = (
    Claim.usage(1),
    Claim.volume_usage("s3v"),
    Claim.key(1, "key\0", shared=True),
    Claim.key(1, "ключ"),
    Claim.key(1, ""),
    Claim.upload(1, "u1"),
    Claim.bucket(2),
    Claim.bucket(1, shared=True),
    Claim.name("s3v", "new"),
    Claim.volume("s3v", shared=True),
    Claim.volume("new"),
    Claim.secret("user/scm@EXAMPLE.COM"),
    Claim.policy("policy", shared=True),
    Claim.group("group"),
    Claim.user("user/scm@EXAMPLE.COM"),
    Claim.setting("id"),
    Claim.lease("reaper"),
)
"""One of each kind, in no order."""


class ClaimTests(MetadataTests):
    """Claims hold until their transaction ends, and no longer."""

    async def test_each(self) -> None:
        """Claims of all kinds are taken in one call, whatever their order."""
        self.assertTrue(await self.store.write(_claim, EACH))

    async def test_none(self) -> None:
        """To claim nothing is no fault."""
        await self.store.write(_claim, ())

    async def test_again(self) -> None:
        """What is held may be claimed again, shared too, also in a later call that claims what comes after."""
        await self.store.write(_claim_again)

    async def test_order(self) -> None:
        """Claims are ordered by what they are of: a lease comes first, then places from volumes to keys, then what is used."""
        kinds = [claim.kind for claim in sorted(EACH)]
        self.assertEqual(sorted(set(kinds)), list(dict.fromkeys(kinds)))
        self.assertEqual(len(set(kinds)), 13)

    async def test_read_refuses(self) -> None:
        """Who only reads decides nothing, and claims nothing."""
        await self.assertFailure(self.store.read(_claim, EACH), TypeError)

    async def test_let_go(self) -> None:
        """Claims end with their transaction, be it undone or not."""
        await self.store.write(_claim, EACH)
        await self.assertFailure(self.store.write(_refuse, EACH), Refused)
        await self.store.write(_claim, EACH)

    async def test_shared(self) -> None:
        """Several may share a claim at a time, each followed by one who has it alone."""
        shared, alone = (Claim.bucket(1, shared=True),), (Claim.bucket(1),)
        await DeferredList(
            [self.store.write(_claim, each) for each in (shared, shared, alone) * 5],
            fireOnOneErrback=True,
        )

    async def test_no_update_is_lost(self) -> None:
        """Of many that claim, read, and write what they made of it, each builds on the one before."""
        await DeferredList(
            [self.store.write(_count, ("a",)) for _ in range(30)], fireOnOneErrback=True
        )
        self.assertEqual(await self.read("setting", "a"), b"30")

    async def test_crossed(self) -> None:
        """Two that claim the same things in another order do not wait for each other."""
        await DeferredList(
            [
                self.store.write(_count, names)
                for names in (("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")) * 10
            ],
            fireOnOneErrback=True,
        )
        for name, count in ("a", b"30"), ("b", b"30"), ("c", b"20"):
            self.assertEqual(await self.read("setting", name), count)


def _claim(tx: IMetadataTransaction, claims: Sequence[Claim]) -> bool:
    """Claim; whether that said if what was read before may be out of date."""
    return isinstance(tx.claim(*claims), bool)


def _refuse(tx: IMetadataTransaction, claims: Sequence[Claim]) -> None:
    tx.claim(*claims)
    raise Refused("no")


def _claim_again(tx: IMetadataTransaction) -> None:
    tx.claim(Claim.bucket(1), Claim.bucket(2, shared=True), Claim.key(2, "key"))
    tx.claim(Claim.key(2, "key"))
    tx.claim(Claim.key(2, "key", shared=True), Claim.bucket(1, shared=True))
    tx.claim(Claim.bucket(1), Claim.key(2, "later"))


def _count(tx: IMetadataTransaction, names: Sequence[str]) -> None:
    """Add one to each of some named values."""
    tx.claim(*map(Claim.setting, names))
    for name in names:
        tx.set_setting(name, b"%d" % (int(tx.setting(name) or 0) + 1))

"""A Kerberos principal owns by its short name, as in Ozone, and keeps what it owns by its whole name."""

from __future__ import annotations

from twisted.internet.defer import Deferred, ensureDeferred

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.owners import canonical_id
from ozgate.values import Bucket
from tests.operations.past import VOLUME
from tests.operations.rights import AuthorizationTestCase
from tests.operations.test_table import last_line

PRINCIPAL = "alice/host@EXAMPLE.COM"
SHORT = "alice"
NAMES = (PRINCIPAL, SHORT, canonical_id(PRINCIPAL), canonical_id(SHORT))


class OwnerNamesTests(AuthorizationTestCase):
    """``alice/host@EXAMPLE.COM`` with a bucket of now, and one of before."""

    def setUp(self) -> Deferred[None]:
        """Make both."""
        return super().setUp().addCallback(lambda _: ensureDeferred(self._make()))

    async def _make(self) -> None:
        await self.issue(PRINCIPAL)
        self.alice = self.client.as_user(PRINCIPAL)
        self.assertEqual((await self.alice.request("PUT", "/now")).status, 200)
        await self.add_bucket("before", VOLUME, PRINCIPAL)

    async def test_shown(self) -> None:
        """The owner that is stored and shown is the short name; the access id in the log stays the whole."""
        found = await self.client.gateway.metadata.read(_now)
        assert found is not None
        self.assertEqual(found.owner, SHORT)
        self.assertEqual([acl.name for acl in found.acls], [SHORT])
        listed = await self.alice.request("GET", "/")
        self.assertEqual(listed.text("Owner/DisplayName"), SHORT)
        self.assertIn(f"user={PRINCIPAL}", last_line(self.client.audit_log))
        await self.alice.request("POST", "/now/key?uploads")
        uploads = await self.alice.request("GET", "/now?uploads")
        self.assertEqual(uploads.text("Upload/Initiator/DisplayName"), SHORT)
        self.assertEqual(uploads.text("Upload/Owner/DisplayName"), SHORT)

    async def test_access(self) -> None:
        """Both names keep access to both buckets, and nobody else has it."""
        await self.issue(SHORT)
        for bucket in ("now", "before"):
            for who in (PRINCIPAL, SHORT) if bucket == "now" else (PRINCIPAL,):
                client = self.client.as_user(who)
                put = await client.request("PUT", f"/{bucket}/key", body=b"x")
                self.assertEqual(put.status, 200, (bucket, who))
                listed = await client.request("GET", "/")
                self.assertIn(bucket, listed.texts("Buckets/Bucket/Name"))
            refused = await self.client.request("GET", f"/{bucket}")
            self.assertEqual(refused.status, 403)

    async def test_made_again(self) -> None:
        """A bucket that is one's own by either name is made again as one's own."""
        for bucket in ("now", "before"):
            again = await self.alice.request("PUT", f"/{bucket}")
            self.assertEqual(again.status, 200)
        other = self.client.as_user("other")
        await self.refused(other.request("PUT", "/before"), 409, "BucketAlreadyExists")
        await self.link("mine", "now", owner=PRINCIPAL)
        await self.refused(
            self.alice.request("PUT", "/mine"), 409, "BucketAlreadyOwnedByYou"
        )

    async def test_expected_owner(self) -> None:
        """An owner may be expected by either name and its id; another may not."""
        for bucket in ("now", "before"):
            for name in (*NAMES, "bob", "bob/host@EXAMPLE.COM", canonical_id("bob")):
                expected = {"x-amz-expected-bucket-owner": name}
                found = await self.alice.request("HEAD", f"/{bucket}", expected)
                status = 200 if name in NAMES else 403
                self.assertEqual(found.status, status, (bucket, name))
        boss = self.client.as_user(await self.issue("boss"))
        for name in (PRINCIPAL, SHORT, canonical_id(SHORT)):
            for bucket in ("now", "before"):
                expected = {"x-amz-expected-bucket-owner": name}
                found = await boss.request("HEAD", f"/{bucket}", expected)
                self.assertEqual(found.status, 200, (bucket, name))


def _now(tx: IMetadataTransaction) -> Bucket | None:
    return tx.bucket(VOLUME, "now")

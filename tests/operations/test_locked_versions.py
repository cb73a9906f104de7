"""Every way by which S3 would let go of a version that is locked."""

from __future__ import annotations

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.changing.locks import Lock, with_lock
from ozgate.testing.metadata_needs import claim_whole
from tests.operations.locks import (
    BYPASS,
    DAY,
    HOLD,
    PROTECTED,
    LockTestCase,
    digested,
)
from tests.operations.support import change_bucket

DEFAULT = "<Mode>COMPLIANCE</Mode><Days>1</Days>"


def _spoil(tx: IMetadataTransaction, volume: str, bucket: str) -> None:
    """Have a bucket keep a document about object lock that is none; an interaction."""
    found = tx.bucket(volume, bucket)
    assert found is not None
    claim_whole(tx, found)
    tx.set_configuration(found, "object-lock", b"<Other/>")


class RemovalTests(LockTestCase):
    """Every way by which S3 lets go of a version."""

    async def test_delete(self) -> None:
        """A version that is locked stays until that is over; GOVERNANCE is bypassed by who may, and says that he does."""
        for mode, bypassed in (("GOVERNANCE", True), ("COMPLIANCE", False)):
            first = await self.put(headers=self.lock(mode, DAY))
            for user in ("testuser", "other", "somebody"):
                await self.assert_protected("key", first, user=user)
                no = {"x-amz-bypass-governance-retention": "false"}
                await self.assert_protected("key", first, no, user=user)
            denied = await self.remove("key", first, BYPASS, "somebody")
            self.assertEqual((denied.status, denied.code), (403, "AccessDenied"))
            if bypassed:
                gone = await self.remove("key", first, BYPASS, "other")
                self.assertEqual(gone.status, 204)
            else:
                await self.assert_protected("key", first, BYPASS)
                self.clock.advance(DAY - 1)
                await self.assert_protected("key", first)
                self.clock.advance(1)
                self.assertEqual((await self.remove("key", first)).status, 204)

    async def test_plain_delete(self) -> None:
        """A delete without a version hides what is locked; the marker is not locked, whatever the default."""
        await self.configure(DEFAULT)
        version = await self.put()
        deleted = await self.client.request("DELETE", "/locked/key")
        self.assertEqual(deleted.status, 204)
        self.assertEqual(deleted.headers["x-amz-delete-marker"], "true")
        await self.assert_protected("key", version)
        marker = deleted.headers["x-amz-version-id"]
        self.assertEqual((await self.remove("key", marker)).status, 204)
        self.assertEqual((await self.client.request("GET", "/locked/key")).status, 200)

    async def test_overwritten(self) -> None:
        """New versions come on top of one that is locked, which stays."""
        version = await self.put(headers=self.lock("COMPLIANCE", DAY), body=b"kept")
        for _ in range(2):
            await self.put(body=b"new")
        await self.assert_protected("key", version)
        kept = await self.client.request("GET", f"/locked/key?versionId={version}")
        self.assertEqual(kept.body, b"kept")

    async def test_delete_objects(self) -> None:
        """DeleteObjects answers for each key: what is locked stays, all else goes."""
        locked = await self.put("locked", self.lock("GOVERNANCE", DAY))
        held = await self.put("held", {HOLD: "ON"})
        free = await self.put("free")
        objects = "".join(
            f"<Object><Key>{key}</Key><VersionId>{version}</VersionId></Object>"
            for key, version in (("locked", locked), ("held", held), ("free", free))
        )
        body = f"<Delete>{objects}<Object><Key>other</Key></Object></Delete>".encode()
        for headers, gone in (
            ({}, ["free", "other"]),
            (BYPASS, ["locked", "free", "other"]),
        ):
            answer = await self.client.request(
                "POST", "/locked?delete", digested(body) | headers, body
            )
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.texts("Deleted/Key"), gone)
            kept = {"locked", "held", "free", "other"} - set(gone)
            self.assertEqual(set(answer.texts("Error/Key")), kept)
            self.assertEqual(set(answer.texts("Error/Code")), {"AccessDenied"})
            self.assertEqual(set(answer.texts("Error/Message")), {PROTECTED})
        somebody = self.client.as_user("somebody")
        answer = await somebody.request(
            "POST", "/locked?delete", digested(body) | BYPASS, body
        )
        self.assertEqual(len(answer.texts("Error/Key")), 4)

    async def test_bypass_elsewhere(self) -> None:
        """In a bucket without object lock there is nothing to bypass, and whoever says so is told, whatever he says."""
        await self.add_objects("key")
        message = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets."
        for value in ("true", "false"):
            header = {"x-amz-bypass-governance-retention": value}
            response = await self.refused(
                self.client.request("DELETE", "/bucket/key", header),
                400,
                "InvalidArgument",
            )
            self.assertEqual(response.text("Message"), message)
            body = b"<Delete><Object><Key>key</Key></Object></Delete>"
            answer = await self.client.request(
                "POST", "/bucket?delete", digested(body) | header, body
            )
            self.assertEqual(answer.status, 400)
            self.assertEqual(answer.code, "InvalidArgument")
        self.assertEqual((await self.client.request("GET", "/bucket/key")).status, 200)

    async def test_null_version(self) -> None:
        """A null version that is locked is not replaced, should its bucket be versioned no more, nor is it deleted plainly."""
        lock = Lock("COMPLIANCE", int(self.clock.seconds() + DAY) * 1000)
        await self.add_objects("key", bucket="locked", more=with_lock({}, lock))
        before = await self.client.request("GET", "/locked/key?versionId=null")
        volume = self.client.gateway.settings.volume_name
        store = self.client.gateway.metadata
        for state in ("Suspended", ""):
            await store.write(change_bucket, volume, "locked", {"versioning": state})
            for body in (b"x", b"x" * 200_000):
                put = self.client.request("PUT", "/locked/key", digested(body), body)
                response = await self.refused(put, 403, "AccessDenied")
                self.assertEqual(response.text("Message"), PROTECTED)
            await self.put("other", bucket="bucket")
            copy = self.client.request(
                "PUT", "/locked/key", {"x-amz-copy-source": "/bucket/other"}
            )
            await self.refused(copy, 403, "AccessDenied")
            delete = self.client.request("DELETE", "/locked/key")
            await self.refused(delete, 403, "AccessDenied")
        after = await self.client.request("GET", "/locked/key?versionId=null")
        self.assertEqual(before.body, after.body)

    async def test_unreadable(self) -> None:
        """A lock that cannot be read is one that holds: nothing is said of the version, and it stays."""
        for number, more in enumerate(
            ({"lock-mode": "x"}, {"lock-until": "9"}, {"lock-hold": "maybe"})
        ):
            key = f"key-{number}"
            await self.add_objects(key, bucket="locked", more=more)
            for headers in ({}, BYPASS):
                gone = await self.remove(key, "null", headers)
                self.assertEqual((gone.status, gone.code), (500, "InternalError"))
            for name in ("retention", "legal-hold"):
                shown = await self.client.request("GET", f"/locked/{key}?{name}")
                self.assertEqual(shown.status, 500)
            listed = await self.client.request("GET", "/locked?versions")
            self.assertIn(key, listed.texts("Version/Key"))

    async def test_unreadable_default(self) -> None:
        """Nothing is written where the default cannot be read; who sets it anew puts that right."""
        volume = self.client.gateway.settings.volume_name
        store = self.client.gateway.metadata
        await store.write(_spoil, volume, "locked")
        put = await self.client.request("PUT", "/locked/key", digested(b"x"), b"x")
        self.assertEqual((put.status, put.code), (500, "InternalError"))
        self.assertEqual((await self.configure(DEFAULT)).status, 200)
        version = await self.put()
        await self.assert_protected("key", version)

    async def test_tags(self) -> None:
        """Tags of a version that is locked may change; its lock does not by that."""
        lock = self.lock("COMPLIANCE", DAY, "ON")
        version = await self.put(headers=lock)
        tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        put = await self.document("/locked/key?tagging", tags)
        self.assertEqual(put.status, 200)
        removed = await self.client.request("DELETE", "/locked/key?tagging")
        self.assertEqual(removed.status, 204)
        self.assertEqual(await self.head("key", version), lock)

    async def test_list(self) -> None:
        """So may its access control list, by which it comes to be kept beside its lock, and goes again."""
        body = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
        controls = await self.document("/locked?ownershipControls", body)
        self.assertEqual(controls.status, 200)
        lock = self.lock("COMPLIANCE", DAY, "ON")
        group = "http://acs.amazonaws.com/groups/s3/LogDelivery"
        read = {"x-amz-grant-read": f'uri="{group}"'}
        version = await self.put(headers={**lock, **read})
        target, shown = "/locked/key?acl", []
        for headers in (read, {"x-amz-acl": "private"}, read):
            put = await self.client.request("PUT", target, headers)
            self.assertEqual(put.status, 200, put.body)
            shown.append(
                group.encode() in (await self.client.request("GET", target)).body
            )
            self.assertEqual(await self.head("key", version), lock)
        self.assertEqual(shown, [True, False, True])
        await self.assert_protected("key", version, BYPASS)

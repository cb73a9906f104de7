"""PutObjectLockConfiguration and GetObjectLockConfiguration, and buckets that are made with object lock."""

from __future__ import annotations

from tests.operations.locks import DAY, MODE, UNTIL, YEAR, LockTestCase
from tests.operations.support import change_bucket

ENABLED = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
VERSIONING = "<VersioningConfiguration><Status>{}</Status></VersioningConfiguration>"


class PutObjectLockConfigurationTests(LockTestCase):
    """The object lock of a bucket."""

    async def version(self, state: str, bucket: str = "bucket") -> None:
        """Set the state of a bucket's versioning."""
        volume = self.client.gateway.settings.volume_name
        store = self.client.gateway.metadata
        await store.write(change_bucket, volume, bucket, {"versioning": state})

    async def test_made(self) -> None:
        """A bucket that is made with object lock is versioned, and says so; it has no default."""
        shown = await self.client.request("GET", "/locked?object-lock")
        self.assertEqual(shown.status, 200)
        self.assertEqual(shown.text("ObjectLockEnabled"), "Enabled")
        self.assertEqual(shown.names(), ["ObjectLockEnabled"])
        shown = await self.client.request("GET", "/locked?versioning")
        self.assertEqual(shown.text("Status"), "Enabled")
        version = await self.put()
        self.assertEqual(len(version), 32)
        self.assertEqual(await self.head("key"), {})

    async def test_not_made(self) -> None:
        """A bucket that is made without has none."""
        response = await self.refused(
            self.client.request("GET", "/bucket?object-lock"),
            404,
            "ObjectLockConfigurationNotFoundError",
        )
        self.assertEqual(response.text("BucketName"), "bucket")
        for value in ("false", "False"):
            made = await self.client.request(
                "PUT",
                f"/made-{len(value)}",
                {"x-amz-bucket-object-lock-enabled": value},
            )
            self.assertEqual(made.status, 200)

    async def test_made_again(self) -> None:
        """Who makes his bucket again gets no object lock by that, and is not told that he did."""
        locked = {"x-amz-bucket-object-lock-enabled": "TRUE"}
        again = self.client.request("PUT", "/bucket", locked)
        await self.refused(again, 409, "BucketAlreadyOwnedByYou")
        self.assertEqual(
            (await self.client.request("PUT", "/locked", locked)).status, 200
        )
        self.assertEqual((await self.client.request("PUT", "/locked")).status, 200)

    async def test_existing(self) -> None:
        """A bucket that is versioned gets object lock, once and for all; one that is not, or was once, does not."""
        for state in ("", "Suspended"):
            await self.version(state)
            response = await self.refused(
                self.configure(bucket="bucket"), 409, "InvalidBucketState"
            )
            self.assertEqual(
                response.text("Message"),
                "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            )
        await self.version("Enabled")
        response = await self.configure(bucket="bucket")
        self.assertEqual((response.status, response.body), (200, b""))
        shown = await self.client.request("GET", "/bucket?object-lock")
        self.assertEqual(shown.text("ObjectLockEnabled"), "Enabled")

    async def test_never_suspended(self) -> None:
        """The versioning of a bucket with object lock stays enabled."""
        response = await self.refused(
            self.document("/locked?versioning", VERSIONING.format("Suspended")),
            409,
            "InvalidBucketState",
        )
        self.assertEqual(
            response.text("Message"),
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        )
        again = await self.document("/locked?versioning", VERSIONING.format("Enabled"))
        self.assertEqual(again.status, 200)

    async def test_default(self) -> None:
        """New versions get the default from when they are written; those that are there keep what they have."""
        before = await self.put()
        for default, mode, seconds in (
            ("<Mode>GOVERNANCE</Mode><Days>1</Days>", "GOVERNANCE", DAY),
            ("<Mode>COMPLIANCE</Mode><Years>2</Years>", "COMPLIANCE", 2 * YEAR),
        ):
            self.assertEqual((await self.configure(default)).status, 200)
            self.clock.advance(10.5)
            version = await self.put()
            shown = {MODE: mode, UNTIL: self.after(seconds)}
            self.assertEqual(await self.head("key", version), shown)
            self.assertEqual(await self.head("key", before), {})
            shown_default = await self.client.request("GET", "/locked?object-lock")
            self.assertEqual(shown_default.text("Rule/DefaultRetention/Mode"), mode)
        self.assertEqual((await self.configure()).status, 200)
        self.assertEqual(await self.head("key", version), shown)
        self.assertEqual(await self.head("key", await self.put()), {})

    async def test_own(self) -> None:
        """What a write asks for takes the place of the default; a legal hold does not."""
        await self.configure("<Mode>COMPLIANCE</Mode><Days>3</Days>")
        own = self.lock("GOVERNANCE", DAY)
        self.assertEqual(await self.head("key", await self.put(headers=own)), own)
        held = {"x-amz-object-lock-legal-hold": "ON"}
        version = await self.put(headers=held)
        self.assertEqual(
            await self.head("key", version),
            {**self.lock("COMPLIANCE", 3 * DAY), **held},
        )

    async def test_refused(self) -> None:
        """Documents that break a rule change nothing."""
        await self.configure("<Mode>GOVERNANCE</Mode><Days>1</Days>")
        for inner, code in (
            ("", "MalformedXML"),
            ("<ObjectLockEnabled>Disabled</ObjectLockEnabled>", "MalformedXML"),
            (f"{ENABLED}<Rule/>", "MalformedXML"),
            (f"{ENABLED}<Other/>", "MalformedXML"),
            (
                f"{ENABLED}<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>0</Days></DefaultRetention></Rule>",
                "InvalidArgument",
            ),
            (
                f"{ENABLED}<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days><DefaultEventHold><Days>1</Days></DefaultEventHold></DefaultRetention></Rule>",
                "NotImplemented",
            ),
        ):
            body = f"<ObjectLockConfiguration>{inner}</ObjectLockConfiguration>"
            response = await self.document("/locked?object-lock", body)
            self.assertEqual(response.code, code, inner)
        await self.refused(
            self.client.request(
                "PUT", "/locked?object-lock", {}, b"<ObjectLockConfiguration/>"
            ),
            400,
            "InvalidRequest",
        )
        shown = await self.client.request("GET", "/locked?object-lock")
        self.assertEqual(shown.text("Rule/DefaultRetention/Days"), "1")

    async def test_rights(self) -> None:
        """Who may read a bucket sees its object lock; to set it takes more."""
        body = f"<ObjectLockConfiguration>{ENABLED}</ObjectLockConfiguration>"
        for user, status in (("somebody", 403), ("other", 200), ("testuser", 200)):
            put = await self.document("/locked?object-lock", body, user=user)
            self.assertEqual(put.status, status, user)
            seen = await self.client.as_user(user).request("GET", "/locked?object-lock")
            self.assertEqual(seen.status, 200)
        missing = self.document("/absent?object-lock", body)
        await self.refused(missing, 404, "NoSuchBucket")

    async def test_not_deleted(self) -> None:
        """A bucket with versions that are locked cannot be deleted, nor one whose keys are only hidden."""
        version = await self.put(headers=self.lock("COMPLIANCE", DAY))
        self.assertEqual(
            (await self.client.request("DELETE", "/locked/key")).status, 204
        )
        delete = self.client.request("DELETE", "/locked")
        await self.refused(delete, 409, "BucketNotEmpty")
        self.clock.advance(DAY)
        self.assertEqual((await self.remove("key", version)).status, 204)

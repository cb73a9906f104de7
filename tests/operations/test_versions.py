"""What becomes of versions: writes and deletes under each state of a bucket, and through its changes."""

from __future__ import annotations

import re

from ozgate.values import Event
from tests.operations.test_outbox import events_of, listen
from tests.operations.uploads import LARGE, PART, SMALL, etag_of
from tests.operations.versioned import UNKNOWN, VersionedTestCase


class EnabledTests(VersionedTestCase):
    """A bucket that keeps versions."""

    async def _open(self) -> None:
        await super()._open()
        await self.versioning("Enabled")

    async def test_writes(self) -> None:
        """Each write makes a version with an id of its own, and the last one is the object."""
        ids = [await self.store(body) for body in (b"one", b"two", LARGE)]
        self.assertEqual(len(set(ids)), 3)
        for each in ids:
            self.assertTrue(re.fullmatch("[A-Za-z0-9._][A-Za-z0-9._-]{31}", each))
        self.assertEqual(
            await self.history(), [f"key {ids[2]}!", f"key {ids[1]}", f"key {ids[0]}"]
        )
        self.assertEqual((await self.get()).body, LARGE)
        bodies = [
            (await self.get(f"/bucket/key?versionId={each}")).body for each in ids
        ]
        self.assertEqual(bodies, [b"one", b"two", LARGE])
        self.assertEqual((await self.used()).names, 3)

    async def test_every_way_in(self) -> None:
        """Copies and completed uploads make versions, too, and say so; a Complete that is repeated says the same, and makes no other."""
        source = await self.store(SMALL, "/bucket/source")
        copied = await self.ask("PUT", "/bucket/key", x_amz_copy_source="bucket/source")
        self.assertEqual(copied.headers["x-amz-copy-source-version-id"], source)
        upload_id = await self.begin()
        parts = [(1, await self.part(upload_id, 1, SMALL))]
        answers = [await self.complete(upload_id, parts) for _ in range(2)]
        made = [each.headers["x-amz-version-id"] for each in (copied, *answers)]
        self.assertEqual(made[1], made[2])
        self.assertEqual(
            await self.history(),
            [f"key {made[1]}!", f"key {made[0]}", f"source {source}!"],
        )

    async def test_delete(self) -> None:
        """A delete removes nothing: a marker hides the key, and goes like any version; then the key is there again."""
        made = await self.store(SMALL)
        marker = await self.mark()
        self.assertEqual(await self.history(), [f"key {marker}!-", f"key {made}"])
        self.assertEqual((await self.ask("GET", "/bucket")).texts("Contents/Key"), [])
        self.assertEqual((await self.get()).status, 404)
        self.assertEqual((await self.get(f"/bucket/key?versionId={made}")).body, SMALL)
        gone = await self.delete(f"/bucket/key?versionId={marker}")
        self.assertEqual(gone.headers["x-amz-delete-marker"], "true")
        self.assertEqual(gone.headers["x-amz-version-id"], marker)
        self.assertEqual(await self.history(), [f"key {made}!"])
        self.assertEqual((await self.get()).body, SMALL)

    async def test_delete_nothing(self) -> None:
        """A delete of what is not there, or hidden already, makes a marker each time."""
        markers = [await self.mark() for _ in range(3)]
        self.assertEqual(
            await self.history(),
            [f"key {markers[2]}!-", f"key {markers[1]}-", f"key {markers[0]}-"],
        )
        self.assertEqual((await self.used()).names, 3)

    async def test_delete_version(self) -> None:
        """A version that is named goes for good, with its bytes; the next newest is the object then; no marker is made."""
        ids = [await self.store(LARGE + body) for body in (b"1", b"2", b"3")]
        for each in (ids[1], ids[2]):
            gone = await self.delete(f"/bucket/key?versionId={each}")
            self.assertEqual(gone.headers["x-amz-version-id"], each)
            self.assertNotIn("x-amz-delete-marker", gone.headers)
        self.assertEqual(await self.history(), [f"key {ids[0]}!"])
        self.assertEqual((await self.get()).body, LARGE + b"1")
        self.assertEqual((await self.used()).bytes, len(LARGE) + 1)
        again = await self.delete(f"/bucket/key?versionId={ids[2]}")
        self.assertEqual(again.headers["x-amz-version-id"], ids[2])
        await self.delete(f"/bucket/key?versionId={UNKNOWN}")
        self.assertEqual(await self.history(), [f"key {ids[0]}!"])

    async def test_delete_many(self) -> None:
        """DeleteObjects hides keys and removes versions and markers, and says of each what it did."""
        made = await self.store(SMALL, "/bucket/a")
        old = await self.store(SMALL, "/bucket/b")
        marker = await self.mark("/bucket/b")
        answer = await self.doomed(
            ("a", ""), ("b", old), ("b", marker), ("c", ""), ("c", ""), ("d", UNKNOWN)
        )
        rows = [{e.tag: e.text for e in row} for row in answer.xml()]
        ids = [row.get("DeleteMarkerVersionId") for row in rows]
        shown = {"DeleteMarker": "true"}
        self.assertEqual(
            rows,
            [
                {"Key": "a", **shown, "DeleteMarkerVersionId": ids[0]},
                {"Key": "b", "VersionId": old},
                {
                    "Key": "b",
                    "VersionId": marker,
                    **shown,
                    "DeleteMarkerVersionId": marker,
                },
                {"Key": "c", **shown, "DeleteMarkerVersionId": ids[3]},
                {"Key": "c", **shown, "DeleteMarkerVersionId": ids[4]},
                {"Key": "d", "VersionId": UNKNOWN},
            ],
        )
        self.assertEqual(
            await self.history(),
            [f"a {ids[0]}!-", f"a {made}", f"c {ids[4]}!-", f"c {ids[3]}-"],
        )

    async def test_conditions(self) -> None:
        """Conditions ask the latest version, and a marker is nothing that is there; with a version named they ask that one."""
        made = await self.store(SMALL)
        await self.refused(
            self.ask("PUT", "/bucket/key", b"x", if_none_match="*"),
            412,
            "PreconditionFailed",
        )
        await self.refused(
            self.ask("DELETE", "/bucket/key", if_match='"x"'), 412, "PreconditionFailed"
        )
        await self.delete("/bucket/key", if_match=etag_of(SMALL))
        for method in ("PUT", "DELETE"):
            await self.refused(
                self.ask(method, "/bucket/key", if_match=etag_of(SMALL)),
                404,
                "NoSuchKey",
            )
        await self.put(b"new", if_none_match="*")
        target = f"/bucket/key?versionId={made}"
        await self.refused(
            self.ask("DELETE", target, if_match=etag_of(b"new")),
            412,
            "PreconditionFailed",
        )
        await self.delete(target, if_match=etag_of(SMALL))
        self.assertEqual(len(await self.history()), 2)

    async def test_restored(self) -> None:
        """A copy of an old version onto its own key makes it the object again, and keeps what came between."""
        old = await self.store(b"old")
        new = await self.store(b"new")
        copied = await self.ask(
            "PUT", "/bucket/key", x_amz_copy_source=f"bucket/key?versionId={old}"
        )
        self.assertEqual(copied.headers["x-amz-copy-source-version-id"], old)
        made = copied.headers["x-amz-version-id"]
        self.assertEqual(
            await self.history(), [f"key {made}!", f"key {new}", f"key {old}"]
        )
        self.assertEqual((await self.get()).body, b"old")

    async def test_bucket_stays(self) -> None:
        """A bucket with nothing but delete markers is not empty; without them it goes."""
        marker = await self.mark()
        await self.refused(self.ask("DELETE", "/bucket"), 409, "BucketNotEmpty")
        await self.delete(f"/bucket/key?versionId={marker}")
        self.assertEqual((await self.ask("DELETE", "/bucket")).status, 204)

    async def test_quotas(self) -> None:
        """Quotas count every version and every marker; what is removed makes room."""
        await self.change("bucket", quota_names=3, quota_bytes=10)
        ids = [await self.store(b"12345") for _ in range(2)]
        await self.refused(self.ask("PUT", "/bucket/key", b"1"), 403, "QuotaExceeded")
        marker = await self.mark()
        for asked in (
            self.ask("PUT", "/bucket/other"),
            self.ask("DELETE", "/bucket/key"),
        ):
            await self.refused(asked, 403, "QuotaExceeded")
        answer = await self.doomed(("key", marker), ("key", ""), ("key", ""))
        self.assertEqual(answer.texts("Error/Code"), ["QuotaExceeded"])
        self.assertEqual(len(answer.texts("Deleted")), 2)
        await self.delete(f"/bucket/key?versionId={ids[0]}")
        await self.store(b"12345")
        used = await self.used()
        self.assertEqual((used.bytes, used.names), (10, 3))

    async def test_many_versions_of_parts(self) -> None:
        """Old versions of multipart objects keep their parts."""
        ids = []
        for last in (b"1", b"2"):
            answer = await self.upload(PART, last)
            ids.append(answer.headers["x-amz-version-id"])
        for each, last in zip(ids, (b"1", b"2"), strict=True):
            got = await self.get(f"/bucket/key?versionId={each}&partNumber=2")
            self.assertEqual((got.status, got.body), (206, last))


class SuspendedTests(VersionedTestCase):
    """A bucket that no longer keeps versions: the null version of each key is replaced, and others stay."""

    async def test_writes(self) -> None:
        """A write replaces the null version alone, wherever among the others it is, and says no id."""
        self.assertEqual(await self.store(b"before"), "")
        await self.versioning("Enabled")
        made = await self.store(b"versioned")
        await self.versioning("Suspended")
        self.assertEqual(await self.store(b"null"), "")
        self.assertEqual(await self.history(), ["key null!", f"key {made}"])
        got = await self.get()
        self.assertEqual((got.body, got.headers["x-amz-version-id"]), (b"null", "null"))
        self.assertEqual(await self.store(b"null again"), "")
        self.assertEqual(await self.history(), ["key null!", f"key {made}"])
        used = await self.used()
        self.assertEqual((used.bytes, used.names), (len(b"versionednull again"), 2))

    async def test_every_way_in(self) -> None:
        """Copies and completed uploads are null versions likewise; of what was copied it is said that it is one."""
        await self.versioning("Suspended")
        await self.store(SMALL, "/bucket/source")
        copied = await self.ask("PUT", "/bucket/key", x_amz_copy_source="bucket/source")
        self.assertNotIn("x-amz-version-id", copied.headers)
        self.assertEqual(copied.headers["x-amz-copy-source-version-id"], "null")
        uploaded = await self.upload(SMALL)
        self.assertNotIn("x-amz-version-id", uploaded.headers)
        self.assertEqual(await self.history(), ["key null!", "source null!"])

    async def test_delete(self) -> None:
        """A delete removes the null version, wherever it is, and puts a null marker; what has an id stays."""
        await self.store(b"before")
        await self.versioning("Enabled")
        made = await self.store(SMALL)
        await self.versioning("Suspended")
        self.assertEqual(await self.mark(), "null")
        self.assertEqual(await self.history(), ["key null!-", f"key {made}"])
        self.assertEqual(await self.mark(), "null")
        self.assertEqual(await self.mark("/bucket/absent"), "null")
        self.assertEqual(
            await self.history(), ["absent null!-", "key null!-", f"key {made}"]
        )
        self.assertEqual((await self.used()).names, 3)
        await self.store(b"new")
        self.assertEqual(
            await self.history(), ["absent null!-", "key null!", f"key {made}"]
        )
        gone = await self.delete("/bucket/key?versionId=null")
        self.assertEqual(gone.headers["x-amz-version-id"], "null")
        self.assertNotIn("x-amz-delete-marker", gone.headers)
        self.assertEqual((await self.get()).body, SMALL)

    async def test_delete_many(self) -> None:
        """DeleteObjects puts null markers and says so."""
        await self.versioning("Suspended")
        await self.store()
        answer = await self.doomed(("key", ""), ("key", "null"), ("key", "null"))
        rows = [[(e.tag, e.text) for e in row] for row in answer.xml()]
        marker = [("DeleteMarker", "true"), ("DeleteMarkerVersionId", "null")]
        self.assertEqual(
            rows,
            [
                [("Key", "key"), *marker],
                [("Key", "key"), ("VersionId", "null"), *marker],
                [("Key", "key"), ("VersionId", "null")],
            ],
        )
        self.assertEqual(await self.history(), [])

    async def test_enabled_again(self) -> None:
        """When versions are kept again, the null version is one among them, and stays."""
        await self.versioning("Suspended")
        await self.store(b"null")
        await self.versioning("Enabled")
        made = await self.store(b"new")
        marker = await self.mark()
        self.assertEqual(
            await self.history(), [f"key {marker}!-", f"key {made}", "key null"]
        )
        got = await self.get("/bucket/key?versionId=null")
        self.assertEqual((got.body, got.headers["x-amz-version-id"]), (b"null", "null"))
        await self.versioning("Suspended")
        await self.store(b"newest")
        self.assertEqual(
            await self.history(), ["key null!", f"key {marker}-", f"key {made}"]
        )

    async def test_quotas(self) -> None:
        """A null version that is replaced, be it by a marker, takes no more names; a marker where none was does."""
        await self.versioning("Suspended")
        await self.change("bucket", quota_names=1, quota_bytes=5)
        await self.store(b"12345")
        await self.store(b"54321")
        await self.mark()
        self.assertEqual((await self.used()).bytes, 0)
        await self.refused(self.ask("DELETE", "/bucket/x"), 403, "QuotaExceeded")
        await self.store(b"12345")


class EventTests(VersionedTestCase):
    """What is noted of versions, where somebody listens."""

    async def noted(self) -> list[Event]:
        """All events there are."""
        return list(await events_of(self))

    async def test_names(self) -> None:
        """A marker that is made, and one that goes, have events of their own, which name it."""
        await listen(self, "notification")
        await self.versioning("Enabled")
        made = await self.store(SMALL)
        marker = await self.mark()
        await self.delete(f"/bucket/key?versionId={marker}")
        await self.delete(f"/bucket/key?versionId={made}")
        await self.delete(f"/bucket/key?versionId={made}")
        self.assertEqual(
            [(each.name, each.version_id, each.size) for each in await self.noted()],
            [
                ("ObjectCreated:Put", made, len(SMALL)),
                ("ObjectRemoved:DeleteMarkerCreated", marker, 0),
                ("ObjectRemoved:Delete", marker, 0),
                ("ObjectRemoved:Delete", made, len(SMALL)),
            ],
        )

    async def test_suspended(self) -> None:
        """A null version that a marker takes the place of has no event of its own, as one that is overwritten has none."""
        await listen(self, "notification")
        await self.versioning("Suspended")
        await self.store(SMALL)
        await self.mark()
        self.assertEqual(
            [(each.name, each.version_id) for each in await self.noted()],
            [
                ("ObjectCreated:Put", "null"),
                ("ObjectRemoved:DeleteMarkerCreated", "null"),
            ],
        )

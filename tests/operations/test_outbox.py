"""The outbox: what is noted of changes where somebody listens to a bucket, in the same transaction, and nowhere else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import md5

from attrs import evolve

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.tags import to_document
from ozgate.values import Bucket, Cause, Claim, Event
from tests.operations.support import OperationTestCase, Response
from tests.operations.uploads import (
    PART,
    SMALL,
    ObjectTestCase,
    etag_of,
    multipart_etag_of,
)


async def listen(
    case: OperationTestCase, kind: str, document: bytes | None = b"<listens/>"
) -> None:
    """Give the bucket a configuration document, or take it away."""
    gateway = case.client.gateway
    volume = gateway.settings.volume_name
    await gateway.metadata.write(_configure, volume, kind, document)


async def events_of(case: OperationTestCase) -> Sequence[Event]:
    """All events there are."""
    found: Sequence[Event] = await case.client.gateway.metadata.read(_events)
    return found


def _configure(
    tx: IMetadataTransaction, volume: str, kind: str, document: bytes | None
) -> None:
    found = tx.bucket(volume, "bucket")
    assert found is not None
    tx.claim(*Claim.whole(found))
    tx.set_configuration(found, kind, document)


def _events(tx: IMetadataTransaction) -> Sequence[Event]:
    return tx.events(0, 1000)


def _number(tx: IMetadataTransaction, bucket: Bucket) -> int:
    return bucket.number


class OutboxTests(ObjectTestCase):
    """One row for each change, where somebody listens."""

    async def named(self) -> list[tuple[str, str]]:
        """What happened to which keys, in order."""
        return [(each.name, each.key) for each in await events_of(self)]

    async def change(self, *keys: str, has_lists: bool = False) -> None:
        """Change objects in every way that there is."""
        document = to_document({"a": "b"})
        digest = b64encode(md5(document).digest()).decode()
        for key in keys:
            target = f"/bucket/{key}"
            await self.put(target=target)
            await self.ask("PUT", f"{target}-copy", x_amz_copy_source=f"bucket/{key}")
            await self.ask("PUT", f"{target}?tagging", document, content_md5=digest)
            await self.ask("DELETE", f"{target}?tagging")
            if has_lists:
                await self.ask("PUT", f"{target}?acl", x_amz_acl="private")
            await self.ask("DELETE", target)

    async def delete(self, *keys: str) -> Response:
        """Delete objects at once."""
        rows = [f"<Object><Key>{key}</Key></Object>" for key in keys]
        document = f"<Delete>{''.join(rows)}</Delete>".encode()
        digest = b64encode(md5(document).digest()).decode()
        return await self.ask("POST", "/bucket?delete", document, content_md5=digest)

    async def test_names(self) -> None:
        """Each change has S3's name for it, whoever listens."""
        await listen(self, "ownership", b"")
        for kind in ("notification", "replication"):
            await listen(self, kind)
            before = len(await self.named())
            await self.change("key", has_lists=True)
            self.assertEqual(
                (await self.named())[before:],
                [
                    ("ObjectCreated:Put", "key"),
                    ("ObjectCreated:Copy", "key-copy"),
                    ("ObjectTagging:Put", "key"),
                    ("ObjectTagging:Delete", "key"),
                    ("ObjectAcl:Put", "key"),
                    ("ObjectRemoved:Delete", "key"),
                ],
            )
            await listen(self, kind, None)

    async def test_nobody_listens(self) -> None:
        """A bucket without a document, or with those of others, or that is not listened to any more, has no rows."""
        await self.change("key")
        for kind in ("cors", "tagging", "lifecycle"):
            await listen(self, kind)
        await listen(self, "notification")
        await listen(self, "notification", None)
        await self.change("key")
        self.assertEqual(await self.named(), [])

    async def test_members(self) -> None:
        """An event says what changed, when, and on whose behalf: what S3's message holds."""
        await listen(self, "notification")
        response = await self.put()
        [event] = await events_of(self)
        self.assertGreater(event.sequence, 0)
        gateway = self.client.gateway
        expected = Event(
            name="ObjectCreated:Put",
            time=int(gateway.clock.seconds() * 1000),
            bucket=await self.look(_number),
            volume=gateway.settings.volume_name,
            bucket_name="bucket",
            owner="testuser",
            key="key",
            version_id="null",
            size=len(SMALL),
            etag=etag_of(SMALL).strip('"'),
            cause=Cause(
                "testuser", event.cause.peer, response.headers["x-amz-request-id"]
            ),
        )
        self.assertEqual(evolve(event, sequence=0), expected)
        self.assertNotEqual(event.cause.peer, "")

    async def test_replaced(self) -> None:
        """A version that another takes the place of is no removal of its own."""
        await listen(self, "notification")
        await self.put()
        await self.put()
        self.assertEqual(await self.named(), [("ObjectCreated:Put", "key")] * 2)

    async def test_multipart(self) -> None:
        """An upload is noted when it becomes an object: not as it begins, nor its parts, nor its end without one, and once."""
        await listen(self, "notification")
        upload_id = await self.begin()
        await self.ask("DELETE", f"/bucket/key?uploadId={upload_id}")
        upload_id = await self.begin()
        etag = await self.part(upload_id, 1, PART)
        self.assertEqual(await self.named(), [])
        for _ in range(2):
            response = await self.complete(upload_id, [(1, etag)])
            self.assertEqual(response.status, 200)
        [event] = await events_of(self)
        self.assertEqual(event.name, "ObjectCreated:CompleteMultipartUpload")
        self.assertEqual(f'"{event.etag}"', multipart_etag_of(PART))
        self.assertEqual(event.size, len(PART))

    async def test_deleted_at_once(self) -> None:
        """Of several keys deleted at once each has its own row, but for those that were not there."""
        await self.add_objects("a", "b")
        await listen(self, "notification")
        await self.delete("a", "none", "b")
        removed = "ObjectRemoved:Delete"
        self.assertEqual(await self.named(), [(removed, "a"), (removed, "b")])
        await self.ask("DELETE", "/bucket/none")
        self.assertEqual(len(await self.named()), 2)

    async def test_refused(self) -> None:
        """A change that is refused, and so rolled back, has none."""
        await self.put()
        await listen(self, "notification")
        for refused in (
            await self.ask("PUT", "/bucket/key", SMALL, if_none_match="*"),
            await self.ask("DELETE", "/bucket/key", if_match='"other"'),
            await self.ask("DELETE", "/bucket/none?tagging"),
        ):
            self.assertGreaterEqual(refused.status, 400)
        self.assertEqual(await self.named(), [])

    async def test_order(self) -> None:
        """Later changes are later in the order, and later than the versions that they are of."""
        await listen(self, "notification")
        await self.change("one", "two")
        sequences = [each.sequence for each in await events_of(self)]
        self.assertEqual(sequences, sorted(set(sequences)))
        self.assertEqual(len(sequences), 10)

"""What ``ozgate admin fsck --remove-damaged`` must not remove: on real stores, whose files can be made to fail."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.task import Clock

from ozgate.admin.caller import Caller
from ozgate.admin.commands.table import run
from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from ozgate.admin.upkeep import fsck
from ozgate.auth.identities.policies import create_policy
from ozgate.auth.identities.users import attach_user_policy, create_user
from ozgate.background.reaper import Reaper
from ozgate.blobs.files import syscalls
from ozgate.content.stores import BlobStores
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.metadata_base import change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import (
    BlobRef,
    Bucket,
    Claim,
    Content,
    Extent,
    ObjectVersion,
    Part,
    Upload,
    Volume,
)
from tests.operations.uploads import LARGE, ObjectTestCase
from tests.unit.admin.upkeep.test_backup import BackupCase
from tests.unit.background.sweeping import name_blob, remove_key

ADMIN = Caller("root", True, is_local=True)


class RemovalTests(BackupCase):
    """Three keys whose blobs are well."""

    async def check(self, remove_damaged: bool = True) -> list[dict[str, Any]]:
        """All that a check finds that may remove what is damaged for good, or may not."""
        findings: list[dict[str, Any]] = []
        place: str | None = ""
        while place is not None:
            arguments = {"place": place, "remove_damaged": remove_damaged}
            page: Any = await run(self.context, ADMIN, "check_store", arguments)
            findings += page["findings"]
            place = page["place"]
        return findings

    def fail_opening(self, number: int, times: int) -> None:
        """Have some calls that open a file fail, from now on."""
        left = [times]
        open_named = syscalls.open_named

        def fails(path: str) -> int:
            if left[0] and os.path.basename(path) in {each.id for each in self.stored}:
                left[0] -= 1
                raise OSError(number, os.strerror(number))
            return open_named(path)

        self.patch(syscalls, "open_named", fails)

    async def keys(self) -> list[str]:
        """The keys that are there."""
        page = await self.metadata.read(
            lambda tx: tx.page(self.bucket, "", "", "", 10).items
        )
        return [each.key for each in page]

    async def test_lost_identity(self) -> None:
        """A policy that somebody has attached, and that is lost, is found; who names it is refused."""
        await self.metadata.write(_attach_and_lose)
        for _ in range(2):
            [found] = await self.check()
            self.assertEqual(
                (found["kind"], found["where"]), ("identity", "user alice")
            )
            self.assertIn(
                "it names the policy 'mine', which is not there", found["what"]
            )
            self.assertEqual(found["done"], "")

    async def test_disk_fails(self) -> None:
        """What a disk does not read, for ever or this once, may be well: it is named, and stays."""
        for times in (1, 1000):
            self.fail_opening(errno.EIO, times)
            findings = await self.check()
            self.assertEqual(len(findings), min(times, 3))
            self.assertEqual({each["done"] for each in findings}, {""})
            self.assertEqual(await self.keys(), ["key0", "key1", "key2"])

    async def test_no_descriptors(self) -> None:
        """What cannot be opened for want of a descriptor is not damaged: the check fails."""
        self.fail_opening(errno.EMFILE, 1)
        with self.assertRaises(AdminError):
            await self.check()
        self.assertEqual(await self.keys(), ["key0", "key1", "key2"])

    async def test_out_of_reach(self) -> None:
        """What is in a store that is not configured is named, and stays: an operator's slip costs nobody's bytes."""
        elsewhere = MemoryBlobStore(Clock(), "elsewhere")
        self.gateway.blobs = BlobStores(elsewhere)
        findings = await self.check()
        self.assertEqual(len(findings), 3)
        for finding in findings:
            self.assertIn("'files', which is not configured", finding["what"])
            self.assertEqual(finding["done"], "")
        self.gateway.blobs = BlobStores(elsewhere, [self.blobs])
        self.assertEqual(await self.check(), [])
        self.assertEqual(await self.keys(), ["key0", "key1", "key2"])

    async def test_lost(self) -> None:
        """What is gone for good is removed, and nothing else."""
        os.unlink(self.blobs.file_of(self.stored[1].id))
        (finding,) = await self.check()
        self.assertEqual(finding["done"], "removed")
        self.assertEqual(await self.keys(), ["key0", "key2"])

    async def test_beside_damaged_rows(self) -> None:
        """Damaged rows of volumes and buckets do not keep a check from the buckets beside them."""
        lost = await self.blob()
        await self.metadata.write(add_buckets, lost)
        os.unlink(self.blobs.file_of(lost.id))
        for statement in (
            "UPDATE buckets SET owner = 'x' WHERE name IN ('a1', 'b1', 'b3')",
            "UPDATE volumes SET owner = 'x' WHERE name IN ('a', 'b')",
        ):
            with closing(sqlite3.connect(self.path)) as connection, connection:
                connection.execute(statement)
            findings = await self.check(remove_damaged=False)
            found = [each["where"] for each in findings if each["kind"] == "bytes"]
            self.assertEqual(found, ["/b/b2/key", "/b/b4/key", "/c/c1/key"])

    async def test_names_that_are_no_text(self) -> None:
        """A name that is no UTF-8 any more is found, and the check goes on to its end; what is beside it stays when it is mended."""
        lost = await self.blob()
        await self.metadata.write(add_buckets, lost)
        no_text = "CAST(x'62ff' AS TEXT)"
        for table, column, name, done in (
            ("versions", "key", "key0", "removed"),
            ("buckets", "name", "b1", "root's now, called damaged-"),
            ("volumes", "name", "c", "root's now, called c,"),
        ):
            with closing(sqlite3.connect(self.path)) as connection, connection:
                statement = (
                    f"UPDATE {table} SET {column} = {no_text} WHERE {column} = '{name}'"
                )
                self.assertEqual(connection.execute(statement).rowcount, 1)
            findings = await self.check(remove_damaged=False)
            said = " ".join([each["what"] for each in findings])
            self.assertIn("not what was written", said)
            ends = [each for each in findings if "is looked at: " in each["what"]]
            self.assertTrue(ends)
            for each in ends:
                self.assertIn("mends the row", each["repair"])
            found = [each for each in await self.check() if each["kind"] == "row"]
            self.assertIn(done, found[0]["done"])
            self.assertEqual(await self.check(), [])
        self.assertEqual(await self.keys(), ["key1", "key2"])
        self.assertEqual(
            await self.metadata.read(names_of, ("a", "b", "c")),
            ["a1", "b2", "b3", "b4", "damaged-3", "c1"],
        )

    async def test_row_of_another(self) -> None:
        """A damaged row of bytes that says that it belongs to another key takes that one along neither where its bytes are inline nor in a blob."""
        await self.metadata.write(put_inline, self.bucket, "inline")
        for losing, named in (("key0", "inline"), ("key1", "key2")):
            with closing(sqlite3.connect(self.path)) as connection, connection:
                numbers = dict(connection.execute("SELECT key, sequence FROM versions"))
                connection.execute(
                    "UPDATE extents SET owner = ?, start = 7 WHERE owner = ?",
                    (numbers[named], numbers[losing]),
                )
            findings = await self.check()
            self.assertTrue(all(each["done"] for each in findings), findings)
        self.assertEqual(await self.keys(), ["inline", "key2"])
        self.assertEqual(await self.check(), [])

    async def test_lost_lease(self) -> None:
        """A check that another came between repairs nothing more, neither in its page nor in the next, though that one is done."""
        os.unlink(self.blobs.file_of(self.stored[1].id))
        page: Any = await run(
            self.context, ADMIN, "check_store", {"remove_damaged": True}
        )
        inspect = self.blobs.inspect

        async def inspected(blobs: Any) -> Any:
            # Its time is over, another check began, and has ended.
            with closing(sqlite3.connect(self.path)) as connection, connection:
                connection.execute("UPDATE leases SET expires = 0")
            await self.metadata.write(change, "lease", ("fsck", "another", 0))
            return await inspect(blobs)

        patched = self.patch(self.blobs, "inspect", inspected)
        for _ in range(2):
            with self.assertRaisesRegex(AdminError, "another fsck"):
                while page["place"] is not None:
                    arguments = {"place": page["place"], "remove_damaged": True}
                    page = await run(self.context, ADMIN, "check_store", arguments)
            patched.restore()
        self.assertEqual(await self.keys(), ["key0", "key1", "key2"])
        (finding,) = await self.check()
        self.assertEqual(finding["done"], "removed")

    async def test_part_sent_again(self) -> None:
        """An upload whose lost part is sent again while fsck looks at it goes on."""
        lost, again = [await self.blob() for _ in range(2)]
        upload = await self.metadata.write(begin_upload, self.bucket)
        await self.metadata.write(put_part, self.bucket, upload, lost)
        os.unlink(self.blobs.file_of(lost.id))
        inspect = self.blobs.inspect

        async def inspected(blobs: Any) -> Any:
            wrong = await inspect(blobs)
            if wrong:
                await self.metadata.write(put_part, self.bucket, upload, again)
            return wrong

        self.patch(self.blobs, "inspect", inspected)
        (finding,) = await self.check()
        self.assertEqual((finding["kind"], finding["done"]), ("part", ""))
        there = await self.metadata.read(
            lambda tx: tx.upload(self.bucket, upload.key, upload.upload_id)
        )
        self.assertEqual(there, upload)
        self.assertEqual(await self.check(), [])

    async def test_reaped_meanwhile(self) -> None:
        """A blob that the reaper deletes while a check looks for such as nothing names is none of them."""
        self.patch(fsck, "IN_FLIGHT", 0)
        self.patch(fsck, "REAPED", 0)
        running: Any = object()
        self.context = evolve(self.context, audit_log=running)
        await self.metadata.write(remove_key, self.bucket, "key0")
        reaper = Reaper(
            self.metadata, self.blobs, self.gateway.readers, reactor, "reaper", 0
        )
        gone = self.stored[0].id
        listed, calls = self.blobs.list, list[str]()

        async def list_and_reap(before: int, ending: str) -> Sequence[str]:
            found: Sequence[str] = await listed(before, ending)
            if gone in found:
                calls.append(ending)
            if len(calls) == 2:
                # The first only counts.
                await reaper.reap()
            return found

        self.patch(self.blobs, "list", list_and_reap)
        self.assertEqual(await self.check(remove_damaged=False), [])
        self.assertEqual(len(calls), 2)
        self.assertNotIn(gone, await listed(1 << 47, gone[-2:]))

    async def blob(self) -> BlobRef:
        """A new one."""
        sink = self.blobs.create(None)
        sink.write(b"x" * 50_000)
        made: BlobRef = await sink.commit()
        return made


def add_buckets(tx: IMetadataTransaction, blob: BlobRef) -> None:
    """Three volumes, and a key with that blob in each of their buckets; an interaction."""
    buckets = (("a", 1), ("b", 4), ("c", 1))
    tx.claim(
        *(Claim.volume(volume) for volume, _ in buckets),
        *(Claim.name(v, f"{v}{n + 1}") for v, count in buckets for n in range(count)),
    )
    for volume, count in buckets:
        tx.add_volume(Volume(volume, "owner", tx.now()))
        for n in range(count):
            bucket = Bucket(volume, f"{volume}{n + 1}", "owner", tx.now())
            name_blob(tx, tx.add_bucket(bucket), "key", blob)


def names_of(tx: IMetadataTransaction, volumes: Sequence[str]) -> list[str]:
    """The buckets of volumes; an interaction."""
    return [each.name for name in volumes for each in tx.buckets(name, "", "", 99)]


def put_inline(tx: IMetadataTransaction, bucket: Bucket, key: str) -> None:
    """A key with its bytes in a row; an interaction."""
    claim_whole(tx, bucket)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), 4)
    tx.add_version(bucket, version, Content(b"body"))


def begin_upload(tx: IMetadataTransaction, bucket: Bucket) -> Upload:
    """An upload; an interaction."""
    upload = Upload("key", "upload", tx.now(), "owner")
    claim_whole(tx, bucket)
    tx.add_upload(bucket, upload)
    return upload


def put_part(
    tx: IMetadataTransaction, bucket: Bucket, upload: Upload, blob: BlobRef
) -> None:
    """Its first part; an interaction."""
    content = Content(None, (Extent(blob, 0, blob.length),))
    claim_whole(tx, bucket)
    tx.put_part(bucket, upload, Part(1, blob.length, "etag", tx.now(), {}, content))


class ClaimedTests(ObjectTestCase):
    """What a check changes it has claimed: the provider in memory refuses what is not."""

    async def test_removed(self) -> None:
        """A version and a part whose bytes are gone are removed, and what is doomed in a store that nobody knows is forgotten."""
        await self.put(LARGE)
        upload_id = await self.begin("/bucket/other")
        await self.part(upload_id, 1, LARGE, "/bucket/other")
        gateway: Any = self.client.gateway
        gateway.blobs.default.data.clear()
        stranger = BlobRef("elsewhere", "0" * 24, 0, 0)
        await gateway.metadata.write(change, "doom", ([stranger],))
        context = AdminContext(gateway, None, 0.0)
        place, done = "", []
        while place is not None:
            arguments = {"place": place, "remove_damaged": True}
            page: Any = await run(context, ADMIN, "check_store", arguments)
            done += [each["done"] for each in page["findings"]]
            place = page["place"]
            self.clock.advance(0)
        said = ["removed", "the upload is aborted", "it is taken off the list"]
        self.assertEqual(done, said)
        self.assertEqual((await self.get()).status, 404)
        self.assertEqual(
            (await self.get(f"/bucket/other?uploadId={upload_id}")).status, 404
        )


def _attach_and_lose(tx: IMetadataTransaction) -> None:
    create_user(tx, "alice")
    create_policy(tx, "mine", "{}")
    attach_user_policy(tx, "alice", "mine")
    tx.remove_policy("mine")

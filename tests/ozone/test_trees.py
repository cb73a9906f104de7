"""Buckets of a real cluster that are trees of files and folders, by themselves and by links, in a volume that is not S3's."""

from __future__ import annotations

from random import Random
from typing import Any

from ozgate.foreign.ozone.client import Client
from ozgate.testing.foreign_contract import md5
from ozgate.values import ITSELF
from tests.ozone.test_commits import OzoneTests

VOLUME = "contract-trees"


def make_tree(client: Client, name: str) -> None:
    """Make the volume where it is not there, a bucket in it that is a tree, and a link to that in the volume of S3."""
    arguments = client.java("org.apache.hadoop.ozone.client.BucketArgs")
    layout = client.java("org.apache.hadoop.ozone.om.helpers.BucketLayout")
    if not any(str(each.getName()) == VOLUME for each in client.store.listVolumes("")):
        client.protocol.createVolume(VOLUME)
    tree = arguments.newBuilder().setBucketLayout(layout.FILE_SYSTEM_OPTIMIZED)
    client.protocol.createBucket(VOLUME, name, tree.build())
    link = arguments.newBuilder().setSourceVolume(VOLUME).setSourceBucket(name)
    client.protocol.createBucket("s3v", f"{name}-link", link.build())


def remove_tree(client: Client, name: str) -> None:
    """Remove both, and what is in them."""
    bucket = client.protocol.getBucketDetails(VOLUME, name)
    for each in bucket.listStatus("", False, "", 1000):
        bucket.deleteDirectory(each.getTrimmedName(), True)
    client.protocol.deleteBucket("s3v", f"{name}-link")
    client.protocol.deleteBucket(VOLUME, name)


class TreeTests(OzoneTests):
    """A tree, and a link to it."""

    async def setUp(self) -> None:
        """Make it."""
        await super().setUp()
        self.flat = self.bucket
        self.tree_name = self.new_name()
        await self.run_in(make_tree)
        self.bucket = self.in_bucket(f"{self.tree_name}-link")
        self.tree = self.system.bucket(VOLUME, self.tree_name, self.me)

    async def tearDown(self) -> None:
        """Remove it."""
        await self.run_in(remove_tree)
        self.bucket = self.flat
        await super().tearDown()

    async def run_in(self, function: Any) -> None:
        """Call something that makes or removes, as the gateway."""
        connection = self.system.connection
        await connection.run(function, self.tree_name, behalf=ITSELF)

    async def test_told(self) -> None:
        """A link is told by its own name, as what it leads to, and with that's name."""
        info = await self.bucket.info()
        self.assertEqual(info.name, f"{self.tree_name}-link")
        self.assertEqual(info.layout, "FILE_SYSTEM_OPTIMIZED")
        self.assertEqual(info.source, (VOLUME, self.tree_name))
        page = await self.system.buckets("s3v", self.tree_name, "", 10, self.me)
        self.assertEqual([each.source for each in page], [info.source])
        real = await self.tree.info()
        self.assertEqual((real.volume, real.source), (VOLUME, None))

    async def test_one_bucket(self) -> None:
        """What is put by a link is in the bucket it leads to, and the other way round."""
        await self.put("a/b", b"linked")
        found = await self.tree.head("a/b")
        self.assertEqual((found.size, found.etag), (6, md5(b"linked")))
        await self.tree.put("c", b"real", md5(b"real"), {"m": "1"}, {})
        self.assertEqual(await self.read("c"), b"real")
        self.assertEqual(dict((await self.bucket.head("c")).metadata), {"m": "1"})

    async def test_uploads(self) -> None:
        """Uploads become files of the tree."""
        upload_id = await self.upload("a/b/key", b"1")
        # As of 2.2.0 their folders are made when they begin.
        self.assertEqual(await self.keys(), ["a/", "a/b/"])
        await self.bucket.complete("a/b/key", upload_id, [(1, md5(b"1"))])
        self.assertEqual(await self.keys(), ["a/", "a/b/", "a/b/key"])
        self.assertEqual(await self.read("a/b/key"), b"1")

    async def test_folders(self) -> None:
        """Folders are keys that end in a slash: those that were put, and those that came with what is in them."""
        await self.put("a/b/c")
        await self.put("d/", b"")
        page = await self.bucket.list("", "", 10)
        found = [(each.key, each.is_folder) for each in page.items]
        wanted = [("a/", True), ("a/b/", True), ("a/b/c", False), ("d/", True)]
        self.assertEqual(found, wanted)
        self.assertTrue((await self.bucket.head("a/")).is_folder)
        for name in ("a", "a/b", "d", "a//b/c"):
            await self.refused("KEY_NOT_FOUND", self.bucket.head(name))
            await self.refused("KEY_NOT_FOUND", self.bucket.open(name))

    async def test_other_names(self) -> None:
        """A key that would be kept under another name is refused."""
        for name in ("a//b", "/a", "a/./b", "a/../b", "..", "a/b/"):
            put = self.bucket.put(name, b"x", md5(b"x"), {}, {})
            await self.refused("INVALID_KEY_NAME", put)
            created = self.bucket.create(name, 1, {}, {})
            await self.refused("INVALID_KEY_NAME", created)
            began = self.bucket.create_upload(name, {}, {})
            await self.refused("INVALID_KEY_NAME", began)
        self.assertEqual(await self.keys(), [])

    async def test_order(self) -> None:
        """Pages of any size are in the order of paths, from any path on, for any prefix."""
        chosen = Random(12)
        parts = ["a", "a-", "a-b", "a.b", "ab", "a b", "b", "ä", "z", "\uff5e"]
        files: set[str] = set()
        folders: set[str] = set()
        while len(files) < 30:
            path = "/".join(chosen.choices(parts, k=chosen.randint(1, 3)))
            above = {path[:at] for at, each in enumerate(path) if each == "/"}
            if not above & files and path not in folders:
                files.add(path)
                folders |= above
        for each in sorted(files):
            await self.put(each, b"")
        every = sorted(files | {f"{each}/" for each in folders})
        for limit in (1, 3, 1000):
            found: list[str] = []
            while True:
                after = found[-1] if found else ""
                page = await self.bucket.list("", after, limit)
                found += [each.key for each in page.items]
                if page.is_last:
                    break
            self.assertEqual(found, every, limit)
        for prefix in ("", "a", "a/", "a-", "a/a", "ab/a.", "b/", "x", "ä"):
            for after in ("", "a", "a-", "a-b/", "a/a", "a/~", "ab", "b/a-b", "zz"):
                wanted = [e for e in every if e.startswith(prefix) and e > after]
                self.assertEqual(
                    await self.keys(prefix, after), wanted, (prefix, after)
                )
                some = await self.keys(prefix, after, 2)
                self.assertEqual(some, wanted[:2], (prefix, after))

"""Contract of other systems: the system, and its buckets as a whole."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from zope.interface.verify import verifyObject

from ..interfaces import IForeignBucket, IForeignSystem
from ..values import OnBehalf
from .foreign_base import ForeignTests, md5


class BucketTests(ForeignTests):
    """Buckets of a volume."""

    async def test_interfaces(self) -> None:
        """A system and a bucket have every method of their interfaces."""
        verifyObject(IForeignSystem, self.system)
        verifyObject(IForeignBucket, self.bucket)

    async def test_info(self) -> None:
        """A bucket that was made is told with its maker, as a flat one, and as no link."""
        info = await self.bucket.info()
        self.assertEqual((info.volume, info.name), (self.volume, self.name))
        self.assertEqual(info.owner, self.me.user)
        self.assertEqual(info.layout, "OBJECT_STORE")
        self.assertIsNone(info.source)
        self.assertGreater(info.created, 0)

    async def test_made_twice(self) -> None:
        """No bucket takes the place of another."""
        again = self.system.create_bucket(self.volume, self.name, self.me)
        await self.refused("BUCKET_ALREADY_EXISTS", again)

    async def test_removed(self) -> None:
        """A bucket that was removed is not there, and can be made anew."""
        await self.system.delete_bucket(self.volume, self.name, self.me)
        await self.refused("BUCKET_NOT_FOUND", self.bucket.info())
        gone = self.system.delete_bucket(self.volume, self.name, self.me)
        await self.refused("BUCKET_NOT_FOUND", gone)
        await self.system.create_bucket(self.volume, self.name, self.me)

    async def test_removed_with_keys(self) -> None:
        """A bucket with a key in it stays."""
        await self.put("key")
        removed = self.system.delete_bucket(self.volume, self.name, self.me)
        await self.refused("BUCKET_NOT_EMPTY", removed)
        self.assertEqual(await self.read("key"), b"abc")

    async def test_pages(self) -> None:
        """Buckets are listed by name: those with a prefix, after a name, so many."""
        more = [f"{self.name}-{each}" for each in "abc"]
        for name in more:
            await self.system.create_bucket(self.volume, name, self.me)
        try:
            names = [self.name, *more]
            for after, limit, wanted in (
                ("", 10, names),
                ("", 2, names[:2]),
                (names[1], 10, names[2:]),
                (f"{names[1]}-", 1, names[2:3]),
            ):
                page = await self.system.buckets(
                    self.volume, self.name, after, limit, self.me
                )
                self.assertEqual([each.name for each in page], wanted)
        finally:
            for name in more:
                await self.system.delete_bucket(self.volume, name, self.me)

    async def test_absent(self) -> None:
        """In a bucket that is not there nothing is found, made or removed."""
        none = self.in_bucket(self.new_name())
        etag = md5(b"")
        for asked in (
            lambda: none.info(),
            lambda: none.head("key"),
            lambda: none.open("key"),
            lambda: none.put("key", b"", etag, {}, {}),
            lambda: none.create("key", 0, {}, {}),
            lambda: none.delete("key"),
            lambda: none.list("", "", 1),
            lambda: none.tags("key"),
            lambda: none.put_tags("key", {"a": "b"}),
            lambda: none.create_upload("key", {}, {}),
            lambda: none.uploads("", "", "", 1),
        ):
            await self.refused("BUCKET_NOT_FOUND", asked())

    async def test_nobody(self) -> None:
        """For nobody nothing is asked."""
        nobody = self.system.bucket(self.volume, self.name, OnBehalf())
        await self.put("key")
        await self.refused("PERMISSION_DENIED", nobody.head("key"))
        await self.refused("PERMISSION_DENIED", nobody.list("", "", 1))
        put = nobody.put("other", b"", md5(b""), {}, {})
        await self.refused("PERMISSION_DENIED", put)
        self.assertEqual(await self.keys(), ["key"])

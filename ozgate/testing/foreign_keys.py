"""Contract of other systems: keys, and what has to be so for them to be written."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from ..errors import Refused
from ..values import NO_PRECONDITION, Precondition
from .foreign_base import ForeignTests, md5

_ABSENT = Precondition(absent=True)
_CHANGED = {"ATOMIC_WRITE_CONFLICT", "KEY_ALREADY_EXISTS", "ETAG_MISMATCH"}


class KeyTests(ForeignTests):
    """Keys of a bucket."""

    async def test_head(self) -> None:
        """All that was kept with a key is told again, letters beyond ASCII and empty values included."""
        metadata = {"plain": "value", "empty": "", "far": "grün 😀", "q": "a=b&c\n"}
        tags = {"colour": "grün", "empty": ""}
        data = b"hello"
        await self.bucket.put("a/key 😀", data, md5(data), metadata, tags)
        found = await self.bucket.head("a/key 😀")
        self.assertEqual((found.key, found.size), ("a/key 😀", 5))
        self.assertEqual(found.etag, md5(data))
        self.assertEqual(dict(found.metadata), metadata)
        self.assertEqual(dict(found.tags), tags)
        self.assertEqual(found.owner, self.me.user)
        self.assertGreater(found.modified, 1_500_000_000_000)
        self.assertGreater(found.generation, 0)
        self.assertFalse(found.is_folder)
        self.assertEqual(found.parts, 0)

    async def test_looked_up(self) -> None:
        """Whoever looks a key up to read it is told the same as by head."""
        await self.bucket.put("key", b"12", md5(b"12"), {"a": "b"}, {"c": "d"})
        reading = await self.bucket.open("key")
        self.assertEqual(reading.found, await self.bucket.head("key"))
        reading.close()
        reading.close()

    async def test_absent(self) -> None:
        """A key that is not there is not found."""
        await self.refused("KEY_NOT_FOUND", self.bucket.head("none"))
        await self.refused("KEY_NOT_FOUND", self.bucket.open("none"))
        await self.refused("KEY_NOT_FOUND", self.bucket.delete("none"))
        await self.refused("KEY_NOT_FOUND", self.bucket.tags("none"))
        tagged = self.bucket.put_tags("none", {"a": "b"})
        await self.refused("KEY_NOT_FOUND", tagged)

    async def test_replaced(self) -> None:
        """A key that is written again has nothing of what was before, and another generation."""
        await self.bucket.put("key", b"one", md5(b"one"), {"a": "1"}, {"t": "1"})
        before = await self.bucket.head("key")
        await self.bucket.put("key", b"three", md5(b"three"), {"b": "2"}, {})
        after = await self.bucket.head("key")
        self.assertEqual((after.size, after.etag), (5, md5(b"three")))
        self.assertEqual((dict(after.metadata), dict(after.tags)), ({"b": "2"}, {}))
        self.assertGreater(after.generation, before.generation)
        self.assertEqual(await self.read("key"), b"three")

    async def test_removed(self) -> None:
        """A key that was removed is not there."""
        await self.put("key")
        await self.bucket.delete("key")
        await self.refused("KEY_NOT_FOUND", self.bucket.head("key"))

    async def test_removed_together(self) -> None:
        """Of keys that are removed together those are told that were not, with why."""
        await self.put("a")
        await self.put("b")
        await self.put("c")
        left = await self.bucket.delete_all(["a", "none", "c"])
        self.assertEqual(
            {key: code for key, (code, _) in left.items()}, {"none": "KEY_NOT_FOUND"}
        )
        self.assertEqual(await self.keys(), ["b"])

    async def test_removed_none(self) -> None:
        """Of no keys none is left."""
        self.assertEqual(dict(await self.bucket.delete_all([])), {})

    async def test_tags(self) -> None:
        """Tags are replaced as a whole, and leave the rest of the key as it is."""
        await self.bucket.put("key", b"12", md5(b"12"), {"a": "b"}, {"one": "1"})
        await self.bucket.put_tags("key", {"two": "2", "three": ""})
        self.assertEqual(dict(await self.bucket.tags("key")), {"two": "2", "three": ""})
        await self.bucket.put_tags("key", {})
        self.assertEqual(dict(await self.bucket.tags("key")), {})
        found = await self.bucket.head("key")
        self.assertEqual((found.etag, dict(found.metadata)), (md5(b"12"), {"a": "b"}))
        self.assertEqual(await self.read("key"), b"12")

    async def _write(self, way: str, data: bytes, wanted: Precondition) -> None:
        if way == "put":
            await self.put("key", data, wanted)
        else:
            await self.stream("key", data, wanted=wanted)

    async def test_only_if_absent(self) -> None:
        """What is written only where there is no key never replaces one."""
        for way in ("put", "create"):
            await self._write(way, b"first", _ABSENT)
            again = self._write(way, b"second", _ABSENT)
            await self.refused("KEY_ALREADY_EXISTS", again)
            self.assertEqual(await self.read("key"), b"first")
            await self.bucket.delete("key")

    async def test_only_if_etag(self) -> None:
        """What is written only over an ETag leaves another key alone, and makes none."""
        for way in ("put", "create"):
            wanted = Precondition(etag=md5(b"first"))
            await self.refused("KEY_NOT_FOUND", self._write(way, b"second", wanted))
            await self._write(way, b"first", NO_PRECONDITION)
            await self._write(way, b"second", wanted)
            self.assertEqual(await self.read("key"), b"second")
            await self.refused("ETAG_MISMATCH", self._write(way, b"third", wanted))
            self.assertEqual(await self.read("key"), b"second")
            await self.bucket.delete("key")

    async def test_two_at_once(self) -> None:
        """Of two who begin while what they want is so, the one that commits first wins, and the other is refused."""
        for before, wanted in (
            (None, _ABSENT),
            (b"first", Precondition(etag=md5(b"first"))),
        ):
            if before is not None:
                await self.put("key", before)
            one = await self.bucket.create("key", 3, {}, {}, wanted)
            two = await self.bucket.create("key", 3, {}, {}, wanted)
            one.write(b"one")
            two.write(b"two")
            await two.commit(md5(b"two"), {})
            with self.assertRaises(Refused) as caught:
                await one.commit(md5(b"one"), {})
            self.assertIn(caught.exception.code, _CHANGED)
            self.assertEqual(await self.read("key"), b"two")
            await self.bucket.delete("key")

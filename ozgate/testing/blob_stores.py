"""Contract of blobs: stores. Deleting, listing, inspecting; opening and closing; damage and full disks."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults, succeed
from zope.interface.verify import verifyObject

from ..errors import Absent, Damaged, NoSpace, StoreError, Unavailable
from ..interfaces import IBlobStore
from ..values import BlobRef, ByteRange
from .blob_base import MIB, BlobTests, Feeder, Reader, noise


class StoreTests(BlobTests):
    """Blobs as they are kept."""

    async def test_store_interface(self) -> None:
        """The store has every method and attribute of its interface."""
        verifyObject(IBlobStore, self.store)
        self.assertIsInstance(self.store.name, str)
        self.assertIsInstance(self.store.identity, str)
        self.assertGreaterEqual(self.store.extent_size, 0)
        self.assertGreaterEqual(self.store.inline_below, 0)

    # Absence, deletion, listing

    async def test_absent(self) -> None:
        """A blob that is not there is Absent."""
        blob = await self.put(b"x")
        await self.store.delete(blob.id)
        await self.assertFailure(self.store.open(blob, ByteRange(0, 1)), Absent)

    async def test_never_there(self) -> None:
        """Ids nobody made, whatever they look like, name nothing."""
        for name in ("0" * 24, "", "x", "../FORMAT", "/etc/passwd", "a/../b"):
            blob = BlobRef(self.store.name, name, 1, 0)
            await self.assertFailure(self.store.open(blob, ByteRange(0, 1)), Absent)
            await self.store.delete(name)

    async def test_delete(self) -> None:
        """Deleting one blob leaves the others."""
        first, second = await self.put(b"1"), await self.put(b"2")
        await self.store.delete(first.id)
        self.assertEqual(await self.ids(), [second.id])
        self.assertEqual(await self.get(second), b"2")

    async def test_delete_twice(self) -> None:
        """Deleting a blob that is gone succeeds."""
        blob = await self.put(b"x")
        await gatherResults([self.store.delete(blob.id), self.store.delete(blob.id)])
        await self.store.delete(blob.id)

    async def test_list_is_complete(self) -> None:
        """Every committed blob is listed, in the order of time."""
        made = [(await self.put(b"x")).id for _ in range(30)]
        self.assertEqual(await self.ids(), made)

    async def test_list_before(self) -> None:
        """Blobs made at or after the given time are not listed."""
        start = self.now()
        blob = await self.put(b"x")
        self.assertEqual(list(await self.store.list(start)), [])
        self.assertEqual(list(await self.store.list(0)), [])
        self.assertEqual(list(await self.store.list(self.now() + 1000)), [blob.id])

    async def test_list_by_ending(self) -> None:
        """Asked for all endings one after the other, a store lists each blob once."""
        made = [(await self.put(b"x")).id for _ in range(30)]
        later = self.now() + 1000
        for length in (1, 2):
            found: list[str] = []
            for n in range(16**length):
                ending = f"{n:0{length}x}"
                some = await self.store.list(later, ending)
                self.assertTrue(all(i.endswith(ending) for i in some))
                found += some
            self.assertEqual(sorted(found), made)
        self.assertEqual(list(await self.store.list(later, made[0])), [made[0]])

    # Looking after what is kept

    async def test_inspect(self) -> None:
        """What is there as its reference says is well; what is not there, or another, is said to be wrong."""
        well, empty, other = [
            await self.put(data) for data in (noise(300_000), b"", b"other")
        ]
        gone = await self.put(b"gone")
        await self.store.delete(gone.id)
        longer = evolve(other, length=other.length + 1)
        wrong = await self.store.inspect([well, empty, gone, longer])
        self.assertEqual(set(wrong), {gone.id, other.id})
        self.assertEqual(dict(await self.store.inspect([])), {})

    async def test_verify(self) -> None:
        """A blob that is well is read whole, a run at a time, each only when the one before was dealt with."""
        for length in (0, 1, 262_144, 3 * MIB + 1):
            blob = await self.put(noise(length))
            runs: list[int] = []

            def pace(count: int, runs: list[int] = runs) -> Deferred[None]:
                runs.append(count)
                return succeed(None)

            self.assertEqual(await self.store.verify(blob.id), length)
            self.assertEqual(await self.store.verify(blob.id, pace), length)
            self.assertEqual(sum(runs), length)
        held: Deferred[None] = Deferred()
        verifying = self.store.verify(blob.id, lambda _: held)
        self.assertNoResult(verifying)
        held.callback(None)
        self.assertEqual(await verifying, length)

    async def test_verify_damaged(self) -> None:
        """One changed bit anywhere is found, and so is a lost end, and a blob that is not there."""
        for offset in (0, 262_143, 262_144, 699_999):
            blob = await self.put(noise(700_000))
            self.damage(blob, offset)
            await self.assertFailure(self.store.verify(blob.id), Damaged)
        blob = await self.put(noise(100_000))
        self.truncate(blob, 99_000)
        await self.assertFailure(self.store.verify(blob.id), Damaged)
        await self.store.delete(blob.id)
        await self.assertFailure(self.store.verify(blob.id), Absent)

    # Opening and closing

    async def test_close_aborts(self) -> None:
        """Closing the store drops what is being written."""
        sink = self.store.create(None)
        sink.write(noise(2 * MIB))
        await self.store.close_store()
        self.assertEqual(self.leftovers(), [])
        self.assertRaises((RuntimeError, StoreError), sink.write, b"more")

    async def test_closed(self) -> None:
        """A closed store takes no blobs."""
        await self.store.close_store()
        self.assertRaises(Unavailable, self.store.create, None)

    async def test_open_again(self) -> None:
        """What was committed is there after a restart, in what is known for the same store; what was not, is not."""
        identity = self.store.identity
        self.assertNotEqual(identity, "")
        data = noise(300_000)
        blob = await self.put(data)
        self.store.create(None).write(noise(MIB))
        await self.store.close_store()
        self.store = self.remake_store()
        await self.store.prepare_store()
        await self.store.open_store()
        self.assertEqual(self.store.identity, identity)
        self.assertEqual(await self.ids(), [blob.id])
        self.assertTrue(await self.get(blob) == data)

    async def test_close_again(self) -> None:
        """Closing a store that is closed does nothing, nor does closing one that was prepared and never opened."""
        await self.store.close_store()
        await self.store.close_store()
        self.store = self.make_store()
        await self.store.prepare_store()
        await self.store.close_store()

    async def test_open_beside(self) -> None:
        """Who only opens a store leaves alone what another writes; each reads and lists what the other committed."""
        first = await self.put(b"first")
        sink = self.store.create(None)
        sink.write(noise(MIB))
        writing, self.store = self.store, self.remake_store()
        await self.store.open_store()
        self.assertEqual(await self.get(first), b"first")
        second = await self.put(b"second")
        await self.store.close_store()
        self.store = writing
        sink.write(noise(MIB))
        last = await sink.commit()
        self.assertEqual(set(await self.ids()), {first.id, second.id, last.id})
        self.assertEqual(await self.get(second), b"second")
        self.assertEqual(len(await self.get(last)), 2 * MIB)

    # Damage and want

    async def test_damage_goes_nowhere(self) -> None:
        """A changed bit fails the sending, and no byte of its block goes on."""
        data = noise(700_000)
        for offset in (0, 262_143, 262_144, 699_999):
            blob = await self.put(data)
            self.damage(blob, offset)
            source = await self.store.open(blob, ByteRange(0, len(data)))
            reader = Reader()
            await self.assertFailure(source.send_to(reader), Damaged)
            source.close()
            self.assertIsNone(reader.producer)
            self.assertLessEqual(len(reader.data), offset)
            self.assertTrue(data.startswith(reader.data))

    async def test_damage_in_a_range(self) -> None:
        """Damage in the part of a block that is not asked for is still damage."""
        blob = await self.put(noise(100_000))
        self.damage(blob, 99_999)
        source = await self.store.open(blob, ByteRange(5, 10))
        self.addCleanup(source.close)
        await self.assertFailure(source.send_to(Reader()), Damaged)

    async def test_truncated(self) -> None:
        """A blob that lost its end is damaged, also for runs that are still there."""
        blob = await self.put(noise(100_000))
        self.truncate(blob, 99_000)
        await self.assertFailure(self.store.open(blob, ByteRange(0, 10)), Damaged)

    async def test_no_space(self) -> None:
        """A full store says so, keeps nothing of the blob, and takes others when there is room."""
        small = await self.put(b"before")
        self.fill()
        sink = self.store.create(None)
        with self.assertRaises(NoSpace):
            feeder = Feeder(sink, iter([noise(65536) for _ in range(128)]))
            feeder.resumeProducing()
            await feeder.done
            await sink.commit()
        await sink.abort()
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(await self.ids(), [small.id])
        after = await self.put(b"after")
        self.assertEqual(await self.get(after), b"after")

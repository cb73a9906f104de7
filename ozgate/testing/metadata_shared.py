"""Contract of metadata: what is no object of S3. Leases, named values; rows that are checked."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from attrs import evolve

from ..values import DamagedRow, Process, Volume
from .metadata_base import (
    OWNER,
    START,
    MetadataTests,
    part,
    put,
    upload,
)

DAY = 86_400


class SharedTests(MetadataTests):
    """Leases, named values; looking through all rows."""

    async def test_lease(self) -> None:
        """A lease is one owner's until its term is over; its owner renews it."""

        async def lease(owner: str, seconds: float, name: str = "sweep") -> object:
            return await self.write("lease", name, owner, seconds)

        self.assertTrue(await lease("a", 10))
        self.assertFalse(await lease("b", 10))
        self.assertTrue(await lease("b", 10, "other"))
        self.clock.advance(9)
        self.assertTrue(await lease("a", 10))
        self.clock.advance(9.5)
        self.assertFalse(await lease("b", 10))
        self.clock.advance(0.5)
        self.assertTrue(await lease("b", 10))
        self.assertFalse(await lease("a", 10))

    async def test_terms(self) -> None:
        """A term's number grows whenever a lease changes hands, and never else; one that is over does not come again."""

        async def lease(owner: str, seconds: float, term: int = 0) -> object:
            return await self.write("lease", "sweep", owner, seconds, term)

        self.assertEqual(await lease("a", 10), 1)
        self.assertEqual(await lease("a", 10, 1), 1)
        self.clock.advance(11)
        # It was late, but nobody came before.
        self.assertEqual(await lease("a", 10, 1), 1)
        self.clock.advance(10)
        self.assertEqual(await lease("b", 10), 2)
        self.assertIsNone(await lease("a", 10, 1))
        self.clock.advance(10)
        # It would get it, but not as the one whose term it was.
        self.assertIsNone(await lease("a", 10, 1))
        self.assertEqual(await lease("b", 10, 2), 2)
        self.clock.advance(10)
        self.assertEqual(await lease("a", 10), 3)
        self.assertIsNone(await lease("a", 10, 1))
        self.assertIsNone(await lease("a", 10, 2))
        self.assertEqual(await lease("a", 10, 3), 3)

    async def test_lease_given_up(self) -> None:
        """What is given up is anybody's at once, and who took it counts as another."""
        self.assertEqual(await self.write("lease", "sweep", "a", 10), 1)
        self.assertEqual(await self.write("lease", "sweep", "a", 0, 1), 1)
        self.assertEqual(await self.write("lease", "sweep", "b", 10), 2)
        self.assertIsNone(await self.write("lease", "sweep", "a", 10, 1))

    async def test_lease_of_a_time_to_come(self) -> None:
        """A lease that was taken while the clock was wrong by years keeps nobody waiting for years; who had it notices."""
        self.clock.advance(400 * DAY)
        self.assertEqual(await self.write("lease", "sweep", "a", DAY), 1)
        self.clock.rightNow -= DAY
        self.assertIsNone(await self.write("lease", "sweep", "b", 10))
        self.clock.rightNow -= 399 * DAY
        self.assertEqual(await self.write("lease", "sweep", "b", 10), 2)
        self.assertIsNone(await self.write("lease", "sweep", "a", 10, 1))

    async def test_end_leases(self) -> None:
        """All leases of the dead end, and nobody else's."""
        for name in ("sweep", "scrub"):
            await self.write("lease", name, "dead", 1000)
        await self.write("lease", "fsck", "alive", 1000)
        await self.write("end_leases", "dead")
        await self.write("end_leases", "nobody")
        for name, term in (("sweep", 2), ("scrub", 2), ("fsck", None)):
            self.assertEqual(await self.write("lease", name, "next", 10), term, name)

    async def test_processes(self) -> None:
        """Processes are kept, replaced and removed."""
        first, second = Process("host-1-a", START * 1000), Process("host-2-b", 2, 3, 4)
        for process in (evolve(first, reads_since=9, noted_until=9), first, second):
            await self.write("put_process", process)
        found = await self.read("processes")
        self.assertEqual(
            {each.id: each for each in found},
            {each.id: each for each in (first, second)},
        )
        for _ in range(2):
            await self.write("remove_process", second.id)
        self.assertEqual(list(await self.read("processes")), [first])

    async def test_setting(self) -> None:
        """Named values are kept, replaced and removed."""
        self.assertIsNone(await self.read("setting", "name"))
        for value in (b"\x00one", b"two", None):
            await self.write("set_setting", "name", value)
            self.assertEqual(await self.read("setting", "name"), value)
        await self.write("set_setting", "never there", None)

    async def test_reading_refuses(self) -> None:
        """A reading interaction changes neither volumes nor named values."""
        for attempt in (
            ("replace_volume", Volume("s3v", OWNER, 1)),
            ("set_setting", "a", b""),
        ):
            await self.assertFailure(self.read(*attempt), TypeError)

    async def test_check_rows(self) -> None:
        """Looking through all rows, a few at a time, comes to an end, and finds nothing wrong with what was written."""
        for key in "abcde":
            await self.write(put, self.bucket, key)
        begun = await self.write(upload, self.bucket, "key", "u1")
        await self.write("put_part", self.bucket, begun, part(1, "b1", "b2"))
        after: str | None = ""
        pages = 0
        while after is not None:
            rows = await self.read("check_rows", after, 2)
            self.assertLessEqual(rows.count, 2)
            self.assertEqual(rows.damaged, ())
            after = rows.next_after
            pages += 1
            self.assertLess(pages, 100)

    async def test_mend_row(self) -> None:
        """Nothing happens to a row that is well, or not there."""
        await self.write(put, self.bucket, "key")
        row = DamagedRow("versions", (self.bucket.number, "none", 1), "")
        said = await self.write("mend_row", row, OWNER, frozenset(), frozenset())
        self.assertTrue(said)
        found = await self.read("latest", self.bucket, "key")
        self.assertEqual(found.key, "key")

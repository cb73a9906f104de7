"""The reaper between other transactions, on real stores."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor

from ozgate.errors import Absent
from ozgate.interfaces import IMetadataTransaction
from ozgate.values import ByteRange, Content
from tests.crash.faulty_stores import Disk, content_of, name_blob, nothing


class ReaperTests(Disk):
    """The reaper between other transactions."""

    async def test_read_begun_while_it_waits(self) -> None:
        """A read that begins while the reaper's transaction waits behind an overwrite keeps its bytes."""
        data = os.urandom(300_000)
        await self.store("a", data)
        await self.store("b", data)
        await self.remove("b")
        new = self.blobs.create(None)
        new.write(b"new")
        blob = await new.commit()
        real = self.metadata.write
        found: list[Content | None] = []
        tokens: list[int] = []

        async def overwrite_first(interaction: Any, *args: Any, **keywords: Any) -> Any:
            if not tokens:
                # What is queued before the reaper's write, and a GET that still sees what it replaces.
                tokens.append(self.readers.enter(int(reactor.seconds() * 1000)))
                found.append(await self.metadata.read(content_of, self.bucket, "a"))
                await real(name_blob, self.bucket, "a", blob)
                await real(wait_a_moment)
            return await real(interaction, *args, **keywords)

        while not await self.metadata.read(any_doomed_by_now):
            await self.metadata.write(nothing)
        self.patch(self.metadata, "write", overwrite_first)
        self.assertEqual(await self.reaper.reap(), 1)
        assert found[0] is not None
        extent = found[0].extents[0]
        source = await self.blobs.open(extent.blob, ByteRange(0, extent.length))
        source.close()
        self.readers.leave(tokens[0])
        await self.check_files()
        gone = self.blobs.open(extent.blob, ByteRange(0, extent.length))
        await self.assertFailure(gone, Absent)


# Interactions


def wait_a_moment(tx: IMetadataTransaction) -> None:
    """Let the clock of the store go on by two milliseconds."""
    began = int(reactor.seconds() * 1000)
    while int(reactor.seconds() * 1000) < began + 2:
        pass


def any_doomed_by_now(tx: IMetadataTransaction) -> bool:
    """Whether anything waits that the reaper may take now."""
    return bool(tx.doomed("files", tx.now(), 1))

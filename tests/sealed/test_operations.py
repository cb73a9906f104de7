"""Every test of an operation once more, with every byte sealed: nobody but ``content`` takes stored bytes for the object's."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import tests.operations
from ozgate.background.drain import Drain
from ozgate.content.stores import BlobStores
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.xorseal import XorSealing
from ozgate.values import Content
from tests.operations import support, test_copy_object, test_upload_part_copy, uploads
from tests.operations.uploads import LARGE, PART, SMALL, checksum_of, etag_of


class Sealed:
    """Has a test's gateway seal what it stores, and sees that it did."""

    sealing = XorSealing()
    client: Any

    def _nothing_left(self) -> None:
        super()._nothing_left()  # type: ignore[misc]
        for content in self.contents():
            assert not content.body or content.seal, content
            assert all(extent.seal for extent in content.extents), content

    def contents(self) -> list[Content]:
        """Where all bytes are, those of versions and those of parts."""
        state = self.client.gateway.metadata.snapshot()
        found = [kept.content for kept in sum(state.versions.values(), ())]
        found += [
            part.content for parts in state.parts.values() for part in parts.values()
        ]
        return found


class KnownTests(Sealed, test_copy_object.CopyObjectTests):
    """Copies, but for what a blob store says of plain bytes."""

    async def test_known_to_blobs(self) -> None:
        """What the blob store says of an object's blobs is not of its bytes: they are read, but for an MD5 that is the ETag."""
        await self.put(LARGE, x_amz_checksum_crc32=checksum_of("CRC32", LARGE))
        (blob,) = await self.blobs_named()
        response = await self.copy(x_amz_checksum_algorithm="CRC64NVME")
        self.assertEqual(
            response.text("ChecksumCRC64NVME"), checksum_of("CRC64NVME", LARGE)
        )
        await self.client.gateway.blobs.default.delete(blob)
        response = await self.copy(x_amz_checksum_algorithm="MD5")
        self.assertEqual(response.text("ChecksumMD5"), checksum_of("MD5", LARGE))
        copy = self.copy(x_amz_checksum_algorithm="CRC64NVME")
        await self.refused(copy, 500, "InternalError")


class KnownPartTests(Sealed, test_upload_part_copy.UploadPartCopyTests):
    """Copies into parts, likewise."""

    async def test_known_checksum(self) -> None:
        """A checksum that the source has is taken from it; that which every part has comes of its bytes."""
        await self.put(LARGE, x_amz_checksum_crc32=checksum_of("CRC32", LARGE))
        upload_id = await self.begin("/bucket/target", x_amz_checksum_algorithm="CRC32")
        part = await self.copy(upload_id)
        self.assertEqual(part.text("ChecksumCRC32"), checksum_of("CRC32", LARGE))
        with self.nothing_readable():
            await self.refused(self.copy(upload_id), 500, "InternalError")

    async def test_one_part_of_source(self) -> None:
        """A copy of just one part of the source is what it is where it need not be read."""
        headers = {"x_amz_checksum_algorithm": "SHA256"}
        sums = [{"SHA256": checksum_of("SHA256", body)} for body in (PART, LARGE)]
        upload_id, listed = await self.begin(**headers), []
        for number, body in enumerate((PART, LARGE), 1):
            stated = {"x_amz_checksum_sha256": sums[number - 1]["SHA256"]}
            listed.append((number, await self.part(upload_id, number, body, **stated)))
        await self.complete(upload_id, listed, "/bucket/key", sums)
        upload_id, start = await self.begin("/bucket/target", **headers), 0
        for number, body in enumerate((PART, LARGE), 1):
            with self.nothing_readable():
                asked = self.copy_range(upload_id, number, start, len(body))
                await self.refused(asked, 500, "InternalError")
            part = await self.copy_range(upload_id, number, start, len(body))
            self.assertEqual(part.text("ETag"), etag_of(body))
            self.assertEqual(part.text("ChecksumSHA256"), sums[number - 1]["SHA256"])
            start += len(body)
        done = await self.complete(upload_id, listed, "/bucket/target", sums)
        self.assertEqual(done.status, 200, done.body)
        self.assertTrue((await self.get("/bucket/target")).body == PART + LARGE)


class StoredTests(Sealed, uploads.ObjectTestCase):
    """What is stored."""

    async def test_nothing_plain(self) -> None:
        """No blob and no row has a run of the bytes that were sent, nor as many; what is read is what was sent."""
        objects = {"small": SMALL * 9, "large": LARGE}
        for key, body in objects.items():
            await self.put(body, f"/bucket/{key}")
        await self.upload(PART, LARGE, target="/bucket/parts")
        objects["parts"] = PART + LARGE
        stored = [content.body for content in self.contents() if content.body]
        self.assertEqual(len(stored), 1)
        stored += self.client.gateway.blobs.default.data.values()
        self.assertEqual(len(stored), 4)
        plain = [SMALL * 9, LARGE, PART, LARGE]
        self.assertGreater(sum(map(len, stored)), sum(map(len, plain)))
        for data in plain:
            for at in range(0, min(len(data), 8192), 16):
                piece = data[at : at + 16]
                self.assertFalse(any(piece in each for each in stored), at)
        for key, body in objects.items():
            got = await self.get(f"/bucket/{key}")
            self.assertTrue(got.body == body, key)

    async def test_copies(self) -> None:
        """A copy has the bytes of its source in the same places, under keys wrapped anew; so has a part."""
        for body in (SMALL, LARGE):
            await self.put(body, "/bucket/key")
            await self.ask("PUT", "/bucket/copy", x_amz_copy_source="/bucket/key")
            state = self.client.gateway.metadata.snapshot()
            source, copy = (
                kept.content
                for (_, key), (kept, *_) in sorted(state.versions.items(), reverse=True)
            )
            self.assertEqual(copy, XorSealing().copied(source))
            self.assertNotEqual(copy, source)
            self.assertEqual(copy.body, source.body)

    async def test_no_sealing(self) -> None:
        """Without what opens them, sealed bytes are neither damaged nor lost, but unavailable; and nothing is sent of them."""
        for body in (SMALL, LARGE):
            await self.put(body)
            gateway = self.client.gateway
            sealing, gateway.sealing = gateway.sealing, None
            await self.refused(self.get(), 503, "ServiceUnavailable")
            gateway.sealing = sealing
            self.assertEqual((await self.get()).body, body)


class MovedTests(Sealed, uploads.ObjectTestCase):
    """Copies that are made while a drain moves the bytes of their source."""

    async def setUp(self) -> None:
        """A source, and a drain of its store that is over before its keys are wrapped anew."""
        await super().setUp()
        await self.put(LARGE)
        gateway, sealing = self.client.gateway, self.client.gateway.sealing
        self.old = gateway.blobs.default
        new = MemoryBlobStore(self.clock, "disk2")
        self.successResultOf(new.open_store())
        gateway.blobs = BlobStores(new, [self.old])
        copied = sealing.copied

        def copied_then(content: Content) -> Content:
            self.patch(sealing, "copied", copied)
            drain = Drain(gateway, self.old.name, "owner")
            while not drain.running.is_over:
                support.settle(self.clock)
            self.assertTrue(drain.is_empty)
            return copied(content)

        self.patch(sealing, "copied", copied_then)

    async def check(self, target: str) -> None:
        """Nothing names the drained store, and a copy is what its source is."""
        stores = {
            extent.blob.store for each in self.contents() for extent in each.extents
        }
        self.assertEqual(stores, {"disk2"})
        self.old.data.clear()
        self.assertTrue((await self.get(target)).body == LARGE)

    async def test_copy(self) -> None:
        """A copy names what its source names when it is made, not what it named before."""
        done = await self.ask("PUT", "/bucket/copy", x_amz_copy_source="/bucket/key")
        self.assertEqual(done.status, 200, done.body)
        await self.check("/bucket/copy")

    async def test_part(self) -> None:
        """So does a part that is one."""
        upload_id = await self.begin("/bucket/target")
        done = await self.ask(
            "PUT",
            f"/bucket/target?partNumber=1&uploadId={upload_id}",
            x_amz_copy_source="/bucket/key",
        )
        self.assertEqual(done.status, 200, done.body)
        listed = [(1, done.text("ETag"))]
        await self.complete(upload_id, listed, "/bucket/target")
        await self.check("/bucket/target")


REPLACED = {"CopyObjectTests": KnownTests, "UploadPartCopyTests": KnownPartTests}
"""Test cases of which a few promise that a byte is not read, as it must be where it is sealed; here they promise what holds then."""

UNSEALED = ("overtaken_MatrixTests",)
"""The longest of them: which of two comes first has nothing to do with what bytes look like."""


def _sealed_cases() -> dict[str, type[Any]]:
    """The test cases of operations, with the gateway sealing."""
    cases: dict[str, type[Any]] = {}
    for info in iter_modules(tests.operations.__path__):
        if not info.name.startswith("test_"):
            continue
        module = import_module(f"tests.operations.{info.name}")
        for name, case in vars(module).items():
            if (
                name not in REPLACED
                and isinstance(case, type)
                and issubclass(case, support.OperationTestCase)
                and case.__module__ == module.__name__
            ):
                sealed = f"{info.name.removeprefix('test_')}_{name}"
                members = {"__module__": __name__, "__doc__": case.__doc__}
                cases[sealed] = type(sealed, (Sealed, case), members)
    for each in UNSEALED:
        del cases[each]
    return cases


globals().update(_sealed_cases())

"""What is kept with a key of another system, whoever kept it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.foreign.keptnames import (
    RESERVED,
    etag_of,
    kept,
    kept_checksum,
    missing_metadata,
    version_of,
)
from ozgate.values import Checksum, ForeignObject

TYPE = "content-type"


class KeptTests(SynchronousTestCase):
    """Maps of metadata, made and read."""

    def found(self, **metadata: str) -> ForeignObject:
        """A key with metadata, whose names are underscores for hyphens."""
        named = {name.replace("_", "-"): text for name, text in metadata.items()}
        return ForeignObject("key", 3, 0, "e" * 32, metadata=named)

    def test_there_and_back(self) -> None:
        """What is kept of an object is what is read."""
        system = {
            TYPE: "text/plain",
            "cache-control": "no-store",
            "content-disposition": "inline",
            "content-encoding": "gzip",
            "content-language": "de",
            "expires": "Thu, 01 Jan 2026 00:00:00 GMT",
            "x-amz-website-redirect-location": "/there",
        }
        metadata = {"color": "blue", "content-type": "mine", "etag": "mine"}
        checksum = Checksum("CRC32", "FULL_OBJECT", "AAAAAA==")
        names = {**kept(system, metadata, "GLACIER"), **kept_checksum(checksum)}
        version = version_of(ForeignObject("key", 3, 0, "e" * 32, metadata=names))
        self.assertEqual(version.headers, system)
        self.assertEqual(version.metadata, metadata)
        self.assertEqual(version.storage_class, "GLACIER")
        self.assertEqual(version.checksum, checksum)

    def test_little(self) -> None:
        """What is as it is anyway is not kept."""
        self.assertEqual(kept({TYPE: "binary/octet-stream"}, {}, "STANDARD"), {})

    def test_ozones_own(self) -> None:
        """What Ozone keeps for itself is shown to nobody, and what is called so besides is."""
        version = version_of(
            self.found(gdprEnabled="true", secret="s", algorithm="AES", color="blue")
        )
        self.assertEqual(version.metadata, {"color": "blue"})
        version = version_of(self.found(secret="s", hsyncClientId="7"))
        self.assertEqual(version.metadata, {"secret": "s"})

    def test_forged(self) -> None:
        """What others have put under names of ours says nothing that it could not say."""
        prefix = f"{RESERVED}ozgate-"
        for text in (
            "",
            "x",
            "CRC32 COMPOSITE x",
            "a:b FULL_OBJECT x",
            "CRC32 FULL_OBJECT \r\n",
        ):
            found = ForeignObject(
                "key",
                3,
                0,
                'a"b',
                metadata={
                    f"{prefix}checksum": text,
                    f"{prefix}storage-class": text,
                    f"{RESERVED}more": text,
                },
            )
            version = version_of(found)
            self.assertIsNone(version.checksum)
            self.assertEqual(version.storage_class, "STANDARD")
            self.assertEqual(version.metadata, {})
            self.assertRegex(version.etag, "^[0-9a-f]{32}-0$")

    def test_names_that_are_no_headers(self) -> None:
        """They are counted, and not shown."""
        found = ForeignObject("key", 3, 0, metadata={"a b": "1", "ü": "2", "c": "3"})
        self.assertEqual(version_of(found).metadata, {"c": "3"})
        self.assertEqual(missing_metadata(found), 2)

    def test_made_up_etags(self) -> None:
        """One that is made up tells bytes from those before, and is none of a write."""
        first = ForeignObject("key", 3, 1)
        self.assertEqual(etag_of(first), etag_of(ForeignObject("key", 3, 1, owner="x")))
        for other in (ForeignObject("key", 3, 2), ForeignObject("key", 4, 1)):
            self.assertNotEqual(etag_of(first), etag_of(other))
        self.assertEqual(
            etag_of(ForeignObject("key", 0, 1)), "d41d8cd98f00b204e9800998ecf8427e"
        )
        self.assertEqual(version_of(first).parts_count, 0)

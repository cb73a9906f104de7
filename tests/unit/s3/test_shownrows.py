"""Rows of listings as XML, held against a slow writer of one element after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.documents import element, escape
from ozgate.s3.owners import canonical_id
from ozgate.s3.params import url_encode
from ozgate.s3.shownrows import common_prefixes, contents, versions
from ozgate.s3.times import timestamp
from ozgate.values import ListedObject, ListedVersion, Page, Traits, VersionPage

NAMES = st.text(st.sampled_from('abc/&<"\n\r\0\x7f ~+%ä\U00010000'), max_size=8)
TRAITS = st.builds(
    Traits,
    st.sampled_from(["", "owner", "o&<"]),
    st.sampled_from(["STANDARD", "STANDARD_IA"]),
    st.sampled_from(["", "CRC32C"]),
    st.sampled_from(["", "COMPOSITE"]),
)
TIMES = st.one_of(st.integers(0, 4_000_000_000_000), st.sampled_from([0, 1, 999, 1000]))
SIZES = st.sampled_from([0, 5, 5 << 40])
ETAGS = st.sampled_from(["", "5d41402abc4b2a76b9719d911017c592", "abc-2"])
OBJECTS = st.builds(ListedObject, NAMES, TIMES, SIZES, ETAGS, TRAITS)
VERSIONS = st.builds(
    ListedVersion,
    NAMES,
    TIMES,
    SIZES,
    ETAGS,
    TRAITS,
    st.sampled_from(["null", "3HL4kqtJlcpXroDTDmJ"]),
    st.booleans(),
    st.booleans(),
)
OWNERS = st.sampled_from(["", "bucket-owner"])
SHOWN = st.sampled_from([escape, url_encode])


def whole(name: str, *children: str) -> str:
    """An element of elements."""
    return f"<{name}>{''.join(children)}</{name}>"


def owner_of(item: ListedObject | ListedVersion, owner: str) -> str:
    """The owner of an item."""
    called = owner or item.traits.owner
    return whole(
        "Owner", element("ID", canonical_id(called)), element("DisplayName", called)
    )


def described(item: ListedObject | ListedVersion) -> list[str]:
    """What an object and a version have from the ETag to the size."""
    return [
        element("ETag", f'"{item.etag}"'),
        element("ChecksumAlgorithm", item.traits.checksum_algorithm or None),
        element("ChecksumType", item.traits.checksum_type or None),
        element("Size", item.size),
    ]


def slow_version(item: ListedVersion, name: str, owner: str) -> str:
    """A version, or delete marker."""
    start = [
        whole("Key", name),
        element("VersionId", item.version_id),
        element("IsLatest", item.is_latest),
        element("LastModified", timestamp(item.modified)),
    ]
    his = owner_of(item, owner)
    if item.is_delete_marker:
        return whole("DeleteMarker", *start, his)
    storage = element("StorageClass", item.traits.storage_class)
    return whole("Version", *start, *described(item), his, storage)


class RowsTests(SynchronousTestCase):
    """Rows, as they are shown."""

    @given(st.lists(OBJECTS, max_size=6), SHOWN, st.booleans(), OWNERS)
    def test_contents(
        self,
        items: Sequence[ListedObject],
        show: Callable[[str], str],
        with_owner: bool,
        owner: str,
    ) -> None:
        """Objects, whatever is in their names, are what the slow writer writes."""
        page = Page(items, traits={item.traits: item.traits for item in items})
        self.assertEqual(list(page.items), items)
        self.assertEqual(
            list(contents(page, show, with_owner, owner)),
            [
                whole(
                    "Contents",
                    whole("Key", show(item.key)),
                    element("LastModified", timestamp(item.modified)),
                    *described(item),
                    owner_of(item, owner) if with_owner else "",
                    element("StorageClass", item.traits.storage_class),
                )
                for item in items
            ],
        )

    @given(st.lists(VERSIONS, max_size=6), SHOWN, OWNERS)
    def test_versions(
        self, items: Sequence[ListedVersion], show: Callable[[str], str], owner: str
    ) -> None:
        """So are versions and delete markers."""
        page = VersionPage(items, traits={item.traits: item.traits for item in items})
        self.assertEqual(list(page.items), items)
        self.assertEqual(
            list(versions(page, show, owner)),
            [slow_version(item, show(item.key), owner) for item in items],
        )

    @given(st.lists(NAMES, max_size=6), SHOWN)
    def test_common_prefixes(
        self, names: Sequence[str], show: Callable[[str], str]
    ) -> None:
        """So are common prefixes."""
        self.assertEqual(
            common_prefixes(names, show),
            "".join(
                [whole("CommonPrefixes", whole("Prefix", show(name))) for name in names]
            ),
        )

"""The contract suite of :class:`~ozgate.interfaces.IMetadataStore`.

A provider is held to the interface's promises with a few lines of its own tests::

    class MyStore(Provider):
        def make_store(self, clock):
            return MyMetadataStore(self.mktemp(), reactor, clock)

    globals().update(contract_of(MyStore))
"""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from ..interfaces import IMetadataStore
from .metadata_blobnames import BlobNameTests
from .metadata_buckets import BucketTests
from .metadata_claims import ClaimTests
from .metadata_content import ContentTests
from .metadata_listing import ListingTests
from .metadata_shared import SharedTests
from .metadata_transactions import TransactionTests
from .metadata_upload_listing import UploadListingTests
from .metadata_uploads import UploadTests
from .metadata_usage import UsageTests
from .metadata_version_listing import VersionListingTests
from .metadata_versions import VersionTests

SUITES: tuple[type[Any], ...] = (
    TransactionTests,
    ClaimTests,
    BucketTests,
    BlobNameTests,
    VersionTests,
    ContentTests,
    UploadTests,
    ListingTests,
    VersionListingTests,
    UploadListingTests,
    UsageTests,
    SharedTests,
)
"""The tests, in classes that know no provider."""


class Provider(TestCase):
    """What a provider's tests say of it."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A new, empty store that tells the time by this clock, not yet open."""
        raise NotImplementedError


def contract_of(provider: type[Provider]) -> dict[str, type[TestCase]]:
    """Test cases that hold a provider to the whole contract, by the names to give them.

    :param provider: makes the store; its name begins the names of the test cases.
    """
    cases: dict[str, type[TestCase]] = {}
    for suite in SUITES:
        name = provider.__name__ + suite.__name__
        members = {"__doc__": suite.__doc__, "__module__": provider.__module__}
        # The provider comes first: its make_store is the one that counts.
        made = type(name, (_first(provider, suite), provider), members)
        cases[name] = made
    return cases


def _first(provider: type[Provider], suite: type[Any]) -> type[Any]:
    """The suite with the provider's way of making a store."""
    return type(suite.__name__, (suite,), {"make_store": provider.make_store})

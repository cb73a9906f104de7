"""The contract suite of :class:`~ozgate.interfaces.IMetadataStore`.

A provider is held to the interface's promises with a few lines of its own tests::

    class MyStore(Provider):
        def make_store(self, clock):
            self.path = self.mktemp()
            return MyMetadataStore(self.path, reactor, clock)

        def make_other(self, store, clock):
            return MyMetadataStore(self.path, reactor, clock)

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
from .metadata_events import EventTests
from .metadata_histories import HistoryTests
from .metadata_identities import IdentityTests
from .metadata_listing import ListingTests
from .metadata_moves import MoveTests
from .metadata_processes import ProcessTests
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
    MoveTests,
    VersionTests,
    HistoryTests,
    ContentTests,
    UploadTests,
    EventTests,
    ListingTests,
    VersionListingTests,
    UploadListingTests,
    UsageTests,
    SharedTests,
    IdentityTests,
    ProcessTests,
)
"""The tests, in classes that know no provider."""


class Provider(TestCase):
    """What a provider's tests say of it."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A new, empty store that tells the time by this clock, not yet open."""
        raise NotImplementedError

    def make_other(self, store: IMetadataStore, clock: Clock) -> IMetadataStore:
        """Another provider over the rows of a store that :meth:`make_store` made, as another process has it; not yet open."""
        raise NotImplementedError


def contract_of(provider: type[Provider]) -> dict[str, type[TestCase]]:
    """Test cases that hold a provider to the whole contract, by the names to give them.

    :param provider: makes the store; its name begins the names of the test cases.
    """
    cases: dict[str, type[TestCase]] = {}
    for suite in SUITES:
        name = provider.__name__ + suite.__name__
        members = {"__doc__": suite.__doc__, "__module__": provider.__module__}
        # The provider comes first: its ways of making stores are those that count.
        made = type(name, (_first(provider, suite), provider), members)
        cases[name] = made
    return cases


def _first(provider: type[Provider], suite: type[Any]) -> type[Any]:
    """The suite with the provider's ways of making stores."""
    ways = {"make_store": provider.make_store, "make_other": provider.make_other}
    return type(suite.__name__, (suite,), ways)

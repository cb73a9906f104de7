"""What every :class:`~ozgate.interfaces.IBlobStore` must do, as tests to mix into a ``TestCase``.

::

    class MyBlobTests(BlobContract, TestCase):
        def make_store(self): return MyBlobStore(…)

What else a provider's tests may say of it is in :class:`~ozgate.testing.blob_base.BlobTests`.
"""

from __future__ import annotations

from .blob_base import Feeder, Reader
from .blob_sinks import SinkTests
from .blob_sources import SourceTests
from .blob_stores import StoreTests

__all__ = ["BlobContract", "Feeder", "Reader"]


class BlobContract(StoreTests, SinkTests, SourceTests):
    """The suite. A test case that mixes it in gives :meth:`make_store`, and what else its provider can do."""

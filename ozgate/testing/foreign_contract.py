"""What every :class:`~ozgate.interfaces.IForeignSystem` and its buckets must do, as tests to mix into a ``TestCase``.

::

    class MySystemTests(ForeignContract, TestCase):
        def make_system(self): return MySystem(…)

What else a provider's tests may say of it is in :class:`~ozgate.testing.foreign_base.ForeignTests`.
"""

from __future__ import annotations

from .foreign_base import ForeignTests, md5
from .foreign_buckets import BucketTests
from .foreign_keys import KeyTests
from .foreign_lists import ListTests
from .foreign_streams import ReadingTests, WritingTests
from .foreign_uploads import UploadTests

__all__ = ["ForeignContract", "ForeignTests", "md5"]


class ForeignContract(
    BucketTests, KeyTests, ListTests, WritingTests, ReadingTests, UploadTests
):
    """The suite. A test case that mixes it in gives :meth:`make_system`."""

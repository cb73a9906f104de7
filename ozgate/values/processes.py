"""The processes that use a store at once."""

from __future__ import annotations

from ..immutable import frozen


@frozen
class Process:
    """A process that uses the store, as others see it.

    :ivar id: of this start of it.
    :ivar since: when it came.
    :ivar reads_since: when its oldest read began, if that lasts long; means something until ``noted_until``.
    :ivar noted_until: 0 while nothing is noted. Not renewed by a process that died.
    """

    id: str
    since: int
    reads_since: int = 0
    noted_until: int = 0

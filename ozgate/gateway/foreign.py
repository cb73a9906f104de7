"""Which volumes are another system's, and how that is asked."""

from __future__ import annotations

from ..immutable import frozen
from ..interfaces import IForeignSystem


@frozen
class Foreign:
    """Another system, and what of it is shown here.

    :ivar volumes: names of volumes; ``None``: all are the other system's.
    """

    system: IForeignSystem
    volumes: frozenset[str] | None = None

    def has(self, volume: str) -> bool:
        """Whether the buckets and keys of a volume are the other system's."""
        return self.volumes is None or volume in self.volumes

"""The contract of other systems, held by the one in memory."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from ozgate.testing.foreign_contract import ForeignContract
from ozgate.testing.memory_foreign import MemoryForeignSystem


class MemoryForeignTests(ForeignContract, TestCase):
    """Volumes and buckets in dictionaries."""

    def make_system(self) -> MemoryForeignSystem:
        """A system of its own, at some time of today."""
        clock = Clock()
        clock.advance(1_796_000_000)
        return MemoryForeignSystem(clock)

"""The writing thread: what a batch has in common, and what one interaction that fails costs the others."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_base import Refused
from tests.started import started

RUNS: list[str] = []
"""The interactions that were run, in order."""


def keep(tx: IMetadataTransaction, name: str) -> str:
    """Change something."""
    RUNS.append(name)
    tx.set_setting(name, b"kept")
    return name


def refuse(tx: IMetadataTransaction, name: str) -> None:
    """Fail before anything is changed."""
    RUNS.append(name)
    tx.setting(name)
    raise Refused(name)


def give_up(tx: IMetadataTransaction, name: str) -> None:
    """Fail when something is."""
    keep(tx, name)
    raise Refused(name)


def found(tx: IMetadataTransaction, names: str) -> str:
    """Those that are there."""
    return "".join(name for name in names if tx.setting(name) is not None)


class BatchTests(TestCase):
    """Interactions in one commit."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Open a store."""
        self.store = SQLiteMetadataStore(self.mktemp(), reactor)  # type: ignore[arg-type]
        await started(self.store)
        self.addCleanup(self.store.close)
        self.commits: list[int] = []
        self.store.watch_commits(self.commits.append)
        RUNS.clear()

    def write(self, *asked: tuple[Any, str]) -> Deferred[Any]:
        """Ask for interactions in one turn; fires with whether each succeeded."""
        return DeferredList(
            [self.store.write(*each) for each in asked], consumeErrors=True
        ).addCallback(lambda outcomes: [succeeded for succeeded, _ in outcomes])

    async def test_failed_unchanged(self) -> None:
        """One that fails before it has changed anything takes nobody's time: each is run once, in one commit."""
        succeeded = await self.write((keep, "a"), (refuse, "b"), (keep, "c"))
        self.assertEqual(succeeded, [True, False, True])
        self.assertEqual((RUNS, self.commits), (["a", "b", "c"], [3]))
        self.assertEqual(await self.store.read(found, "abc"), "ac")

    async def test_failed_half_done(self) -> None:
        """Of one that fails when it has changed something nothing is kept; the others are run anew, and are in one commit."""
        asked = (keep, "a"), (give_up, "b"), (refuse, "c"), (give_up, "d"), (keep, "e")
        succeeded = await self.write(*asked)
        self.assertEqual(succeeded, [True, False, False, False, True])
        self.assertEqual((RUNS, self.commits), ([*"ab", *"abcde"], [5]))
        self.assertEqual(await self.store.read(found, "abcde"), "ae")

    async def test_failed_alone(self) -> None:
        """One that is alone is not run anew, whatever it has changed."""
        for interaction in (refuse, give_up):
            RUNS.clear()
            self.assertEqual(await self.write((interaction, "a")), [False])
            self.assertEqual(RUNS, ["a"])
            self.assertEqual(await self.store.read(found, "a"), "")
        self.assertEqual(await self.write((keep, "a")), [True])

"""``ozgate admin doctor`` over the default stores."""

from __future__ import annotations

import json
import os

from tests.service.upkeep import UpkeepCase


class DoctorTests(UpkeepCase):
    """A service with SQLite and files."""

    def test_well(self) -> None:
        """A new service has neither a risk nor a fault, and is told of in all its parts, while it runs and while it is down."""
        running = self.ozgate("doctor")
        self.assertEqual((running[0], running[2]), (0, ""))
        for said in ("service\n", "metadata\n", "blobs files\n", "  well  SQLite 3."):
            self.assertIn(said, running[1])
        self.assertRegex(running[1], r"\n\d+ well, \d+ note, 0 risk, 0 wrong\n$")
        self.assertIn("        → begin one: 'ozgate admin scrub'", running[1])
        self.server.stop()
        alone = self.ozgate("doctor", "--json")
        *found, last = map(json.loads, alone[1].splitlines())
        self.assertEqual(alone[0], 0)
        self.assertEqual(sum(last["summary"].values()), len(found))
        self.assertEqual(
            {each["of"] for each in found}, {"service", "metadata", "blobs files"}
        )

    def test_damaged(self) -> None:
        """What the scrub found damaged is wrong, and so is the exit code."""
        self.put("key", 100_000)
        os.truncate(self.blob_of("key"), 50_000)
        self.assertEqual(self.ozgate("scrub")[0], 1)
        code, said, _ = self.ozgate("doctor")
        self.assertEqual(code, 1)
        self.assertIn("  WRONG damaged, as the scrub has found: 1\n", said)


class RelaxedTests(UpkeepCase):
    """A service that does not wait for its disk."""

    settings = ("ozgate.durability=relaxed",)

    def test_risks(self) -> None:
        """Both that rows and that blobs are not synced is a risk."""
        code, said, _ = self.ozgate("doctor")
        self.assertEqual(code, 1)
        for what in ("writes are answered", "blobs are answered"):
            self.assertIn(f"  RISK  {what} before they are synced", said)

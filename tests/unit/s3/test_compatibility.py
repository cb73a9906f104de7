"""What people are told of S3's operations."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

import ozgate
from ozgate.cli.main import main
from ozgate.s3.compatibility import (
    BUILT,
    DIFFERENCES,
    NONE_HERE,
    NOT_BUILT,
    lines,
    markdown,
)
from ozgate.s3.operations import OPERATIONS

DOCUMENT = Path(ozgate.__file__).parent.parent / "docs" / "compatibility.md"


class CompatibilityTests(SynchronousTestCase):
    """The table as people see it."""

    def test_document(self) -> None:
        """The document is what the table says today: else ``ozgate s3 operations --markdown`` writes it anew."""
        self.assertEqual(DOCUMENT.read_text("utf-8"), markdown())

    def test_states(self) -> None:
        """What a row does is told from its coroutine."""
        states = {line.name: line.state for line in lines()}
        self.assertEqual(states["PutObject"], BUILT)
        self.assertEqual(states["GetBucketReplication"], NONE_HERE)
        self.assertEqual(states["GetObjectTorrent"], NOT_BUILT)
        for row in OPERATIONS:
            self.assertEqual(row.perform is None, states[row.name] == NOT_BUILT)

    def test_differences(self) -> None:
        """What is said to differ is an operation."""
        self.assertLessEqual(DIFFERENCES.keys(), {row.name for row in OPERATIONS})

    def test_command(self) -> None:
        """The command prints all rows, or those that are built; as text, and as JSON."""
        run = CliRunner().invoke
        text = run(main, ["s3", "operations"]).output.splitlines()
        self.assertEqual(len(text), len(OPERATIONS) + 1)
        self.assertRegex(text[1], r"^ListBuckets +GET / +built +s3:ListAllMyBuckets$")
        built = json.loads(run(main, ["s3", "operations", "--built", "--json"]).output)
        self.assertEqual({line["state"] for line in built}, {BUILT})
        self.assertIn("PutObject", [line["name"] for line in built])

"""``ozgate sh`` over a cluster, against Ozone's own shell: the same exit code, the same text on both streams, the same JSON.

Each command of a script is run by both, on a volume each that only their names tell apart, or on the same where nothing is changed.
"""

from __future__ import annotations

from tests.engines.given import Ozone, insecure
from tests.ozone.shellscripts import (
    ACLS,
    BUCKETS,
    KEYS,
    LISTS,
    LOOKS,
    RECURSIVE,
    VOLUMES,
)
from tests.ozone.sidebyside import SideBySideCase


class ShellTests(SideBySideCase):
    """Where security is off, and all volumes are the cluster's."""

    def cluster(self) -> Ozone:
        """One without Kerberos."""
        return insecure()

    def test_volumes(self) -> None:
        """Volumes: made, shown, listed, given away, bounded and removed."""
        self.compare(VOLUMES)
        self.compare_exactly(LISTS)

    def test_acls(self) -> None:
        """Access control lists of volumes, buckets and what links lead to."""
        self.compare(ACLS)

    def test_buckets(self) -> None:
        """Buckets of every layout and replication, and links that lead somewhere, nowhere and in a circle."""
        self.compare(BUCKETS)

    def test_keys(self) -> None:
        """Keys, in a flat bucket, in a tree and through a link."""
        self.compare(KEYS)
        theirs, ours = (self.folder / f"got-{whose}-" for whose in ("oz", "gw"))
        self.assertEqual(theirs.read_bytes(), ours.read_bytes())

    def test_recursive(self) -> None:
        """A volume is removed with all that is in it."""
        self.compare(RECURSIVE)

    def test_same(self) -> None:
        """What one has made, both show alike to the last character of text and the last member of JSON."""
        for line in KEYS.strip().splitlines()[:12]:
            self.both.theirs.run(self.filled(line, "oz"))
        self.compare_exactly(LOOKS)

"""The clock of a machine, held against that of the engine that keeps its blobs."""

from __future__ import annotations

from ..errors import Unavailable

MOST_APART = 300.0
"""Seconds that they may differ. Ids of blobs are made by the one clock, and one gateway looks for those that nothing names by its own: an hour apart, what is
being committed would look old enough."""


def check_clock(ours: float, theirs: float, what: str) -> None:
    """Refuse to work with a clock that is wrong.

    :param ours: seconds since the epoch.
    :param theirs: likewise.
    :param what: whose theirs is.
    :raises Unavailable: they are too far apart.
    """
    apart = ours - theirs
    if abs(apart) > MOST_APART:
        how = "ahead of" if apart > 0 else "behind"
        raise Unavailable(
            f"the clock of this machine is {abs(apart):.0f} seconds {how} that of {what}: set them right, as by NTP"
        )

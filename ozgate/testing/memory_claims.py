"""What an interaction has claimed, and whether that is enough for what it changes."""

from __future__ import annotations

from collections.abc import Iterable

from ..values import Bucket, Claim
from ..values.claims import Kind

Thing = tuple[Kind, int, str]
"""What is claimed, whether shared or not."""

_IN_BUCKETS = (Kind.UPLOAD, Kind.KEY, Kind.USAGE)


class Unclaimed(AssertionError):
    """An interaction changed what it had not claimed."""


class Misclaimed(AssertionError):
    """An interaction claimed in an order in which two could wait for each other, or alone what it shares."""


class Claims:
    """What one transaction holds; see :class:`~ozgate.interfaces.IClaims`."""

    def __init__(self) -> None:
        self._shared: dict[Thing, bool] = {}
        self._made: set[int] = set()

    def take(self, claims: Iterable[Claim]) -> None:
        """Hold what is claimed.

        :raises Misclaimed: it is held, but shared; or it comes before something that is held; or it is in a bucket that is not held.
        """
        # False comes before True: of a thing that is given twice, what is not shared comes first.
        for claim in sorted(claims):
            if self._has(claim):
                continue
            thing = claim[:3]
            if thing in self._shared:
                raise Misclaimed(f"{claim} is shared already")
            if claim.kind in _IN_BUCKETS:
                self._check_bucket(claim)
            last = max(self._shared, default=thing)
            if thing < last:
                raise Misclaimed(f"{claim} comes before {last}, which is held")
            self._shared[thing] = claim.shared

    def _check_bucket(self, claim: Claim) -> None:
        """Make sure that who has all of a bucket has this alone."""
        if not self._has(Claim.bucket(claim.number, shared=True)):
            raise Misclaimed(f"{claim} is in a bucket that is not held")

    def made(self, bucket: Bucket) -> None:
        """Know that this transaction made a bucket."""
        self._made.add(bucket.number)

    def check(self, claim: Claim) -> None:
        """Make sure that something is claimed.

        :raises Unclaimed: it is not.
        """
        if not self._has(claim):
            raise Unclaimed(f"{claim} is not held, but {sorted(self._shared)}")

    def check_lease(self) -> None:
        """Make sure that some lease is claimed: the one under which this is done."""
        if not any(kind is Kind.LEASE for kind, _, _ in self._shared):
            raise Unclaimed(f"no lease is held, but {sorted(self._shared)}")

    def _has(self, claim: Claim) -> bool:
        kind, number, what, shared = claim
        if kind is Kind.BUCKET and number in self._made:
            return True
        held = self._shared.get((kind, number, what))
        if held is not None and (shared or not held):
            return True
        if kind in _IN_BUCKETS:
            return self._has(Claim.bucket(number))
        return kind is Kind.VOLUME_USAGE and self._has(Claim.volume(what))

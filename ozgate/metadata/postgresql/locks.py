"""Claims as advisory locks of a transaction, in the order of claims.

Source: PostgreSQL, "Advisory Locks". A lock's number is a hash: that two claims have the same one makes them wait for each other, and nothing worse.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from ...values import Bucket, Claim
from ...values.claims import Kind

_IN_BUCKETS = (Kind.UPLOAD, Kind.KEY, Kind.USAGE)

MIGRATION, EVENTS = 0x6F7A67617465, 0x6F7A67617466
"""The locks of who changes the schema, and of who gives events their numbers: ``ozgate`` in ASCII, and one more, which no hash is likely to be."""


def lock_number(claim: Claim) -> int:
    """The 64 bits, signed, of what is claimed, whether shared or not."""
    kind, number, what, _ = claim
    text = f"{int(kind)}\0{number}\0{what}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True)


class Held:
    """What one transaction holds; see :class:`~ozgate.interfaces.IClaims`."""

    def __init__(self) -> None:
        self._shared: dict[tuple[Kind, int, str], bool] = {}
        self._made: set[int] = set()

    @property
    def is_any(self) -> bool:
        """Whether anything is."""
        return bool(self._shared or self._made)

    def missing(self, claims: Iterable[Claim]) -> list[Claim]:
        """Note that these are held from now on.

        :return: those that are not held yet, and so must be waited for, in order.
        """
        missing = []
        # False comes before True: of what is given twice, what is not shared comes first.
        for claim in sorted(claims):
            if not self.has(claim):
                self._shared[claim[:3]] = claim.shared
                missing.append(claim)
        return missing

    def made(self, bucket: Bucket) -> None:
        """Know that this transaction made a bucket, which nobody else sees yet."""
        self._made.add(bucket.number)

    def has(self, claim: Claim) -> bool:
        """Whether this is held: by itself, or with the bucket or the volume that it is in."""
        kind, number, what, shared = claim
        if kind is Kind.BUCKET and number in self._made:
            return True
        held = self._shared.get((kind, number, what))
        if held is not None and (shared or not held):
            return True
        if kind in _IN_BUCKETS:
            return self.has(Claim.bucket(number))
        return kind is Kind.VOLUME_USAGE and self.has(Claim.volume(what))

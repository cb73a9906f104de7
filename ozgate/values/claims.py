"""What a transaction claims: the things that it decides about, before it reads what it decides on."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from .buckets import Bucket

__all__ = ["Claim", "Kind"]


class Kind(IntEnum):
    """What a claim is of, in the order in which claims are taken."""

    LEASE = 1
    SETTING = 2
    USER = 3
    GROUP = 4
    POLICY = 5
    SECRET = 6
    VOLUME = 7
    NAME = 8
    BUCKET = 9
    UPLOAD = 10
    KEY = 11
    VOLUME_USAGE = 12
    USAGE = 13


# What each write claims is made in half the time so: CPython searches for the member of an enumeration, and a named tuple is made by a function.
_VOLUME, _BUCKET, _UPLOAD, _KEY = Kind.VOLUME, Kind.BUCKET, Kind.UPLOAD, Kind.KEY
_new = tuple.__new__


class Claim(NamedTuple):
    """One thing that is claimed; made by the functions below. Claims are taken in the order of these values.

    :ivar number: of the bucket that it is of, or in; 0 for all else.
    :ivar what: which one of its kind and number.
    :ivar shared: whether others may claim the same, shared too. Nobody else has what is not.
    """

    kind: Kind
    number: int
    what: str
    shared: bool

    @staticmethod
    def lease(name: str) -> Claim:
        """A lease, and with it the work that is done under it."""
        return Claim(Kind.LEASE, 0, name, False)

    @staticmethod
    def setting(name: str) -> Claim:
        """A named value of the store's own."""
        return Claim(Kind.SETTING, 0, name, False)

    @staticmethod
    def user(name: str, shared: bool = False) -> Claim:
        """The row of a user, which may not be there yet; shared by whoever makes something that hangs on it."""
        return Claim(Kind.USER, 0, name, shared)

    @staticmethod
    def group(name: str, shared: bool = False) -> Claim:
        """The row of a group, likewise."""
        return Claim(Kind.GROUP, 0, name, shared)

    @staticmethod
    def policy(name: str, shared: bool = False) -> Claim:
        """The row of a named policy, likewise."""
        return Claim(Kind.POLICY, 0, name, shared)

    @staticmethod
    def secret(access_id: str) -> Claim:
        """The row of an access id, which may not be there yet."""
        return Claim(Kind.SECRET, 0, access_id, False)

    @staticmethod
    def volume(name: str, shared: bool = False) -> Claim:
        """A volume, which may not be there yet; shared by whoever works in it."""
        return _new(Claim, (_VOLUME, 0, name, shared))

    @staticmethod
    def name(volume: str, bucket: str) -> Claim:
        """The name of a bucket or link that is not there yet."""
        return Claim(Kind.NAME, 0, f"{volume}/{bucket}", False)

    @staticmethod
    def bucket(number: int, shared: bool = False) -> Claim:
        """A bucket or link; shared by whoever changes what is in it. Exclusive, it covers all of that."""
        return _new(Claim, (_BUCKET, number, "", shared))

    @staticmethod
    def inside(bucket: Bucket) -> tuple[Claim, Claim]:
        """What is shared by whoever changes what is in a bucket: its volume, and the bucket."""
        return Claim.volume(bucket.volume, True), Claim.bucket(bucket.number, True)

    @staticmethod
    def whole(bucket: Bucket) -> tuple[Claim, Claim]:
        """What is claimed by whoever changes a bucket or link itself: its volume, shared, and the bucket with all that is in it."""
        return Claim.volume(bucket.volume, True), Claim.bucket(bucket.number)

    @staticmethod
    def upload(number: int, upload_id: str) -> Claim:
        """A multipart upload with its parts.

        :param number: of its bucket, as below.
        """
        return _new(Claim, (_UPLOAD, number, upload_id, False))

    @staticmethod
    def key(number: int, key: str, shared: bool = False) -> Claim:
        """All versions of a key; shared by whoever makes something else name their bytes, so that they stay meanwhile."""
        return _new(Claim, (_KEY, number, key, shared))

    @staticmethod
    def volume_usage(name: str) -> Claim:
        """What a volume holds, where a quota is compared with it."""
        return Claim(Kind.VOLUME_USAGE, 0, name, False)

    @staticmethod
    def usage(number: int) -> Claim:
        """What a bucket holds, where a quota is compared with it."""
        return Claim(Kind.USAGE, number, "", False)

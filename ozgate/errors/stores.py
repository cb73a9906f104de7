"""What a store says to the code above it; stores know no S3."""

from __future__ import annotations

import errno

_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class StoreError(Exception):
    """A store could not do what it was asked.

    :ivar source: as that of :class:`~ozgate.errors.S3Error`.
    """

    source: tuple[str, str] | None = None


class Absent(StoreError):
    """What was asked for is not there."""


class Conflict(StoreError):
    """What was to be made is there already."""


class Unavailable(StoreError):
    """The store cannot answer now; surely nothing was done."""


class Uncertain(StoreError):
    """The store failed in a way that leaves open whether the write was done."""


class NoSpace(StoreError):
    """The disk or a quota of the operating system is full; nothing was kept."""


class Refused(StoreError):
    """Another system does not do what it was asked.

    :ivar code: its own name of why, such as Ozone's ``KEY_NOT_FOUND``.
    :ivar message: what it says besides.
    """

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code} {message}".strip())


class Overtaken(Unavailable):
    """An interaction was too late to claim what it had found. Its provider rolls it back and runs it anew; one that gives up says this."""


class Damaged(StoreError):
    """Stored bytes are not what was written.

    :ivar kind: of what they are: ``blob``, ``inline`` (bytes of an object in a row) or ``metadata``.
    :ivar name: of the volume or bucket whose row it is; ``""`` for all else.
    """

    def __init__(self, message: str = "", kind: str = "blob", name: str = "") -> None:
        self.kind = kind
        self.name = name
        super().__init__(message)


def is_short(error: StoreError) -> bool:
    """Whether a store failed because this process, or this machine, is short of something: it says nothing of what is stored."""
    return getattr(error.__cause__, "errno", 0) in _SHORT

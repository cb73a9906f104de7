"""What a look at everything finds that a store holds."""

from __future__ import annotations

from ..immutable import frozen

__all__ = ["BlobUser", "CheckedRows", "DamagedRow", "Drift"]


@frozen
class BlobUser:
    """What names a blob: a version of a key, or a part of an upload.

    :ivar version_id: ``""`` for a part.
    :ivar upload_id: ``""`` for a version.
    :ivar part: the part's number, 0 for a version.
    """

    blob: str
    volume: str
    bucket: str
    key: str
    version_id: str = ""
    upload_id: str = ""
    part: int = 0


@frozen
class Drift:
    """A counter that does not agree with what it counts.

    :ivar bucket: ``""`` where it is the volume's own.
    :ivar more_bytes: what has to be added to it.
    :ivar more_names: what has to be added to it.
    """

    volume: str
    bucket: str
    more_bytes: int
    more_names: int


@frozen
class DamagedRow:
    """A stored row that is not what was written.

    :ivar table: the store's name of where it is, such as ``versions``.
    :ivar place: what tells it from the others there; opaque above the store.
    :ivar message: what is wrong with it, in a line without secrets.
    :ivar loses: whether something is lost when it is mended.
    """

    table: str
    place: tuple[str | int | bytes, ...]
    message: str
    loses: bool = True


@frozen
class CheckedRows:
    """A stretch of rows that were checked.

    :ivar count: how many.
    :ivar next_after: give it as ``after`` for the next stretch; ``None`` when this is the last.
    """

    count: int = 0
    damaged: tuple[DamagedRow, ...] = ()
    next_after: str | None = None

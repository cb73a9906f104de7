"""The check of each row: what finds out that a stored row is not what was written.

A row's column ``checked`` is the CRC64NVME of the rest of its meaning, as text in which NUL separates the columns;
bytes follow it as they are. It covers the row's place (the key of its table), so that a row read under another one's
key does not agree either, and leaves out what is updated on its own: what a bucket uses, which version is the latest.
It is there for bits that flip, not for intruders, who could compute it too.

The text is a format: changing it takes a migration. Integers are written in decimal, nothing else is converted. A column that
few rows have something in is in the text, after its name, only where it has: rows from before there was such a column stay valid.
Called for every row that is read: a microsecond each.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from awscrt.checksums import crc64nvme

from ...errors import Damaged

_HALF = 1 << 63
_WHOLE = 1 << 64

NONE = _WHOLE
"""No row has this check."""


def _signed(crc: int) -> int:
    """SQLite's integers are signed."""
    return crc - _WHOLE if crc >= _HALF else crc


def _sparse(name: str, value: str) -> str:
    """What is added to the text of a row for a column that few rows have something in."""
    return f"\0{name}\0{value}"


def check_of_text(text: str) -> int:
    """The check of a row whose meaning is this text."""
    return _signed(crc64nvme(text.encode()))


def check_of_data(text: str, data: object) -> int:
    """The check of text and the bytes after it."""
    if not isinstance(data, bytes):
        return NONE  # a bit that flips can make text of them
    return _signed(crc64nvme(data, crc64nvme(text.encode())))


def check_of_volume(
    number: int,
    name: str,
    owner: str,
    created: int,
    admin: str,
    quota_bytes: int,
    quota_names: int,
    acls: str,
    modified: int,
) -> int:
    """The check of a row of ``volumes``."""
    text = f"{number}\0{name}\0{owner}\0{created}\0{admin}\0{quota_bytes}\0{quota_names}\0{acls}\0{modified}"
    return _signed(crc64nvme(text.encode()))


def check_of_bucket(
    number: int,
    volume: str,
    name: str,
    owner: str,
    created: int,
    region: str,
    versioning: str,
    source_volume: str | None,
    source_bucket: str | None,
    quota_bytes: int,
    quota_names: int,
    acls: str,
    modified: int,
    layout: str,
    configured: str,
) -> int:
    """The check of a row of ``buckets``."""
    text = (
        f"{number}\0{volume}\0{name}\0{owner}\0{created}\0{region}\0{versioning}\0{source_volume}\0{source_bucket}\0"
        f"{quota_bytes}\0{quota_names}\0{acls}\0{modified}\0{layout}"
    )
    if configured:
        text += _sparse("configured", configured)
    return _signed(crc64nvme(text.encode()))


def check_of_configuration(bucket: int, kind: str, document: bytes) -> int:
    """The check of a row of ``configurations``."""
    return check_of_data(f"{bucket}\0{kind}\0", document)


def check_of_version(
    bucket: int,
    key: str,
    sequence: int,
    is_delete_marker: int,
    modified: int,
    size: int,
    etag: str,
    traits: str,
    version_id: str,
    checksum_value: str,
    parts_count: int,
    tags: str,
    headers: str,
    metadata: str,
    more: str,
) -> int:
    """The check of a row of ``versions``."""
    text = (
        f"{bucket}\0{key}\0{sequence}\0{is_delete_marker}\0{modified}\0{size}\0{etag}\0{traits}\0{version_id}\0"
        f"{checksum_value}\0{parts_count}\0{tags}\0{headers}\0{metadata}"
    )
    if more:
        text += _sparse("more", more)
    return _signed(crc64nvme(text.encode()))


def check_of_body(sequence: int, body: bytes, seal: str) -> int:
    """The check of a row of ``bodies``."""
    text = f"{sequence}\0"
    if seal:
        text += _sparse("seal", seal)
    return check_of_data(text, body)


def check_of_extent(
    owner: int,
    start: int,
    store: str,
    blob: str,
    blob_length: int,
    blob_crc64nvme: int,
    offset: int,
    length: int,
    seal: str = "",
) -> int:
    """The check of a row of ``extents``."""
    text = f"{owner}\0{start}\0{store}\0{blob}\0{blob_length}\0{blob_crc64nvme}\0{offset}\0{length}"
    if seal:
        text += _sparse("seal", seal)
    return _signed(crc64nvme(text.encode()))


def check_of_object_part(
    sequence: int, number: int, start: int, size: int, checksum: str | None, etag: str
) -> int:
    """The check of a row of ``object_parts``."""
    text = f"{sequence}\0{number}\0{start}\0{size}\0{checksum}\0{etag}"
    return _signed(crc64nvme(text.encode()))


def check_of_retired(owner: int, retired_at: int) -> int:
    """The check of a row of ``retired``: a wrong owner would lead to the bytes of another version."""
    return check_of_text(f"{owner}\0{retired_at}")


def check_of_event(sequence: int, event: str) -> int:
    """The check of a row of ``events``."""
    return check_of_text(f"{sequence}\0{event}")


def check_of_upload(
    number: int,
    bucket: int,
    key: str,
    upload_id: str,
    initiated: int,
    owner: str,
    storage_class: str,
    checksum_algorithm: str,
    checksum_type: str,
    is_completed: int,
    completed: str,
    completed_parts: str,
    tags: str,
    headers: str,
    metadata: str,
    more: str,
) -> int:
    """The check of a row of ``uploads``."""
    text = (
        f"{number}\0{bucket}\0{key}\0{upload_id}\0{initiated}\0{owner}\0{storage_class}\0{checksum_algorithm}\0"
        f"{checksum_type}\0{is_completed}\0{completed}\0{completed_parts}\0{tags}\0{headers}\0{metadata}"
    )
    if more:
        text += _sparse("more", more)
    return _signed(crc64nvme(text.encode()))


def check_of_part(
    upload: int,
    number: int,
    owner: int,
    size: int,
    etag: str,
    modified: int,
    checksums: str,
) -> int:
    """The check of a row of ``parts``."""
    text = f"{upload}\0{number}\0{owner}\0{size}\0{etag}\0{modified}\0{checksums}"
    return _signed(crc64nvme(text.encode()))


def check_of_secret(
    access_id: str, user: str, sealed: bytes, created: int, expires: int | None
) -> int:
    """The check of a row of ``secrets``."""
    return check_of_data(f"{access_id}\0{user}\0{created}\0{expires}\0", sealed)


@frozen
class CheckedTable:
    """A table whose rows have a check.

    :ivar columns: what ``check`` takes, in its order.
    :ivar key: the columns of the table's primary key, in its order.
    :ivar falling: whether the last of them is in falling order.
    """

    name: str
    check: Callable[..., int]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    falling: bool = False


def _table(
    name: str, check: Callable[..., int], columns: str, key: int, falling: bool = False
) -> CheckedTable:
    """A table whose key is the first so many of its columns."""
    names = tuple(columns.split())
    return CheckedTable(name, check, names, names[:key], falling)


CHECKED = (
    _table(
        "volumes",
        check_of_volume,
        "number name owner created admin quota_bytes quota_names acls modified",
        1,
    ),
    _table(
        "buckets",
        check_of_bucket,
        "number volume name owner created region versioning source_volume source_bucket quota_bytes quota_names acls"
        " modified layout configured",
        1,
    ),
    _table("configurations", check_of_configuration, "bucket kind document", 2),
    _table(
        "versions",
        check_of_version,
        "bucket key sequence is_delete_marker modified size etag traits version_id checksum_value parts_count tags"
        " headers metadata more",
        3,
        falling=True,
    ),
    _table("bodies", check_of_body, "sequence body seal", 1),
    _table(
        "extents",
        check_of_extent,
        "owner start store blob blob_length blob_crc64nvme offset length seal",
        2,
    ),
    _table(
        "object_parts",
        check_of_object_part,
        "sequence number start size checksum etag",
        2,
    ),
    _table(
        "uploads",
        check_of_upload,
        "number bucket key upload_id initiated owner storage_class checksum_algorithm checksum_type is_completed"
        " completed completed_parts tags headers metadata more",
        1,
    ),
    _table(
        "parts", check_of_part, "upload number owner size etag modified checksums", 2
    ),
    _table("secrets", check_of_secret, "access_id user sealed created expires", 1),
    _table("retired", check_of_retired, "owner retired_at", 1),
    _table("events", check_of_event, "sequence event", 1),
)
"""Every table whose rows have a check, in the order in which they are looked through."""


def damaged(table: str, *place: object) -> Damaged:
    """What is raised for a row that does not agree with its check.

    :param place: its key, for the message.
    """
    named = {"volumes": place[:1], "buckets": place[1:2]}.get(table, ())
    return Damaged(
        f"a row of {table} is not what was written: {', '.join(map(repr, place))}",
        "metadata",
        str(*named),
    )

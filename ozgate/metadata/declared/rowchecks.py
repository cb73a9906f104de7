"""The check of each row: what finds out that a stored row is not what was written.

A row's column ``checked`` is the CRC64NVME of the rest of its meaning, as text in which NUL separates the columns;
bytes follow it as they are. It covers the row's place (the key of its table), so that a row read under another one's
key does not agree either, and leaves out what is updated on its own: what a bucket uses, which version is the latest.
It is there for bits that flip, not for intruders, who could compute it too.

The text is a format: changing it takes a migration. Integers are written in decimal, nothing else is converted. A column that
few rows have something in is in the text, after its name, only where it has: rows from before there was such a column stay valid.
What writes the text of a table's rows is made of its declaration (:mod:`ozgate.metadata.declared.functions`): every row that is read
passes it. Migrations take the functions that are here, with the columns of their time.
"""

from __future__ import annotations

from awscrt.checksums import crc64nvme

from ...errors import Damaged

HALF = 1 << 63
WHOLE = 1 << 64

NONE = 1 << 66
"""No row has this check."""


def check_of(*columns: object) -> int:
    """The check of columns, none of which is sparse."""
    crc: int = crc64nvme("\0".join(map(str, columns)).encode())
    return crc - WHOLE if crc >= HALF else crc


def check_of_data(*columns: object) -> int:
    """The check of columns, the last of which are bytes."""
    *others, data = columns
    if not isinstance(data, bytes):
        return NONE
    text = "".join([f"{each}\0" for each in others])
    crc: int = crc64nvme(data, crc64nvme(text.encode()))
    return crc - WHOLE if crc >= HALF else crc


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

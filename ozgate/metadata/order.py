"""The order of keys, and where to seek in it.

Keys sort by their UTF-8 bytes, which is the order of their code points: Python's order of ``str``,
and SQLite's of TEXT under BINARY collation. Keys may hold any Unicode scalar value, NUL included.
"""

from __future__ import annotations

END = b""
"""An upper bound above every key: SQLite sorts any BLOB after any TEXT."""


def successor(prefix: str) -> str | None:
    """The smallest text above everything that starts with ``prefix``.

    :return: ``None`` when there is none, as for ``""`` and for U+10FFFF alone.
    """
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    # Surrogates are no scalar values: no key has them, and UTF-8 cannot carry them.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)


def just_after(key: str) -> str:
    """The smallest text above ``key`` itself."""
    return key + "\0"


def common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    """What ``key`` is rolled up to at the first ``delimiter`` after ``prefix``, if anything."""
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if at < 0 else key[: at + len(delimiter)]


def first_after(after: str, prefix: str, delimiter: str) -> str | None:
    """Where a listing that goes on after ``after`` seeks to.

    An ``after`` that is itself a common prefix skips everything below it.

    :return: the smallest key it may show, or ``None`` when that is beyond every key.
    """
    if after < prefix or not after:
        return prefix
    if after.startswith(prefix) and common_prefix(after, prefix, delimiter) == after:
        return successor(after)
    return just_after(after)

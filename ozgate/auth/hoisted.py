"""``x-amz-*`` headers that the URL of a presigned request carries as query parameters: one reading of them for all.

SDKs move headers into the URLs they presign. What a signature of version 2 covers is what is read here, and what an operation then
believes is read here too: were it read twice, one of them could be made to see something else.

Imports errors only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from ..errors import InvalidArgument

is_header_name: Final[Callable[[str], object]] = re.compile(
    r"[!#$%&'*+.^_`|~0-9a-z-]+"
).fullmatch
"""Whether a name in lower case could be a header's (RFC 9110, 5.1)."""

_breaks = re.compile(r"[\r\n\0]").search


def breaks_in(items: Iterable[tuple[str, str]]) -> bool:
    """Whether a value in a query could not be sent as one header."""
    return _breaks("".join([value for _, value in items])) is not None


def hoisted_headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers, by lower-case name: without white space around them, repeated ones joined with a comma.

    :param items: the decoded query.
    :raises InvalidArgument: what a parameter carries could not be sent as one header, and would read as several.
    """
    found: dict[str, list[str]] = {}
    for name, value in items:
        lowered = name.lower()
        if lowered.startswith("x-amz-"):
            if not is_header_name(lowered) or _breaks(value):
                raise InvalidArgument(
                    "A header in the query is malformed.", ArgumentName=name
                )
            found.setdefault(lowered, []).append(value.strip())
    return {name: ",".join(values) for name, values in found.items()}

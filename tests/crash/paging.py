"""A page of a listing of objects, by the model."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


@frozen
class Page:
    """A page of a listing.

    :ivar items: keys.
    :ivar last: what to go on after; ``None`` when this is the last page.
    """

    items: tuple[str, ...]
    prefixes: tuple[str, ...]
    last: str | None


def page(
    keys: Iterable[str], prefix: str, after: str, delimiter: str, limit: int
) -> Page:
    """A page of keys, rolled up at a delimiter; an ``after`` that is a common prefix passes over all below it."""
    items: list[str] = []
    prefixes: list[str] = []
    last = None
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix) or key.encode() <= after.encode():
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        shown = key if end < 0 else key[: end + len(delimiter)]
        if shown in prefixes or (end >= 0 and shown == after):
            continue
        if len(items) + len(prefixes) == limit:
            return Page(tuple(items), tuple(prefixes), last)
        (items if end < 0 else prefixes).append(shown)
        last = shown
    return Page(tuple(items), tuple(prefixes), None)

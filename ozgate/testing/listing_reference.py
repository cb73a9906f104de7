"""What listings are held against: a listing worked out the plain way, and the keys that it is tried with."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Claim
from .metadata_base import OWNER

# Few characters, so that prefixes meet; and those at the borders of the order and of UTF-8.
LETTERS = "ab/\0\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"

TEXTS = st.text(LETTERS, max_size=6)

KEYS = st.text(LETTERS, min_size=1, max_size=6)

DELIMITERS = st.one_of(st.just("/"), st.just(""), st.text(LETTERS, max_size=3))

examples = settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

Entry = tuple[str, str | None]
"""A name to be shown, and what tells items of one key apart; ``None`` for a common prefix."""


def utf8(key: str) -> bytes:
    """What keys are sorted by."""
    return key.encode("utf-8")


def expected(
    keys: Sequence[tuple[str, str]], prefix: str, delimiter: str
) -> list[Entry]:
    """The whole listing of (key, id) pairs in order, worked out the plain way."""
    entries: list[Entry] = []
    for key, name in keys:
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            at = rest.index(delimiter) + len(delimiter)
            entry: Entry = (prefix + rest[:at], None)
        else:
            entry = (key, name)
        if entry not in entries:
            entries.append(entry)
    return entries


def shown(page: Any, name: Callable[[Any], str]) -> list[Entry]:
    """Entries of a page, in order: an item sorts before a common prefix of the same name."""
    items: list[Entry] = [(item.key, name(item)) for item in page.items]
    prefixes: list[Entry] = [(prefix, None) for prefix in page.common_prefixes]
    # Python's sort is stable, so that the order among items stays.
    return sorted(items + prefixes, key=lambda entry: utf8(entry[0]))


def new_bucket(tx: IMetadataTransaction) -> Bucket:
    """An empty bucket, as an example needs it."""
    # In the order of claims, which several examples of one transaction take one after the other.
    name = f"b{tx.next_sequence():020}"
    tx.claim(Claim.volume("s3v", shared=True), Claim.name("s3v", name))
    return tx.add_bucket(Bucket("s3v", name, OWNER, tx.now()))

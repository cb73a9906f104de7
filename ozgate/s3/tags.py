"""Object tags: from the header ``x-amz-tagging``, from and to the document ``Tagging``, with S3's rules.

Source: Amazon S3 User Guide, "Categorizing your objects using tags": at most 10 tags, keys of 1 to
128 and values of 0 to 256 characters, letters, numbers, spaces and ``+ - = . _ : / @``, keys
unique, the prefix ``aws:`` reserved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from unicodedata import category

from ..errors import BadRequest, InvalidArgument, InvalidTag
from .configuration.tagging import DOCUMENT, Tag, Tagging
from .params import form_decoded

MAX_TAGS = 10
MAX_KEY = 128
MAX_VALUE = 256

_PLAIN = re.compile(r"[A-Za-z0-9 +\-=._:/@]*")
_PUNCTUATION = frozenset("+-=._:/@")


def from_header(text: str) -> dict[str, str]:
    """The tags of a header ``x-amz-tagging``: a query string.

    :raises InvalidArgument: it is no query string in UTF-8, names a key twice, or has a value without a key.
    :raises InvalidTag: a key or value breaks the rules.
    :raises BadRequest: there are more than 10.
    """
    tags: dict[str, str] = {}
    for pair in text.split("&"):
        if not pair:
            continue
        raw_key, _, raw_value = pair.partition("=")
        try:
            key, value = form_decoded(raw_key), form_decoded(raw_value)
        except ValueError:
            raise _bad_header(text) from None
        if not key or key in tags:
            raise _bad_header(text)
        tags[key] = value
    check_tags(tags.items())
    return tags


def from_document(data: bytes) -> dict[str, str]:
    """The tags of a document ``Tagging``. An empty ``TagSet`` is legal.

    :raises MalformedXML: it is another document.
    :raises InvalidTag: a key or value breaks the rules, or a key is there twice.
    :raises BadRequest: there are more than 10 tags.
    """
    pairs = [(tag.key, tag.value) for tag in DOCUMENT.parse(data).tags]
    check_tags(pairs)
    return tags_of(pairs)


def tags_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tags by their keys.

    :raises InvalidTag: a key is there twice.
    """
    tags: dict[str, str] = {}
    for key, value in pairs:
        if key in tags:
            raise InvalidTag(
                "Cannot provide multiple Tags with the same key", TagKey=key
            )
        tags[key] = value
    return tags


def to_document(tags: Mapping[str, str]) -> bytes:
    """The document ``Tagging``, in the order the tags were given."""
    listed = tuple(Tag(key, value) for key, value in tags.items())
    return DOCUMENT.render(Tagging(listed))


def check_tags(
    pairs: Iterable[tuple[str, str]], most: int = MAX_TAGS, of: str = "Object"
) -> None:
    """Hold tags against the rules.

    :param most: how many there may be.
    :param of: what they are tags of, for the message.
    :raises InvalidTag: a key or value breaks the rules.
    :raises BadRequest: they are too many.
    """
    count = 0
    for key, value in pairs:
        count += 1
        if not 1 <= len(key) <= MAX_KEY or not _is_legal(key):
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if key.startswith("aws:"):
            raise InvalidTag("Your TagKey cannot be prefixed with aws:", TagKey=key)
        if len(value) > MAX_VALUE or not _is_legal(value):
            raise InvalidTag(
                "The TagValue you have provided is invalid", TagKey=key, TagValue=value
            )
    if count > most:
        raise BadRequest(f"{of} tags cannot be greater than {most}")


def _is_legal(text: str) -> bool:
    """Whether a text has only letters, numbers and separators of any script, and the few signs."""
    if _PLAIN.fullmatch(text):
        return True
    return all(sign in _PUNCTUATION or category(sign)[0] in "LNZ" for sign in text)


def _bad_header(text: str) -> InvalidArgument:
    return InvalidArgument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        ArgumentName="x-amz-tagging",
        ArgumentValue=text,
    )

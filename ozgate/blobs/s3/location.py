"""Where a store is: the endpoint of an engine, a bucket, a prefix; and the keys of what is there.

::

    PREFIX/NAME            what blob references call the store, and what tells it from every other one
    PREFIX/data/10/…01     blobs, by the last two digits of their ids, the last one first: so those of an ending are one prefix
    PREFIX/probe/…         what a start tries the engine with, and removes
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ...errors import Unavailable
from ...immutable import frozen
from ..blobids import SHARED

ID_LENGTH = 16 + 2 * SHARED
"""Digits of an id: 12 of milliseconds, 4 of a counter, and random ones: a PUT replaces what another process called the same."""

_is_id = re.compile(f"[0-9a-f]{{{ID_LENGTH}}}").fullmatch
_is_bucket = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}").fullmatch
_is_prefix = re.compile(r"[A-Za-z0-9._/=-]*").fullmatch

_FORM = "s3+https://HOST[:PORT]/BUCKET[/PREFIX]"


@frozen
class Location:
    """A place in an engine.

    :ivar endpoint: ``https://host:port``, as it is signed.
    :ivar bucket: its bucket.
    :ivar prefix: what all keys begin with: empty, or with a slash at its end.
    """

    endpoint: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.bucket}/{self.prefix}"

    @property
    def is_secret(self) -> bool:
        """Whether what goes there and back is encrypted on the way."""
        return self.endpoint.startswith("https:")

    @property
    def path(self) -> str:
        """The path of the bucket."""
        return f"/{self.bucket}"

    def path_of(self, name: str) -> str:
        """The path of an object of the store, by its name below the prefix. No name needs to be encoded."""
        return f"/{self.bucket}/{self.prefix}{name}"


def read_location(scheme: str, location: str) -> Location:
    """What a URL says.

    :param scheme: ``http`` or ``https``.
    :param location: what follows the scheme: ``//host:port/bucket/prefix``.
    :raises Unavailable: it is none of that form.
    """
    try:
        parts = urlsplit(f"{scheme}:{location}")
        port = parts.port
    except ValueError:
        raise Unavailable(f"the URL of an S3 engine is {_FORM}") from None
    if parts.username is not None or parts.password is not None:
        raise Unavailable(
            "keys do not belong into the URL of an S3 engine: set ozgate.blobs.s3.access-key and ozgate.blobs.s3.secret-key-file"
        )
    bucket, _, prefix = parts.path.removeprefix("/").partition("/")
    prefix = prefix.strip("/")
    if (
        not parts.hostname
        or parts.query
        or parts.fragment
        or not _is_bucket(bucket)
        or not _is_prefix(prefix)
        or {"", ".", ".."}.intersection(prefix.split("/") if prefix else ())
    ):
        raise Unavailable(
            f"the URL of an S3 engine is {_FORM}, its prefix of letters, digits and . _ = - /"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        # Clients leave out the usual one, also in what they sign.
        host += f":{port}"
    return Location(f"{scheme}://{host}", bucket, f"{prefix}/" if prefix else "")


def is_id(text: str) -> bool:
    """Whether it can be a blob's id."""
    return _is_id(text) is not None


def name_of(blob_id: str) -> str:
    """Where a blob is, below the prefix."""
    return f"data/{blob_id[-1]}{blob_id[-2]}/{blob_id}"


def folder_of(ending: str) -> str:
    """What the names of all blobs begin with whose ids have an ending."""
    last = ending[-2:][::-1]
    return f"data/{last}/" if len(last) == 2 else f"data/{last}"

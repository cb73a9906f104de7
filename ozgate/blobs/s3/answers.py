"""What an engine answers, and what its errors mean here.

An engine's errors are documents (Amazon S3 API Reference, "REST error responses"); nothing of what they say but their code and
message is used, and both are cut short: an engine is another system. What they say of keys and signatures goes before anybody reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from ...errors import Absent, NoSpace, StoreError, Unavailable
from ...immutable import frozen

_CODE = re.compile(rb"<Code>([A-Za-z0-9_.-]{1,80})</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,300})")

_SIGNATURE = re.compile(rb"[0-9A-Fa-f]{64}")
"""A signature of version 4, and digests that are nobody's business either."""

_MASK = b"***"

_AGAIN = frozenset((408, 429, 500, 502, 503, 504))
_AGAIN_CODES = frozenset(
    "ConditionalRequestConflict IncompleteBody InternalError OperationAborted RequestTimeout ServiceUnavailable SlowDown".split()
)
"""Errors of one request that the next may not meet with, whatever their status is."""

_OF_BYTES = frozenset(
    "BadDigest InvalidDigest XAmzContentChecksumMismatch XAmzContentSHA256Mismatch".split()
)
"""Bytes did not get there as they are."""

_FULL = frozenset("InsufficientStorage NoSpace QuotaExceeded XMinioStorageFull".split())
"""How engines say that they are full, or a quota is: ozgate and others by 507, Ceph and Ozone by ``QuotaExceeded``, MinIO by its own."""

_WHAT_TO_DO = {
    "InvalidAccessKeyId": "it does not know the access key: see ozgate.blobs.s3.access-key",
    "SignatureDoesNotMatch": "the secret key is not that of the access key: see ozgate.blobs.s3.secret-key-file",
    "RequestTimeTooSkewed": "its clock and that of this machine differ: set the one that is wrong",
    "AccessDenied": "the access key may not do that there: allow it to get, put, delete and list",
    "NoSuchBucket": "it has no such bucket: make it, or see ozgate.blobs",
    "PermanentRedirect": "the bucket is at another endpoint: see ozgate.blobs",
    "AuthorizationHeaderMalformed": "it may be in another region: see ozgate.blobs.s3.region",
}


class Passing(Unavailable):
    """A request failed in a way that the next may not.

    :ivar was_sent: whether the engine may have got it.
    :ivar is_of_bytes: whether the engine got other bytes than those that were sent.
    """

    def __init__(
        self, message: str, was_sent: bool = True, is_of_bytes: bool = False
    ) -> None:
        super().__init__(message)
        self.was_sent = was_sent
        self.is_of_bytes = is_of_bytes


class Taken(Passing):
    """There is an object of that name already, and the request was to put none in its place: that one is another's."""

    def __init__(self, message: str) -> None:
        super().__init__(message, was_sent=False)


@frozen
class Answer:
    """An answer.

    :ivar headers: by lower-case names.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of an error; its status, where it says no other. An answer to HEAD has no document."""
        found = _CODE.search(self.body)
        return found[1].decode() if found else str(self.status)


_WORD = 8
"""Characters of the shortest key that is looked for."""


def masked(said: bytes, hidden: Sequence[str]) -> bytes:
    """What an engine says, without what none of our logs and clients may have.

    :param hidden: our keys.
    """
    for each in hidden:
        if len(each) < _WORD:
            # A word that may be part of any error's code; no service gives such keys.
            continue
        said = said.replace(each.encode(), _MASK)
    return _SIGNATURE.sub(_MASK, said)


def error_of(answer: Answer, what: str) -> StoreError:
    """What an error means.

    :param what: what was asked, for people.
    """
    code = answer.code
    found = _MESSAGE.search(answer.body)
    said = found[1].decode("ascii", "replace").strip() if found else ""
    text = f"{what}: the engine answers {code}"
    if code in _WHAT_TO_DO:
        return Unavailable(f"{text}: {_WHAT_TO_DO[code]}")
    if said and said.isprintable():
        text += f" ({said})"
    if answer.status == 404:
        return Absent(text)
    if answer.status == 412:
        return Taken(text)
    if answer.status == 507 or code in _FULL:
        return NoSpace(text)
    if code in _OF_BYTES:
        return Passing(text, is_of_bytes=True)
    if answer.status in _AGAIN or code in _AGAIN_CODES:
        return Passing(text)
    return Unavailable(text)


@frozen
class Page:
    """A page of a list.

    :ivar keys: in the order of the engine.
    :ivar token: what the next page is asked with; ``""`` where there is none.
    """

    keys: tuple[str, ...]
    token: str


def read_page(document: bytes) -> Page:
    """Read an answer of ListObjectsV2.

    :raises Unavailable: it is none.
    """
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, ValueError):
        raise Unavailable("listing blobs: the engine's list is no document") from None
    named: dict[str, list[str]] = {"Key": [], "NextContinuationToken": []}
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if name in named:
            named[name].append((element.text or "").strip())
    return Page(tuple(named["Key"]), next(iter(named["NextContinuationToken"]), ""))

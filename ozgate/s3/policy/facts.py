"""What is known of a request where a policy asks: the value of each condition key, looked up when it is asked for and not before.

Sources: Service Authorization Reference, "Condition keys for Amazon S3", for which actions each key is there; IAM User Guide, "AWS global condition
context keys"; Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys". Keys that S3 has for what is not here
(VPC endpoints, organizations, access points) have no value for anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...auth import signedtimes
from ...errors import S3Error
from ...values import Bucket
from ..params import copy_source
from ..tags import from_header
from ..times import parse_timestamp, timestamp
from .actions import accepts

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Volume
    from ..asked import Asked

Values = tuple[str, ...]
"""What a condition key has; most have one value."""

ACCOUNT: Final = "000000000000"
"""The account that everybody here belongs to, and everything."""

_LISTINGS: Final = {
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
"""Operations that list, and the action that asks for the list itself."""

_IN_BODY: Final = frozenset(
    ("PutObjectTagging", "PutObjectRetention", "PutObjectLegalHold")
)
"""Operations that have no headers for what their bodies say."""

_SAID: Final = ("x-amz-", "if-")
"""How the headers begin that condition keys are called by."""

_DAY: Final = 86_400_000

_CREATES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"), "true"
    ),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "UploadPartCopy"), "false"),
}
"""Operations whose action is ``s3:PutObject``, and whether an object comes to be by them."""


class Facts:
    """The condition keys of one question, in the interaction that asks it.

    :param key: the object that it is about, ``""`` where it is about the bucket.
    :param version: the version that is named, ``""`` where none is.
    :ivar asked: the request.
    """

    __slots__ = (
        "_action",
        "_key",
        "_tags",
        "_thing",
        "_tx",
        "_version",
        "asked",
    )

    def __init__(
        self,
        tx: IMetadataTransaction,
        asked: Asked,
        action: str,
        thing: Bucket | Volume,
        key: str,
        version: str,
    ) -> None:
        self._tx, self.asked, self._action = tx, asked, action
        self._thing, self._key, self._version = thing, key, version
        self._tags: Mapping[str, str] | None = None

    def get(self, name: str) -> Values | None:
        """The values of a condition key; ``None`` where the request has none.

        :param name: such as ``aws:sourceip`` or ``s3:existingobjecttag/Project``: in small letters, but for the name of a tag.
        """
        look = _KEYS.get(name)
        return self._look_up(name) if look is None else look(self)

    def _look_up(self, name: str) -> Values | None:
        """Of a key that is not in :data:`_KEYS`."""
        if not self.comes(name):
            return None
        kind, slash, rest = name.partition("/")
        if slash:
            tags = _TAGS[kind](self) if kind in _TAGS else {}
            return (tags[rest],) if rest in tags else None
        return self.stated(name) or _one(self._header(name[3:]))

    def _header(self, name: str) -> str | None:
        """What a header says of a condition key; one that no header of S3's is for is said by none."""
        if name.startswith("object-lock-") and not self.is_in_body:
            name = "x-amz-" + name
        if not name.startswith(_SAID):
            return None
        value = self.asked.headers.get(name)
        if name == "x-amz-copy-source" and value is not None:
            return _source(value)
        # Whoever acts on one does not look at the space around it.
        return None if value is None else value.strip()

    # What the functions below look at

    def comes(self, name: str) -> bool:
        """Whether a condition key of S3's comes with the action."""
        actions = accepts(name)
        return actions is not None and (not actions or self._action in actions)

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._tx.now()

    @property
    def version(self) -> str:
        """The version that is named, ``""`` where none is."""
        return self._version

    @property
    def lists(self) -> bool:
        """Whether the list itself is asked for."""
        return _LISTINGS.get(self.asked.operation) == self._action

    @property
    def puts(self) -> bool:
        """Whether an object is written, or a part of one."""
        return self._action == "s3:PutObject"

    @property
    def is_in_body(self) -> bool:
        """Whether it is the body that says what shall be, and not a header, which nobody looks at."""
        return self.asked.operation in _IN_BODY

    def stated(self, name: str) -> Values:
        """What the request's body says of a condition key."""
        stated = self.asked.stated or ()
        return tuple(text for each, text in stated if each == name)

    def existing_tags(self) -> Mapping[str, str]:
        """The tags of the version that is asked about, read once."""
        if self._tags is None:
            self._tags = {}
            thing, key = self._thing, self._key
            if key and isinstance(thing, Bucket):
                if self._version:
                    found = self._tx.version(thing, key, self._version)
                else:
                    found = self._tx.latest(thing, key)
                if found is not None:
                    self._tags = found.tags
        return self._tags


def source_ip(peer: str) -> str:
    """A client's address, as policies have it: one of IPv4 is that on a socket for both, too."""
    before, mapped, address = peer.partition("::ffff:")
    return address if mapped and not before and "." in address else peer


def requested_tags(asked: Asked) -> Mapping[str, str]:
    """The tags that a request's header gives to what it writes; none where they are not well said, which is refused elsewhere."""
    text = asked.headers.get("x-amz-tagging")
    if text:
        with suppress(S3Error):
            return from_header(text)
    return {}


def _source(header: str) -> str | None:
    """The bucket and the key that a copy comes from, as the copy reads them; none where it names none, which is refused elsewhere."""
    with suppress(S3Error):
        bucket, key, _ = copy_source(header)
        return f"{bucket}/{key}"
    return None


def _requested(facts: Facts) -> Mapping[str, str]:
    stated = dict(facts.asked.stated or ())
    prefix = "s3:requestobjecttag/"
    found = {
        name[len(prefix) :]: text
        for name, text in stated.items()
        if name.startswith(prefix)
    }
    if found or facts.is_in_body or _keeps_tags(facts.asked):
        return found
    return requested_tags(facts.asked)


def _keeps_tags(asked: Asked) -> bool:
    """Whether it is a copy with the tags of its source, which looks at no others."""
    directive = asked.headers.get("x-amz-tagging-directive")
    return asked.operation == "CopyObject" and directive != "REPLACE"


def _requested_keys(facts: Facts) -> Values | None:
    if not facts.comes("s3:requestobjecttagkeys"):
        return None
    return tuple(_requested(facts)) or None


def _one(value: str | None) -> Values | None:
    return None if value is None else (value,)


def _header(name: str) -> Callable[[Facts], Values | None]:
    """The value of a header."""
    return lambda facts: _one(facts.asked.headers.get(name))


def _listed_by(name: str) -> Callable[[Facts], Values | None]:
    """The value of a parameter of a list."""
    return lambda facts: _one(facts.asked.query(name)) if facts.lists else None


def _fixed(value: str) -> Callable[[Facts], Values | None]:
    """A value that all have."""
    return lambda facts: (value,)


_TRUE, _FALSE = ("true",), ("false",)


@lru_cache(maxsize=1024)
def _source_ips(peer: str) -> Values | None:
    return _one(source_ip(peer) or None)


def _user(facts: Facts) -> Values | None:
    return _one(facts.asked.principal.user or None)


def _user_id(facts: Facts) -> Values:
    principal = facts.asked.principal
    if principal.session:
        return (f"{principal.user}:{principal.session}",)
    return (principal.user or "anonymous",)


def _kind_of_principal(facts: Facts) -> Values:
    principal = facts.asked.principal
    if principal.session:
        return ("AssumedRole",)
    return ("User" if principal.user else "Anonymous",)


def _arn(facts: Facts) -> Values | None:
    user = facts.asked.principal.user
    return (f"arn:aws:iam:::user/{user}",) if user else None


def _account(facts: Facts) -> Values | None:
    return (ACCOUNT,) if facts.asked.principal.user else None


def _issued(facts: Facts) -> Values | None:
    issued = facts.asked.principal.issued
    return (timestamp(issued),) if issued else None


def _second_factor(facts: Facts) -> Values | None:
    """No session has one; of a key of its own nothing is said, as on AWS."""
    return ("false",) if facts.asked.principal.issued else None


def _auth_type(facts: Facts) -> Values | None:
    """How it was signed; a form, in its fields, which says so."""
    asked = facts.asked
    if not asked.principal.user:
        return None
    if "authorization" in asked.headers:
        return ("REST-HEADER",)
    names = asked.address.query.names()
    in_query = "X-Amz-Signature" in names or "Signature" in names
    return ("REST-QUERY-STRING" if in_query else "POST",)


def _signature_version(facts: Facts) -> Values | None:
    """Of a form, version 4 has a date, and version 2 has none."""
    asked = facts.asked
    if not asked.principal.user:
        return None
    is_old = "Signature" in asked.address.query
    if _auth_type(facts) == ("POST",):
        is_old = "x-amz-date" not in asked.headers
    return ("AWS" if is_old else "AWS4-HMAC-SHA256",)


def _signature_age(facts: Facts) -> Values | None:
    """Milliseconds since the time that it was signed for."""
    asked = facts.asked
    # A request that is signed in a header may have anything in its query.
    is_in_query = _auth_type(facts) == ("REST-QUERY-STRING",)
    text = asked.query("X-Amz-Date") if is_in_query else asked.headers.get("x-amz-date")
    signed = signedtimes.parse_timestamp(text or "") if asked.principal.user else None
    return None if signed is None else (str(max(facts.now - signed * 1000, 0)),)


def _remaining_days(facts: Facts) -> Values | None:
    """How long the retention would last that is asked for, in days that have begun."""
    until = facts.get("s3:object-lock-retain-until-date")
    with suppress(ValueError):
        # What is no time is refused elsewhere.
        if until is not None:
            return (str(max(-((facts.now - parse_timestamp(until[0])) // _DAY), 0)),)
    return None


_TAGS: Final[Mapping[str, Callable[[Facts], Mapping[str, str]]]] = {
    "s3:existingobjecttag": Facts.existing_tags,
    "s3:requestobjecttag": _requested,
}

_KEYS: Final[Mapping[str, Callable[[Facts], Values | None]]] = {
    "aws:currenttime": lambda facts: (timestamp(facts.now),),
    "aws:epochtime": lambda facts: (str(facts.now // 1000),),
    "aws:multifactorauthpresent": _second_factor,
    "aws:principalaccount": _account,
    "aws:principalarn": _arn,
    "aws:principalisawsservice": _fixed("false"),
    "aws:principaltype": _kind_of_principal,
    "aws:referer": _header("referer"),
    "aws:requestedregion": lambda facts: (facts.asked.region,),
    "aws:resourceaccount": _fixed(ACCOUNT),
    "aws:securetransport": lambda facts: _TRUE if facts.asked.is_secure else _FALSE,
    "aws:sourceip": lambda facts: _source_ips(facts.asked.peer),
    "aws:tokenissuetime": _issued,
    "aws:useragent": _header("user-agent"),
    "aws:userid": _user_id,
    "aws:username": _user,
    "aws:viaawsservice": _fixed("false"),
    "s3:authtype": _auth_type,
    "s3:delimiter": _listed_by("delimiter"),
    "s3:max-keys": _listed_by("max-keys"),
    "s3:object-lock-remaining-retention-days": _remaining_days,
    "s3:objectcreationoperation": lambda facts: _one(
        _CREATES.get(facts.asked.operation) if facts.puts else None
    ),
    "s3:prefix": _listed_by("prefix"),
    "s3:requestobjecttagkeys": _requested_keys,
    "s3:resourceaccount": _fixed(ACCOUNT),
    "s3:signatureage": _signature_age,
    "s3:signatureversion": _signature_version,
    "s3:tlsversion": lambda facts: _one(facts.asked.tls_version or None),
    "s3:versionid": lambda facts: _one(facts.version or None),
}
"""The other keys, in small letters."""

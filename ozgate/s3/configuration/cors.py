"""Which pages of other origins a bucket lets browsers ask it from.

Sources: Amazon S3 API Reference, PutBucketCors and the data type CORSRule; Amazon S3 User Guide, "Elements of a CORS
configuration" and "How Amazon S3 evaluates the CORS configuration"; messages are S3's own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ...errors import InvalidRequest
from ...immutable import frozen
from ..structures import INTEGER, TEXT, Document, Many, One, Structure
from .kept import Kept

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "HEAD")
MOST_RULES: Final = 100
LONGEST_ID: Final = 255
"""Characters."""


@frozen
class Asking:
    """What a browser says of the page that asks, and of what it asks for.

    :ivar origin: of the page, as sent.
    :ivar method: of the request, or of the one that is to follow a preflight.
    :ivar headers: those that it wants to send, in lower case.
    """

    origin: str
    method: str
    headers: tuple[str, ...] = ()


@frozen
class CorsRule:
    """Which pages may send which requests.

    :ivar headers: what they may send besides, each with at most one ``*``.
    :ivar origins: likewise.
    :ivar exposed: the headers of answers that they may read.
    :ivar max_age: seconds for which a browser may keep the answer to a preflight.
    """

    id: str | None
    headers: tuple[str, ...]
    methods: tuple[str, ...]
    origins: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int | None

    def allowed_origin(self, asking: Asking) -> str | None:
        """What of the rule matches the page; ``None`` where the rule does not allow what is asked.

        Capitals matter in origins, which browsers write in lower case, and not in headers.
        """
        if asking.method not in self.methods:
            return None
        if asking.headers:
            allowed = _any_of(self.headers)
            if not all(map(allowed.fullmatch, asking.headers)):
                return None
        matching = (each for each in self.origins if _matches(each, asking.origin))
        return next(matching, None)


@frozen
class Cors:
    """The rules of a bucket, of which the first counts that allows what is asked."""

    rules: tuple[CorsRule, ...]

    def headers_for(self, asking: Asking) -> list[tuple[str, str]] | None:
        """The headers that tell a browser that a page may ask; ``None`` where it may not.

        S3 says the same in answers to preflights and to what follows them.
        """
        for rule in self.rules:
            matched = rule.allowed_origin(asking)
            if matched is not None:
                return _headers(rule, asking, matched == "*")
        return None


def _headers(rule: CorsRule, asking: Asking, is_anybody: bool) -> list[tuple[str, str]]:
    origin = "*" if is_anybody else asking.origin
    found = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", ", ".join(rule.methods)),
    ]
    if asking.headers:
        found.append(("Access-Control-Allow-Headers", ", ".join(asking.headers)))
    if rule.exposed:
        found.append(("Access-Control-Expose-Headers", ", ".join(rule.exposed)))
    if rule.max_age is not None:
        found.append(("Access-Control-Max-Age", str(rule.max_age)))
    if not is_anybody:
        found.append(("Access-Control-Allow-Credentials", "true"))
    vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
    found.append(("Vary", vary))
    return found


def _matches(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says, in which ``*`` is anything, or nothing."""
    before, star, after = pattern.partition("*")
    if not star:
        return text == pattern
    return (
        len(text) >= len(before) + len(after)
        and text.startswith(before)
        and text.endswith(after)
    )


@lru_cache(maxsize=1024)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for headers that may be sent: anybody may ask about hundreds, and there may be thousands."""
    each = (".*".join(map(re.escape, one.lower().split("*", 1))) for one in patterns)
    return re.compile("|".join(each) or "(?!)", re.DOTALL)


def check_cors(cors: Cors) -> None:
    """Refuse rules that S3 does not take.

    :raises InvalidRequest: there are too many, or one of them says what none may.
    """
    if len(cors.rules) > MOST_RULES:
        raise InvalidRequest(
            f"The number of CORS rules should not exceed allowed limit of {MOST_RULES} rules."
        )
    for rule in cors.rules:
        _check_rule(rule)


def _check_rule(rule: CorsRule) -> None:
    for method in rule.methods:
        if method not in METHODS:
            raise InvalidRequest(
                f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )
    for name, values in (
        ("AllowedOrigin", rule.origins),
        ("AllowedHeader", rule.headers),
    ):
        for value in values:
            if value.count("*") > 1:
                raise InvalidRequest(
                    f'{name} "{value}" can not have more than one wildcard.'
                )
    for value in rule.exposed:
        if "*" in value:
            raise InvalidRequest(
                f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )
        if not value.isascii() or not value.isprintable():
            raise InvalidRequest(f'ExposeHeader "{value}" is not a header.')
    if rule.id is not None and len(rule.id) > LONGEST_ID:
        raise InvalidRequest(
            f"The ID of a CORS rule should not exceed allowed limit of {LONGEST_ID} characters."
        )


DOCUMENT: Final = Document(
    "CORSConfiguration",
    Cors,
    rules=Many(
        "CORSRule",
        Structure(
            CorsRule,
            id=One("ID", TEXT),
            headers=Many("AllowedHeader", TEXT),
            methods=Many("AllowedMethod", TEXT, least=1),
            origins=Many("AllowedOrigin", TEXT, least=1),
            exposed=Many("ExposeHeader", TEXT),
            max_age=One("MaxAgeSeconds", INTEGER),
        ),
        least=1,
    ),
)
CORS: Final = Kept("cors", DOCUMENT)

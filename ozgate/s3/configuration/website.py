"""How a bucket is served as a website.

Sources: Amazon S3 API Reference, PutBucketWebsite and the data types of its document; Amazon S3 User Guide, "Configuring advanced
conditional redirects"; messages are S3's own.
"""

from __future__ import annotations

from typing import Final

from ...errors import InvalidArgument, InvalidRequest, MalformedXML
from ...immutable import frozen
from ..structures import TEXT, Document, Many, One, Structure, Words
from .kept import Kept

MOST_RULES: Final = 50
_PROTOCOLS: Final = ("http", "https")


@frozen
class RedirectAll:
    """Where every request is sent.

    :ivar protocol: ``None`` for that of the request.
    """

    host: str
    protocol: str | None = None


@frozen
class IndexDocument:
    """What is shown of a folder.

    :ivar suffix: what its name and this make is the key.
    """

    suffix: str


@frozen
class ErrorDocument:
    """What is shown for an error of 400 to 499."""

    key: str


@frozen
class Condition:
    """When a rule holds: all that is not ``None`` must."""

    error: str | None = None
    prefix: str | None = None


@frozen
class Redirect:
    """Where a rule sends: what is ``None`` stays as in the request.

    :ivar status: 301 where it is ``None``.
    :ivar prefix: what stands in place of the condition's prefix.
    :ivar key: what stands in place of the key.
    """

    host: str | None = None
    status: str | None = None
    protocol: str | None = None
    prefix: str | None = None
    key: str | None = None


@frozen
class RoutingRule:
    """A redirect and when it holds; always, without a condition."""

    condition: Condition | None
    redirect: Redirect


@frozen
class Website:
    """A bucket's website: it redirects all, or has an index."""

    error: ErrorDocument | None = None
    index: IndexDocument | None = None
    redirect_all: RedirectAll | None = None
    rules: tuple[RoutingRule, ...] = ()


def check_website(website: Website) -> None:
    """Refuse what S3 does not take.

    :raises InvalidArgument: it is neither of the two, or both, or names no index that could be.
    :raises InvalidRequest: a rule says what none may, or there are too many.
    :raises MalformedXML: a key or host is empty.
    """
    everything = website.redirect_all
    if everything is not None:
        if website != Website(redirect_all=everything):
            raise InvalidArgument(
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
                ArgumentName="RedirectAllRequestsTo",
                ArgumentValue="not null",
            )
        _check_place(everything.host, everything.protocol)
        if not everything.host:
            raise MalformedXML()
        return
    _check_index(website.index)
    if website.error is not None and not website.error.key:
        raise MalformedXML()
    if len(website.rules) > MOST_RULES:
        raise InvalidRequest(
            f"{len(website.rules)} routing rules provided, the number of routing rules in a website configuration is limited to {MOST_RULES}."
        )
    for rule in website.rules:
        _check_redirect(rule.redirect)
        if rule.condition is not None:
            _check_condition(rule.condition)


def _check_index(index: IndexDocument | None) -> None:
    if index is None:
        raise InvalidArgument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            ArgumentName="IndexDocument",
            ArgumentValue="null",
        )
    if not index.suffix or "/" in index.suffix:
        raise InvalidArgument(
            "The IndexDocument Suffix is not well formed",
            ArgumentName="IndexDocument",
            ArgumentValue=index.suffix,
        )


def _check_redirect(redirect: Redirect) -> None:
    if redirect.prefix is not None and redirect.key is not None:
        raise InvalidRequest(
            "You can only define ReplaceKeyPrefix or ReplaceKey but not both."
        )
    _check_place(redirect.host or "", redirect.protocol)
    status = redirect.status
    if status is not None and (not _is_status(status, "3") or status == "300"):
        raise InvalidRequest(
            f"The provided HTTP redirect code ({status}) is not valid. Valid codes are 3XX except 300."
        )
    if redirect == Redirect():
        raise MalformedXML()


def _check_condition(condition: Condition) -> None:
    if condition == Condition():
        raise InvalidRequest(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present."
        )
    if condition.error is not None and not _is_status(condition.error, "45"):
        raise InvalidRequest(
            f"The provided HTTP error code ({condition.error}) is not valid. Valid codes are 4XX or 5XX."
        )


def _check_place(host: str, protocol: str | None) -> None:
    if protocol is not None and protocol not in _PROTOCOLS:
        raise InvalidRequest(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically."
        )
    if not host.isascii() or not host.isprintable() or " " in host:
        raise InvalidRequest("The HostName is not well formed")


def _is_status(text: str, kinds: str) -> bool:
    """Whether a text is an HTTP status of one of some kinds, by their first digits."""
    return len(text) == 3 and text.isascii() and text.isdigit() and text[0] in kinds


_PROTOCOL: Final = Words(str, choices=_PROTOCOLS)
"""Another word has an error of its own."""

DOCUMENT: Final = Document(
    "WebsiteConfiguration",
    Website,
    error=One(
        "ErrorDocument",
        Structure(ErrorDocument, key=One("Key", TEXT, is_needed=True)),
    ),
    index=One(
        "IndexDocument",
        Structure(IndexDocument, suffix=One("Suffix", TEXT, is_needed=True)),
    ),
    redirect_all=One(
        "RedirectAllRequestsTo",
        Structure(
            RedirectAll,
            host=One("HostName", TEXT, is_needed=True),
            protocol=One("Protocol", _PROTOCOL),
        ),
    ),
    rules=Many(
        "RoutingRule",
        Structure(
            RoutingRule,
            condition=One(
                "Condition",
                Structure(
                    Condition,
                    error=One("HttpErrorCodeReturnedEquals", TEXT),
                    prefix=One("KeyPrefixEquals", TEXT),
                ),
            ),
            redirect=One(
                "Redirect",
                Structure(
                    Redirect,
                    host=One("HostName", TEXT),
                    status=One("HttpRedirectCode", TEXT),
                    protocol=One("Protocol", _PROTOCOL),
                    prefix=One("ReplaceKeyPrefixWith", TEXT),
                    key=One("ReplaceKeyWith", TEXT),
                ),
                is_needed=True,
            ),
        ),
        inside="RoutingRules",
        least=1,
    ),
)
WEBSITE: Final = Kept("website", DOCUMENT)

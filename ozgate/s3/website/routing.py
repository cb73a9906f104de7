"""Where a website sends its visitors.

Sources: Amazon S3 User Guide, "Configuring a webpage redirect" and "Configuring advanced conditional redirects". A redirect that
is for everything keeps the query; S3's others lose it, and so do these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ..configuration.website import Website

if TYPE_CHECKING:
    from ...wire.target import Address
    from ..configuration.website import RedirectAll, RoutingRule

_OF_URLS: Final = "/?#[]@!$&'()*+,;=:%~"
"""Characters that may be in a URL that somebody wrote."""


def rule_for(
    website: Website, key: str, status: int | None = None
) -> RoutingRule | None:
    """The first rule that holds.

    :param key: what is asked for, before an index is looked for.
    :param status: of the error that was met; ``None`` before anything was looked for, when rules about errors do not hold.
    """
    for rule in website.rules:
        condition = rule.condition
        if condition is None:
            if status is None:
                return rule
            continue
        wanted = None if condition.error is None else int(condition.error)
        if wanted == status and key.startswith(condition.prefix or ""):
            return rule
    return None


def location_of(rule: RoutingRule, address: Address, scheme: str) -> str:
    """The URL that a rule sends to.

    :param scheme: of the request.
    """
    redirect, key = rule.redirect, address.key
    path = _quoted(address.raw_path.decode("latin-1"))
    if redirect.key is not None:
        path = "/" + _quoted(redirect.key)
    elif redirect.prefix is not None:
        replaced = rule.condition.prefix or "" if rule.condition else ""
        path = "/" + _quoted(redirect.prefix) + path_of(key[len(replaced) :])
    host = redirect.host or address.host
    return f"{redirect.protocol or scheme}://{host}{path}"


def location_of_all(everything: RedirectAll, address: Address, scheme: str) -> str:
    """The URL that a request is sent to where all are."""
    path = _quoted(address.raw_path.decode("latin-1"))
    query = _quoted(address.raw_query.decode("latin-1"))
    where = f"{everything.protocol or scheme}://{everything.host}{path}"
    return f"{where}?{query}" if query else where


def location_of_folder(key: str) -> str:
    """The path of a folder whose name was meant. A slash that the key begins with is encoded: two would begin a host."""
    return f"/{path_of(key)}/"


def location_of_object(value: str) -> str:
    """The URL that an object sends to, by its ``x-amz-website-redirect-location``."""
    return _quoted(value)


def path_of(key: str) -> str:
    """A key, or the rest of one, as it is written in a path."""
    quoted = quote(key, safe="/~")
    return "%2F" + quoted[1:] if quoted.startswith("/") else quoted


def _quoted(text: str) -> str:
    """A part of a URL as somebody wrote it, with nothing in it that a header cannot have."""
    return quote(text, safe=_OF_URLS)

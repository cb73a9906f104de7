"""Presigned URLs: SigV4 in the query. For our own command line and tests.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, urlsplit, urlunsplit

from .canonical import (
    ALGORITHM,
    TERMINATOR,
    UNSIGNED_PAYLOAD,
    canonical_request,
    query_items,
    signature,
    signing_key,
    string_to_sign,
)


def presign(
    method: str,
    url: str,
    access_id: str,
    secret: str,
    region: str,
    expires: int,
    now: float,
    query: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> str:
    """Make a URL that lets whoever holds it send one request.

    :param url: absolute, its path (and query, if any) percent-encoded.
    :param expires: seconds it lives, 1 to 604800 (a week).
    :param now: seconds since the epoch.
    :param query: further query parameters, not encoded.
    :param headers: what whoever uses the URL must send besides, such as a Content-MD5.
    :raises ValueError: ``expires`` is out of range.
    """
    if not 1 <= expires <= 604800:
        raise ValueError(
            f"a presigned URL lives 1 to 604800 seconds (a week), not {expires}"
        )
    parts = urlsplit(url)
    signed = {name.lower(): value.strip() for name, value in (headers or {}).items()}
    signed["host"] = parts.netloc
    names = sorted(signed)
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = f"{timestamp[:8]}/{region}/s3/{TERMINATOR}"
    items = [
        *query_items(parts.query),
        *query.items(),
        *_claim(f"{access_id}/{scope}", timestamp, expires, names),
    ]
    request = canonical_request(
        method,
        parts.path.encode(),
        items,
        [(name, signed[name]) for name in names],
        ";".join(names),
        UNSIGNED_PAYLOAD,
    )
    key = signing_key(secret, timestamp[:8], region)
    text = string_to_sign(timestamp, scope, request)
    items.append(("X-Amz-Signature", signature(key, text)))
    return urlunsplit(parts._replace(path=parts.path or "/", query=_encoded(items)))


def _claim(
    credential: str, timestamp: str, expires: int, names: Sequence[str]
) -> list[tuple[str, str]]:
    """What the query says of its signature, but for the signature itself."""
    return [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", credential),
        ("X-Amz-Date", timestamp),
        ("X-Amz-Expires", str(expires)),
        ("X-Amz-SignedHeaders", ";".join(names)),
    ]


def _encoded(items: Iterable[tuple[str, str]]) -> str:
    """A query of these parameters."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in items
    )

"""Listings of a bucket: ListObjectsV2, ListObjects, ListObjectVersions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ...errors import InvalidArgument
from ...immutable import frozen
from ...interfaces import IMetadataTransaction
from ...values import Bucket, Page, VersionPage
from ..asked import Asked
from ..call import Call
from ..configuration.ownership import lists_count
from ..documents import document, element, escape
from ..params import encoding_type, integer
from ..reply import Reply, xml_reply
from ..shownrows import common_prefixes, contents, versions
from ..tokens import decode_token, encode_token
from ..versions import check_version_id

MOST = 2**31 - 1

Find = Callable[[Call, str, str, str, int], Awaitable[tuple[Page, str]]]
"""Finds a page for a call: by prefix, what to go on after, delimiter and limit; and who owns all that is shown, ``""`` where each has an owner of its own."""

FindVersions = Callable[
    [Call, str, str, str, str, int], Awaitable[tuple[VersionPage, str]]
]
"""Likewise of versions: by prefix, key marker, version marker, delimiter and limit."""


@frozen
class _Wanted:
    """What all three listings are asked.

    :ivar limit: how many rows there are at most: what was asked for, or the most that there ever are.
    :ivar show: a name → its text in the document: encoded when asked for, and escaped.
    """

    prefix: str
    delimiter: str
    limit: int
    encoding: str | None
    show: Callable[[str], str]


def _wanted(call: Call) -> _Wanted:
    """Read the parameters that all three listings have.

    :raises InvalidArgument: ``max-keys`` or ``encoding-type`` is not what it may be.
    """
    most = call.gateway.settings.max_keys
    encode = encoding_type(call)
    encoding = call.query("encoding-type") or None
    return _Wanted(
        prefix=call.query("prefix") or "",
        delimiter=call.query("delimiter") or "",
        limit=min(integer(call, "max-keys", most, 0, MOST), most),
        encoding=encoding,
        show=encode if encoding else escape,
    )


def _refuse(call: Call, name: str, message: str) -> None:
    """Refuse a parameter of the other version.

    :raises InvalidArgument: it is there, with a value or without.
    """
    if call.query(name) is not None:
        raise InvalidArgument(message, ArgumentName=name)


async def list_objects_v2(call: Call) -> Reply:
    """List a page of the current objects, going on after an opaque token."""
    return await list_after_token(call, _find_page)


async def list_after_token(call: Call, find: Find) -> Reply:
    """As :func:`list_objects_v2`, wherever the objects are."""
    wanted = _wanted(call)
    _refuse(call, "marker", "Marker unsupported with REST.GET.BUCKET in list-type=2")
    token = call.query("continuation-token")
    start_after = call.query("start-after")
    after = start_after or "" if token is None else decode_token(token)
    with_owner = call.query("fetch-owner") == "true"
    page, owner = await find(call, wanted.prefix, after, wanted.delimiter, wanted.limit)
    next_token = None if page.next_after is None else encode_token(page.next_after)
    return xml_reply(
        document(
            "ListBucketResult",
            element("Name", call.bucket_name),
            f"<Prefix>{wanted.show(wanted.prefix)}</Prefix>",
            ""
            if start_after is None
            else f"<StartAfter>{wanted.show(start_after)}</StartAfter>",
            element("ContinuationToken", token),
            element("NextContinuationToken", next_token),
            element("KeyCount", len(page.rows) + len(page.common_prefixes)),
            _bounds(wanted, page.next_after is not None),
            *contents(page, wanted.show, with_owner, owner),
            common_prefixes(page.common_prefixes, wanted.show),
        )
    )


async def list_objects(call: Call) -> Reply:
    """List a page of the current objects, going on after a key.

    ``NextMarker`` is there with a delimiter only: without one, the last key says as much.
    """
    return await list_after_marker(call, _find_page)


async def list_after_marker(call: Call, find: Find) -> Reply:
    """As :func:`list_objects`, wherever the objects are."""
    wanted = _wanted(call)
    for name, called in (
        ("continuation-token", "continuation-token"),
        ("start-after", "startAfter"),
    ):
        _refuse(
            call, name, f"{called} only supported in REST.GET.BUCKET with list-type=2"
        )
    marker = call.query("marker") or ""
    page, owner = await find(
        call, wanted.prefix, _after(marker, wanted), wanted.delimiter, wanted.limit
    )
    next_marker = page.next_after if wanted.delimiter else None
    return xml_reply(
        document(
            "ListBucketResult",
            element("Name", call.bucket_name),
            f"<Prefix>{wanted.show(wanted.prefix)}</Prefix>",
            f"<Marker>{wanted.show(marker)}</Marker>",
            _shown("NextMarker", wanted, next_marker),
            _bounds(wanted, page.next_after is not None),
            *contents(page, wanted.show, True, owner),
            common_prefixes(page.common_prefixes, wanted.show),
        )
    )


async def list_object_versions(call: Call) -> Reply:
    """List a page of all versions and delete markers, newest first within a key."""
    return await list_versions(call, _find_versions)


async def list_versions(call: Call, find: FindVersions) -> Reply:
    """As :func:`list_object_versions`, wherever they are."""
    if integer(call, "max-keys", 0, -MOST - 1, MOST) < 0:
        raise InvalidArgument("max-keys cannot be negative", ArgumentName="max-keys")
    wanted = _wanted(call)
    key_marker = call.query("key-marker") or ""
    version_marker = _version_marker(call, key_marker)
    after = key_marker if version_marker else _after(key_marker, wanted)
    page, owner = await find(
        call,
        wanted.prefix,
        after,
        version_marker,
        wanted.delimiter,
        wanted.limit,
    )
    return xml_reply(
        document(
            "ListVersionsResult",
            element("Name", call.bucket_name),
            f"<Prefix>{wanted.show(wanted.prefix)}</Prefix>",
            f"<KeyMarker>{wanted.show(key_marker)}</KeyMarker>",
            element("VersionIdMarker", version_marker),
            _shown("NextKeyMarker", wanted, page.next_key),
            element("NextVersionIdMarker", page.next_version_id or None),
            _bounds(wanted, page.next_key is not None),
            *versions(page, wanted.show, owner),
            common_prefixes(page.common_prefixes, wanted.show),
        )
    )


def _after(marker: str, wanted: _Wanted) -> str:
    """What a marker goes on after: inside a common prefix, all that is rolled up there."""
    if wanted.delimiter and marker.startswith(wanted.prefix):
        rest = marker[len(wanted.prefix) :]
        group, found, _ = rest.partition(wanted.delimiter)
        if found:
            return f"{wanted.prefix}{group}{found}"
    return marker


async def _find_page(
    call: Call, prefix: str, after: str, delimiter: str, limit: int
) -> tuple[Page, str]:
    return await call.read_authorized(_page, prefix, after, delimiter, limit)


async def _find_versions(
    call: Call,
    prefix: str,
    key_marker: str,
    version_marker: str,
    delimiter: str,
    limit: int,
) -> tuple[VersionPage, str]:
    return await call.read_authorized(
        _version_page, prefix, key_marker, version_marker, delimiter, limit
    )


def _page(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    prefix: str,
    after: str,
    delimiter: str,
    limit: int,
) -> tuple[Page, str]:
    return tx.page(bucket, prefix, after, delimiter, limit), _owner_of_all(bucket)


def _version_page(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    prefix: str,
    key_marker: str,
    version_marker: str,
    delimiter: str,
    limit: int,
) -> tuple[VersionPage, str]:
    page = tx.version_page(bucket, prefix, key_marker, version_marker, delimiter, limit)
    return page, _owner_of_all(bucket)


def _owner_of_all(bucket: Bucket) -> str:
    """Who owns all that is in a bucket, whoever wrote it; ``""`` where each object has an owner of its own."""
    return "" if lists_count(bucket) else bucket.owner


def _version_marker(call: Call, key_marker: str) -> str:
    """The version to go on after within ``key-marker``.

    :raises InvalidArgument: it is empty, no version id, or comes without a key.
    """
    name = "version-id-marker"
    marker = call.query(name)
    if marker is None:
        return ""
    problem = ""
    if not marker:
        problem = "A version-id marker cannot be empty."
    elif not key_marker:
        problem = "A version-id marker cannot be specified without a key marker."
    else:
        try:
            check_version_id(marker)
        except InvalidArgument as error:
            problem = error.message
    if problem:
        raise InvalidArgument(problem, ArgumentName=name, ArgumentValue=marker)
    return marker


def _shown(name: str, wanted: _Wanted, value: str | None) -> str:
    """An element with a name that may be encoded; nothing when there is none."""
    return f"<{name}>{wanted.show(value)}</{name}>" if value else ""


def _bounds(wanted: _Wanted, truncated: bool) -> str:
    return (
        f"<MaxKeys>{wanted.limit}</MaxKeys>"
        f"{_shown('Delimiter', wanted, wanted.delimiter)}"
        f"{element('EncodingType', wanted.encoding)}"
        f"{element('IsTruncated', truncated)}"
    )

"""Conditional requests: what the ``If-`` headers decide.

Sources: RFC 9110, section 13; Amazon S3 User Guide, "Add preconditions to S3 operations with
conditional requests". Pure functions of the headers and the object's validators: those for
writes belong inside the interaction that writes, so that of racing writers one wins.
"""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Final

from ..errors import (
    InvalidArgument,
    NoSuchKey,
    NoSuchUpload,
    NotImplemented,
    NotModified,
    PreconditionFailed,
)
from .times import parse_http_date

if TYPE_CHECKING:
    from ..values import ObjectVersion, Upload
    from ..wire.headers import Headers

_CONDITIONAL: Final = ("if-", "x-amz-if-", "x-amz-copy-source-if-")
_NOT_THIS_VALUE: Final = "We don't accept the provided value of {} header for this API"
_SPELLED: Final = {
    "if-match": "If-Match",
    "if-none-match": "If-None-Match",
    "if-modified-since": "If-Modified-Since",
    "if-unmodified-since": "If-Unmodified-Since",
}


READ_CONDITIONS: Final = frozenset(_SPELLED)
"""Headers that :func:`is_unmodified` looks at."""


def refuse_untaken(headers: Headers, taken: frozenset[str]) -> None:
    """Refuse conditions that an operation does not take: it would go on where its client wants it not to.

    :param taken: the conditional headers it takes.
    :raises NotImplemented: there is another.
    """
    # Most requests have none: one look finds that.
    if "if-" not in "\n".join(headers):
        return
    for name in headers:
        if name.startswith(_CONDITIONAL) and name not in taken:
            # If-Range is none by itself: it goes with Range, which no such operation takes.
            if name != "if-range":
                raise _unbuilt(_SPELLED.get(name, name))


def is_unmodified(
    headers: Headers, etag: str, modified_ms: int, now_ms: int | None = None
) -> bool:
    """Decide whether an object may be sent, or need not be, for the client has it: 304.

    ``If-Match`` beats ``If-Unmodified-Since``, ``If-None-Match`` beats ``If-Modified-Since``;
    dates that are none are ignored, and so is an ``If-Modified-Since`` in the future.

    :param etag: the object's, without quotes.
    :param now_ms: the time by which the future is judged; the clock's when ``None``.
    :raises PreconditionFailed: 412, with the header that failed as its member ``Condition``.
    """
    failed, not_modified = _outcome(headers, "", etag, modified_ms, now_ms)
    if failed:
        raise PreconditionFailed(Condition=_SPELLED[failed])
    return not_modified != ""


def check_read(
    headers: Headers, etag: str, modified_ms: int, now_ms: int | None = None
) -> None:
    """As :func:`is_unmodified`, where 304 is an error like others.

    :raises PreconditionFailed: 412.
    :raises NotModified: 304.
    """
    if is_unmodified(headers, etag, modified_ms, now_ms):
        raise NotModified()


def check_copy_source(
    headers: Headers, etag: str, modified_ms: int, now_ms: int | None = None
) -> None:
    """Decide whether an object may be copied: ``x-amz-copy-source-if-…``, as for reads.

    :raises PreconditionFailed: 412 also where a read would answer 304.
    """
    prefix = "x-amz-copy-source-"
    failed, not_modified = _outcome(headers, prefix, etag, modified_ms, now_ms)
    if failed or not_modified:
        spelled = _SPELLED[failed or not_modified]
        raise PreconditionFailed(Condition=f"{prefix}{spelled}")


def _outcome(
    headers: Headers, prefix: str, etag: str, modified_ms: int, now_ms: int | None
) -> tuple[str, str]:
    """The condition that fails, and the one that says "not modified"; ``""`` for none."""
    modified = modified_ms // 1000
    if_match = headers.get(f"{prefix}if-match")
    if if_match is not None:
        if not matches(if_match, etag):
            return "if-match", ""
    else:
        date = headers.get(f"{prefix}if-unmodified-since")
        since = parse_http_date(date) if date else None
        if since is not None and modified > since:
            return "if-unmodified-since", ""
    if_none_match = headers.get(f"{prefix}if-none-match")
    if if_none_match is not None:
        if matches(if_none_match, etag, weak=True):
            return "", "if-none-match"
        return "", ""
    date = headers.get(f"{prefix}if-modified-since")
    since = parse_http_date(date) if date else None
    if since is not None and modified <= since:
        now = time() if now_ms is None else now_ms // 1000
        if since <= now:
            return "", "if-modified-since"
    return "", ""


def matches(header: str, etag: str, *, weak: bool = False) -> bool:
    """Whether a list of entity tags, or ``*``, names an ETag; quotes may be left out.

    :param weak: whether ``W/"…"`` counts too (RFC 9110, 8.8.3.2: in ``If-None-Match`` only).
    """
    if header == "*" or header == f'"{etag}"':
        return True
    for part in header.split(","):
        tag = part.strip()
        if tag.startswith("W/"):
            if not weak:
                continue
            tag = tag[2:]
        if len(tag) > 1 and tag[0] == tag[-1] == '"':
            tag = tag[1:-1]
        if tag == etag:
            return True
    return False


def check_write(headers: Headers, latest: ObjectVersion | None, key: str = "") -> None:
    """Decide whether a write may replace what a key has now.

    For PutObject, CopyObject and CompleteMultipartUpload.

    :param latest: the newest version of the key; a delete marker counts as nothing there.
    :param key: what the client is told is not there.
    :raises NoSuchKey: ``If-Match`` where nothing is there.
    :raises PreconditionFailed: 412, with ``Condition``.
    :raises NotImplemented: as :func:`write_conditions`.
    """
    if_match, if_none_match = write_conditions(headers)
    if if_match is None and if_none_match is None:
        return
    current = None if latest is None or latest.is_delete_marker else latest
    if if_match is not None:
        check_etag(if_match, current, key)
    if if_none_match is not None and current is not None:
        raise PreconditionFailed(Condition="If-None-Match")


def write_conditions(headers: Headers) -> tuple[str | None, str | None]:
    """The ``If-Match`` and the ``If-None-Match`` of a write, one of which may be there.

    :raises NotImplemented: both at once, an ``If-None-Match`` other than ``*``, or an ``If-Match`` that is one.
    """
    if_match, if_none_match = headers.get("if-match"), headers.get("if-none-match")
    if if_match is not None and if_none_match is not None:
        raise _unbuilt(
            "If-Match,If-None-Match",
            "Multiple conditional request headers present in the request",
        )
    if if_none_match is not None and if_none_match != "*":
        raise _unbuilt("If-None-Match", _NOT_THIS_VALUE.format("If-None-Match"))
    if if_match == "*":
        raise _unbuilt("If-Match", _NOT_THIS_VALUE.format("If-Match"))
    return if_match, if_none_match


def _unbuilt(header: str, reason: str = "") -> NotImplemented:
    members: dict[str, str | int] = {"Header": header}
    if reason:
        members["additionalMessage"] = reason
    return NotImplemented(
        "A header you provided implies functionality that is not implemented", **members
    )


def check_etag(if_match: str, current: ObjectVersion | None, key: str = "") -> None:
    """Compare ``If-Match``, or an ``ETag`` of DeleteObjects, with what is there now.

    :raises NoSuchKey: there is nothing, or a delete marker.
    :raises PreconditionFailed: it is another.
    """
    if current is None or current.is_delete_marker:
        key = key or (current.key if current is not None else "")
        raise NoSuchKey(Key=key) if key else NoSuchKey()
    if not matches(if_match, current.etag):
        raise PreconditionFailed(Condition="If-Match")


def check_delete(headers: Headers, latest: ObjectVersion | None, key: str = "") -> None:
    """Decide whether a delete may go on; the conditions can be combined.

    ``If-Match`` on a key with nothing there is 404, as S3 answers (its guide says 412). The
    size and time conditions hold where nothing is there, by the API reference.

    :raises NoSuchKey: ``If-Match`` where nothing is there.
    :raises PreconditionFailed: 412, with ``Condition``.
    :raises InvalidArgument: a size that is no number, a time that is none.
    """
    if_match = headers.get("if-match")
    if if_match is not None:
        check_etag(if_match, latest, key)
    size = headers.get("x-amz-if-match-size")
    if size is not None and not (size.isascii() and size.isdigit()):
        raise _bad("x-amz-if-match-size", size)
    moment = _moment(headers, "x-amz-if-match-last-modified-time")
    if latest is None or latest.is_delete_marker:
        return
    if size is not None and (size.lstrip("0") or "0") != str(latest.size):
        raise PreconditionFailed(Condition="x-amz-if-match-size")
    if moment is not None and moment != latest.modified // 1000:
        raise PreconditionFailed(Condition="x-amz-if-match-last-modified-time")


def check_abort(headers: Headers, upload: Upload | None, upload_id: str) -> None:
    """Decide whether an upload may be dropped.

    By the API reference, an upload that is not there meets ``x-amz-if-match-initiated-time``, and the answer is 204.

    :param upload: the upload, if it is in progress.
    :param upload_id: what the client is told does not exist.
    :raises NoSuchUpload: it is not, and there is no condition.
    :raises PreconditionFailed: 412, with ``Condition``.
    :raises InvalidArgument: a time that is none.
    """
    name = "x-amz-if-match-initiated-time"
    moment = _moment(headers, name)
    if upload is None and moment is None:
        raise NoSuchUpload(UploadId=upload_id)
    if upload is not None and moment not in (None, upload.initiated // 1000):
        raise PreconditionFailed(Condition=name)


def _moment(headers: Headers, name: str) -> int | None:
    """The time that a condition names, in seconds since the epoch.

    :raises InvalidArgument: it is none.
    """
    text = headers.get(name)
    moment = parse_http_date(text) if text is not None else None
    if text is not None and moment is None:
        raise _bad(name, text)
    return moment


def _bad(name: str, value: str) -> InvalidArgument:
    return InvalidArgument(ArgumentName=name, ArgumentValue=value)

"""DeleteObject and DeleteObjects of keys of another system.

It removes a key whatever it is by then: so conditions are refused, which nobody could hold against it at that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import (
    AccessDenied,
    NotImplemented,
    Refused,
    S3Error,
)
from ...values import NULL_VERSION
from ...wire.target import check_key
from ..changing import Deleted, Doomed
from ..conditions import refuse_untaken
from ..documents import document
from ..lockheaders import check_bypass
from ..perform.deleting import deleted_row, error_row, read_request
from ..receive import document as receive_document
from ..reply import Reply, xml_reply
from ..versions import check_version_id, id_headers
from .place import ask_nothing, bucket_of, is_kept, judge, place_of, thing_at, with_key
from .refusals import as_s3_error

if TYPE_CHECKING:
    from ..call import Call

_GONE: Final = frozenset(("KEY_NOT_FOUND", "FILE_NOT_FOUND", "DIRECTORY_NOT_FOUND"))
"""Codes of what is not there, so that removing it succeeds, as in S3."""

_HOLDS: Final = "DIRECTORY_NOT_EMPTY"
"""Of a folder that others are in: to S3 they are all that there is, and its own key is none."""


async def delete_object(call: Call) -> Reply:
    """Remove a key."""
    named = call.query("versionId")
    check_version_id(named)
    await judge(call)
    refuse_untaken(call.headers, frozenset())
    check_bypass(call.asked, thing_at(place_of(call)))
    if named in (None, NULL_VERSION):
        try:
            await bucket_of(call).delete(call.key)
        except Refused as refused:
            if refused.code not in (*_GONE, _HOLDS):
                raise
    return Reply(204, id_headers(named or ""))


async def delete_objects(call: Call) -> Reply:
    """Remove up to 1000 keys; each has its own outcome."""
    await judge(call, with_policies=False)
    check_bypass(call.asked, thing_at(place_of(call)))
    quiet, doomed = read_request(await receive_document(call, ask_nothing))
    outcomes = [await _outcome(call, one) for one in doomed]
    keys = {
        one.key: None
        for one, outcome in zip(doomed, outcomes, strict=True)
        if outcome is True
    }
    failed = await bucket_of(call).delete_all(list(keys)) if keys else {}
    rows = []
    for one, outcome in zip(doomed, outcomes, strict=True):
        if isinstance(outcome, S3Error):
            rows.append(error_row(one, outcome))
        elif outcome and _is_there(failed.get(one.key)):
            refused = Refused(*failed[one.key])
            rows.append(error_row(one, as_s3_error(with_key(call, one.key), refused)))
        elif not quiet:
            rows.append(deleted_row(one, Deleted()))
    return xml_reply(document("DeleteResult", *rows))


async def _outcome(call: Call, one: Doomed) -> bool | S3Error:
    """Whether a key is to be removed, not where another version is named, of which there is none; or why it may not be."""
    try:
        check_key(one.key)
        check_version_id(one.version_id)
        if one.conditions:
            raise NotImplemented()
        if await is_kept(with_key(call, one.key), "s3:DeleteObject"):
            raise AccessDenied()
    except S3Error as error:
        return error
    return one.version_id in (None, NULL_VERSION)


def _is_there(failed: tuple[str, str] | None) -> bool:
    """Whether what was not removed is a key that there still is."""
    return failed is not None and failed[0] not in (*_GONE, _HOLDS)

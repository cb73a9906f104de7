"""Which way a request goes: to the stores here, or to another system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import NotImplemented, Refused, S3Error
from ...wire.target import Scope
from ..params import copy_source
from ..row import Gate
from .place import behalf_of, find_place
from .refusals import as_s3_error

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply

_OF_NAMES: Final = frozenset(("CreateBucket", "DeleteBucket"))
"""Operations on what a name names: where that is a link of ours, on the link."""

_COPIES: Final = frozenset(("CopyObject", "UploadPartCopy"))


async def goes_abroad(call: Call) -> bool:
    """Whether another system has what a request is about; where it has, the call knows the place.

    A copy goes abroad that comes from there, too. A browser's preflight does not: what it asks for is kept here.
    """
    foreign, operation = call.gateway.foreign, call.operation
    if foreign is None or operation.gate is Gate.PREFLIGHT:
        return False
    if operation.scope is Scope.SERVICE:
        return foreign.has(call.asked.volume)
    if operation.name not in _OF_NAMES or foreign.has(call.asked.volume):
        call.foreign = await find_place(call, call.bucket_name)
    if operation.name in _COPIES:
        call.copied_from = await find_place(call, _source_bucket(call))
    return call.foreign is not None or call.copied_from is not None


async def perform_abroad(call: Call) -> Reply:
    """Do what is asked.

    :raises AccessDenied: nobody signed, nor can have in a form.
    :raises NotImplemented: it is not built there, or the other system cannot do it.
    """
    if call.operation.gate is not Gate.FORM:
        behalf_of(call)
    perform = call.operation.foreign
    if perform is None:
        raise NotImplemented()
    try:
        return await perform(call)
    except Refused as refused:
        raise as_s3_error(call, refused) from refused


def _source_bucket(call: Call) -> str:
    """The bucket that a copy comes from; ``""`` where the request names none, which is refused elsewhere."""
    try:
        return copy_source(call.headers.get("x-amz-copy-source") or "")[0]
    except S3Error:
        return ""

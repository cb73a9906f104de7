"""The table: every operation of S3's service model, one row each.

A row says everything about an operation but its behavior. The router (:mod:`ozgate.s3.resolve`), the
gate, the pipeline and the audit log all read it. Rows without a coroutine answer 501
``NotImplemented``. Source: Amazon S3 API Reference, "Actions"; held against botocore's model by a test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from .call import Call
    from .reply import Reply


class Scope(Enum):
    """What an address names."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


class Body(Enum):
    """How an operation takes its request body."""

    NONE = "none"
    """There is none; one that is sent is discarded, within a bound."""
    DOCUMENT = "document"
    """A small XML document, held in memory."""
    STREAM = "stream"
    """The bytes of an object or part, never held."""


@frozen
class Operation:
    """One row.

    :ivar name: the operation's name in S3's service model.
    :ivar names: query names that must be there; one may be ``name=value``.
    :ivar perform: the coroutine function that does it, or ``None``: 501.
    :ivar action: what is asked of authorization, such as ``s3:GetObject``.
    :ivar copy_source: whether the header ``x-amz-copy-source`` must be there.
    :ivar checksum_required: whether the model demands a checksum or Content-MD5.
    :ivar audit: Ozone's name of the action in the audit log.
    """

    name: str
    method: str
    scope: Scope
    names: tuple[str, ...]
    perform: Callable[[Call], Awaitable[Reply]] | None
    action: str
    body: Body = Body.NONE
    copy_source: bool = False
    checksum_required: bool = False
    audit: str = ""

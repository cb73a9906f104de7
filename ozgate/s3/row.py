"""What a row of the table of operations is; the rows are in :mod:`ozgate.s3.operations`.

Apart from the table, so that what the table's coroutines import may know what a row is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING

from ..immutable import frozen
from ..wire.target import Scope

if TYPE_CHECKING:
    from .call import Call
    from .reply import Reply


class Body(Enum):
    """How an operation takes its request body."""

    NONE = "none"
    """There is none; one that is sent is discarded, within a bound."""
    DOCUMENT = "document"
    """A small XML document, held in memory."""
    STREAM = "stream"
    """The bytes of an object or part, never held."""


class Gate(Enum):
    """How it is found out who asks for an operation; :mod:`ozgate.s3.gate` does it."""

    SIGNED = "signed"
    """By the signature of the request, or of the URL: who has none is refused."""
    FORM = "form"
    """By a field of the form, where it is a browser's form; else as ``SIGNED``."""
    PREFLIGHT = "preflight"
    """Not at all: a browser asks, which cannot sign."""
    TOKEN = "token"
    """By the token of another's in its body, which says who; where there is a signature besides, it has to be right."""
    ANYBODY = "anybody"
    """By the signature, where there is one; whoever did not sign may do what is granted to everybody, and nothing else."""


@frozen
class Operation:
    """One row.

    :ivar name: the operation's name in S3's service model.
    :ivar names: query names that must be there; one may be ``name=value``, and ``/path``
        stands for that path instead of a query name.
    :ivar perform: the coroutine function that does it, or ``None``: 501.
    :ivar foreign: the one that does it in a bucket whose truth is in another system, or ``None``: 501 there.
    :ivar action: what is asked of authorization, such as ``s3:GetObject``; where a version is named, see :mod:`ozgate.s3.policy.actions`.
    :ivar copy_source: whether the header ``x-amz-copy-source`` must be there.
    :ivar checksum_required: whether the model demands a checksum or Content-MD5.
    :ivar audit: Ozone's name of the action in the audit log.
    :ivar conditions: the conditional headers it takes, where it changes or removes what is there: another one is
        refused, never ignored. ``None`` where nothing is lost if one is.
    :ivar gate: how it is found out who asks.
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
    conditions: frozenset[str] | None = None
    gate: Gate = Gate.SIGNED
    foreign: Callable[[Call], Awaitable[Reply]] | None = None

    @property
    def takes_unsigned_chunks(self) -> bool:
        """Whether its body may come in chunks that nothing signs: S3 takes them for objects and parts alone."""
        return self.body is Body.STREAM

    @property
    def stores(self) -> bool:
        """Whether it adds rows or bytes, so that a disk almost full refuses it."""
        return self.method in ("PUT", "POST") and self.name != "DeleteObjects"

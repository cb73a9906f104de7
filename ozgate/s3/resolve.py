"""From method, scope, query and copy source to one row of the table, or to an error.

The row with the most of its names in the query wins. Then the *whole* query is judged, so
that a sub-resource never falls through to the plain operation (``DELETE /b?policy`` must not
delete the bucket):

- the row's own names, and names that are ordinary parameters somewhere in S3's model, are
  fine: of those S3 ignores what an operation does not take. So are ``x-amz-*`` (credentials
  of presigned URLs, headers sent as parameters), ``response-*`` and ``x-id``, the name of
  the operation that SDKs add for people to read;
- ``versionId``, ``uploadId`` and ``partNumber`` say what is meant: an operation that does
  not take one of them refuses it with ``InvalidArgument``, never ignores it;
- two sub-resources at once are ``InvalidArgument``, whatever the method and the scope; one that
  only another method has is ``MethodNotAllowed``; one of buckets on a key, or of keys on a bucket,
  is ``InvalidRequest``; one that misses another name it needs is ``InvalidArgument``;
- an unknown name *without* a value may be a sub-resource of tomorrow: ``NotImplemented``.
  An unknown name with a value is ignored, as S3 does; so is a ``list-type`` that is not 2.

A request of S3 Control, AWS's other service under S3's name, comes to nothing of S3's: ``NotImplemented``, and for the tags of buckets
``MethodNotAllowed``, which is what S3 Control answers where it has none, so that Terraform asks S3 for them. It is told by its header and path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Final

from ..errors import InvalidArgument, InvalidRequest, MethodNotAllowed, NotImplemented
from ..wire.target import Scope
from .operations import OPERATIONS, Gate, Operation

if TYPE_CHECKING:
    from ..wire.headers import Headers
    from ..wire.target import Address, Query


def _name(wanted: str) -> str:
    return wanted.partition("=")[0]


_SOURCE: Final = "x-amz-copy-source"
_ACCOUNT: Final = "x-amz-account-id"
_CONTROL: Final = b"/v20180820/"
_DELICATE: Final = ("uploadId", "partNumber", "versionId")
_ORDINARY: Final = frozenset(
    """
    annotation-prefix annotationName bucket-region continuation-token delimiter
    encoding-type fetch-owner id key-marker list-type marker max-annotation-results
    max-buckets max-directory-buckets max-keys max-parts max-uploads part-number-marker
    prefix select-type start-after upload-id-marker version-id-marker x-id
    AWSAccessKeyId Expires Signature
    """.split()
)
"""Names that choose nothing, or nothing by themselves; the last three sign in the manner of version 2."""

_HARMLESS: Final = _ORDINARY.union(
    """
    X-Amz-Algorithm X-Amz-Content-Sha256 X-Amz-Credential X-Amz-Date X-Amz-Expires
    X-Amz-Security-Token X-Amz-Signature X-Amz-SignedHeaders
    response-cache-control response-content-disposition response-content-encoding
    response-content-language response-content-type response-expires
    """.split()
) - {_name(wanted) for row in OPERATIONS for wanted in row.names}
"""Names that need no judging: for speed, since presigned requests have many."""

_PARAMETERS: Final = _ORDINARY.union(_DELICATE) - {"uploadId"}


def _selector(row: Operation) -> str | None:
    """The name in the query that says the sub-resource; ``None`` for a plain operation."""
    for wanted in row.names:
        if _name(wanted) not in _PARAMETERS:
            return _name(wanted)
    return None


def _methods(scope: Scope) -> dict[str, tuple[str, ...]]:
    """The sub-resources of a scope, in order, with the methods each has."""
    found: dict[str, tuple[str, ...]] = {}
    for row in OPERATIONS:
        name = _selector(row) if row.scope is scope else None
        if name:
            found[name] = (*found.get(name, ()), row.method)
    return dict(sorted(found.items()))


SELECTORS: Final = {scope: _methods(scope) for scope in Scope}
"""The sub-resources of each scope with the methods each has."""

_ANY_SELECTOR: Final = frozenset(name for names in SELECTORS.values() for name in names)


def _rows(
    rows: Iterable[Operation],
) -> dict[tuple[str, Scope], tuple[Operation, ...]]:
    """Rows by method and scope, those with the most demands first."""
    found: dict[tuple[str, Scope], list[Operation]] = {}
    for row in sorted(rows, key=lambda row: (-len(row.names), not row.copy_source)):
        found.setdefault((row.method, row.scope), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


_CANDIDATES: Final = {
    (*key, name): tuple(row for row in rows if name in map(_name, row.names))
    for key, rows in _rows(OPERATIONS).items()
    for name in {_name(wanted) for row in rows for wanted in row.names}
}
"""Rows by method, scope and each name they ask for."""

_PLAIN: Final = _rows(row for row in OPERATIONS if not row.names)
"""Rows that ask for no name."""


_PLAIN_OBJECTS: Final = {
    method: next(row for row in rows if not row.copy_source)
    for (method, scope), rows in _PLAIN.items()
    if scope is Scope.OBJECT and method != "OPTIONS"
}
"""Those of keys, by method: most requests are for a key, with nothing besides."""

_NEITHER: Final = frozenset((_SOURCE, _ACCOUNT))


_RANKS: Final = {
    row.name: (_selector(row) is not None, len(row.names), row.copy_source)
    for row in OPERATIONS
}
"""How much each row demands."""


_TYPES: Final = {
    "abac": "BUCKET_ABAC",
    "annotation": "OBJECT_ANNOTATIONS",
    "attributes": "OBJECT_ATTRIBUTES",
    "delete": "MULTI_OBJECT_DELETE",
    "intelligent-tiering": "INTELLIGENT_TIERING",
    "legal-hold": "OBJECT_LOCK_LEGALHOLD",
    "logging": "LOGGING_STATUS",
    "metadataConfiguration": "BUCKET_METADATA_CONFIGURATION",
    "metadataTable": "BUCKET_METADATA_TABLE_CONFIGURATION",
    "object-lock": "OBJECT_LOCK_CONFIGURATION",
    "ownershipControls": "OWNERSHIP_CONTROLS",
    "policy": "BUCKETPOLICY",
    "policyStatus": "POLICY_STATUS",
    "publicAccessBlock": "PUBLIC_ACCESS_BLOCK",
    "requestPayment": "REQUEST_PAYMENT",
    "retention": "OBJECT_LOCK_RETENTION",
    "uploadId": "UPLOAD",
    "versions": "BUCKETVERSIONS",
}
"""What S3 calls a sub-resource, in errors as in its access logs, where that is not its name in capitals."""


PREFLIGHTS: Final[Mapping[Scope, Operation]] = {
    row.scope: row for row in OPERATIONS if row.gate is Gate.PREFLIGHT
}


def resolve_request(method: str, address: Address, headers: Headers) -> Operation:
    """Find the operation of a request whose signature nobody has looked at yet: as :func:`resolve`, which says what it raises.

    A preflight is about a request to come, which its query is part of: it is one whatever that names.

    :param headers: as sent; a presigned URL may carry ``x-amz-copy-source`` in its query instead.
    """
    is_plain = address.scope is Scope.OBJECT and not address.raw_query
    if is_plain and method in _PLAIN_OBJECTS and _NEITHER.isdisjoint(headers):
        return _PLAIN_OBJECTS[method]
    if method == "OPTIONS":
        return PREFLIGHTS[address.scope]
    if _ACCOUNT in headers and address.raw_path.startswith(_CONTROL):
        if address.raw_path.startswith(b"tags/", len(_CONTROL)):
            raise MethodNotAllowed(Method=method, ResourceType="BUCKET_TAGGING")
        raise NotImplemented()
    has_source = _SOURCE in headers
    if method == "PUT" and address.query and "authorization" not in headers:
        has_source = has_source or _SOURCE in map(str.lower, address.query.names())
    return resolve(method, address, has_source)


def resolve(method: str, address: Address, has_copy_source: bool) -> Operation:
    """Find the operation that a request asks for; the module says by which rules.

    :param has_copy_source: whether there is a header ``x-amz-copy-source``.
    :raises MethodNotAllowed: nothing there has this method.
    :raises NotImplemented: what may be a sub-resource nobody here knows.
    :raises InvalidArgument: query names that contradict each other or the operation.
    :raises InvalidRequest: a sub-resource that belongs to another scope.
    """
    scope, query = address.scope, address.query
    judged = query.names() - _HARMLESS if query else None
    if judged:
        _refuse_conflict(judged)
    if judged or (scope is Scope.SERVICE and address.raw_path != b"/"):
        row = _best(method, address, has_copy_source)
    else:
        row = _plain(method, scope, has_copy_source)
    if row is None:
        raise _not_allowed(method, scope, scope.name)
    if judged:
        _judge(row, query)
    return row


def _best(method: str, address: Address, has_copy_source: bool) -> Operation | None:
    """The most demanding row whose demands are met, whatever else is in the query."""
    scope, query = address.scope, address.query
    if scope is Scope.SERVICE and address.raw_path != b"/":
        path = address.raw_path.decode("ascii", "replace")
        return next(iter(_CANDIDATES.get((method, scope, path), ())), None)
    best: Operation | None = None
    for name in query.names():
        for row in _CANDIDATES.get((method, scope, name), ()):
            if (
                (best is None or _RANKS[row.name] > _RANKS[best.name])
                and (has_copy_source or not row.copy_source)
                and _met(row, query)
            ):
                best = row
    if best is not None and _selector(best):
        return best
    for name in query.names():
        if name in SELECTORS[scope]:
            raise _unmet(method, scope, name, query)
    return best or _plain(method, scope, has_copy_source)


def _plain(method: str, scope: Scope, has_copy_source: bool) -> Operation | None:
    for row in _PLAIN.get((method, scope), ()):
        if has_copy_source or not row.copy_source:
            return row
    return None


def _met(row: Operation, query: Query) -> bool:
    for wanted in row.names:
        name, equals, value = wanted.partition("=")
        if name not in query or (equals and query.get(name) != value):
            return False
    return True


def _unmet(
    method: str, scope: Scope, name: str, query: Query
) -> MethodNotAllowed | InvalidArgument:
    """Why a sub-resource that the scope has chose no row."""
    for row in _CANDIDATES.get((method, scope, name), ()):
        for missing in map(_name, row.names):
            if missing not in query or missing != name:
                return InvalidArgument(
                    "A query parameter that this sub-resource needs is missing or wrong.",
                    ArgumentName=missing,
                    ArgumentValue=query.get(missing) or "",
                )
    return _not_allowed(method, scope, name)


def _not_allowed(method: str, scope: Scope, resource: str) -> MethodNotAllowed:
    """The refusal of a method; S3 lists the methods by type of resource, whatever the scope, in this order."""
    kind = _type(scope, resource)
    error = MethodNotAllowed(Method=method, ResourceType=kind)
    allowed = [each for each in _ALLOW_ORDER if each in _ALLOWED[kind]]
    error.headers.append(("Allow", ", ".join(allowed)))
    return error


def _type(scope: Scope, resource: str) -> str:
    """What S3 calls a resource: a sub-resource by its name in the query, or a scope by its own."""
    if scope is Scope.OBJECT and resource == "tagging":
        return "OBJECT_TAGGING"
    return _TYPES.get(resource, resource.upper())


def _allowed() -> dict[str, set[str]]:
    """The methods of each type of resource. An upload's are those that ask for nothing but its id."""
    found: dict[str, set[str]] = {}
    for row in OPERATIONS:
        if "partNumber" not in row.names:
            kind = _type(row.scope, _selector(row) or row.scope.name)
            found.setdefault(kind, set()).add(row.method)
    return found


_ALLOW_ORDER: Final = ("HEAD", "DELETE", "POST", "GET", "PUT")
_ALLOWED: Final = _allowed()


def _judge(row: Operation, query: Query) -> None:
    """Refuse what else is in the query, unless it is harmless."""
    own = [_name(wanted) for wanted in row.names]
    for name in query.names():
        if name in own or name in _ORDINARY:
            continue
        if name in _DELICATE:
            _judge_delicate(row, name, query)
        elif name in _ANY_SELECTOR:
            kind = "key" if row.scope is Scope.OBJECT else row.scope.value
            raise InvalidRequest(
                f"There is no such thing as the ?{name} sub-resource for a {kind}"
            )
        elif not query.get(name) and not name.lower().startswith(
            ("x-amz-", "response-")
        ):
            raise NotImplemented(Query=name)


def _refuse_conflict(asked: Set[str]) -> None:
    """Refuse two sub-resources at once.

    :raises InvalidArgument: there are two, or more.
    """
    names = sorted(asked & _ANY_SELECTOR)
    if len(names) > 1:
        raise InvalidArgument(
            f"Conflicting query string parameters: {', '.join(names)}",
            ArgumentName="ResourceType",
            ArgumentValue=names[0],
        )


def _takes_version(row: Operation) -> bool:
    """Whether ``versionId`` means something to an operation."""
    if row.scope is not Scope.OBJECT or _selector(row) in ("uploadId", "uploads"):
        return False
    return bool(row.names) or row.method != "PUT"


def _judge_delicate(row: Operation, name: str, query: Query) -> None:
    """Refuse names that would change the meaning of what else was asked."""
    if name == "versionId" and _takes_version(row):
        return
    if name == "partNumber" and row.name in ("GetObject", "HeadObject"):
        return
    raise InvalidArgument(
        "This operation does not accept a version-id."
        if name == "versionId"
        else f"This operation does not accept {name}.",
        ArgumentName=name,
        ArgumentValue=query.get(name) or "",
    )

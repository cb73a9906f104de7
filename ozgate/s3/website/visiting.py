"""What a visitor of a website is shown: an object, the index of a folder, the page of an error, or the way to another place.

Visitors are nobody, whatever they send: objects are read by the operations of S3, as :data:`~ozgate.values.ANONYMOUS` may.
Sources: Amazon S3 User Guide, "Configuring an index document", "Configuring a custom error document", "Website endpoints".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from ...auth.canonical import UNSIGNED_PAYLOAD
from ...auth.sigv4 import Verified
from ...errors import (
    MethodNotAllowed,
    NoSuchBucket,
    NoSuchWebsiteConfiguration,
    S3Error,
    StoreError,
)
from ...immutable import frozen
from ...values import ANONYMOUS
from ...wire.headers import Headers
from ...wire.target import Query, Scope
from ..call import Call, asked_of
from ..configuration.website import WEBSITE, Website
from ..failures import as_s3_error, log_failure
from ..links import behind
from ..operations import OPERATIONS
from ..pipeline import tls_version_of
from ..reply import Reply
from .pages import TYPE, error_headers, redirect_page
from .routing import (
    location_of,
    location_of_all,
    location_of_folder,
    location_of_object,
    rule_for,
)

if TYPE_CHECKING:
    from ...gateway.gateway import Gateway
    from ...interfaces import IMetadataTransaction
    from ...wire.request import GatewayRequest
    from ...wire.target import Address
    from ..configuration.website import RoutingRule
    from ..row import Operation

_BY_NAME: Final = {row.name: row for row in OPERATIONS}
_READS: Final = {"GET": _BY_NAME["GetObject"], "HEAD": _BY_NAME["HeadObject"]}
_HEAD: Final = _BY_NAME["HeadObject"]
_REDIRECT: Final = "x-amz-website-redirect-location"
_OF_OBJECTS: Final = ("range", "if-")
"""How the names of headers begin that ask about one object: the page of an error is shown whatever they say."""
_NOBODY: Final = Verified("", UNSIGNED_PAYLOAD, None, "", "", "", False)


@frozen
class Visit:
    """One request to a website.

    :ivar address: of which the query means nothing.
    :ivar operation: reads an object as the request's method says.
    :ivar headers: those that mean something.
    """

    gateway: Gateway
    request: GatewayRequest
    address: Address
    operation: Operation
    headers: Headers
    website: Website

    @property
    def scheme(self) -> str:
        """Of the request."""
        return "https" if self.request.over_tls else "http"

    @property
    def suffix(self) -> str:
        """What makes a key of a folder's name."""
        return self.website.index.suffix if self.website.index else ""


async def visit(gateway: Gateway, request: GatewayRequest, address: Address) -> Reply:
    """What is shown.

    :raises MethodNotAllowed: a website can only be read.
    :raises NoSuchBucket: there is none of the host's name.
    :raises NoSuchWebsiteConfiguration: it is no website.
    :raises S3Error: what goes wrong, for which the website has no page. Where it names one that cannot be shown, the note
        ``besides`` of the request says why.
    """
    method = request.method.decode("latin-1")
    operation = _READS.get(method)
    if operation is None:
        refused = MethodNotAllowed(Method=method, ResourceType="OBJECT")
        refused.headers.append(("Allow", "HEAD, GET"))
        raise refused
    request.notes["meant"] = request.notes["operation"] = operation
    request.notes["principal"] = ANONYMOUS
    volume = gateway.settings.volume_name
    website = await gateway.metadata.read(
        _website_of, volume, address.bucket, gateway.abroad
    )
    if website.redirect_all is not None:
        where = location_of_all(
            website.redirect_all, address, "https" if request.over_tls else "http"
        )
        return Reply(301, [("Location", where)])
    headers = Headers(
        (name, value)
        for name, value in request.headers.items()
        if not name.startswith("x-amz-") and name != "authorization"
    )
    return await _show(Visit(gateway, request, address, operation, headers, website))


def _website_of(
    tx: IMetadataTransaction, volume: str, name: str, abroad: frozenset[str]
) -> Website:
    """The website that a bucket is, or the one that a link leads to; an interaction."""
    bucket = behind(tx, volume, name, abroad)
    if bucket is None:
        raise NoSuchBucket(BucketName=name)
    website = WEBSITE.of(tx, bucket)
    if website is None:
        raise NoSuchWebsiteConfiguration(BucketName=name)
    return website


async def _show(visited: Visit) -> Reply:
    """The answer of a website that has an index."""
    key = visited.address.key
    rule = rule_for(visited.website, key)
    if rule is not None:
        return _sent_on(visited, rule)
    is_folder = not key or key.endswith("/")
    try:
        return await _read(visited, key + visited.suffix if is_folder else key)
    except (S3Error, StoreError) as error:
        told = as_s3_error(error)
        if not is_folder and told.status in (403, 404):
            folder = await _folder(visited, key)
            if folder is not None:
                return folder
        rule = rule_for(visited.website, key, told.status)
        if rule is not None:
            if isinstance(error, StoreError):
                log_failure(visited.gateway, visited.request, visited.address, error)
            return _sent_on(visited, rule)
        if not 400 <= told.status < 500 or visited.website.error is None:
            raise
        return await _own_page(visited, told, visited.website.error.key)


def _sent_on(visited: Visit, rule: RoutingRule) -> Reply:
    """A redirect by a rule."""
    where = location_of(rule, visited.address, visited.scheme)
    return Reply(int(rule.redirect.status or 301), [("Location", where)])


async def _folder(visited: Visit, key: str) -> Reply | None:
    """The way to a folder whose name was meant; ``None`` where no visitor may see its index."""
    bare = evolve(visited, operation=_HEAD, headers=_unconditional(visited.headers))
    try:
        await _read(bare, f"{key}/{visited.suffix}")
    except S3Error:
        return None
    code, message = "Found", "Resource Found"
    headers = [
        ("x-amz-error-code", code),
        ("x-amz-error-message", message),
        ("Location", location_of_folder(key)),
        ("Content-Type", TYPE),
    ]
    body = redirect_page(302, code, message, visited.request.request_id)
    return Reply(302, headers, body)


async def _own_page(visited: Visit, error: S3Error, key: str) -> Reply:
    """The website's own page of an error, with its status.

    :raises S3Error: the error, where there is no such page.
    """
    bare = evolve(visited, headers=_unconditional(visited.headers))
    try:
        reply = await _read(bare, key)
    except S3Error as why:
        visited.request.notes["besides"] = why
        raise error from None
    if reply.status == 200:
        reply.status = error.status
        reply.headers = [*error_headers(error), *error.headers, *reply.headers]
    return reply


def _unconditional(headers: Headers) -> Headers:
    return Headers(
        pair for pair in headers.items() if not pair[0].startswith(_OF_OBJECTS)
    )


async def _read(visited: Visit, key: str) -> Reply:
    """An object, or the way to where it sends to.

    :raises S3Error: it is not there, or not for everybody.
    """
    gateway, request, operation = visited.gateway, visited.request, visited.operation
    address = evolve(visited.address, scope=Scope.OBJECT, key=key, query=Query())
    asked = asked_of(
        gateway,
        operation,
        address,
        visited.headers,
        ANONYMOUS,
        is_secure=request.over_tls,
        peer=request.client_ip,
        request_id=request.request_id,
        tls_version=tls_version_of(request),
    )
    call = Call(
        gateway,
        operation,
        asked,
        _NOBODY,
        request.body,
        request.request_id,
        request.notes,
    )
    assert operation.perform is not None
    reply = await operation.perform(call)
    for name, value in reply.headers:
        if name == _REDIRECT:
            if reply.sources is not None:
                await reply.sources.aclose()
            return Reply(301, [("Location", location_of_object(value))])
    return reply

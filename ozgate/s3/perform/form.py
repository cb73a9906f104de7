"""POST object: what a browser's form uploads, as far as the policy of its signer lets it.

Source: Amazon S3 API Reference, "POST Object"; messages are AWS's. A form that nobody signed does what everybody may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from attrs import evolve

from ...auth.hoisted import is_header_name
from ...errors import (
    InvalidArgument,
    MalformedPOSTRequest,
    MaxPostPreDataLengthExceededError,
    MissingContentLength,
    NotImplemented,
    PreconditionFailed,
)
from ...wire.formdata import FormData, boundary_of
from ...wire.headers import Headers
from ...wire.target import Scope, check_key
from ..call import Call
from ..documents import document, element
from ..formbody import Form, receive_file, take_fields
from ..gate import is_form
from ..grantees import wanted_of
from ..headers import SYSTEM_HEADERS
from ..policy.formpolicy import FormPolicy, parse_form_policy
from ..reply import Reply
from ..tags import from_document
from .writing import check_target, describe, store_received

MOST_FIELDS: Final = 20 << 10
"""Bytes that may come before the file."""

_NO_HEADERS: Final = frozenset(
    """
    x-amz-algorithm x-amz-credential x-amz-signature x-amz-security-token x-amz-content-sha256
    x-amz-decoded-content-length x-amz-trailer x-amz-copy-source x-amz-expected-bucket-owner
    """.split()
)
"""Fields that are none of the headers of an object. When it was signed is what policies may ask about."""

_OF_THE_BODY: Final = ("content-", "x-amz-", "if-")
"""How headers of the request begin that would speak of the object, and speak of the form here."""

_KEPT: Final = frozenset(("content-length", "x-amz-expected-bucket-owner"))


Keep = Callable[[Call, Form, int, int], Awaitable[tuple[str, list[tuple[str, str]]]]]
"""Keeps the file of a form, which is of so many bytes at least and at most; gives its ETag and headers of the answer."""


async def post_object(call: Call) -> Reply:
    """Store the file of a form."""
    return await post_file(call, _keep)


async def post_file(call: Call, keep: Keep) -> Reply:
    """As :func:`post_object`, wherever the file goes."""
    form = await take_fields(call, _form_data(call))
    try:
        fields = _read_fields(form.data)
        policy = await _admit(call, fields, form.data)
        least, most = 0, call.gateway.settings.max_object
        if policy is not None:
            least = policy.least
            most = most if policy.most is None else min(most, policy.most)
        etag, headers = await keep(call, form, least, most)
    except BaseException:
        form.drop()
        raise
    return _reply(call, fields, etag, headers)


async def _keep(
    call: Call, form: Form, least: int, most: int
) -> tuple[str, list[tuple[str, str]]]:
    described = describe(call, await wanted_of(call))
    # How long the file is, is not known yet.
    await call.read_authorized(check_target, 0, described.wanted, described.lock)
    received = await receive_file(call, form, least, most)
    version, headers = await store_received(
        call, described, received, "ObjectCreated:Post"
    )
    return version.etag, headers


def _form_data(call: Call) -> FormData:
    """What takes the form.

    :raises PreconditionFailed: it is none.
    :raises InvalidArgument: it is signed as a request, and not in its fields.
    :raises MissingContentLength: nobody says how long it is.
    :raises NotImplemented: its headers say of the body what nobody would compare.
    """
    headers = call.headers
    boundary = boundary_of(headers.get("content-type") or "")
    if boundary is None or call.address.query:
        raise PreconditionFailed(
            Condition="Bucket POST must be of the enclosure-type multipart/form-data"
        )
    if not is_form(call.address, headers):
        raise InvalidArgument(
            "Only one auth mechanism allowed: a form is signed in its fields.",
            ArgumentName="Authorization",
            ArgumentValue=(headers.get("authorization") or "").partition(" ")[0],
        )
    if call.body.length is None:
        raise MissingContentLength()
    for name in headers:
        if name == "content-md5" or name.startswith("x-amz-checksum-"):
            raise NotImplemented(Header=name)
    return FormData(
        boundary, MOST_FIELDS, MalformedPOSTRequest, MaxPostPreDataLengthExceededError
    )


def _read_fields(data: FormData) -> dict[str, str]:
    """The fields before the file, by their names in lower case.

    :raises InvalidArgument: there is no file, no key, or a field twice.
    :raises MalformedPOSTRequest: a field is no UTF-8.
    """
    fields: dict[str, str] = {}
    for name, value in data.fields:
        lowered = name.lower()
        if lowered in fields:
            # Its policy would speak of one, and another be believed.
            raise _bad_field(f"The form has more than one field named '{name}'.", name)
        try:
            fields[lowered] = value.decode()
        except UnicodeDecodeError:
            raise MalformedPOSTRequest() from None
    if not data.has_file:
        raise _bad_field("POST requires exactly one file upload per request.", "file")
    if not fields.get("key"):
        raise _bad_field(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            "key",
        )
    if "${filename}" in fields["key"]:
        # It may be there a thousand times.
        check_key(data.file_name)
        fields["key"] = fields["key"].replace("${filename}", data.file_name)
    check_key(fields["key"])
    return fields


def _bad_field(message: str, name: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=name, ArgumentValue="")


async def _admit(
    call: Call, fields: Mapping[str, str], data: FormData
) -> FormPolicy | None:
    """Find out who signed, hold the fields against what he signed, and have the call ask in his name for the object.

    :return: the policy, which also says how long the file may be; ``None`` where nobody signed.
    """
    call.verified, principal, call.admit_again = await call.admit_form(fields)
    call.notes["principal"], call.notes["key"] = principal, fields["key"]
    policy = None
    if call.verified.access_id:
        policy = parse_form_policy(fields["policy"])
        now = int(call.gateway.clock.seconds() * 1000)
        policy.check({**fields, "bucket": call.bucket_name}, now)
    address = evolve(call.address, scope=Scope.OBJECT, key=fields["key"])
    headers = _headers(call.headers, fields)
    call.asked = evolve(
        call.asked, principal=principal, address=address, headers=headers
    )
    return policy


def _headers(sent: Headers, fields: Mapping[str, str]) -> Headers:
    """The headers that PutObject would have had: those of the browser that do not speak of the form, and those of the fields.

    :raises InvalidArgument: a field is called as no header can be: what is kept is sent as one.
    """
    headers = {
        name: value
        for name, value in sent.items()
        if name in _KEPT or not name.startswith(_OF_THE_BODY)
    }
    for name, value in fields.items():
        is_header = name in SYSTEM_HEADERS or name == "content-md5"
        if is_header or (name.startswith("x-amz-") and name not in _NO_HEADERS):
            if not is_header_name(name):
                raise _bad_field("The name of a field is malformed.", name)
            headers[name] = value.strip()
    if "acl" in fields:
        headers["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        tags = from_document(fields["tagging"].encode())
        headers["x-amz-tagging"] = urlencode(tags, quote_via=quote)
    return Headers(headers)


def _reply(
    call: Call,
    fields: Mapping[str, str],
    etag: str,
    headers: list[tuple[str, str]],
) -> Reply:
    """The answer that the form asks for: to go elsewhere, to be told in a document, or nothing."""
    etag = f'"{etag}"'
    redirect = fields.get("success_action_redirect") or fields.get("redirect") or ""
    target = _redirected(redirect, call.bucket_name, call.key, etag)
    if target:
        return Reply(303, [*headers, ("Location", target)])
    location = _location(call)
    headers = [*headers, ("Location", location)]
    status = fields.get("success_action_status")
    if status == "201":
        said = document(
            "PostResponse",
            element("Location", location),
            element("Bucket", call.bucket_name),
            element("Key", call.key),
            element("ETag", etag),
        )
        return Reply(201, [*headers, ("Content-Type", "application/xml")], said)
    return Reply(200 if status == "200" else 204, headers)


def _redirected(url: str, bucket: str, key: str, etag: str) -> str:
    """Where a browser is sent, told what was stored; ``""`` where the form names no place that there is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    if not url.isascii() or not url.isprintable() or " " in url:
        return ""
    told = urlencode({"bucket": bucket, "key": key, "etag": etag}, quote_via=quote)
    query = f"{parts.query}&{told}" if parts.query else told
    return parts._replace(query=query).geturl()


def _location(call: Call) -> str:
    """The URL of the object, in the style in which the form was sent."""
    address = call.address
    scheme = "https" if call.asked.is_secure else "http"
    bucket = "" if address.virtual_host else f"{call.bucket_name}/"
    return f"{scheme}://{address.host}/{bucket}{quote(call.key)}"

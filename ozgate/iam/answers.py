"""Answers and errors of the Query protocol, as XML.

Source: botocore's models of IAM and STS, which say the element of each answer; IAM API Reference, "Common errors".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..errors.iam import QueryError
from ..s3.documents import element, fit

if TYPE_CHECKING:
    from ..errors import S3Error
    from .row import Row, Service

Value: TypeAlias = "str | int | bool | Mapping[str, Value] | Sequence[Mapping[str, Value] | str] | None"
"""What an element may hold: nothing at all, text, further elements, or a list of ``member``."""

_MOST = 1024
"""Characters of a message: it may have in it what was sent."""


def answer_document(row: Row, members: Mapping[str, Value], request_id: str) -> bytes:
    """The document of an answer.

    :param members: of the result; none where the action has no result.
    """
    result = ""
    if row.has_result:
        result = f"<{row.name}Result>{_elements(members)}</{row.name}Result>"
    name = f"{row.name}Response"
    about = f"<ResponseMetadata>{element('RequestId', request_id)}</ResponseMetadata>"
    text = f'<{name} xmlns="{row.service.namespace}">{result}{about}</{name}>'
    return text.encode()


def fault_document(error: S3Error, service: Service, request_id: str) -> bytes:
    """The document of an error."""
    fault = "Sender" if error.status < 500 else "Receiver"
    if isinstance(error, QueryError):
        fault = error.fault
    message = error.message
    if len(message) > _MOST:
        message = message[:_MOST] + "…"
    said = element("Type", fault) + element("Code", error.code)
    said += element("Message", fit(message))
    request = element("RequestId", request_id)
    text = f'<ErrorResponse xmlns="{service.namespace}"><Error>{said}</Error>{request}</ErrorResponse>'
    return text.encode()


def _elements(members: Mapping[str, Value]) -> str:
    return "".join([_element(name, value) for name, value in members.items()])


def _element(name: str, value: Value) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, str | int | None):
        return element(name, fit(value) if isinstance(value, str) else value)
    return f"<{name}>{''.join([_element('member', each) for each in value])}</{name}>"

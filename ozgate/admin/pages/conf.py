"""The effective configuration, for people and for Hadoop's tools: each value, and where it came from.

The forms are those of Hadoop's ``/conf`` (``org.apache.hadoop.conf.ConfServlet``). Secrets are masked, and so are passwords in URLs.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.sax.saxutils import escape

from attrs import Attribute
from klein import Klein

from ...config.knob import MASKED
from ...config.reference import written
from ...config.settings import Settings, by_key, knobs
from ...immutable import frozen
from ...wire.loglines import query_parameters
from ...wire.request import GatewayRequest
from ..answers import answer
from ..context import AdminContext
from ..errors import AdminError
from .page import add_page, for_administrators

DEFAULT = "default"
"""Where a value came from that nothing set."""

_PASSWORD = re.compile(r"(?<=//)([^/@:\s]*):[^/@\s]*@")


@frozen
class Property:
    """One key.

    :ivar value: as it would be written in a file.
    :ivar source: where it came from, for people.
    """

    key: str
    value: str
    source: str


def properties(settings: Settings) -> list[Property]:
    """Every key, in the order of the declarations."""
    values = by_key(settings)
    found = []
    for each in knobs():
        key = each.metadata["key"]
        origin = settings.origins.get(key, DEFAULT)
        found.append(Property(key, shown(each, values[key]), origin))
    return found


def shown(knob: Attribute[Any], value: object) -> str:
    """A value as it would be written in a file, without what is secret in it."""
    text = written(value, knob.metadata["parse"])
    if knob.metadata["secret"]:
        return MASKED if text else ""
    return _PASSWORD.sub(rf"\1:{MASKED}@", text)


def as_json(found: list[Property]) -> bytes:
    """Hadoop's JSON."""
    return json.dumps(
        {
            "properties": [
                {
                    "key": each.key,
                    "value": each.value,
                    "isFinal": False,
                    "resource": each.source,
                }
                for each in found
            ]
        },
        indent=2,
    ).encode("ascii")


def as_xml(found: list[Property]) -> bytes:
    """Hadoop's XML."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<configuration>"]
    for each in found:
        lines.append(
            f"<property><name>{escape(each.key)}</name><value>{escape(each.value)}</value>"
            f"<final>false</final><source>{escape(each.source)}</source></property>"
        )
    return "\n".join([*lines, "</configuration>", ""]).encode("utf-8")


def add_conf(app: Klein, context: AdminContext) -> None:
    """Add the page of the configuration to an app: ``?format=xml`` or ``json``, ``?name=KEY`` for one key."""

    async def conf(request: GatewayRequest) -> bytes:
        wanted = dict(query_parameters(request.raw_target))
        name, form = wanted.get("name", ""), wanted.get("format") or "json"
        found = [p for p in properties(context.settings) if name in ("", p.key)]
        if not found:
            raise AdminError("NOT_FOUND", f"there is no key {name}", 404)
        if form not in _FORMS:
            raise AdminError("INVALID_REQUEST", f"format is json or xml, not {form}")
        content_type, write = _FORMS[form]
        return answer(request, 200, write(found), content_type)

    add_page(app, ["/conf"], for_administrators(context, conf))


_FORMS = {
    "json": ("application/json", as_json),
    "xml": ("application/xml; charset=utf-8", as_xml),
}

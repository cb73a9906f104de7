"""How a setting is declared: a field of a frozen class, with all that is to be known of it in its metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field

MASKED = "********"
"""What is shown of a secret."""


def knob(
    key: str,
    default: Any,
    doc: str,
    parse: Callable[[str], Any] = str,
    secret: bool = False,
) -> Any:
    """Declare a setting.

    :param key: its name in ``ozone-site.xml``.
    :param default: its value when nothing sets it, already parsed.
    :param doc: one line for people: what it does, with the unit.
    :param parse: text → value; raises ``ValueError`` with a clear message.
    :param secret: never show its value.
    """
    return field(
        default=default,
        metadata={"key": key, "doc": doc, "parse": parse, "secret": secret},
        repr=(lambda value: repr(MASKED if value else "")) if secret else True,
    )

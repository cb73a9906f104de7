"""A request in the Query protocol: the fields of a form, read strictly.

Source: IAM User Guide, "Making HTTP query requests"; botocore's models of IAM and STS say the bounds of each field. Messages are AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import InvalidURI
from ..errors.iam import MalformedQueryString, ValidationError
from ..immutable import frozen
from ..wire.target import parse_query

MOST = 256 << 10
"""Bytes of a form: a policy of 131,072 characters, which is the longest that any action takes, in the URL coding of JSON."""

_whole = re.compile(r"[0-9]{1,9}", re.ASCII).fullmatch


@frozen
class Form:
    """The fields of a form, by name. No repr shows them: there are tokens among them."""

    _fields: Mapping[str, str]

    @classmethod
    def read(cls, body: bytes) -> Form:
        """Read a body.

        :raises MalformedQueryString: it is no form, has too many fields, or a field twice.
        """
        try:
            query = parse_query(body)
        except InvalidURI:
            raise MalformedQueryString() from None
        items = query.items()
        fields = dict(items)
        if len(fields) < len(items):
            raise MalformedQueryString("A parameter is given more than once.")
        return cls(fields)

    def __repr__(self) -> str:
        """The names alone."""
        return f"<Form {sorted(self._fields)}>"

    def names(self) -> set[str]:
        """The names of all parameters, those of lists once."""
        return {name.partition(".")[0] for name in self._fields}

    def get(self, name: str, default: str = "") -> str:
        """The value of a field; ``default`` where it is not there."""
        return self._fields.get(name, default)

    def text(self, name: str, low: int = 1, high: int = 128) -> str:
        """The value of a field that must be there.

        :param low: characters that it has at least; ``high`` at most.
        :raises ValidationError: it is not there, too short or too long.
        """
        value = self._fields.get(name)
        if value is None:
            raise _violated("Value null", name, "must not be null")
        if len(value) < low:
            raise _violated(
                "Value", name, f"must have length greater than or equal to {low}"
            )
        if len(value) > high:
            raise _violated(
                "Value", name, f"must have length less than or equal to {high}"
            )
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """The number in a field.

        :param default: where it is not there.
        :raises ValidationError: it is none, too small or too large.
        """
        text = self._fields.get(name)
        if text is None:
            return default
        if not _whole(text):
            raise ValidationError(f"{name} is no whole number.")
        number = int(text)
        shown = f"Value '{number}'"
        if number < low:
            raise _violated(
                shown, name, f"must have value greater than or equal to {low}"
            )
        if number > high:
            raise _violated(
                shown, name, f"must have value less than or equal to {high}"
            )
        return number

    def flag(self, name: str) -> bool:
        """Whether a field says ``true``.

        :raises ValidationError: it says neither that nor ``false``.
        """
        text = self._fields.get(name, "false")
        if text not in ("true", "false"):
            raise ValidationError(f"{name} is neither true nor false.")
        return text == "true"

    def pairs(self, name: str, key: str, value: str) -> dict[str, str]:
        """A list of structures of two members, such as tags, which are ``Tags.member.1.Key``, ``Tags.member.1.Value`` and so on.

        :raises ValidationError: one has not both, or a key is there twice.
        """
        found: dict[str, str] = {}
        for number in range(1, len(self._fields) + 1):
            member = f"{name}.member.{number}"
            one = self._fields.get(f"{member}.{key}")
            other = self._fields.get(f"{member}.{value}")
            if one is None and other is None:
                break
            if one is None or other is None:
                raise _violated("Value null", member, "must not be null")
            if one in found:
                raise ValidationError(f"Duplicate {key} found.")
            found[one] = other
        return found

    def members(self, name: str) -> list[str]:
        """A list of texts: ``TagKeys.member.1`` and so on."""
        found = []
        for number in range(1, len(self._fields) + 1):
            text = self._fields.get(f"{name}.member.{number}")
            if text is None:
                break
            found.append(text)
        return found


def _violated(shown: str, name: str, constraint: str) -> ValidationError:
    # Values are not echoed: they may be secret.
    lowered = name[:1].lower() + name[1:]
    return ValidationError(
        f"1 validation error detected: {shown} at '{lowered}' failed to satisfy constraint: Member {constraint}"
    )

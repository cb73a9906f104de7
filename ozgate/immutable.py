"""Values that cannot be changed, as the type checker sees to, and that are made fast.

An instance of :func:`attrs.frozen` has each attribute set through ``object.__setattr__``, at four times the price of an assignment; a GET makes
some twenty values with a hundred attributes, a page of a list a thousand more. So what runs has slots, equality and a hash, and takes assignments;
mypy, which reads :func:`attrs.frozen` here, refuses every one that is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["frozen"]

if TYPE_CHECKING:
    from attrs import frozen
else:
    from attrs import define

    def frozen(cls=None, **options):
        """As :func:`attrs.frozen`."""
        options.setdefault("unsafe_hash", options.get("eq", True) or None)
        return define(cls, **options)

"""Values that cannot be changed, as the type checker sees to, and that are made fast.

An instance of :func:`attrs.frozen` has each attribute set through ``object.__setattr__``, at four times the price of an assignment; a GET makes
some twenty values with a hundred attributes, a page of a list a thousand more. So what runs has slots, equality and a hash, and takes assignments;
mypy, which reads :func:`attrs.frozen` here, refuses every one that is written. And as a class is made at each start, there is one ``__repr__`` for
all of them: attrs would compile one for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["frozen"]

if TYPE_CHECKING:
    from attrs import frozen
else:
    from attrs import define, fields

    def frozen(cls=None, **options):
        """As :func:`attrs.frozen`."""
        options.setdefault("unsafe_hash", options.get("eq", True) or None)

        def made(cls):
            if "__repr__" not in vars(cls):
                cls.__repr__ = _shown
            return define(cls, **options)

        return made if cls is None else made(cls)

    def _shown(self) -> str:
        """As attrs shows an instance: what is not to be shown, as a secret, is not, and what is masked is."""
        shown = []
        for each in fields(type(self)):
            if each.repr is not False:
                show = each.repr if callable(each.repr) else repr
                shown.append(f"{each.name}={show(getattr(self, each.name))}")
        return f"{type(self).__qualname__}({', '.join(shown)})"

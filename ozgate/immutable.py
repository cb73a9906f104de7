"""Values that cannot be changed, as the type checker sees to, and that are made fast.

An instance of :func:`attrs.frozen` has each attribute set through ``object.__setattr__``, at four times the price of an assignment; a GET makes
some twenty values with a hundred attributes, a page of a list a thousand more. So what runs has slots, equality and a hash, and takes assignments;
mypy, which reads :func:`attrs.frozen` here, refuses every one that is written. And as some two hundred classes are made at each start, what attrs
would compile for each but can be had without is not compiled: there is one ``__repr__`` for all of them, and equality and hash are those of the tuple
of their members, which :func:`operator.attrgetter` makes as fast. That takes 25 ms off a start of a second. What is sent to another process is the
class and the members in order, not a dictionary of them: the values of a PUT take a third of the time so, and two thirds of the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["frozen"]

if TYPE_CHECKING:
    from attrs import frozen
else:
    from operator import attrgetter

    from attrs import define, fields

    def frozen(cls=None, *, eq=True, **options):
        """As :func:`attrs.frozen`."""

        def made(cls):
            if "__repr__" not in vars(cls):
                cls.__repr__ = _shown
            finished = define(cls, eq=False, **options)
            if eq:
                _compare(finished)
            members = fields(finished)
            # Of one member the getter would give that, and no tuple.
            if len(members) > 1 and all(m.init and not m.kw_only for m in members):
                _send(finished, attrgetter(*[each.name for each in members]))
            return finished

        return made if cls is None else made(cls)

    def _compare(cls) -> None:
        """Give a class equality and a hash by its members, but for those that it leaves out."""
        names = [each.name for each in fields(cls) if each.eq]
        members = attrgetter(*names) if names else type

        def __eq__(self, other):
            if other is self:
                return True
            if other.__class__ is not self.__class__:
                return NotImplemented
            return members(self) == members(other)

        def __hash__(self):
            return hash(members(self))

        cls.__eq__, cls.__hash__ = __eq__, __hash__

    def _send(cls, members) -> None:
        """Have pickle and copy take a class's instances apart into their members."""

        def __reduce__(self):
            return type(self), members(self)

        cls.__reduce__ = __reduce__

    def _shown(self) -> str:
        """As attrs shows an instance: what is not to be shown, as a secret, is not, and what is masked is."""
        shown = []
        for each in fields(type(self)):
            if each.repr is not False:
                show = each.repr if callable(each.repr) else repr
                shown.append(f"{each.name}={show(getattr(self, each.name))}")
        return f"{type(self).__qualname__}({', '.join(shown)})"

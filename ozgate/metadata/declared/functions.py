"""The functions of a table, written out as Python, as attrs does it: every request passes some of them.

A loop over columns takes three times as long as a line for each. ``print(VERSIONS.functions.source("read"))`` shows what is
written here. Each is written when it is asked for first, so that a start does not wait for those that it has no need of.
Names that begin with ``_`` are none of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature

from awscrt.checksums import crc64nvme

from ...immutable import frozen
from .columns import AS_IT_IS, Column, Made
from .rowchecks import HALF, NONE, WHOLE, damaged

_DIFFERS = "_crc != checked and _crc - _WHOLE != checked"
"""Whether a row does not agree. SQLite's integers are signed, and what it has may be none."""


@frozen
class Functions:
    """The functions of one table.

    :ivar value: the class that a row becomes an instance of, if there is one.
    :ivar named_by: the columns by which messages name a row.
    :ivar handed_in: names of what is handed in where a row is read.
    :ivar members: what makes members that no column of their name holds, or where they are in a column.
    """

    table: str
    value: type[object] | None
    columns: Sequence[Column]
    named_by: Sequence[str]
    handed_in: Sequence[str]
    members: Mapping[str, Made | str]

    def source(self, name: str) -> str:
        """One of them: ``check``, ``agrees``, ``row``, ``read`` or ``make``."""
        written: Callable[[], list[str]] = getattr(self, f"_{name}")
        return "\n".join(written())

    def compiled(self, name: str) -> object:
        """One of them."""
        scope: dict[str, object] = {
            "_crc64nvme": crc64nvme,
            "_damaged": damaged,
            "_value": self.value,
            "_HALF": HALF,
            "_NONE": NONE,
            "_WHOLE": WHOLE,
        }
        for column in self.columns:
            scope[f"_read_{column.name}"] = column.conversion.read
            scope[f"_write_{column.name}"] = column.conversion.write
        for member, made in self.members.items():
            if isinstance(made, Made):
                scope[f"_made_{member}"] = made.function
        file = f"<{name} of {self.table}>"
        exec(compile(self.source(name), file, "exec"), scope)
        return scope[name]

    @property
    def _checked(self) -> list[Column]:
        return [column for column in self.columns if column.is_checked]

    def _unpacked(self) -> str:
        others = [each.name for each in self.columns if not each.is_checked]
        names = [*[each.name for each in self._checked], "checked", *others]
        return f"    {', '.join(names)} = row"

    def _crc(self) -> list[str]:
        """The check of the columns, unsigned, and before that their text."""
        always = [c.name for c in self._checked if not (c.is_sparse or c.is_data)]
        text = r"\0".join([f"{{{name}}}" for name in always])
        lines = [f'    _text = f"{text}"']
        for name in [each.name for each in self._checked if each.is_sparse]:
            lines += [
                f"    if {name}:",
                rf'        _text = f"{{_text}}\0{name}\0{{{name}}}"',
            ]
        data = [each.name for each in self._checked if each.is_data]
        if not data:
            return [*lines, "    _crc = _crc64nvme(_text.encode())"]
        [name] = data
        return [
            *lines,
            # A bit that flips can make text of bytes.
            f"    if isinstance({name}, bytes):",
            rf'        _crc = _crc64nvme({name}, _crc64nvme(f"{{_text}}\0".encode()))',
            "    else:",
            "        _crc = _NONE",
        ]

    def _check(self) -> list[str]:
        return [
            f"def check({', '.join([each.name for each in self._checked])}):",
            *self._crc(),
            "    return _crc - _WHOLE if _crc >= _HALF else _crc",
        ]

    def _agrees(self) -> list[str]:
        return [
            "def agrees(row):",
            self._unpacked(),
            *self._crc(),
            f"    return not ({_DIFFERS})",
        ]

    def _row(self) -> list[str]:
        columns = self._checked
        given = [each.name for each in columns if each.is_given or self.value is None]
        lines = []
        for column in columns:
            if column.name in given:
                continue
            of = column.name if column.of is None else column.of
            member = f"_from.{of}" if of else "_from"
            if column.conversion.write is not None:
                member = f"_write_{column.name}({member})"
            lines.append(f"    {column.name} = {member}")
        taken = given if self.value is None else ["_from", *given]
        names = ", ".join([each.name for each in columns])
        return [
            f"def row({', '.join(taken)}):",
            *lines,
            *self._crc(),
            f"    return {names}, _crc - _WHOLE if _crc >= _HALF else _crc",
        ]

    def _make(self) -> list[str]:
        return [
            f"def make({', '.join(['row', *self.handed_in])}):",
            self._unpacked(),
            *self._made(),
        ]

    def _made(self) -> list[str]:
        """What returns the value, once the columns are there."""
        lines = []
        for name, conversion in [(c.name, c.conversion) for c in self.columns]:
            if conversion.read is None:
                continue
            line = f"    {name} = _read_{name}({name})"
            if conversion.nothing is not ...:
                line += f" if {name} else {conversion.nothing!r}"
            lines.append(line)
        return [*lines, f"    return _value({', '.join(self.makers())})"]

    def makers(self) -> list[str]:
        """What makes each member of the value, in their order.

        :raises TypeError: a member is made of nothing.
        """
        there = {*[column.name for column in self.columns], *self.handed_in}
        makers = []
        for name in signature(self.value).parameters if self.value else ():
            made = self.members.get(name, name)
            if isinstance(made, Made):
                made = f"_made_{name}({made.of})"
            elif made.partition(".")[0] not in there:
                raise TypeError(f"no column of {self.table} holds {name}")
            makers.append(made)
        return makers

    def _read(self) -> list[str]:
        place = ", ".join([repr(self.table), *self.named_by])
        lines = [
            f"def read({', '.join(['row', *self.handed_in])}):",
            self._unpacked(),
            *self._crc(),
            f"    if {_DIFFERS}:",
            f"        raise _damaged({place})",
        ]
        for column in self.columns:
            # What is counted is not checked, but is a number.
            if not column.is_checked and column.conversion is AS_IT_IS:
                lines += [
                    f"    if not isinstance({column.name}, int):",
                    f"        raise _damaged({place}, {column.name!r})",
                ]
        return [*lines, *self._made()]

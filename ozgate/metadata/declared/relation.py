"""What a declared table gives: lists of columns, statements, and the ways between rows and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Generic, TypeVar, cast

from .columns import Column, Made, Row
from .functions import Functions

V_co = TypeVar("V_co", covariant=True)


class Table(Generic[V_co]):
    """A table whose rows have a check.

    :ivar columns: what the check covers, in its order.
    :ivar key: the columns of the table's primary key, in its order: the first of them.
    :ivar counted: the columns that it does not cover, each with what a new row has in it.
    :ivar falling: whether the last of them is in falling order.
    :ivar select: all columns, for a statement.
    :ivar width: how many they are.
    :ivar insert: a statement that takes what :attr:`row` makes.
    :ivar put: one that replaces a row of the same key.
    :ivar update: the head of one that writes what :attr:`row` makes over another row: all but the columns of the key before the last one, which
        are the same in both. What is not set needs no look at what it refers to.
    :ivar functions: what is written out of the declaration.
    """

    def __init__(
        self,
        name: str,
        value: type[V_co] | None,
        *columns: Column,
        key: int = 1,
        falling: bool = False,
        named_by: str = "",
        handed_in: str = "",
        members: Mapping[str, Made | str] | None = None,
    ) -> None:
        """Declare a table.

        :param value: the class that a row becomes an instance of; ``None`` where rows have no value of their own.
        :param key: how many columns are the primary key.
        :param named_by: the columns by which messages name a row, where they are others than the key.
        :param handed_in: names of what is handed in where a row is read.
        :param members: those of the value that no column of their name holds: what makes them, or where they are in a
            column, as names with dots between.
        """
        checked = [column for column in columns if column.is_checked]
        others = [column for column in columns if not column.is_checked]
        self.name = name
        self.columns = tuple(column.name for column in checked)
        self.key = self.columns[:key]
        self.counted = tuple((column.name, column.begins) for column in others)
        self.falling = falling
        selected = [*self.columns, "checked", *[column.name for column in others]]
        self.select = ", ".join([f"{name}.{each}" for each in selected])
        self.width = len(selected)
        values = ["?"] * (len(checked) + 1) + [str(column.begins) for column in others]
        into = f"INTO {name} ({', '.join(selected)}) VALUES ({', '.join(values)})"
        self.insert, self.put = f"INSERT {into}", f"INSERT OR REPLACE {into}"
        stored = ", ".join(
            [f"{name} = ?" for name in (*self.columns[key - 1 :], "checked")]
        )
        self.update = f"UPDATE {name} SET {stored}"
        self._replaced = [
            (place, column.name)
            for place, column in enumerate(checked)
            if place >= key and not column.is_kept
        ]
        named = named_by.split() or self.key
        members = members or {}
        self.functions = Functions(
            name, value, columns, named, handed_in.split(), members
        )
        self.functions.makers()

    @cached_property
    def check(self) -> Callable[..., int]:
        """Makes the check of what :attr:`columns` hold."""
        return cast("Callable[..., int]", self.functions.compiled("check"))

    @cached_property
    def agrees(self) -> Callable[[Row], bool]:
        """Tells whether a row, as selected, agrees with its check."""
        return cast("Callable[[Row], bool]", self.functions.compiled("agrees"))

    @cached_property
    def row(self) -> Callable[..., Row]:
        """Makes what :attr:`columns` hold, and the check, of a value, and of what is given besides in the order of the columns."""
        return cast("Callable[..., Row]", self.functions.compiled("row"))

    @cached_property
    def read(self) -> Callable[..., V_co]:
        """Makes the value of a row, as selected, and of what is handed in; raises ``Damaged``."""
        return cast("Callable[..., V_co]", self.functions.compiled("read"))

    @cached_property
    def make(self) -> Callable[..., V_co]:
        """Likewise, of a row that is known to agree."""
        return cast("Callable[..., V_co]", self.functions.compiled("make"))

    def replaced(self, row: Row) -> dict[str, object]:
        """What changes in a row when its value is replaced, by column.

        :param row: of the new value.
        """
        return {name: row[place] for place, name in self._replaced}

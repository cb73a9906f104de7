"""What a table is declared with: columns, and how they become members of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...immutable import frozen

Row = tuple[Any, ...]


@frozen
class Conversion:
    """How a member is made of a column, and a column of a member; as it is, where nothing is said.

    :ivar nothing: the member where the column has nothing in it; ``...`` has ``read`` make that one, too.
    """

    read: Callable[..., object] | None = None
    write: Callable[..., object] | None = None
    nothing: object = ...


AS_IT_IS = Conversion()


@frozen
class Column:
    """A column of a table, and what it holds of a value: the member of its name, where nothing else is said.

    :ivar of: where that is in the value, names with dots between; ``""`` for the whole value.
    :ivar is_given: whether it is not of the value, but given where a row is made.
    :ivar is_kept: whether it stays as it is when the value is replaced.
    :ivar is_sparse: whether few rows have something in it. The check covers it where they have.
    :ivar is_data: whether it is bytes.
    :ivar begins: what a new row has in it, where it changes on its own, and is not checked.
    """

    name: str
    conversion: Conversion = AS_IT_IS
    of: str | None = None
    is_given: bool = False
    is_kept: bool = False
    is_sparse: bool = False
    is_data: bool = False
    begins: int | None = None

    @property
    def is_checked(self) -> bool:
        """Whether the row's check covers it."""
        return self.begins is None


@frozen
class Made:
    """A member that several columns make.

    :ivar of: their names, with commas between; or of what is handed in where a row is read.
    """

    function: Callable[..., object]
    of: str

"""What a row of the table of IAM's and STS's actions is; the rows are in :mod:`ozgate.iam.actions`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from ..immutable import frozen
from ..s3.row import Gate

if TYPE_CHECKING:
    from .answers import Value
    from .asked import QueryCall


class Service(Enum):
    """A service, by the name that signatures have of it."""

    IAM = "iam"
    STS = "sts"

    @property
    def version(self) -> str:
        """The version of its actions."""
        return "2010-05-08" if self is Service.IAM else "2011-06-15"

    @property
    def namespace(self) -> str:
        """The namespace of its answers."""
        return f"https://{self.value}.amazonaws.com/doc/{self.version}/"


@frozen
class Row:
    """One row.

    :ivar name: the action's name in the service's model.
    :ivar perform: the coroutine function that does it: it gives the members of the result.
    :ivar takes: the parameters that it takes: any other is refused, for what is ignored might have narrowed something down.
    :ivar on: what it is done on: ``user``, ``group`` or ``policy``, as its parameters name it; ``""``: the account. ``None``: it needs no permission.
    :ivar has_result: whether its answer has a result.
    :ivar changes: whether it adds to rows.
    """

    name: str
    service: Service
    perform: Callable[[QueryCall], Awaitable[Mapping[str, Value]]]
    takes: frozenset[str]
    on: str | None
    has_result: bool = True
    changes: bool = False
    gate: Gate = Gate.SIGNED

    @property
    def action(self) -> str:
        """What is asked of authorization."""
        return f"{self.service.value}:{self.name}"

    @property
    def audit(self) -> str:
        """What the audit log calls it."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).upper()

    @property
    def stores(self) -> bool:
        """Whether it adds rows, so that a disk almost full refuses it."""
        return self.changes

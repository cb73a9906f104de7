"""Java's exceptions as the errors of stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import Refused, StoreError, Unavailable, Uncertain

_TROUBLES = frozenset(
    {
        "INTERNAL_ERROR",
        "OM_NOT_INITIALIZED",
        "RATIS_ERROR",
        "SCM_GET_PIPELINE_EXCEPTION",
        "SCM_IN_SAFE_MODE",
        "SSL_CONNECTION_FAILURE",
        "TIMEOUT",
    }
)
"""What the OM says of itself or of the SCM rather than of what it was asked."""

_DEPTH = 12
"""Causes that are looked at."""


def error_of(raised: Any, is_change: bool) -> StoreError:
    """What a Java exception is to whoever asked.

    :param is_change: whether something may have been changed all the same.
    :return: ``Refused`` with the OM's own code, where it has answered; ``Unavailable`` or, of a change, ``Uncertain``.
    """
    for each in _causes(raised):
        # Ozone's OMException; what else has results has them of another kind.
        if each.getClass().getSimpleName() != "OMException":
            continue
        code = str(each.getResult())
        if code not in _TROUBLES:
            return Refused(code, _first_line(each.getMessage()))
        break
    line = f"{raised.getClass().getSimpleName()}: {_first_line(raised.getMessage())}"
    return Uncertain(line) if is_change else Unavailable(line)


def _causes(raised: Any) -> Iterator[Any]:
    for _ in range(_DEPTH):
        if raised is None:
            return
        yield raised
        raised = raised.getCause()


def _first_line(message: Any) -> str:
    """Without the stack that the OM adds."""
    return str(message or "").partition("\n")[0]

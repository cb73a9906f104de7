"""Interactions, their values and what came of them as bytes, and back.

Both ends are processes of one service, joined by a socket that nobody else can reach. Still no end believes more than it has to: functions and
classes are found by name, and only those of ozgate are, besides the plain ones that values are made of.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

from ...errors import Unavailable, Uncertain

Sent = tuple[Callable[..., Any], tuple[Any, ...]]
"""An interaction and its values."""

Outcome = tuple[bool, Any]
"""Whether it succeeded; what it returned, or what it failed with."""

_PLAIN = frozenset({"bytearray", "complex", "frozenset", "range", "set", "slice"})
"""Builtins that make values, and do nothing besides."""

_OURS = "ozgate."

_NUMBER = Struct("<Q")
"""Begins what is sent: how many numbers follow, which are the lengths of the pickle and of each large body beside it; then come these."""

_found: dict[tuple[str, str], Any] = {}
"""What names mean: looked up once."""


def packed(what: object) -> list[bytes | memoryview]:
    """Anything of values as bytes, in pieces."""
    bodies: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(what, pickle.HIGHEST_PROTOCOL, buffer_callback=bodies.append)
    pieces: list[bytes | memoryview] = [pickled, *[each.raw() for each in bodies]]
    lengths = [_NUMBER.pack(each) for each in (len(pieces), *map(len, pieces))]
    return [b"".join(lengths), *pieces]


def packed_answer(now: int, outcomes: Sequence[Outcome]) -> list[bytes | memoryview]:
    """The store's time and outcomes as bytes; what of these cannot be sent is told as an error of the store."""
    try:
        if all(succeeded for succeeded, _ in outcomes):
            return packed((now, outcomes))
    except Exception:
        # Found out one by one.
        pass
    return packed((now, [_sendable(*outcome) for outcome in outcomes]))


def _sendable(succeeded: bool, value: Any) -> Outcome:
    """An outcome that comes back whole: an error may be made otherwise than of what it says."""
    try:
        unpacked(b"".join(packed(value)))
    except Exception as error:
        told = f"{type(value).__name__} cannot be sent to a worker: {error}"
        return False, Uncertain(told) if succeeded else Unavailable(told)
    return succeeded, value


def is_ours(value: object) -> bool:
    """Whether something is of a class, or is one or a function, that ozgate has."""
    named = value if hasattr(value, "__qualname__") else type(value)
    return str(getattr(named, "__module__", "")).startswith(_OURS)


def unpacked(data: bytes | memoryview) -> Any:
    """What :func:`packed` made bytes of.

    :raises pickle.UnpicklingError: it names what is not ozgate's, or these are no such bytes.
    :raises EOFError: these are too few; ``struct.error`` and ``IndexError`` say the same.
    """
    view = memoryview(data)
    (count,) = _NUMBER.unpack_from(view)
    at = _NUMBER.size * (count + 1)
    pieces = []
    for (length,) in _NUMBER.iter_unpack(view[_NUMBER.size : at]):
        pieces.append(view[at : at + length])
        at += length
    return _Unpickler(io.BytesIO(pieces[0]), buffers=map(bytes, pieces[1:])).load()


class _Unpickler(pickle.Unpickler):
    """Finds ozgate's own by name, and little else."""

    def find_class(self, module: str, name: str) -> Any:
        """What a name means."""
        found = _found.get((module, name))
        if found is None:
            found = self._looked_up(module, name)
            _found[module, name] = found
        return found

    def _looked_up(self, module: str, name: str) -> Any:
        found = None
        if module.startswith(_OURS) or module == "builtins":
            found = super().find_class(module, name)
        if module == "builtins":
            if name in _PLAIN or _is_error(found):
                return found
        elif found is not None and is_ours(found):
            # Not what a module of ours has imported.
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is not of ozgate")


def _is_error(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Exception)

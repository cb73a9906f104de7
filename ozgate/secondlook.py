"""How an interaction claims what it has to find first: it looks, claims what it found, and looks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .errors import Overtaken
from .interfaces import IClaims
from .values import Claim

T = TypeVar("T")


def claimed(
    tx: IClaims, look: Callable[[], T], claims: Callable[[T], tuple[Claim, ...]]
) -> T:
    """Find something and claim it, or what it leads to. For use inside an interaction.

    What a name leads to is known only once it was read, and may be another thing by the time that it is claimed. With one
    writer there is no second look.

    :param look: reads it.
    :param claims: what has to be held of what was found.
    :return: what was found while it was held.
    :raises Overtaken: the second look calls for other claims; the provider runs the interaction anew.
    """
    found = look()
    if tx.is_alone:
        return found
    wanted = claims(found)
    if tx.claim(*wanted):
        found = look()
        if claims(found) != wanted:
            raise Overtaken("what was claimed is not what is there now")
    return found

"""Who owns something, as S3 shows it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from .documents import element


@lru_cache(maxsize=1024)
def canonical_id(access_id: str) -> str:
    """The canonical user id of an access id: 64 hex digits, always the same."""
    return sha256(access_id.encode("utf-8")).hexdigest()


def owner_element(access_id: str, name: str = "Owner") -> str:
    """An ``Owner``, or an ``Initiator``."""
    return (
        f"<{name}>{element('ID', canonical_id(access_id))}"
        f"{element('DisplayName', access_id)}</{name}>"
    )

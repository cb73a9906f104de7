"""What becomes of objects, for who listens."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Cause"]


@frozen
class Cause:
    """On whose behalf something is changed.

    :ivar user: who asked for it.
    :ivar peer: the client's address; ``""`` where no request asked.
    :ivar request_id: of the request that asked; likewise.
    """

    user: str
    peer: str = ""
    request_id: str = ""

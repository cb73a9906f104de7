"""The service that looks whether files of certificates changed: :mod:`ozgate.wire.tls`, in rounds."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from ..wire.tls import Certificates
from .rounds import Rounds


class CertificateWatch(Rounds):
    """Has changed certificates taken up.

    :param watched: whose files are looked at.
    :param clock: what the time is taken from.
    :param interval: seconds between two looks.
    """

    name = "certificate watch"

    def __init__(
        self, watched: Sequence[Certificates], clock: IReactorTime, interval: float
    ) -> None:
        super().__init__(clock, interval)
        self._watched = watched

    async def work(self) -> None:
        """Look once at each."""
        for each in self._watched:
            each.poll()

"""What a provider may tell an operator of itself."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..values import Diagnosis

__all__ = ["IDiagnosed"]


class IDiagnosed(Interface):
    """What a provider of metadata or bytes may provide besides: a look at what it stands on, for ``ozgate admin doctor``."""

    def diagnose() -> Deferred[Sequence[Diagnosis]]:
        """Look at what it stands on. The provider is open, and goes on serving meanwhile.

        :return: fires with what was found, what could not be found out among it; fails with ``Unavailable`` when what it stands on cannot be asked.
        """

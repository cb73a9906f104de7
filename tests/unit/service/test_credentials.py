"""Tests of :mod:`ozgate.service.credentials`: who verifies what is signed, where another system may."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from ozgate.config.settings import Settings
from ozgate.gateway.foreign import Foreign
from ozgate.interfaces import IVerifier
from ozgate.service.credentials import make_neighbor, open_secrets, verifier_of
from ozgate.values import Presented, Signatory


class Believing:
    """A system that believes whoever asks."""

    verifies = False


@implementer(IVerifier)
class Verifying:
    """One that verifies."""

    verifies = True

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`IVerifier`."""
        return succeed(None)


class VerifierTests(SynchronousTestCase):
    """One verifies, and nobody besides."""

    def test_verifier(self) -> None:
        """It is the other system where that does it, whichever volumes are its own; no system, or one that believes, is none."""
        self.assertIsNone(verifier_of(None))
        system: Any = Believing()
        self.assertIsNone(verifier_of(Foreign(system)))
        system = Verifying()
        for volumes in (None, frozenset({"cluster"})):
            self.assertIs(verifier_of(Foreign(system, volumes)), system)

    def test_no_secrets(self) -> None:
        """Where it does, no secret here opens anything: none is even looked up, and nobody makes one."""
        settings, nothing, system = (
            Settings(security_enabled=True),
            object(),
            Verifying(),
        )
        rows: Any = nothing
        foreign: Any = Foreign(system)  # type: ignore[arg-type]
        opened = Deferred.fromCoroutine(open_secrets(settings, rows, foreign))
        self.assertIsNone(self.successResultOf(opened))
        clock: Any = nothing
        self.assertIsNone(make_neighbor(nothing, clock, settings, None))

"""The contract of other systems, held by a real cluster that verifies whoever asks."""

from __future__ import annotations

from ozgate.foreign.ozone.system import OzoneSystem
from ozgate.testing.foreign_contract import ForeignContract
from ozgate.values import OnBehalf
from tests.ozone.secured import SecureCase


class SecureContractTests(ForeignContract, SecureCase):
    """Flat buckets of the volume of S3, by somebody whose signature the OM has to find right with each call, whatever thread makes it."""

    timeout = 300

    def make_system(self) -> OzoneSystem:
        """The cluster, as a gateway in this process has it, logged in."""
        return self.system

    async def setUp(self) -> None:
        """Somebody with a secret."""
        await SecureCase.setUp(self)
        person = await self.person()
        self.me = OnBehalf(person.user, person.sign())
        await ForeignContract.setUp(self)
        # Before the secret is taken away, which is done before tearDown.
        self.addCleanup(super().tearDown)

    async def tearDown(self) -> None:
        """All was removed before."""

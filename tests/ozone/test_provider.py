"""The contract of other systems, held by a real cluster."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from ozgate.foreign.ozone.system import OzoneSystem
from ozgate.testing.foreign_contract import ForeignContract
from ozgate.values import OnBehalf
from tests.engines.given import insecure
from tests.ozone.secured import settled, system_of


class OzoneContractTests(ForeignContract, TestCase):
    """Flat buckets of the volume of S3."""

    timeout = 300

    # Who starts the cluster may write to its volumes.
    me = OnBehalf("root")

    def make_system(self) -> OzoneSystem:
        """The cluster, as a gateway in this process has it."""
        self.ozone = insecure()
        return system_of(self.ozone)

    async def tearDown(self) -> None:
        """Remove the bucket, and wait for what is released."""
        try:
            await super().tearDown()
        finally:
            await settled(self.system.connection)

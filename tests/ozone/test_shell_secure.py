"""``ozgate sh`` and ``ozgate s3`` over a cluster with Kerberos: as whoever calls, where the cluster lets the gateway ask for him, and else not at all."""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import TestCase

from ozgate.errors import Refused
from ozgate.foreign.ozone.system import OzoneSystem
from tests.engines.given import Ozone, either, insecure, secure
from tests.ozone.secured import settled, system_of
from tests.ozone.shellscripts import KEYS, SECRETS
from tests.ozone.sidebyside import SideBySideCase


class SecureShellTests(SideBySideCase):
    """A gateway that logs in as somebody who may ask for others."""

    def cluster(self) -> Ozone:
        """One with Kerberos."""
        return secure()

    def test_keys(self) -> None:
        """Volumes, buckets, links and keys are the caller's own, as those that Ozone's own shell makes with his ticket."""
        self.compare(KEYS)

    def test_secrets(self) -> None:
        """Secrets are the OM's: made and shown once, replaced and revoked."""
        self.compare(SECRETS, "s3")

    def test_own_secret(self) -> None:
        """Without a name it is about the secret of the caller's principal, which is there in both shells or in none."""
        for runs in (self.both.theirs, self.both.ours):
            came = runs.run("setsecret -s short", "s3")
            self.assertEqual(came.code, 255)
            self.assertNotIn("USER_MISMATCH", came.err)


class CallerTests(TestCase):
    """As whom a cluster is asked."""

    async def opened(self, ozone: Ozone) -> OzoneSystem:
        """The system of a gateway that logs in, if at all, as one that may not ask for others."""
        system = system_of(ozone)
        await system.start()
        self.addCleanup(settled, system.connection)
        return system

    async def refused(self, system: OzoneSystem, name: str, user: str) -> str:
        """Assert that nobody may ask for somebody; what is said of it."""
        try:
            await system.commands.run(name, user, {})
        except Refused as refused:
            self.assertEqual(refused.code, "PERMISSION_DENIED")
            return refused.message
        self.fail("it was not refused")

    async def test_name(self) -> None:
        """Where security is off the caller's name owns what he makes."""
        system = await self.opened(insecure())
        volume = f"shell-{uuid4().hex[:12]}"
        asked = {"volume": volume}
        made = await system.commands.run("create_volume", "alice", asked)
        assert isinstance(made, dict)
        self.assertEqual((made["owner"], made["admin"]), ("alice", "alice"))
        await system.commands.run("delete_volume", "alice", asked)

    async def test_not_let(self) -> None:
        """A gateway that the cluster does not let ask for somebody says so; its own rights are not lent, an administrator's no more than others'."""
        system = await self.opened(secure())
        for user in ("root", "alice", f"alice@{secure().realm}"):
            for name in ("list_volumes", "get_secret"):
                said = await self.refused(system, name, user)
                self.assertIn(f"does not let the gateway ask for {user}", said)

    async def test_nobody(self) -> None:
        """Nobody asks for nothing."""
        system = await self.opened(either())
        self.assertEqual(
            await self.refused(system, "list_volumes", ""), "who asks is not known"
        )

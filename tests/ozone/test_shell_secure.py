"""``ozgate sh`` and ``ozgate s3`` over a cluster with Kerberos: as whoever calls, where the cluster lets the gateway ask for him, and else not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from uuid import uuid4

from twisted.trial.unittest import SkipTest, TestCase

from ozgate.errors import Refused
from ozgate.foreign.ozone.system import OzoneSystem
from tests.engines.given import Ozone, either, insecure, secure
from tests.ozone.secured import settled, system_of
from tests.ozone.shellscripts import KEYS, SECRETS
from tests.ozone.sidebyside import SideBySideCase
from tests.running import ROOT
from tests.service.commanding import AS_OTHER


class SecureShellTests(SideBySideCase):
    """A gateway that logs in as somebody who may ask for others, and whose socket is everybody's."""

    settings = ("ozgate.admin.socket.mode=666",)

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

    def as_other(self, uid: int, *command: str) -> tuple[int, str, str]:
        """What comes of a command of another user of this machine."""
        become = [*AS_OTHER, f"--reuid={uid}", f"--regid={uid}"]
        ended = subprocess.run(
            [*become, sys.executable, "-m", "ozgate", *command],
            env={"PYTHONPATH": str(ROOT), "OZGATE_DATA": self.both.data},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended.returncode, ended.stdout, ended.stderr

    def test_other_user(self) -> None:
        """Somebody else is somebody else to the cluster too, whatever the gateway itself may do there."""
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            raise SkipTest("only root can run commands as other users, by setpriv")
        uid = 4_000_000 + secrets.randbelow(100_000)
        volume = f"/shell-{self.mark}"
        code, out, err = self.as_other(uid, "sh", "volume", "create", volume)
        self.assertEqual((code, out), (255, ""))
        self.assertIn(f"PERMISSION_DENIED User {uid} doesn't have CREATE", err)
        self.assertEqual(self.both.ours.run(f"volume create {volume}").code, 0)
        code, out, err = self.as_other(
            uid, "sh", "key", "put", f"{volume}/b/k", "/etc/hostname"
        )
        self.assertIn(f"PERMISSION_DENIED User {uid} doesn't have READ", err)
        code, out, err = self.as_other(uid, "sh", "volume", "list")
        self.assertEqual((code, out, err), (0, "[ ]\n", ""))
        code, out, err = self.as_other(
            uid, "s3", "getsecret", "-u", f"root@{self.ozone.realm}"
        )
        self.assertEqual((code, out), (255, ""))
        self.assertIn("USER_MISMATCH Requested accessId", err)
        code, out, err = self.as_other(uid, "s3", "getsecret")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(f"awsAccessKey={uid}@{self.ozone.realm}\n", out)
        code, out, err = self.as_other(uid, "s3", "revokesecret", "-y")
        self.assertEqual((code, out, err), (0, "S3 secret revoked.\n", ""))
        self.assertEqual(self.both.ours.run(f"volume delete {volume}").code, 0)


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

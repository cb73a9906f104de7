"""Secrets of users whom the operating system tells apart: everyone has his own, and an administrator acts for others."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.running import ROOT
from tests.service.commanding import SECURE, SecretCase

OPEN = (*SECURE, "-D", "ozgate.admin.socket.mode=666")
ALICE, BOB = 4_000_001, 4_000_002
"""Users that this machine does not know: their names are their numbers."""


class OtherUserTests(SecretCase):
    """Users told apart by the operating system."""

    def setUp(self) -> None:
        """Start a service that lets all users in."""
        super().setUp()
        self.other_users()
        self.process = self.started(*OPEN)

    def test_own(self) -> None:
        """Everyone gets a secret of his own, and what it opens is his own."""
        path = os.path.join(self.data, "admin.sock")
        modes = [os.stat(each).st_mode & 0o777 for each in (self.data, path)]
        self.assertEqual(modes, [0o711, 0o666])
        one, two = self.pair(uid=ALICE), self.pair(uid=BOB)
        self.assertEqual((one[0], two[0]), (str(ALICE), str(BOB)))
        self.client(self.process, one).create_bucket(Bucket="alices")
        self.denied(
            "AccessDenied",
            self.client(self.process, two).put_object,
            Bucket="alices",
            Key="k",
        )
        self.client(self.process, two).create_bucket(Bucket="bobs")

    def test_not_anothers(self) -> None:
        """Nobody makes, sets or revokes another's secret, or sees whose there are."""
        pair = self.pair(uid=ALICE)
        mismatch = (
            f"USER_MISMATCH Requested accessId '{ALICE}' doesn't match current user '{BOB}', "
            "nor does current user has administrator privilege."
        )
        for arguments in (
            ("getsecret", "-u", str(ALICE)),
            ("getsecret", "-u", str(ALICE), "--key", "x"),
            ("setsecret", "-u", str(ALICE), "-s", "12345678"),
            ("revokesecret", "-u", str(ALICE), "-y"),
            ("revokesecret", "-u", str(ALICE), "--key", "x", "-y"),
        ):
            self.refused_with(mismatch, *arguments, uid=BOB)
        self.refused_with(
            f"PERMISSION_DENIED {BOB} is no administrator of S3",
            *("listsecrets",),
            uid=BOB,
        )
        self.client(self.process, pair).list_buckets()

    def test_administrator(self) -> None:
        """Root acts for others."""
        pair = self.pair("-u", str(ALICE))
        self.client(self.process, pair).create_bucket(Bucket="alices")
        self.has_one(str(ALICE), "getsecret", uid=ALICE)
        self.ozgate("s3", "revokesecret", "-y", "-u", str(ALICE))
        self.denied("InvalidAccessKeyId", self.client(self.process, pair).list_buckets)

    def test_configured_administrator(self) -> None:
        """Administrators of S3 that are configured act for others, others no more."""
        self.process.stop()
        self.process = self.started(*OPEN, "-D", f"ozone.s3.administrators={ALICE}")
        self.pair("-u", str(BOB), uid=ALICE)
        self.assertEqual(self.ozgate("s3", "listsecrets", uid=ALICE)[0], 0)
        self.assertEqual(self.ozgate("s3", "listsecrets", uid=BOB)[0], 255)

    def test_namesake_of_the_static_pair(self) -> None:
        """Who bears the name of the configured access key gets no key that speaks for it, and nothing that it owns."""
        self.process.stop()
        pair = {"AWS_ACCESS_KEY_ID": str(ALICE), "AWS_SECRET_ACCESS_KEY": "configured"}
        self.process = self.started(*OPEN, environment=pair)
        line = f"INVALID_REQUEST the secret of {ALICE} is set in the configuration"
        self.refused_with(line, "getsecret", "--key", "x", uid=ALICE)
        self.assertEqual(self.ozgate("s3", "listsecrets", uid=ALICE)[0], 255)
        self.pair("-u", str(ALICE), "--key", "x")
        operator = (str(ALICE), "configured")
        self.client(self.process, operator).create_bucket(Bucket="operators")
        for arguments in (
            ("bucket", "list", "/s3v"),
            ("bucket", "info", "/s3v/operators"),
            ("bucket", "delete", "/s3v/operators"),
            ("volume", "setquota", "/s3v", "--namespace-quota", "1"),
        ):
            code, out, error = self.ozgate("sh", *arguments, uid=ALICE)
            self.assertEqual((code, out), (255, ""), arguments)
            self.assertTrue(error.startswith("PERMISSION_DENIED "), error)
        self.assertEqual(self.ozgate("sh", "bucket", "list", "/s3v")[0], 0)

    def test_private_by_default(self) -> None:
        """Unless told otherwise, the socket is for the service's user alone, and so is its folder."""
        self.process.stop()
        self.process = self.started(*SECURE)
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o700)
        path = os.path.join(self.data, "admin.sock")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_offline_as_root(self) -> None:
        """Root, while the service is down, leaves no file of its own in the folder of another user."""
        self.process.stop()
        for folder, _, files in os.walk(self.data):
            for name in (".", *files):
                os.chown(os.path.join(folder, name), ALICE, ALICE)
        ended = subprocess.run(
            [
                # What the folders of this Python need: to become another user takes no rights away.
                *("setpriv", "--securebits=+no_setuid_fixup", sys.executable),
                *("-m", "ozgate", "s3", "getsecret", "-u", "zoe", "--data", self.data),
            ],
            env={**os.environ, "OZONE-SITE.XML_ozone.security.enabled": "true"},
            cwd=ROOT,
            capture_output=True,
        )
        self.assertEqual((ended.returncode, ended.stderr), (0, b""))
        for folder, _, files in os.walk(self.data):
            for name in (".", *files):
                owner = os.stat(os.path.join(folder, name)).st_uid
                self.assertEqual(owner, ALICE, name)

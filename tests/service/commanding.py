"""A service with secrets, the command ``ozgate`` beside it, run by one user or another, and boto3."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from twisted.trial.unittest import SkipTest

from ozgate.auth.accounts import local_user
from tests.forking import run
from tests.running import REGION, ROOT
from tests.service.twistd import LOOPBACK, ServiceTestCase, Twistd

SECURE = ("-D", LOOPBACK, "-D", "ozone.security.enabled=true")
AS_OTHER = (
    *("setpriv", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
"""Runs a program as another user, who may read this Python's folders, wherever they are."""


class SecretCase(ServiceTestCase):
    """A service whose folder other users can pass through, and the command."""

    def setUp(self) -> None:
        """Make the folder."""
        super().setUp()
        public = tempfile.mkdtemp(prefix="ozgate-test-")
        os.chmod(public, 0o755)
        self.addCleanup(shutil.rmtree, public)
        self.data = os.path.join(public, "data")
        self.me = local_user(os.geteuid())

    def ozgate(
        self,
        *arguments: str,
        uid: int | None = None,
        said: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of ``ozgate …``.

        :param uid: who runs it, if not this user.
        """
        found = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
        }
        found |= {"OZGATE_DATA": self.data, **(environment or {})}
        env = {name: value for name, value in found.items() if value}
        cwd = "/"  # where no data folder is, whatever the checkout has
        command = ["-m", "ozgate", *arguments]
        if uid is None:
            ended = run(*command, env=env, cwd=cwd, said=said)
        else:
            become = [*AS_OTHER, f"--reuid={uid}", f"--regid={uid}"]
            ended = subprocess.run(
                [*become, sys.executable, *command],
                env=env,
                cwd=cwd,
                input=said,
                capture_output=True,
                text=True,
                timeout=60,
            )
        return ended.returncode, ended.stdout, ended.stderr

    def pair(self, *arguments: str, uid: int | None = None) -> tuple[str, str]:
        """What ``getsecret`` gives."""
        code, out, error = self.ozgate("s3", "getsecret", *arguments, uid=uid)
        self.assertEqual((code, error), (0, ""))
        first, second = out.splitlines()
        access_id = first.removeprefix("awsAccessKey=")
        secret = second.removeprefix("awsSecret=")
        self.assertEqual(out, f"awsAccessKey={access_id}\nawsSecret={secret}\n")
        self.assertRegex(secret, "^[0-9a-f]{64}$")
        return access_id, secret

    def refused_with(self, line: str, *arguments: str, uid: int | None = None) -> None:
        """Assert that a command ends with one line and 255."""
        found = self.ozgate("s3", *arguments, uid=uid)
        self.assertEqual(found, (255, "", line + "\n"))

    def has_one(self, user: str, *arguments: str, uid: int | None = None) -> None:
        """Assert that a command is refused for a user who has the secret: Ozone's line, then what can be done."""
        code, out, error = self.ozgate("s3", *arguments, uid=uid)
        self.assertEqual((code, out), (255, ""))
        line, remedy = error.splitlines()
        self.assertEqual(
            line, f"S3_SECRET_ALREADY_EXISTS Secret for '{user}' already exists"
        )
        for each in ("revokesecret", "setsecret", "--key NAME"):
            self.assertIn(each, remedy)

    def client(self, process: Twistd, pair: tuple[str, str]) -> Any:
        """boto3 with a pair."""
        client = boto3.client(
            "s3",
            endpoint_url=process.urls[0],
            region_name=REGION,
            aws_access_key_id=pair[0],
            aws_secret_access_key=pair[1],
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.addCleanup(client.close)
        return client

    def denied(self, code: str, call: Any, **arguments: Any) -> None:
        """Assert that a call of boto3 is refused with 403."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 403)
        self.assertEqual(answer["Error"]["Code"], code)

    def other_users(self) -> None:
        """Skip the test where commands cannot be run as another user."""
        if os.geteuid() != 0:
            raise SkipTest("only root can run commands as other users")
        if shutil.which("setpriv") is None:
            raise SkipTest("setpriv is not installed")

"""A cluster that believes names, behind an ozgate that verifies signatures by secrets of its own: whose they are is who asks the cluster."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError

from tests.clients.botos import make_client
from tests.clients.support import ClientTestCase
from tests.engines.given import insecure
from tests.forking import run
from tests.ozone.gateways import Gateway, Pair, wait_for

SECRET = "0123456789abcdef" * 4


class Verifying(Gateway):
    """A gateway with secrets of its own, and an administrator's pair."""

    def __init__(self, data: str, ozone: Any) -> None:
        super().__init__(data, ozone, "ozone.security.enabled=true")
        self.access_key, self.secret_key = "identity-root", SECRET

    def own_environment(self) -> dict[str, str]:
        """See :class:`Gateway`: the pair is in it."""
        return self.environment()


class OwnSecretsTests(ClientTestCase):
    """Users of ozgate's."""

    def setUp(self) -> None:
        """A gateway, whose administrator has a bucket."""
        self.ozone = insecure()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.server = Verifying(str(self.folder / "data"), self.ozone)
        self.addCleanup(self._stop)
        self.server.start()
        self.bucket = f"identity-{uuid4().hex[:12]}"
        self.s3 = self.of(Pair("", "identity-root", SECRET))
        wait_for(self.s3)
        self.s3.create_bucket(Bucket=self.bucket)

    def of(self, who: Pair) -> Any:
        """A client of somebody's."""
        return who.client(self.server.url)

    def user(self, name: str) -> Pair:
        """A user whom the administrator gave a key."""
        environment = {**self.server.environment(), "OZGATE_DATA": self.server.data}
        words = ("s3", "getsecret", "-e", "-u", name)
        ended = run("-m", "ozgate", *words, env=environment, cwd="/")
        ended.check_returncode()
        found = dict(re.findall(r"export (\w+)='?([^'\n]*)'?", ended.stdout))
        return Pair(name, found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])

    def owner_of(self, key: str) -> str:
        """Whose a key is in the cluster."""
        said = self.ozone.text("sh", "key", "info", f"/s3v/{self.bucket}/{key}")
        return str(json.loads(said)["owner"])

    def test_users(self) -> None:
        """The user whose signature was right owns what he puts; also a session of his, and a presigned URL of either version. A wrong one is refused here."""
        alice = self.user("identity-alice")
        theirs = self.of(alice)
        theirs.put_object(Bucket=self.bucket, Key="a", Body=b"x")
        self.assertEqual(self.owner_of("a"), "identity-alice")
        asks = {"Bucket": self.bucket, "Key": "a"}
        for who, code in (
            (Pair("", alice.access_id, "0" * 64), "SignatureDoesNotMatch"),
            (Pair("", "identity-nobody", alice.secret), "InvalidAccessKeyId"),
        ):
            self.assertEqual(self.code(self.of(who).get_object, asks), code)
        sts = boto3.client(
            "sts",
            endpoint_url=self.server.url,
            region_name="us-east-1",
            aws_access_key_id=alice.access_id,
            aws_secret_access_key=alice.secret,
        )
        made = sts.get_session_token()["Credentials"]
        session = boto3.client(
            "s3",
            endpoint_url=self.server.url,
            region_name="us-east-1",
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
        )
        session.put_object(Bucket=self.bucket, Key="session", Body=b"x")
        self.assertEqual(self.owner_of("session"), "identity-alice")
        for version in ("s3", "s3v4"):
            client = make_client(
                self.server.url,
                access_id=alice.access_id,
                secret=alice.secret,
                signature_version=version,
            )
            url = client.generate_presigned_url("get_object", asks)
            self.assertEqual(self.use(url)[2], b"x")

    def code(self, ask: Any, asks: dict[str, str]) -> str:
        """The code of the error that an answer has to be."""
        with self.assertRaises(ClientError) as caught:
            ask(**asks)
        return str(caught.exception.response["Error"]["Code"])

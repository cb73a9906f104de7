"""Who asks, where some buckets are kept here and some in a secure cluster: the OM verifies for both."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from uuid import uuid4

from tests.engines.given import secure
from tests.forking import run
from tests.ozone.gateways import GatewayCase, Pair
from tests.ozone.secured import administer, client_of

VOLUME = f"identity-{uuid4().hex[:8]}"


class MixedTests(GatewayCase):
    """A bucket here, made over S3, and one in the cluster, to which a link of ours leads."""

    more = (f"ozgate.foreign.volumes={VOLUME}",)

    def setUp(self) -> None:
        """Both buckets are somebody's."""
        self.ozone = secure()
        self._administer(lambda store: store.createVolume(VOLUME))
        self.addCleanup(self._administer, lambda store: store.deleteVolume(VOLUME))
        super().setUp()
        self.acl(True, self.me.user, f"/{VOLUME}")
        self._administer(lambda store: store.getVolume(VOLUME).createBucket("there"))
        self.addCleanup(self._empty)
        self.acl(True, self.me.user, f"/{VOLUME}/there")
        self.link = f"link-{uuid4().hex[:8]}"
        self.ozgate("bucket", "link", f"/{VOLUME}/there", f"/s3v/{self.link}")
        self.addCleanup(self.ozgate, "bucket", "delete", f"/s3v/{self.link}")
        self.ozgate("bucket", "update", "-u", self.me.user, f"/s3v/{self.link}")

    def _administer(self, ask: Any) -> Any:
        return administer(client_of(self.ozone), self.ozone, ask)

    def _empty(self) -> None:
        def ask(store: Any) -> None:
            bucket = store.getVolume(VOLUME).getBucket("there")
            for key in bucket.listKeys(""):
                bucket.deleteKey(key.getName())
            store.getVolume(VOLUME).deleteBucket("there")

        self._administer(ask)

    def ozgate(self, *words: str) -> str:
        """``ozgate sh …``, as the user that runs the service."""
        environment = {**self.environment(), "OZGATE_DATA": self.server.data}
        ended = run("-m", "ozgate", "sh", *words, env=environment, cwd="/")
        self.assertEqual(ended.returncode, 0, (words, ended.stdout, ended.stderr))
        return str(ended.stdout)

    def test_owners(self) -> None:
        """In both whoever puts an object owns it, by the name that the cluster has for him."""
        self.s3.put_object(Bucket=self.bucket, Key="a", Body=b"here")
        self.s3.put_object(Bucket=self.link, Key="a", Body=b"there")
        for bucket, body in ((self.bucket, b"here"), (self.link, b"there")):
            got = self.s3.get_object(Bucket=bucket, Key="a")["Body"].read()
            self.assertEqual(got, body)
        here = json.loads(self.ozgate("bucket", "info", f"/s3v/{self.bucket}"))
        self.assertEqual(here["owner"], self.me.user)
        said = self.ozone.text("sh", "key", "info", f"/{VOLUME}/there/a")
        self.assertEqual(json.loads(said)["owner"], self.me.user)

    def test_refused(self) -> None:
        """In both a wrong secret and an unknown key are wrong, whoever has no right is denied, and a revoked secret is none."""
        other = self.somebody()
        for bucket in (self.bucket, self.link):
            self.s3.put_object(Bucket=bucket, Key="a", Body=b"x")
            asks = {"Bucket": bucket, "Key": "a"}
            for who, code in (
                (Pair("", self.me.access_id, "0" * 64), "SignatureDoesNotMatch"),
                (Pair("", "nobody", "0" * 64), "SignatureDoesNotMatch"),
                (other, "AccessDenied"),
            ):
                client = who.client(self.server.url)
                self.assertEqual(self.code_of(client.get_object, **asks), code)
        self.revoke(other.access_id)
        theirs = other.client(self.server.url)
        for bucket in (self.bucket, self.link):
            code = self.code_of(theirs.list_objects_v2, Bucket=bucket)
            self.assertEqual(code, "SignatureDoesNotMatch")

    def test_everybody(self) -> None:
        """What a bucket here lets everybody do, whoever did not sign may do there, and nothing in the cluster."""
        for bucket in (self.bucket, self.link):
            self.s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        self.s3.delete_public_access_block(Bucket=self.bucket)
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        url = f"{self.server.url}/{self.bucket}/a"
        with urllib.request.urlopen(url, timeout=60) as answer:
            self.assertEqual(answer.read(), b"x")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{self.server.url}/{self.link}/a", timeout=60)
        caught.exception.close()
        self.assertEqual(caught.exception.code, 403)

    def test_no_secrets_of_ours(self) -> None:
        """There is no other way in: no users and keys of ours."""
        environment = {**self.environment(), "OZGATE_DATA": self.server.data}
        words = ("admin", "user", "list")
        ended = run("-m", "ozgate", *words, env=environment, cwd="/")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("a secure cluster verifies who asks here", ended.stderr)

"""A real ``twistd ozgate`` before a real cluster, with Kerberos or without, and real clients of it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import frozen
from botocore.exceptions import ClientError

from tests.clients.botos import make_client
from tests.clients.support import ClientTestCase
from tests.engines.given import Ozone, either
from tests.ozone.secured import administer, client_of, set_acl
from tests.running import Server

SECRET = "0123456789abcdef" * 4


class Gateway(Server):
    """A gateway of a cluster. Where that is secure it has no pair of its own, and all secrets are the OM's.

    :param ozone: the cluster.
    """

    def __init__(self, data: str, ozone: Ozone, *settings: str) -> None:
        self.ozone = ozone
        more = settings
        if not ozone.is_secure:
            more = ("ozone.security.enabled=false", *settings)
        super().__init__(data, *ozone.settings(*more))

    def own_environment(self) -> dict[str, str]:
        """See :class:`Server`."""
        found = self.environment()
        del found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]
        if self.ozone.is_secure:
            found["KRB5_CONFIG"] = self.ozone.krb5
        return found


@cache
def gateway_of(ozone: Ozone, *settings: str) -> Gateway:
    """One gateway for all tests of this process; it ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="ozgate-test-")
    made = Gateway(os.path.join(folder.name, "data"), ozone, *settings)
    made.start()
    atexit.register(folder.cleanup)
    atexit.register(made.stop)
    return made


def wait_for(client: Any) -> None:
    """Wait until a gateway has a client of the cluster, which may take long on a busy machine."""
    deadline = time.monotonic() + 120
    while True:
        try:
            client.list_buckets()
        except ClientError as error:
            is_ready = error.response["Error"]["Code"] != "ServiceUnavailable"
            if is_ready or time.monotonic() > deadline:
                return
            time.sleep(0.2)
        else:
            return


@frozen
class Pair:
    """Somebody's access key, and how the cluster calls him."""

    user: str
    access_id: str
    secret: str

    def client(self, url: str, **options: Any) -> Any:
        """A boto3 client of his."""
        return make_client(url, access_id=self.access_id, secret=self.secret, **options)


class GatewayCase(ClientTestCase):
    """Clients in a folder, of a gateway that others use too.

    :ivar me: whose the environment of clients is; ``bucket`` is his.
    :cvar more: settings of the gateway, besides.
    """

    more: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Somebody with a bucket."""
        self.ozone = either()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = gateway_of(self.ozone, *self.more)
        self.me = self.somebody()
        self.bucket = f"identity-{uuid4().hex[:12]}"
        self.s3 = self.me.client(self.server.url)
        wait_for(self.s3)
        self.s3.create_bucket(Bucket=self.bucket)
        self.addCleanup(self._remove)

    def _remove(self) -> None:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        for page in pages:
            for each in page.get("Contents", ()):
                self.s3.delete_object(Bucket=self.bucket, Key=each["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)

    def somebody(self, is_reader: bool = True) -> Pair:
        """Somebody new, who has a secret of the OM where that is secure.

        :param is_reader: whether he may use the volume of S3 there.
        """
        user = f"identity-{uuid4().hex[:12]}"
        if not self.ozone.is_secure:
            return Pair(user, user, SECRET)
        access_id = f"{user}@{self.ozone.realm}"
        client = client_of(self.ozone)
        found = administer(client, self.ozone, lambda s: s.getS3Secret(access_id))
        self.addCleanup(self.revoke, access_id)
        if is_reader:
            self.acl(True, user, "/s3v")
            self.addCleanup(self.acl, False, user, "/s3v")
        return Pair(user, access_id, str(found.getAwsSecret()))

    def revoke(self, access_id: str) -> None:
        """Take a secret away, where it is there."""

        def ask(store: Any) -> None:
            try:
                store.revokeS3Secret(access_id)
            except Exception as error:
                if "NOT_FOUND" not in str(error):
                    raise

        administer(client_of(self.ozone), self.ozone, ask)

    def acl(self, is_granted: bool, user: str, path: str) -> None:
        """Let a user do everything with a volume or bucket, or no longer."""
        client = client_of(self.ozone)
        verb = "addAcl" if is_granted else "removeAcl"
        administer(
            client, self.ozone, lambda s: set_acl(client, s, verb, user, path, "a")
        )

    def environment(self) -> dict[str, str]:
        """See :class:`ClientTestCase`."""
        return {
            **super().environment(),
            "AWS_ACCESS_KEY_ID": self.me.access_id,
            "AWS_SECRET_ACCESS_KEY": self.me.secret,
        }

    def code_of(self, ask: Any, *arguments: Any, **parameters: Any) -> str:
        """The code of the error that an answer has to be."""
        with self.assertRaises(ClientError) as caught:
            ask(*arguments, **parameters)
        return str(caught.exception.response["Error"]["Code"])

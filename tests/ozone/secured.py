"""A secure cluster for tests: people with secrets of its OM, and what they sign."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ozgate.auth.canonical import signature, signing_key
from ozgate.config.loading import load, override
from ozgate.config.settings import Settings, by_key
from ozgate.foreign.ozone.client import Client
from ozgate.foreign.ozone.jars import find_conf, find_jars
from ozgate.foreign.ozone.jvm import start_jvm
from ozgate.foreign.ozone.security import read_security
from ozgate.foreign.ozone.system import (
    Connection,
    OzoneSystem,
    SecureOzone,
    make_system,
)
from ozgate.values import ITSELF, Presented
from tests.engines.given import Ozone, secure

DATE, REGION = "20261130", "us-east-1"
SCOPE = f"{DATE}/{REGION}/s3/aws4_request"
STAMP = f"{DATE}T000000Z"
EMPTY = hashlib.sha256().hexdigest()
TEXT = f"AWS4-HMAC-SHA256\n{STAMP}\n{SCOPE}\n{EMPTY}"


def settings_of(ozone: Ozone, *more: str) -> Settings:
    """The settings of a gateway of the cluster.

    :param more: further ``key=value``.
    """
    return load(None, {}, map(override, ozone.settings(*more))).settings


@cache
def connection_of(ozone: Ozone) -> Connection:
    """The connection of a gateway in this process; the same for all tests."""
    return system_of(ozone).connection


@cache
def system_of(ozone: Ozone) -> OzoneSystem:
    """The cluster as a gateway in this process has it, logged in where it is secure; the same for all tests."""
    if ozone.is_secure:
        os.environ["KRB5_CONFIG"] = ozone.krb5
    return make_system(reactor, by_key(settings_of(ozone)))


async def settled(connection: Connection) -> None:
    """Wait until the connection has no timer running, as it has for a moment after its calls."""
    while connection.calls._look is not None:
        await deferLater(reactor, 0.05)


def administer(client: Client, ozone: Ozone, ask: Callable[[Any], Any]) -> Any:
    """Call something with Ozone's ``ObjectStore`` as the cluster's administrator, for what no gateway may. It waits."""
    import jpype

    groups = client.java("org.apache.hadoop.security.UserGroupInformation")
    factory = client.java("org.apache.hadoop.ozone.client.OzoneClientFactory")
    root = groups.loginUserFromKeytabAndReturnUGI(f"root@{ozone.realm}", ozone.keytab)

    def run() -> Any:
        opened = factory.getRpcClient(client.configuration)
        try:
            return ask(opened.getObjectStore())
        finally:
            opened.close()

    action = "java.security.PrivilegedExceptionAction"
    return root.doAs(jpype.JProxy(action, dict={"run": run}))


def set_acl(
    client: Client, store: Any, verb: str, user: str, path: str, rights: str
) -> None:
    """Change the access control list of ``/VOLUME`` or ``/VOLUME/BUCKET``.

    :param verb: ``addAcl`` or ``removeAcl``.
    :param rights: their letters.
    """
    java = client.java
    kind = java("org.apache.hadoop.ozone.security.acl.OzoneObj$ResourceType")
    where = java("org.apache.hadoop.ozone.security.acl.OzoneObj$StoreType")
    info = java("org.apache.hadoop.ozone.security.acl.OzoneObjInfo$Builder")
    acl = java("org.apache.hadoop.ozone.OzoneAcl")
    volume, _, bucket = path.strip("/").partition("/")
    made = info.newBuilder().setStoreType(where.OZONE).setVolumeName(volume)
    made = made.setResType(kind.BUCKET if bucket else kind.VOLUME)
    if bucket:
        made = made.setBucketName(bucket)
    getattr(store, verb)(made.build(), acl.parseAcl(f"user:{user}:{rights}"))


@cache
def client_of(ozone: Ozone) -> Client:
    """A client of the gateway's that is waited for."""
    os.environ["KRB5_CONFIG"] = ozone.krb5
    settings = by_key(settings_of(ozone))
    start_jvm(find_jars(settings), settings["ozgate.ozone.heap"])
    return Client(find_conf(settings), read_security(settings))


class Person:
    """Somebody with a secret of the OM.

    :ivar user: as the OM calls him.
    """

    def __init__(self, user: str, realm: str, secret: str) -> None:
        self.user = user
        self.access_id = f"{user}@{realm}"
        self.secret = secret

    def sign(
        self, text: str = TEXT, date: str = DATE, region: str = REGION
    ) -> Presented:
        """What he signs."""
        made = signature(signing_key(self.secret, date, region), text)
        return Presented(self.access_id, text, made, date, region)


class SecureCase(TestCase):
    """Tests over a secure cluster. People that are made are unmade."""

    ozone: Ozone

    async def setUp(self) -> None:  # type: ignore[override]
        """A client that is logged in."""
        self.ozone = secure()
        system = system_of(self.ozone)
        assert isinstance(system, SecureOzone)
        self.system = system
        await self.system.start()
        self.addCleanup(settled, system.connection)

    def root(self, ask: Callable[[Any], Any]) -> Deferred[Any]:
        """Call something with Ozone's ``ObjectStore``, as the administrator."""
        connection = self.system.connection
        return connection.run(administer, self.ozone, ask, behalf=ITSELF)

    async def person(self, is_reader: bool = True) -> Person:
        """Somebody new.

        :param is_reader: whether he may use the volume of S3.
        """
        user = f"identity-{uuid4().hex[:12]}"
        access_id = f"{user}@{self.ozone.realm}"
        value = await self.root(lambda store: store.getS3Secret(access_id))
        made = Person(user, self.ozone.realm, str(value.getAwsSecret()))
        self.addCleanup(self.revoke, made)
        if is_reader:
            await self.grant(user, "/s3v", "a")
            self.addCleanup(self.ungrant, user, "/s3v", "a")
        return made

    def revoke(self, person: Person) -> Deferred[Any]:
        """Take somebody's secret away, where he has one."""

        def ask(store: Any) -> None:
            try:
                store.revokeS3Secret(person.access_id)
            except Exception as error:
                if "NOT_FOUND" not in str(error):
                    raise

        return self.root(ask)

    def replace(self, person: Person, secret: str) -> Deferred[Any]:
        """Give somebody another secret."""
        return self.root(
            lambda store: store.getClientProxy().setS3Secret(person.access_id, secret)
        )

    def grant(self, user: str, path: str, rights: str) -> Deferred[Any]:
        """Let somebody do something: ``/VOLUME`` or ``/VOLUME/BUCKET``."""
        client = self.system.connection.client
        return self.root(
            lambda store: set_acl(client, store, "addAcl", user, path, rights)
        )

    def ungrant(self, user: str, path: str, rights: str) -> Deferred[Any]:
        """The opposite of :meth:`grant`."""
        client = self.system.connection.client
        return self.root(
            lambda store: set_acl(client, store, "removeAcl", user, path, rights)
        )

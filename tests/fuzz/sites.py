"""Sites in memory to fuzz: S3's and the administrators', with a bucket, an object and an upload in it, new for each input."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, fields, has
from awscrt.checksums import crc64nvme
from twisted.internet.defer import maybeDeferred
from twisted.internet.testing import MemoryReactorClock

from ozgate.admin.app import make_admin_site
from ozgate.admin.context import AdminContext
from ozgate.admin.pages.health import Health
from ozgate.admin.pages.servicepages import make_operations, make_reload
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.config.settings import Settings
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.gateway.onreload import ReloadingParts
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.app import make_site
from ozgate.s3.checksums import encode
from ozgate.s3.perform.buckets import add_bucket
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.memory_state import State
from ozgate.values import Acl, Checksum, Claim, Content, ObjectPart, ObjectVersion
from ozgate.wire.accesslog import AccessLog, AuditLog
from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.request import GatewayRequest
from tests.fuzz.judging import Answer, Lines, nothing_unforeseen, read_answers
from tests.fuzz.talking import hear

NOW = 1_795_000_000
DATE = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(NOW))
USER = "testuser"
GUEST = "alice"
SECRETS = {user: f"secret of {user}" for user in (USER, GUEST)}
BODY = b"0123456789"


class World:
    """A gateway whose stores are thrown away after each input, and its two sites.

    :param secure: whether signatures are verified.
    """

    def __init__(self, secure: bool) -> None:
        self.clock = MemoryReactorClock()
        self.clock.advance(NOW)
        settings = Settings(
            security_enabled=secure,
            secret_http_enabled=True,
            domain_names=("s3.example.com",),
            access_log="-",
            audit_log="-",
            disk_reserve=0,
        )
        self.gateway = Gateway(
            settings,
            MemoryMetadataStore(self.clock),
            BlobStores(MemoryBlobStore(self.clock)),
            Readers(),
            self.clock,
            maybeDeferred,
            process="test",
        )
        self.gateway.metadata.open()
        self.renew()
        access_log, audit_log = AccessLog(settings), AuditLog(settings)
        access_log.file = audit_log.file = Lines()  # type: ignore[assignment]
        sealed = MetadataSecretStore(self.gateway.metadata, MasterKey(b"k" * 32))
        secrets = StaticSecrets(SECRETS, sealed)
        self.s3 = make_site(
            self.clock, self.gateway, secrets if secure else None, access_log, audit_log
        )
        context = AdminContext(self.gateway, sealed, NOW, audit_log=audit_log)
        reloading = settings, lambda: settings, ReloadingParts()
        reload = make_reload(context, [self.s3], *reloading)
        health = Health(self.gateway)
        operations = make_operations(context, health, reload, lambda: 0)
        self.admin = make_admin_site(self.clock, context, operations.routes)
        self._made: list[GatewayRequest] = []
        for site in (self.s3, self.admin):
            site.requestFactory = self._make  # type: ignore[assignment]

    def _make(self, channel: Any) -> GatewayRequest:
        request = GatewayRequest(channel)
        self._made.append(request)
        return request

    def renew(self) -> None:
        """Forget everything that was stored since the beginning, which must have been fit for a disk."""
        metadata: Any = self.gateway.metadata
        _check_storable(metadata._state)
        metadata._state = State()
        metadata.write(_fill, self.gateway.settings.volume_name)
        blobs = MemoryBlobStore(self.clock, inline_below=len(BODY))
        self.gateway.blobs = BlobStores(blobs)
        blobs.open_store()

    def ask(
        self, site: GatewaySite, pieces: Sequence[bytes], going: bool = False
    ) -> list[Answer]:
        """Say bytes to a site on a connection of their own, and read what it answers.

        :param going: whether the client cuts the connection then, instead of waiting for its end.
        :raises AssertionError: what it says is malformed, or it hangs, or something is left behind.
        :raises Exception: what it logged that nobody had foreseen.
        """
        self._made.clear()
        with nothing_unforeseen():
            said = hear(site, self.clock, pieces, going)
        gateway: Any = self.gateway
        assert not gateway.blobs.default.sinks, "a blob is still being written"
        assert gateway.readers.oldest() is None, "a reader is still reading"
        return read_answers(said, [request.method for request in self._made])


def _check_storable(value: object) -> None:
    """What a store in memory was given, one on a disk takes too: Unicode, and numbers of 64 bits, as CRC64NVME is one."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, int):
        assert -(1 << 63) <= value < 1 << 64, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            _check_storable(name)
            _check_storable(member)
    elif isinstance(value, tuple | list | frozenset):
        for member in value:
            _check_storable(member)
    elif has(type(value)):
        for each in fields(type(value)):
            _check_storable(getattr(value, each.name))


def _fill(tx: IMetadataTransaction, volume: str) -> None:
    """A bucket that a guest may read, with an object and one of two parts, and a link to it."""
    tx.claim(Claim.volume(volume), *(Claim.name(volume, n) for n in ("bucket", "link")))
    bucket = add_bucket(tx, volume, "bucket", USER, "")
    guest = frozenset({"READ", "LIST"})
    tx.replace_bucket(evolve(bucket, acls=(*bucket.acls, Acl("user", GUEST, guest))))
    link = add_bucket(tx, volume, "link", USER, "")
    tx.replace_bucket(evolve(link, source=(volume, "bucket")))
    value = encode(crc64nvme(BODY).to_bytes(8, "big"))
    members = {
        "modified": tx.now(),
        "size": len(BODY),
        "etag": "781e5e245d69b566979b86e28d23f2c7",
        "owner": USER,
        "checksum": Checksum("CRC64NVME", "FULL_OBJECT", value),
    }
    version = ObjectVersion(key="key", sequence=tx.next_sequence(), **members)
    tx.add_version(bucket, version, Content(BODY))
    version = ObjectVersion(
        key="parts", sequence=tx.next_sequence(), parts_count=2, **members
    )
    parts = [ObjectPart(number, 5, None) for number in (1, 2)]
    tx.add_version(bucket, version, Content(BODY), parts)

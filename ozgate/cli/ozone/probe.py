"""A key that is written to a cluster, read and removed, by the provider that serves."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Any

from twisted.internet.interfaces import IConsumer
from zope.interface import implementer

from ...auth.canonical import signature, signing_key, string_to_sign
from ...errors.stores import Refused, Unavailable
from ...foreign.ozone.system import OzoneSystem, SecureOzone, make_system
from ...immutable import frozen
from ...interfaces import IForeignBucket
from ...values import ITSELF, ByteRange, OnBehalf, Presented
from .versions import Versions, versions

_SIZE = 100_000
_REGION = "us-east-1"


@frozen
class Place:
    """Where the key goes.

    :ivar bucket: ``""`` for one that is made, and removed.
    """

    volume: str
    bucket: str


@frozen
class Caller:
    """Whose it is.

    :ivar user: where names are believed.
    :ivar access_id: with the secret, where the cluster verifies signatures; ``""``: the gateway's own.
    """

    user: str
    access_id: str
    secret: str

    async def ask_for(self, system: OzoneSystem) -> OnBehalf:
        """For whom a cluster is asked.

        :raises Refused: it does not know the pair.
        """
        if not isinstance(system, SecureOzone):
            return OnBehalf(self.user)
        if not self.access_id or not self.secret:
            return ITSELF
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{now[:8]}/{_REGION}/s3/aws4_request"
        text = string_to_sign(now, scope, "a probe")
        signed = signature(signing_key(self.secret, now[:8], _REGION), text)
        presented = Presented(self.access_id, text, signed, now[:8], _REGION)
        signatory = await system.verify(presented)
        if signatory is None:
            raise Refused("INVALID_TOKEN", f"the signature of {self.access_id}")
        return OnBehalf(signatory.user, presented)


@implementer(IConsumer)
class Kept:
    """A consumer that keeps all it is given, of which there is not much.

    :ivar pieces: of it.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Take what comes as it comes."""

    def unregisterProducer(self) -> None:
        """That was all."""

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.pieces.append(data)


async def probe(
    reactor: Any,
    settings: Mapping[str, Any],
    place: Place,
    caller: Caller,
    tell: Callable[[str], None],
) -> None:
    """Ask a cluster all that a gateway does, from the client's start on.

    :param settings: every declared knob, by key.
    :param tell: called with each thing that was found well.
    :raises StoreError: something is not.
    """
    system = make_system(reactor, settings)
    try:
        await system.start()
        found: Versions = await system.connection.run(versions, behalf=ITSELF)
        tell(f"Java {found.java}, Ozone's client {found.client}")
        tell(_of_cluster(found))
        await _in_bucket(system, place, await caller.ask_for(system), tell)
    finally:
        await system.stop()


def _of_cluster(found: Versions) -> str:
    where = f"the OM at {', '.join(found.managers)}"
    if not found.cluster:
        return f"{where}; which version it is, its web server does not tell"
    if found.cluster == found.client:
        return f"{where}, version {found.cluster}"
    return f"{where}, version {found.cluster}: better have the client of that version, by 'ozgate ozone fetch-client {found.cluster}'"


async def _in_bucket(
    system: OzoneSystem,
    place: Place,
    behalf: OnBehalf,
    tell: Callable[[str], None],
) -> None:
    bucket = place.bucket or f"ozgate-probe-{secrets.token_hex(4)}"
    where = f"/{place.volume}/{bucket}"
    name = behalf.user or "the gateway itself"
    if not place.bucket:
        await system.create_bucket(place.volume, bucket, behalf)
        tell(f"{where} made, for {name}")
    try:
        await _key(system.bucket(place.volume, bucket, behalf))
    finally:
        if not place.bucket:
            await system.delete_bucket(place.volume, bucket, behalf)
    tell(f"a key of {_SIZE} bytes written, read and removed in {where}, for {name}")


async def _key(bucket: IForeignBucket) -> None:
    """Write, read and remove one.

    :raises StoreError: that fails, or what is read is not what was written.
    """
    key, body = f"ozgate-probe-{secrets.token_hex(8)}", os.urandom(_SIZE)
    sink = await bucket.create(key, len(body), {}, {})
    try:
        sink.write(body)
        await sink.commit(md5(body, usedforsecurity=False).hexdigest(), {})
    except BaseException:
        await sink.abort()
        raise
    try:
        reading = await bucket.open(key)
        source = reading.source(ByteRange(0, len(body)))
        kept = Kept()
        try:
            await source.send_to(kept)
        finally:
            source.close()
            reading.close()
        if b"".join(kept.pieces) != body:
            raise Unavailable("the cluster gives other bytes than were written")
    finally:
        await bucket.delete(key)

"""What tests change and read past S3, in the stores, as an operator would with other tools."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any

from attrs import evolve, frozen

from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.inmemory import settle, talk
from ozgate.values import Acl, Bucket, Claim, Volume
from tests.operations.support import Response, _joined, _Said, change_bucket
from tests.operations.uploads import ObjectTestCase

VOLUME = "s3v"


@frozen
class Use:
    """What a bucket and its volume use by the store's counters."""

    bytes: int
    names: int
    volume_bytes: int
    volume_names: int


class PastTestCase(ObjectTestCase):
    """Reaches into the stores, and says to the gateway what no HTTP client would."""

    async def change(self, bucket: str, volume: str = VOLUME, **members: Any) -> None:
        """Change members of a bucket or link."""
        store = self.client.gateway.metadata
        await store.write(change_bucket, volume, bucket, members)

    async def change_volume(self, volume: str = VOLUME, **members: Any) -> None:
        """Change members of a volume."""
        await self.client.gateway.metadata.write(_change_volume, volume, members)

    async def add_volume(self, name: str, owner: str = "testuser", *acls: str) -> None:
        """Make a volume that S3 does not show."""
        entries = tuple(map(Acl.parse, acls))
        made = Volume(name, owner, 0, acls=entries)
        await self.client.gateway.metadata.write(_add_volume, made)

    async def add_bucket(
        self, name: str, volume: str = VOLUME, owner: str = "testuser", *acls: str
    ) -> None:
        """Make a bucket."""
        entries = tuple(map(Acl.parse, acls))
        made = Bucket(volume, name, owner, 0, acls=entries)
        await self.client.gateway.metadata.write(_add_bucket, made)

    async def link(
        self,
        name: str,
        source: str,
        *acls: str,
        owner: str = "testuser",
        volume: str = VOLUME,
    ) -> None:
        """Make a link.

        :param source: ``volume/bucket``, or a bucket of the volume that S3 shows.
        """
        head, _, tail = source.rpartition("/")
        entries = tuple(map(Acl.parse, acls))
        points_at = (head or VOLUME, tail)
        made = Bucket(volume, name, owner, 0, source=points_at, acls=entries)
        await self.client.gateway.metadata.write(_add_bucket, made)

    async def used(self, bucket: str = "bucket", volume: str = VOLUME) -> Use:
        """What is used by the counters; a recount must say the same."""
        store = self.client.gateway.metadata
        found, above, recounted = await store.read(_usage, volume, bucket)
        counted = (found.used_bytes, found.used_names)
        self.assertEqual(counted, recounted)
        return Use(*counted, above.used_bytes, above.used_names)

    def said(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        signed: bool = True,
        **fields: str,
    ) -> bytes:
        """All that the gateway says to a request with these bytes after its head, at once.

        :param headers: signed ones, besides.
        :param signed: whether it is signed.
        :param fields: unsigned ones, such as ``content_length``, where it is not that of ``body``.
        """
        client = self.client
        sent = {"host": "localhost", **(headers or {})}
        if signed:
            sent = client._sign(method, target, dict(headers or {}))
        unsigned = {name.replace("_", "-"): value for name, value in fields.items()}
        if "transfer-encoding" not in unsigned:
            unsigned.setdefault("content-length", str(len(body)))
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{n}: {v}" for n, v in {**sent, **unsigned}.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        talked = talk(client.site, client.gateway.clock, head + body)
        settle(self.clock)
        said: bytes = self.successResultOf(talked)
        return said

    def asked(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> Response:
        """The answer to what :meth:`said` says."""
        answer = HTTPResponse(
            _Said(self.said(method, target, body, headers, **fields)),  # type: ignore[arg-type]
            method=method,
        )
        answer.begin()
        return Response(answer.status, _joined(answer.getheaders()), answer.read())


def _change_volume(
    tx: IMetadataTransaction, volume: str, members: Mapping[str, Any]
) -> None:
    tx.claim(Claim.volume(volume))
    found = tx.volume(volume)
    assert found is not None
    tx.replace_volume(evolve(found, **members))


def _add_volume(tx: IMetadataTransaction, made: Volume) -> None:
    tx.claim(Claim.volume(made.name))
    tx.add_volume(evolve(made, created=tx.now()))


def _add_bucket(tx: IMetadataTransaction, made: Bucket) -> None:
    # The volume not shared, for it may have a quota.
    tx.claim(Claim.volume(made.volume), Claim.name(made.volume, made.name))
    tx.add_bucket(evolve(made, created=tx.now()))


def _usage(
    tx: IMetadataTransaction, volume: str, bucket: str
) -> tuple[Bucket, Volume, tuple[int, int]]:
    """A bucket and its volume as they are counted, and what a recount of the bucket says."""
    found, above = tx.bucket(volume, bucket), tx.volume(volume)
    assert found is not None and above is not None
    return found, above, tx.recount(found)

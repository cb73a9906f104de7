"""A great many rows of all kinds in the SQLite store of a service that is stopped: ``python -m tests.gateways.million FILE KEYS``.

Of ten keys seven are in a bucket without versions, two in one with them, each with two versions or a marker above one, and one is an upload under way, with a part.
"""

from __future__ import annotations

import sys
from hashlib import md5
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from ozgate.auth.identities.users import create_user
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.versions import new_version_id
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Bucket, Content, ObjectVersion, Part, Upload

AT_ONCE = 10_000
USERS = 1000
OWNER = "testuser/scm@EXAMPLE.COM"
CHECKSUMS = {"CRC64NVME": "AAAAAAAAAAA="}


def body_of(key: str) -> bytes:
    """The bytes of a key."""
    return key.encode() * 3


def _version(tx: Any, bucket: Bucket, key: str, number: int, **members: Any) -> None:
    body = b"" if members.get("is_delete_marker") else body_of(key)
    etag = md5(body, usedforsecurity=False).hexdigest() if body else ""
    more = {"tags": {"number": str(number)}} if number % 5 == 0 and body else {}
    if number % 7 == 0 and body:
        more["metadata"] = {"number": str(number)}
    version = ObjectVersion(
        *(key, tx.next_sequence(), tx.now(), len(body), etag),
        owner=OWNER,
        **more,
        **members,
    )
    tx.add_version(bucket, version, Content(body))


def fill(tx: Any, names: tuple[str, str, str], first: int, count: int) -> None:
    """Add what a run of numbers stands for."""
    plain, versioned, uploads = (tx.bucket("s3v", name) for name in names)
    for bucket in (plain, versioned, uploads):
        claim_whole(tx, bucket)
    for number in range(first, first + count):
        key = f"dir{number // 1000:04d}/ü{number:07d}"
        if number % 10 < 7:
            _version(tx, plain, key, number)
        elif number % 10 < 9:
            _version(tx, versioned, key, number, version_id=new_version_id())
            above = {"is_delete_marker": True} if number % 10 == 8 else {}
            _version(tx, versioned, key, number, version_id=new_version_id(), **above)
        else:
            _upload(tx, uploads, key)


def _upload(tx: Any, bucket: Bucket, key: str) -> None:
    upload = Upload(key, new_version_id(), tx.now(), OWNER)
    tx.add_upload(bucket, upload)
    etag = md5(b"", usedforsecurity=False).hexdigest()
    # Bytes of parts are in blobs, of which there are none here.
    tx.put_part(bucket, upload, Part(1, 0, etag, tx.now(), CHECKSUMS, Content(b"")))


async def run(path: str, keys: int) -> None:
    """Fill the store."""
    store = SQLiteMetadataStore(path, reactor)
    await store.prepare()
    await store.open()
    names = "plain", "versioned", "uploads"
    for first in range(0, keys, AT_ONCE):
        await store.write(fill, names, first, min(AT_ONCE, keys - first))
    for number in range(USERS):
        await store.write(create_user, f"user{number}", {"number": str(number)})
    await store.close()


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(run(sys.argv[1], int(sys.argv[2]))))

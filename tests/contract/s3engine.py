"""A real ozgate that is the S3 engine of another: its buckets, what it keeps of them, and how full it is."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from itertools import count
from typing import Any
from xml.etree import ElementTree

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from ozgate.auth.sigv4 import sign
from ozgate.blobs.s3.making import make_store
from ozgate.blobs.s3.store import S3BlobStore
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, Server, program, shared_server

SETTINGS: dict[str, Any] = {
    "ozgate.blobs.inline-below": 16384,
    "ozgate.blobs.s3.access-key": ACCESS_KEY,
    "ozgate.blobs.s3.region": REGION,
    "ozgate.blobs.s3.ca": "",
    "ozgate.blobs.s3.connections": 16,
    "ozgate.blobs.s3.timeout": 20.0,
    "ozgate.blobs.s3.deadline": 60.0,
    "ozgate.blobs.s3.memory": 48 << 20,
}

_numbers = count(1)


@cache
def engine() -> Server:
    """The engine, one for all tests of this process."""
    return shared_server(purpose="engine")


def make_bucket() -> str:
    """A new bucket's name."""
    return f"blobs-{os.getpid()}-{next(_numbers)}"


def store_over(
    host: str,
    bucket: str,
    name: str = "s3",
    secret: str = SECRET_KEY,
    scheme: str = "http",
    reactor: Any = reactor,
    **settings: Any,
) -> S3BlobStore:
    """A store in a bucket.

    :param host: of the engine, with its port.
    :param settings: further ones, with underscores for dashes and without what all begin with.
    """
    more = {
        f"ozgate.blobs.s3.{key.replace('_', '-')}": value
        for key, value in settings.items()
    }
    return make_store(
        reactor,
        scheme,
        f"//{host}/{bucket}",
        {**SETTINGS, **more},
        deferToThread,
        name,
        sign,
        secret,
    )


def keys_of(listed: bytes) -> list[str]:
    """The keys in a list."""
    return [
        element.text or ""
        for element in ElementTree.fromstring(listed).iter()
        if element.tag.endswith("}Key")
    ]


def set_quota(bucket: str, size: str) -> None:
    """Have the engine take no more than so much into a bucket."""
    command = [program("ozgate"), "sh", "--data", engine().data]
    command += ["bucket", "setquota", f"/s3v/{bucket}", "--space-quota", size]
    subprocess.run(command, check=True, capture_output=True, timeout=60)

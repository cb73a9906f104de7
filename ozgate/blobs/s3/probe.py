"""What an engine honours, found out by trying: checksums, conditions and ranges.

Engines differ, and those that ignore a header answer as if they knew it. So what they say is not asked: a put with a wrong checksum must be
refused, or nothing verifies what arrives there.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping
from contextlib import suppress

from awscrt.checksums import crc64nvme

from ...errors import Absent, NoSpace, StoreError, Unavailable
from ...immutable import frozen
from .answers import Answer, Passing, Taken
from .engine import Engine

CRC64NVME = "x-amz-checksum-crc64nvme"
"""Source: Amazon S3 API Reference, "PutObject"; the value is the checksum, big-endian, in base64."""
MD5 = "content-md5"
NOTHING = ""

IF_NOT_THERE = {"if-none-match": "*"}
"""Puts nothing in the place of what is there. Source: Amazon S3 API Reference, "PutObject"."""

_TRIED = b"ozgate tries what this engine honours"


@frozen
class Honours:
    """What an engine honours.

    :ivar checksum: the header whose checksum it holds what arrives against; ``""`` where it does with none.
    :ivar has_md5_etags: whether the ETag of an object is the MD5 of its bytes.
    :ivar conditions: whether it refuses to put what is there, when it is asked to, and that alone.
    :ivar is_known: whether it could be tried; a full engine takes nothing to try it with.
    """

    checksum: str = CRC64NVME
    has_md5_etags: bool = False
    conditions: bool = False
    is_known: bool = False

    def __str__(self) -> str:
        if not self.is_known:
            return "it is full, so that what it honours is not known"
        named = {
            CRC64NVME: "it verifies CRC64NVME of what is put",
            MD5: "it verifies MD5 of what is put",
            NOTHING: "it verifies no checksum of what is put, which is found when it is read",
        }
        conditions = "knows" if self.conditions else "does not know"
        etags = "are" if self.has_md5_etags else "are not"
        return f"{named[self.checksum]}, {conditions} If-None-Match, ETags {etags} MD5s, ranges are honoured"


def crc64nvme_header(crc: int) -> str:
    """A CRC64NVME as the header has it."""
    return base64.b64encode(struct.pack(">Q", crc)).decode()


def md5_header(digest: bytes) -> str:
    """An MD5 as the header has it."""
    return base64.b64encode(digest).decode()


async def probe(engine: Engine, name: str) -> Honours:
    """Find out what an engine honours.

    :param name: of an object that is not there yet, and will not be there afterwards.
    :raises Unavailable: it cannot be used; the message says why in one line.
    """
    try:
        put = await engine.tried(lambda: _put_once(engine, name, {}))
    except NoSpace:
        return Honours()
    try:
        etag = put.headers.get("etag", "").strip('"')
        checksum = NOTHING
        if not await _takes(engine, name, {CRC64NVME: crc64nvme_header(1)}):
            right = {CRC64NVME: crc64nvme_header(crc64nvme(_TRIED))}
            checksum = CRC64NVME if await _takes(engine, name, right) else NOTHING
        if not checksum and not await _takes(
            engine, name, {MD5: md5_header(bytes(16))}
        ):
            right = {
                MD5: md5_header(hashlib.md5(_TRIED, usedforsecurity=False).digest())
            }
            checksum = MD5 if await _takes(engine, name, right) else NOTHING
        conditions = not await _takes(engine, name, IF_NOT_THERE)
        data, total = await engine.read_range(name, "trying ranges", 7, 12)
        if data != _TRIED[7:12] or total != len(_TRIED):
            raise Unavailable(
                f"the engine at {engine.location.endpoint} honours no ranges as RFC 9110 has them: it cannot be used"
            )
        if conditions:
            await _remove(engine, name)
            conditions = await _takes(engine, name, IF_NOT_THERE)
    finally:
        await _remove(engine, name)
    md5 = hashlib.md5(_TRIED, usedforsecurity=False).hexdigest()
    return Honours(checksum, etag == md5, conditions, True)


async def _remove(engine: Engine, name: str) -> None:
    with suppress(Absent):
        await engine.tried(lambda: engine.ask("DELETE", name, "removing a probe"))


async def _put_once(engine: Engine, name: str, headers: Mapping[str, str]) -> Answer:
    what, body = "trying what the engine honours", ([_TRIED], len(_TRIED))
    return await engine.ask("PUT", name, what, headers=headers, body=body)


async def _takes(engine: Engine, name: str, headers: Mapping[str, str]) -> bool:
    """Whether it takes a put with such headers."""

    async def attempt() -> bool:
        try:
            await _put_once(engine, name, headers)
        except Taken:
            return False
        except Passing as error:
            if error.is_of_bytes:
                return False
            raise
        except StoreError:
            return False
        return True

    return await engine.tried(attempt)

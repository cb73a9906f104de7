"""CopyObject and UploadPartCopy where source or target is another system's: the bytes go through this gateway, as they come.

The other system copies nothing by itself. What is held of a copy are a read and a write; it is as an object that a client had read and put, with the ETag of that,
but for what S3 says a copy has of its source. Conditions on the target are those of a write there; here they are asked in the transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...content.intake import abandon, begin, inline_content, most_inline
from ...errors import Damaged
from ...values import Content, ObjectVersion, Part
from ...wire.streams import Collect, Digesting, Tee
from ..grantees import wanted_of
from ..headers import read_object_headers, read_tags, refuse_unbuilt
from ..lockheaders import read_lock
from ..naming import keep
from ..perform.copying import (
    REDIRECT,
    copied_reply,
    redirected,
    refuse_idle_copy,
    replaces,
)
from ..perform.copysource import read_source
from ..perform.digesting import asked_algorithm
from ..perform.multipart import look_up
from ..perform.partcopying import part_reply
from ..perform.reading import part_number_of
from ..perform.uploads import store_part
from ..perform.writing import Described, check_target, full_checksum, store_received
from ..receive import Received, drop, sums_of
from ..targets import Sums, Target
from ..terms import Digests, Terms
from .copysources import OpenSource, open_source
from .keptnames import kept
from .place import judge
from .uploads import part_target
from .writes import KeyTarget, precondition, refuse_list, refuse_lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IConsumer

    from ..call import Call
    from ..reply import Reply


async def copy_object(call: Call) -> Reply:
    """Store a copy of an object."""
    source = read_source(call)
    refuse_idle_copy(call, source)
    if call.foreign is not None:
        await judge(call)
        refuse_list(call)
        refuse_lock(call)
    with_tags = not replaces(call, "tagging")
    opened = await open_source(call, source, with_tags)
    try:
        made = await (_copy_here if call.foreign is None else _copy_there)(call, opened)
    finally:
        await opened.close()
    return copied_reply(made, opened.version_id)


async def _copy_there(call: Call, opened: OpenSource) -> ObjectVersion:
    """Make a copy a key of the other system."""
    described = _described(call, opened.version)
    system, metadata = described.system, described.metadata
    names = kept(system, metadata, described.storage_class)
    target = KeyTarget(call, names, described.tags, await precondition(call))
    sums = await _copy_into(call, opened, target, _algorithm(call, opened.version))
    return _made(call, sums)


async def _copy_into(
    call: Call, opened: OpenSource, target: Target, algorithm: str
) -> Sums:
    """Have the other system keep the bytes of a source, once all of them have come."""
    if isinstance(opened.content, bytes):
        sums = await _transfer(
            call, opened, Collect(opened.span.length, Damaged), algorithm
        )
        await target.put(opened.content, sums)
        return sums
    sink = await target.begin(opened.span.length)
    try:
        sums = await _transfer(call, opened, sink, algorithm)
    except Exception:
        await drop(call, sink)
        raise
    await target.commit(sink, sums)
    return sums


async def _copy_here(call: Call, opened: OpenSource) -> ObjectVersion:
    """Make a copy an object of ours."""
    described = _described(call, opened.version)
    wanted = await wanted_of(call)
    described = Described(
        described.system,
        described.metadata,
        described.storage_class,
        described.tags,
        wanted,
        read_lock(call.headers),
    )
    lock = described.lock
    await call.read_authorized(check_target, opened.span.length, wanted, lock)
    algorithm = _algorithm(call, opened.version)
    received = await _keep_bytes(call, opened, algorithm, most_inline(call.gateway))
    version, _ = await store_received(call, described, received, "ObjectCreated:Copy")
    return version


def _algorithm(call: Call, source: ObjectVersion) -> str:
    """Of the checksum that the copy has: the one asked for, or its source's."""
    known = source.checksum.algorithm if source.checksum is not None else ""
    return asked_algorithm(call) or known or "CRC64NVME"


def _described(call: Call, source: ObjectVersion) -> Described:
    """What a copy shall be, but for its list and lock, which are never the source's."""
    system, metadata, storage_class = read_object_headers(call)
    redirect = system.pop(REDIRECT, None)
    if not replaces(call, "metadata"):
        system, metadata = dict(source.headers), dict(source.metadata)
    tags: Mapping[str, str] = source.tags
    if replaces(call, "tagging"):
        tags = read_tags(call)
    system = redirected(system, redirect)
    return Described(
        system, metadata, storage_class, tags, None, read_lock(call.headers)
    )


def _made(call: Call, sums: Sums) -> ObjectVersion:
    """A key that was just made."""
    now, checksum = int(call.gateway.clock.seconds() * 1000), full_checksum(sums)
    return ObjectVersion(call.key, 0, now, sums.size, sums.md5, checksum=checksum)


async def upload_part_copy(call: Call) -> Reply:
    """Make a part of an object, or of a range of it."""
    number = part_number_of(call.query("partNumber") or "")
    source = read_source(call)
    refuse_unbuilt(call.headers)
    if call.foreign is not None:
        await judge(call)
    opened = await open_source(call, source, False)
    try:
        if call.foreign is None:
            part, algorithm = await _part_here(call, opened, number)
        else:
            part, algorithm = await _part_there(call, opened, number), ""
    finally:
        await opened.close()
    return part_reply(part, algorithm, opened.version_id)


async def _part_there(call: Call, opened: OpenSource, number: int) -> Part:
    sums = await _copy_into(call, opened, part_target(call, number), "CRC64NVME")
    now = int(call.gateway.clock.seconds() * 1000)
    return Part(number, sums.size, sums.md5, now)


async def _part_here(call: Call, opened: OpenSource, number: int) -> tuple[Part, str]:
    upload_id, size = call.query("uploadId") or "", opened.span.length
    upload = await call.read_authorized(look_up, upload_id, number, size)
    algorithm = upload.checksum_algorithm
    received = await _keep_bytes(call, opened, algorithm or "CRC64NVME", 0)
    part = Part(
        number,
        received.size,
        received.md5,
        0,
        received.checksums,
        received.content,
    )
    return await keep(call, received, store_part, upload_id, part), algorithm


async def _keep_bytes(
    call: Call, opened: OpenSource, algorithm: str, small: int
) -> Received:
    """Have the bytes of a source kept here.

    :param small: bytes that may be in the metadata row.
    """
    gateway, size = call.gateway, opened.span.length
    gateway.check_room(in_rows=size <= small)
    if size <= small or not size:
        collect = Collect(size, Damaged)
        sums = await _transfer(call, opened, collect, algorithm)
        return _received(sums, inline_content(gateway, collect.value()))
    extents = begin(gateway, size)
    try:
        sums = await _transfer(call, opened, extents, algorithm)
        content = await extents.commit()
    except Exception:
        await abandon(gateway, extents)
        raise
    return _received(sums, content, extents.began)


def _received(sums: Sums, content: Content, began: int | None = None) -> Received:
    return Received(sums.size, sums.md5, sums.checksums, sums.declared, content, began)


async def _transfer(
    call: Call, opened: OpenSource, consumer: IConsumer, algorithm: str
) -> Sums:
    """Pass the bytes of a source on, and compute what is kept of them; and find out once more who asks.

    :raises ClientGone: nobody is left to be told.
    """
    algorithms = dict.fromkeys((algorithm, "CRC64NVME"))
    terms = Terms(opened.span.length, "", None, None, None, None, True)
    digests = Digests(terms, algorithms)
    digesting = Digesting(digests.hashes(), call.gateway.run_in_thread)
    with call.computing() as check_client:
        await opened.send_to(Tee(digesting, consumer))
        await digesting.finish()
        check_client()
    await call.confirm()
    sums = sums_of(opened.span.length, terms, digests)
    return Sums(sums.size, sums.md5, sums.checksums, algorithm)

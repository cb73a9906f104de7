"""A sealing for tests: what is stored differs from what was written in every byte, in its length, and in where each byte is.

It keeps no secrets. Whoever takes stored bytes for an object's fails under it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import blake2b, shake_128
from typing import cast

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IConsumer, IProducer
from zope.interface import implementer

from ..errors import Damaged, StoreError
from ..interfaces import IBlobSink, IByteSource
from ..values import BlobRef, ByteRange, Content, Extent

BLOCK = 4096
"""Plain bytes of a block, but for the last."""

TAG = 16
"""Bytes before each block, which tell whether it is the right one."""

_SEALED = BLOCK + TAG


class XorSealing:
    """A :class:`~ozgate.content.sealing.Sealing`: blocks under a stream of bytes made of a key and their number.

    A seal is ``xor:KEY:COPIES``: the key of the blob or body, and how often it was wrapped anew.

    :param draw: gives so many random bytes.
    """

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._draw = draw

    def seal_body(self, body: bytes) -> Content:
        """See :class:`~ozgate.content.sealing.Sealing`, as for the others."""
        seal = self._new_seal()
        return Content(_seal(body, _key_of(seal), 0), (), seal, len(body))

    def open_body(self, content: Content) -> bytes:
        """See :class:`~ozgate.content.sealing.Sealing`."""
        assert content.body is not None
        plain = _open(content.body, _key_of(content.seal), 0)
        if len(plain) != content.plain_length:
            raise Damaged("a sealed body has another length than was sealed")
        return plain

    def stored_size(self, size: int) -> int:
        """See :class:`~ozgate.content.sealing.Sealing`."""
        return size + -(-size // BLOCK) * TAG

    def plain_size(self, stored: int) -> int:
        """See :class:`~ozgate.content.sealing.Sealing`. What is too small for a byte is no size of a blob."""
        blocks, rest = divmod(stored, _SEALED)
        return max(blocks * BLOCK + max(rest - TAG, 0), 1)

    def seal(self, sink: IBlobSink) -> tuple[IBlobSink, str]:
        """See :class:`~ozgate.content.sealing.Sealing`."""
        seal = self._new_seal()
        return cast(IBlobSink, _SealingSink(sink, _key_of(seal))), seal

    def stored_range(self, extent: Extent) -> ByteRange:
        """See :class:`~ozgate.content.sealing.Sealing`."""
        start = extent.offset // BLOCK * _SEALED
        end = -(-(extent.offset + extent.length) // BLOCK) * _SEALED
        return ByteRange(start, min(end, extent.blob.length) - start)

    def open(self, extent: Extent, source: IByteSource) -> IByteSource:
        """See :class:`~ozgate.content.sealing.Sealing`."""
        return cast(IByteSource, _OpenedSource(source, extent))

    def copied(self, content: Content) -> Content:
        """See :class:`~ozgate.content.sealing.Sealing`."""
        extents = tuple(
            evolve(extent, seal=_wrapped_anew(extent.seal))
            for extent in content.extents
        )
        return evolve(content, extents=extents, seal=_wrapped_anew(content.seal))

    def _new_seal(self) -> str:
        return f"xor:{self._draw(16).hex()}:0"


def _wrapped_anew(seal: str) -> str:
    """The seal of a copy: the same key in another seal."""
    if not seal:
        return ""
    name, key, copies = seal.split(":")
    return f"{name}:{key}:{int(copies) + 1}"


def _key_of(seal: str) -> bytes:
    name, key, _ = seal.split(":")
    assert name == "xor", seal
    return bytes.fromhex(key)


def _xor(data: bytes, key: bytes, number: int) -> bytes:
    stream = shake_128(key + number.to_bytes(8, "big")).digest(len(data))
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(len(data), "big")


def _tag(plain: bytes, key: bytes, number: int) -> bytes:
    return blake2b(
        plain, digest_size=TAG, key=key, salt=number.to_bytes(8, "big")
    ).digest()


def _seal(plain: bytes, key: bytes, first: int) -> bytes:
    """Seal blocks, from one of that number on."""
    sealed = bytearray()
    for number, at in enumerate(range(0, len(plain), BLOCK), first):
        block = plain[at : at + BLOCK]
        sealed += _tag(block, key, number) + _xor(block, key, number)
    return bytes(sealed)


def _open(sealed: bytes, key: bytes, first: int) -> bytes:
    """Open blocks, from one of that number on.

    :raises Damaged: one is not what was sealed.
    """
    plain = bytearray()
    for number, at in enumerate(range(0, len(sealed), _SEALED), first):
        block = _xor(sealed[at + TAG : at + _SEALED], key, number)
        if sealed[at : at + TAG] != _tag(block, key, number):
            raise Damaged(f"block {number} of a sealed blob is not what was sealed")
        plain += block
    return bytes(plain)


@implementer(IBlobSink)
class _SealingSink:
    """Seals what is written, block by block, and writes that to another sink."""

    def __init__(self, sink: IBlobSink, key: bytes) -> None:
        self._sink = sink
        self._key = key
        self._held = bytearray()
        self._number = 0

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """See :class:`~ozgate.interfaces.IBlobSink`, as for the others."""
        self._sink.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        self._sink.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Seal the blocks that are full."""
        self._held += data
        self._pass_on(len(self._held) // BLOCK * BLOCK)

    def _pass_on(self, count: int) -> None:
        if count:
            plain = bytes(self._held[:count])
            del self._held[:count]
            sealed = _seal(plain, self._key, self._number)
            self._number += count // BLOCK
            self._sink.write(sealed)

    def commit(self) -> Deferred[BlobRef]:
        """Seal the last block."""
        try:
            self._pass_on(len(self._held))
        except StoreError:
            return fail()
        committed: Deferred[BlobRef] = self._sink.commit()
        return committed

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        self._held.clear()
        aborted: Deferred[None] = self._sink.abort()
        return aborted


@implementer(IByteSource)
class _OpenedSource:
    """Opens what another source sends."""

    def __init__(self, source: IByteSource, extent: Extent) -> None:
        self.length = extent.length
        self._source = source
        self._extent = extent

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IByteSource`, as for the others."""
        opener = _Opener(consumer, self._extent, self._source.length)
        sent: Deferred[None] = self._source.send_to(opener)
        return sent

    def as_bytes(self) -> bytes | None:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        sealed = self._source.as_bytes()
        if sealed is None:
            return None
        first, skipped = divmod(self._extent.offset, BLOCK)
        plain = _open(sealed, _key_of(self._extent.seal), first)
        return plain[skipped : skipped + self.length]

    def as_file(self) -> None:
        """Nothing: no file has the plain bytes."""
        return None

    def close(self) -> None:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        self._source.close()


@implementer(IConsumer)
class _Opener:
    """Opens what is written, block by block, and writes what is wanted of it to another consumer.

    :param missing: sealed bytes that will come.
    """

    def __init__(self, consumer: IConsumer, extent: Extent, missing: int) -> None:
        self._consumer = consumer
        self._key = _key_of(extent.seal)
        self._number, self._skip = divmod(extent.offset, BLOCK)
        self._wanted = extent.length
        self._missing = missing
        self._held = bytearray()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Have the source paused when the other consumer is full."""
        self._consumer.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """It is done."""
        self._consumer.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Open the blocks that are whole."""
        self._held += data
        self._missing -= len(data)
        count = len(self._held)
        if self._missing:
            count = count // _SEALED * _SEALED
        if not count:
            return
        plain = _open(bytes(self._held[:count]), self._key, self._number)
        del self._held[:count]
        self._number += count // _SEALED
        plain = plain[self._skip : self._skip + self._wanted]
        self._skip = 0
        self._wanted -= len(plain)
        self._consumer.write(plain)

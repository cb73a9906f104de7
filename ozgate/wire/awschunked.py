"""The ``aws-chunked`` coding: a body in chunks of stated size, each perhaps signed, and perhaps a trailer.

Source: Amazon S3 API Reference, "Signature Calculations … Transferring Payload in Multiple Chunks" and "… Including
Trailing Headers".

Chunks are read strictly. Trailers are read as forgivingly as S3 reads them, signed or not: a line may end in a bare LF,
and there may be an empty line before their signature and more of them after the end. AWS's own example ends its lines
so, and clients write what it shows. Nothing can be smuggled that way: where the HTTP body ends is known before this
coding is looked at, by Content-Length or HTTP's own chunks, so that what is forgiven here moves no border on the connection.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Protocol

from twisted.internet.interfaces import IConsumer, IProducer
from zope.interface import implementer

from ..errors import (
    IncompleteBody,
    InvalidChunkSizeError,
    MalformedTrailerError,
    S3Error,
)

TRAILER_SIGNATURE = "x-amz-trailer-signature"

_MAX_LINE = 1024
_MAX_TRAILERS = 4096
"""Bytes after the last chunk, at most: each line costs as much to read, be it an empty one."""
_signed_header = re.compile(
    rb"([0-9A-Fa-f]{1,16});chunk-signature=([0-9a-f]{64})\r\n"
).fullmatch
_unsigned_header = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n").fullmatch
_trailer = re.compile(
    rb"([A-Za-z0-9-]{1,128}):[ \t]*([!-~](?:[ -~]*[!-~])?)[ \t]*\r?\n"
).fullmatch

_HEADER, _DATA, _DATA_END, _TRAILER, _UNSIGNED, _DONE = range(6)
"""What comes next; after ``_UNSIGNED``, the signature of trailers that an empty line has ended, after ``_DONE``, empty lines."""


class ChunkSignatures(Protocol):
    """What checks the signatures of chunks: each is of the one before, too."""

    @property
    def trailer(self) -> bool:
        """Whether trailers are signed."""

    def update(self, data: bytes) -> None:
        """Take bytes of a chunk."""

    def end_chunk(self, signature: str) -> None:
        """Check the signature of a chunk that is over."""

    def end_trailer(self, trailers: Iterable[tuple[str, str]], signature: str) -> None:
        """Check that of the trailers."""


@implementer(IConsumer)
class AwsChunked:
    """Decodes: a consumer of the encoded stream in front of the consumer of the bytes.

    Bytes are handed on before the signature of their chunk was checked; they are good only when
    :meth:`finish` has returned.

    :param consumer: takes the decoded bytes; it pauses the producer itself.
    :param decoded_length: bytes that must come out, ``x-amz-decoded-content-length``.
    :param verifier: checks chunk signatures; ``None`` when chunks are not signed.
    :param announced: lower-case names of the trailers that must come, and no others.
    :cvar smallest_chunk: bytes of a chunk at least, the last one excepted: each costs as much to read, be it a byte long.
    """

    smallest_chunk = 8192

    def __init__(
        self,
        consumer: IConsumer,
        decoded_length: int,
        verifier: ChunkSignatures | None = None,
        announced: Collection[str] = (),
    ) -> None:
        self.trailers: dict[str, str] = {}
        """Lower-case names and values, complete once :meth:`finish` has returned."""
        self._consumer = consumer
        self._missing = decoded_length
        self._verifier = verifier
        self._trailer_verifier = verifier if verifier and verifier.trailer else None
        self._announced = announced
        self._read_header = _signed_header if verifier else _unsigned_header
        self._state = _HEADER
        self._line = b""
        self._left = 0
        self._size = self.smallest_chunk
        self._chunks = 0
        self._signature = ""
        self._after = 0

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Register the producer with the consumer behind."""
        self._consumer.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Unregister it there."""
        self._consumer.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Take encoded bytes.

        :raises IncompleteBody: the framing is broken, the chunks do not add up to the decoded length, or bytes come after
            the end.
        :raises InvalidChunkSizeError: a chunk but the last is below 8 KiB.
        :raises MalformedTrailerError: a trailer is malformed, doubled or was not announced.
        :raises SignatureDoesNotMatch: a chunk or the trailer was signed by somebody else.
        """
        position = 0
        while position < len(data):
            if self._state == _DATA:
                position = self._take_data(data, position)
                continue
            position = self._take_line(data, position)

    def finish(self) -> None:
        """The encoded stream is over.

        :raises IncompleteBody: it ended early.
        :raises MalformedTrailerError: the trailers ended without their signature.
        """
        if self._state == _UNSIGNED and not self._line:
            raise MalformedTrailerError()
        if self._state != _DONE or self._line:
            raise IncompleteBody("The request body terminated unexpectedly")

    def _take_data(self, data: bytes, position: int) -> int:
        piece = data[position : position + self._left]
        self._left -= len(piece)
        if self._left == 0:
            self._state = _DATA_END
        if self._verifier is not None:
            self._verifier.update(piece)
        self._consumer.write(piece)
        return position + len(piece)

    def _take_line(self, data: bytes, position: int) -> int:
        """Take bytes up to the end of a line, and act when it is complete."""
        end = data.find(b"\n", position, position + _MAX_LINE)
        stop = len(data) if end < 0 else end + 1
        if len(self._line) + stop - position > _MAX_LINE:
            raise self._broken()
        line = self._line + data[position:stop]
        if end < 0:
            self._line = line
            return stop
        self._line = b""
        if self._state == _HEADER:
            self._begin_chunk(line)
        elif self._state == _DATA_END:
            self._end_chunk(line)
        else:
            self._take_last_line(line)
        return stop

    def _begin_chunk(self, line: bytes) -> None:
        match = self._read_header(line)
        if match is None:
            raise self._broken()
        size = int(match[1], 16)
        if size > self._missing:
            raise IncompleteBody(
                "The chunks of the request body hold more than x-amz-decoded-content-length says."
            )
        self._chunks += 1
        if size and self._size < self.smallest_chunk:
            # S3 names the chunk at which it is found out that the one before was not the last.
            raise InvalidChunkSizeError(Chunk=self._chunks, BadChunkSize=self._size)
        self._missing -= size
        self._left = self._size = size
        if self._verifier is not None:
            self._signature = match[2].decode()
        if size:
            self._state = _DATA
            return
        if self._missing:
            raise IncompleteBody(
                "The chunks of the request body hold less than x-amz-decoded-content-length says."
            )
        if self._verifier is not None:
            self._verifier.end_chunk(self._signature)
        self._state = _TRAILER

    def _end_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            raise self._broken()
        if self._verifier is not None:
            self._verifier.end_chunk(self._signature)
        self._state = _HEADER

    def _take_last_line(self, line: bytes) -> None:
        """Take a line that comes after the last chunk: a trailer, or an empty one."""
        self._after += len(line)
        if self._after > _MAX_TRAILERS:
            raise self._broken()
        if line != b"\r\n":
            self._take_trailer(line)
        elif self._state == _TRAILER:
            self._end_trailers()

    def _take_trailer(self, line: bytes) -> None:
        match = _trailer(line)
        if match is None or self._state == _DONE:
            raise self._broken()
        name, value = match[1].decode().lower(), match[2].decode()
        if name == TRAILER_SIGNATURE:
            if self._trailer_verifier is None:
                raise MalformedTrailerError()
            self._state = _TRAILER
        elif self._state == _UNSIGNED or name not in self._announced:
            raise MalformedTrailerError()
        if name in self.trailers or TRAILER_SIGNATURE in self.trailers:
            raise MalformedTrailerError()
        self.trailers[name] = value

    def _end_trailers(self) -> None:
        """An empty line has come: the trailers are over, but for their signature, which may follow it."""
        provided = self.trailers.pop(TRAILER_SIGNATURE, None)
        if any(name not in self.trailers for name in self._announced):
            raise MalformedTrailerError()
        if self._trailer_verifier is not None:
            if provided is None:
                self._state = _UNSIGNED
                return
            self._trailer_verifier.end_trailer(self.trailers.items(), provided)
        self._state = _DONE

    def _broken(self) -> S3Error:
        """What S3 says of framing that is broken, wherever but in the trailers."""
        if self._state in (_TRAILER, _UNSIGNED):
            return MalformedTrailerError()
        return IncompleteBody("The request body is not well-formed aws-chunked.")

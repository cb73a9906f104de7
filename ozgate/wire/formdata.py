"""A form as a browser sends it: its fields, and then the file, which is passed on as it comes.

Source: RFC 7578; Amazon S3 API Reference, "POST Object": the file is the last field that counts. Fields come with a filename or without,
as HTTP libraries send both; by its name alone ``file`` is the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import NEED_DATA, Data, Field, File, MultipartDecoder
from zope.interface import implementer

FILE = "file"
_LONGEST_BOUNDARY = 256
"""RFC 2046, 5.1.1, has 70 characters; some clients make longer ones."""


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a form's content type names; ``None`` where it is none."""
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not boundary.isascii():
        return None
    return boundary.encode() if 0 < len(boundary) <= _LONGEST_BOUNDARY else None


@implementer(IConsumer)
class FormData:
    """A consumer of a form.

    It takes the fields up to the file, then holds the producer until :meth:`pass_on` names a consumer of the file's bytes. What comes
    after the file is dropped.

    :param boundary: between the parts.
    :param most: bytes that all before the file may have, and any head of a part.
    :param malformed: makes the exception for what is no form.
    :param too_large: makes the one for more than ``most`` bytes before the file.
    :ivar fields: names and values, in their order; values as bytes.
    :ivar file_name: what the file is said to be called, without folders.
    :ivar taken: bytes of the form up to the line break before the file's first.
    :ivar file_begun: fires when the file begins, or when the form is over without one.
    """

    def __init__(
        self,
        boundary: bytes,
        most: int,
        malformed: Callable[[], Exception],
        too_large: Callable[[], Exception],
    ) -> None:
        self.fields: list[tuple[str, bytes]] = []
        self.file_name = ""
        self.taken = 0
        self.file_begun: Deferred[None] = Deferred()
        self._decoder = MultipartDecoder(boundary)
        self._half_an_end = b"\r\n--" + boundary + b"-"
        self._held = b""
        self._most = most
        self._malformed = malformed
        self._too_large = too_large
        self._producer: IPushProducer | None = None
        self._consumer: IConsumer | None = None
        self._name = ""
        self._value = bytearray()
        self._seen_file = self._is_over = self._advancing = False

    @property
    def has_file(self) -> bool:
        """Whether the file has begun."""
        return self._seen_file

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer."""
        if not streaming:
            raise ValueError("only push producers can be paused")
        self._producer = cast(IPushProducer, producer)

    def unregisterProducer(self) -> None:
        """Let go of it, here and in the consumer of the file."""
        self._producer = None
        if self._consumer is not None:
            self._consumer.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Take bytes of the form.

        :raises Exception: what ``malformed`` or ``too_large`` makes, or what the consumer of the file raises.
        """
        if self._is_over:
            return
        self._decoder.receive_data(self._held + data)
        if not self._seen_file:
            self.taken += len(self._held) + len(data)
        self._held = b""
        if self._decoder.buffer.endswith(self._half_an_end):
            # Where one hyphen of the last boundary's two has come, the decoder takes half of its line break for the file's.
            self._held = b"-"
            self._decoder.buffer.pop()
            self.taken -= not self._seen_file
        self._advance()

    def pass_on(self, consumer: IConsumer) -> None:
        """Have the file's bytes written to a consumer, which may pause the producer."""
        self._consumer = consumer
        if self._producer is not None:
            consumer.registerProducer(self._producer, True)
        self._advance()
        if self._producer is not None:
            self._producer.resumeProducing()

    def finish(self) -> None:
        """The form has ended.

        :raises Exception: what ``malformed`` makes: its file has not.
        """
        if not self._is_over:
            raise self._malformed()

    def _advance(self) -> None:
        if self._advancing:
            return
        self._advancing, begins = True, False
        try:
            while not begins and not self._is_over and self._take_event():
                begins = self._seen_file and self._consumer is None
            if not self._seen_file:
                self._check_size()
        except (RequestEntityTooLarge, ValueError):
            raise self._malformed() from None
        finally:
            self._advancing = False
        if begins:
            self._begin_file()

    def _begin_file(self) -> None:
        if not self.file_begun.called:
            self.taken -= len(self._decoder.buffer)
            self._check_size()
            if self._producer is not None:
                self._producer.pauseProducing()
            self.file_begun.callback(None)

    def _take_event(self) -> bool:
        """Take what comes next; whether there was anything."""
        event = self._decoder.next_event()
        if isinstance(event, Data):
            self._take_data(event)
        elif isinstance(event, Field | File):
            self._begin_part(event)
        return event is not NEED_DATA

    def _begin_part(self, event: Field | File) -> None:
        if not event.name:
            raise ValueError("a part has no name")
        self._name = event.name
        if event.name.lower() != FILE:
            return
        self._seen_file = True
        if isinstance(event, File):
            # Some browsers send the whole path.
            self.file_name = event.filename.replace("\\", "/").rpartition("/")[2]

    def _take_data(self, event: Data) -> None:
        if self._seen_file:
            assert self._consumer is not None
            if event.data:
                self._consumer.write(event.data)
            self._is_over = not event.more_data
            return
        self._value += event.data
        if not event.more_data:
            self.fields.append((self._name, bytes(self._value)))
            self._value.clear()

    def _check_size(self) -> None:
        if self.taken > self._most:
            raise self._too_large()

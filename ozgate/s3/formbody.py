"""Taking a browser's form: its fields first, then, once those are held against their policy, its file, which has to be durable.

How long the file is, is known at its end: fields that do not count may follow. Source: Amazon S3 API Reference, "POST Object".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IConsumer, IProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ..content.intake import (
    abandon,
    most_inline,
)
from ..content.intake import (
    begin as begin_extents,
)
from ..errors import EntityTooLarge, EntityTooSmall
from ..wire.streams import Collect, Digesting, Tee
from .receive import HELD, Received, drop, kept_in_memory, received_of, sums_of
from .targets import Sums, Target
from .terms import Digests, read_terms

if TYPE_CHECKING:
    from ..wire.formdata import FormData
    from .call import Call


class Form:
    """A form that is being taken.

    :ivar data: its fields, once :func:`take_fields` has come back.
    """

    def __init__(self, call: Call, data: FormData) -> None:
        self.data = data
        self._delivered = call.body.deliver_to(data)
        self._delivered.addBoth(self._over)

    def _over(self, outcome: int | Failure) -> int | Failure | None:
        """The body is over, or broke off: without a file, where none has begun."""
        begun = self.data.file_begun
        if begun.called:
            return outcome
        if isinstance(outcome, Failure):
            begun.errback(outcome)
            return None
        begun.callback(None)
        return outcome

    async def file_to(self, consumer: IConsumer) -> None:
        """Have the file written to a consumer.

        :raises S3Error: the form is malformed, or its client stopped.
        """
        self.data.pass_on(consumer)
        await self._delivered
        self.data.finish()

    def drop(self) -> None:
        """Take no more of it; nothing happens where all was taken, or where its client stopped meanwhile."""
        self._delivered.addErrback(lambda _: None)
        self._delivered.cancel()


async def take_fields(call: Call, data: FormData) -> Form:
    """Take a form up to its file, if it has any.

    :raises S3Error: it is malformed, too much comes before its file, or its client stopped.
    """
    form = Form(call, data)
    try:
        await data.file_begun
    except BaseException:
        form.drop()
        raise
    return form


@implementer(IConsumer)
class _Counted:
    """Counts bytes, and refuses those that are too many.

    :ivar count: of those that came.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a producer, which is never paused."""

    def unregisterProducer(self) -> None:
        """Do nothing."""

    def write(self, data: bytes) -> None:
        """Count some.

        :raises EntityTooLarge: they are too many.
        """
        self.count += len(data)
        if self.count > self._most:
            raise EntityTooLarge(ProposedSize=self.count, MaxSizeAllowed=self._most)


async def receive_file(call: Call, form: Form, least: int, most: int) -> Received:
    """Take the file of a form, and make it durable. What the fields say of it is in the call's headers by now.

    :param least: bytes that it has to have.
    :param most: bytes that it may have.
    :raises EntityTooSmall: it has fewer.
    :raises EntityTooLarge: it has more; nothing of it is kept.
    :raises S3Error: what was said of it does not hold.
    """
    gateway, terms = call.gateway, read_terms(call)
    counted = _Counted(most)
    may_come = max(0, (call.body.length or 0) - form.data.taken)
    small = most_inline(gateway)
    gateway.check_room(in_rows=may_come <= small)
    if may_come <= max(small, HELD):
        collect = Collect(may_come, EntityTooLarge)
        await form.file_to(Tee(counted, collect))
        _check_least(counted.count, least)
        await call.confirm()
        return await kept_in_memory(call, terms, collect.value(), small)
    digests, extents = (
        Digests(terms, ()),
        begin_extents(gateway, may_come, at_most=True),
    )
    try:
        await _deliver_true(call, form, digests, (counted, least), extents)
        if counted.count:
            content = await extents.commit()
            return received_of(terms, digests, content, extents)
    except Exception:
        # CancelledError is one of them: the client has gone.
        await abandon(gateway, extents)
        raise
    await abandon(gateway, extents)
    return await kept_in_memory(call, terms, b"", small)


async def receive_file_into(
    call: Call, form: Form, least: int, most: int, target: Target
) -> Sums:
    """As :func:`receive_file`, into another system, as :func:`~ozgate.s3.receive.receive_into` does."""
    terms = read_terms(call)
    counted, digests = _Counted(most), Digests(terms, ("CRC64NVME",))
    may_come = max(0, (call.body.length or 0) - form.data.taken)
    if may_come > HELD:
        sink = await target.begin(may_come)
        try:
            await _deliver_true(call, form, digests, (counted, least), sink)
        except Exception:
            await drop(call, sink)
            raise
        sums = sums_of(counted.count, terms, digests)
        await target.commit(sink, sums)
        return sums
    collect = Collect(may_come, EntityTooLarge)
    await form.file_to(Tee(counted, collect))
    _check_least(counted.count, least)
    digests.take(collect.value())
    await call.confirm()
    sums = sums_of(counted.count, terms, digests)
    await target.put(collect.value(), sums)
    return sums


async def _deliver_true(
    call: Call,
    form: Form,
    digests: Digests,
    counted: tuple[_Counted, int],
    consumer: IConsumer,
) -> None:
    """Have a file delivered, and find true what was stated about it; and the caller's key once more.

    :param counted: its bytes, and how many it has to have.
    """
    digesting = Digesting(digests.hashes(), call.gateway.run_in_thread)
    await form.file_to(Tee(counted[0], digesting, consumer))
    _check_least(counted[0].count, counted[1])
    await digesting.finish()
    digests.verify({})
    await call.confirm()


def _check_least(size: int, least: int) -> None:
    if size < least:
        raise EntityTooSmall(ProposedSize=size, MinSizeAllowed=least)

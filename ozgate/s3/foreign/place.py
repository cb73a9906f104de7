"""Where a bucket is that another system has, and what keeps a caller from it here.

What somebody may do there is the other system's to say, for it is asked on his behalf. What holds here besides: whoever did not sign gets
nothing, following a link of ours needs ``READ`` on it, and what a policy or a limit of a user denies it denies there too.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from attrs import evolve

from ...errors import AccessDenied, NoSuchBucket, S3Error, StoreError
from ...immutable import frozen
from ...values import ANONYMOUS, Bucket, OnBehalf, Volume
from ..conditions import refuse_untaken
from ..entering import expected_bucket, is_owner
from ..links import finding, follow
from ..policy.besides import actions_besides
from ..policy.decide import is_kept_from
from ..policy.evaluator import authorize_right

if TYPE_CHECKING:
    from ...interfaces import IForeignBucket, IForeignSystem, IMetadataTransaction
    from ...values import Principal
    from ..asked import Asked
    from ..call import Call
    from ..entering import Place

EXPECTED: Final = "x-amz-expected-bucket-owner"
EXPECTED_SOURCE: Final = "x-amz-source-expected-bucket-owner"

_OF_TAGS: Final = b"existingobjecttag"
"""What policies call the tags of a stored object by, in small letters."""


@frozen(eq=False)
class ForeignPlace:
    """A bucket of another system.

    :ivar named: what the request calls it.
    :ivar is_linked: whether that is a link of ours.
    """

    system: IForeignSystem
    volume: str
    bucket: str
    named: str
    is_linked: bool = False


def place_of(call: Call) -> ForeignPlace:
    """Where the addressed bucket is, which is another system's."""
    assert call.foreign is not None
    return call.foreign


def behalf_of(call: Call) -> OnBehalf:
    """For whom the other system is asked.

    :raises AccessDenied: nobody signed.
    """
    principal = call.principal
    if principal == ANONYMOUS:
        raise AccessDenied()
    foreign = call.gateway.foreign
    if foreign is None or not foreign.system.verifies:
        return OnBehalf(principal.user)
    return OnBehalf(principal.user, call.verified.presented)


def bucket_of(call: Call, place: ForeignPlace | None = None) -> IForeignBucket:
    """A bucket of another system, for whoever asks.

    :param place: the addressed one when ``None``.
    """
    if place is None:
        place = place_of(call)
    return place.system.bucket(place.volume, place.bucket, behalf_of(call))


async def find_place(call: Call, name: str) -> ForeignPlace | None:
    """Where a bucket of another system is; ``None`` where it is ours, or there is none. No right is asked.

    :param name: what the request calls it.
    """
    foreign = call.gateway.foreign
    if foreign is None or not name:
        return None
    volume = call.asked.volume
    if foreign.has(volume):
        return ForeignPlace(foreign.system, volume, name, name)
    abroad = call.gateway.abroad
    end = await call.gateway.metadata.read(_end_of, volume, name, abroad)
    return None if end is None else ForeignPlace(foreign.system, *end, name, True)


def _end_of(
    tx: IMetadataTransaction, volume: str, name: str, abroad: frozenset[str]
) -> Place | None:
    """Where a link of ours leads to, where that is abroad; an interaction."""
    named = tx.bucket(volume, name)
    if named is None or named.source is None:
        return None
    end = follow(finding(tx, abroad), named, lambda right, link: None).end
    return end if end[0] in abroad else None


async def judge(call: Call, *, with_policies: bool = True) -> None:
    """Make sure that nothing here keeps the caller from what is asked in the addressed bucket; what he may is the other system's to say.

    :param with_policies: whether policies are asked of the addressed key: not where others ask them.
    :raises AccessDenied: something does, or the bucket belongs to another than the client expects.
    :raises NoSuchBucket: a link leads elsewhere by now.
    :raises NotImplemented: what is asked hangs on a condition that the operation does not take.
    """
    asked, place = call.asked, place_of(call)
    if asked.conditions is not None:
        refuse_untaken(asked.headers, asked.conditions)
    await _enter(call, place, EXPECTED)
    if with_policies:
        await _judge_actions(
            call, (asked.action, *actions_besides(asked)), place, asked.key
        )


async def judge_source(call: Call, place: ForeignPlace, key: str) -> None:
    """As :func:`judge`, for the key that a copy comes from."""
    await _enter(call, place, EXPECTED_SOURCE)
    await _judge_actions(call, ("s3:GetObject",), place, key)


async def _enter(call: Call, place: ForeignPlace, header: str) -> None:
    """Make sure that the caller may follow the links of ours that lead to a place, and that it has the owner whom he expects.

    :param header: says whom.
    """
    behalf_of(call)
    if place.is_linked:
        if place is call.foreign:
            call.notes["source"] = place.volume, place.bucket
        values = place.named, header, (place.volume, place.bucket), call.gateway.abroad
        await call.read(_follow_authorized, *values)
        return
    expected = call.headers.get(header)
    if expected:
        owner = (await bucket_of(call, place).info()).owner
        if not is_owner(call.asked, expected, owner):
            raise AccessDenied()


async def _judge_actions(
    call: Call, actions: tuple[str, ...], place: ForeignPlace, key: str
) -> None:
    if _is_bound(call.principal):
        await call.read(_authorize_by_policies, actions, thing_at(place), key)


async def is_kept(call: Call, action: str) -> bool:
    """Whether something here keeps the caller from an action on the addressed key."""
    return await _is_kept(call, action, place_of(call), call.key)


async def is_source_kept(call: Call, place: ForeignPlace, key: str) -> bool:
    """Whether something here keeps the caller from the tags of the key that a copy comes from."""
    return await _is_kept(call, "s3:GetObjectTagging", place, key)


async def _is_kept(call: Call, action: str, place: ForeignPlace, key: str) -> bool:
    try:
        await _judge_actions(call, (action,), place, key)
    except AccessDenied:
        return True
    return False


async def judge_volume(call: Call, volume: str) -> None:
    """As :func:`judge`, for what is asked of a volume: its list of buckets, or one more in it."""
    behalf_of(call)
    if _is_bound(call.principal):
        actions = (call.asked.action, *actions_besides(call.asked))
        thing = Volume(volume, owner="", created=0)
        await call.read(_authorize_by_policies, actions, thing, "")


def thing_at(place: ForeignPlace) -> Bucket:
    """What policies speak of: a bucket of which nothing is kept here."""
    return Bucket(place.volume, place.bucket, owner="", created=0)


def _is_bound(principal: Principal) -> bool:
    """Whether somebody has policies or limits, as few have."""
    return bool(principal.policies or principal.limits)


def _follow_authorized(
    tx: IMetadataTransaction,
    asked: Asked,
    name: str,
    header: str,
    end: Place,
    abroad: frozenset[str],
) -> None:
    """Make sure that the caller may follow the links that lead to a place; an interaction."""
    try:
        named = expected_bucket(tx, asked, name, header)
        check = partial(authorize_right, asked.principal)
        if follow(finding(tx, abroad), named, check).end != end:
            raise NoSuchBucket(BucketName=name)
    except (S3Error, StoreError) as error:
        error.source = end
        raise


def _authorize_by_policies(
    tx: IMetadataTransaction,
    asked: Asked,
    actions: tuple[str, ...],
    thing: Bucket | Volume,
    key: str,
) -> None:
    """Make sure that no policy and no limit of the caller's forbids him something; an interaction.

    One that hangs on the tags of a stored object forbids it: nobody knows them here.

    :raises AccessDenied: one does.
    """
    principal = asked.principal
    documents = (*principal.policies, *principal.limits)
    if key and any(_OF_TAGS in document.lower() for document in documents):
        raise AccessDenied()
    for action in actions:
        if is_kept_from(tx, asked, action, thing, key):
            raise AccessDenied()


def ask_nothing(tx: IMetadataTransaction, asked: Asked) -> None:
    """Nothing that is kept here decides; an interaction, for :func:`~ozgate.s3.receive.document`."""


def with_key(call: Call, key: str) -> Call:
    """A call about another key of the same bucket."""
    address = evolve(call.address, key=key)
    return evolve(call, asked=evolve(call.asked, address=address))

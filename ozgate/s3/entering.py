"""The door to a bucket: links are followed, the expected owner is compared, the caller is authorized.

All of it happens inside the interaction, so that what was decided holds when the interaction does its work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from attrs import evolve

from ..errors import AccessDenied, NoSuchBucket, S3Error, StoreError
from ..secondlook import claimed
from ..values import Bucket, Claim, Volume
from .conditions import refuse_untaken
from .configuration.ownership import lists_count
from .links import Led, follow, is_hidden
from .owners import canonical_id
from .params import copy_source
from .payer import check_payer
from .policy.besides import actions_besides
from .policy.decide import authorize, has_policies, is_kept_from
from .policy.evaluator import authorize_right
from .policy.versionactions import action_on

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from .asked import Asked

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Place = tuple[str, str]
"""Volume and name of a bucket."""

_COMPARING = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
"""Actions whose :data:`_TELLING` conditions ask for ``s3:GetObject`` too, as S3 does for ``If-Match``; of a version that is named, for ``s3:GetObjectVersion``."""

_TELLING = frozenset(
    ("if-match", "x-amz-if-match-size", "x-amz-if-match-last-modified-time")
)
"""Conditions that tell what an object is, and whether it is there: one that does not hold changes nothing, and may be tried again."""

_STATING = (
    "CreateBucket",
    "PutObjectTagging",
    "PutObjectRetention",
    "PutObjectLegalHold",
)
"""Operations whose bodies say what condition keys of policies are about."""

_COPYING = ("CopyObject", "UploadPartCopy")
"""Operations that copy from a bucket; they have read the name of their source by the time that they write."""


def in_authorized_bucket(
    tx: IMetadataTransaction,
    asked: Asked,
    interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
    *values: *Ts,
) -> tuple[T, Place | None]:
    """Run an interaction inside of the addressed bucket, where the caller may do there what is asked; an interaction itself.

    This is where S3 authorizes: following a link needs ``READ`` on it, and the action of the operation is asked of the real bucket and
    the addressed key.

    :param interaction: called with the real bucket before ``values``.
    :return: what it came to, and where the real bucket is if a link led there: the audit log names both. An error
        says it as its ``source``.
    :raises NoSuchBucket: there is none, or a link leads nowhere.
    :raises AccessDenied: the caller may not, or it belongs to another than the client expects, or a link leads into a
        volume that is not shown to the caller, and nothing is there.
    :raises NotImplemented: what is asked hangs on a condition that the operation does not take.
    """
    return _inside(tx, asked, _enter_authorized(tx, asked), interaction, *values)


def in_claimed_authorized_bucket(
    tx: IMetadataTransaction,
    asked: Asked,
    interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
    *values: *Ts,
) -> tuple[T, Place | None]:
    """As :func:`in_authorized_bucket`, where something in the bucket is to change: the real bucket is claimed first, shared.

    By who may do that there: nobody else has others wait. So it stays, and so do its rights and quotas, while the interaction does its work, which claims keys and uploads itself. The links
    on the way are not claimed: what they say is true when the bucket is. The bucket that a copy comes from is claimed with it, for claims are taken in order.
    """
    look = partial(_enter_authorized, tx, asked)
    entered = claimed(tx, look, partial(_claims, tx, asked))
    return _inside(tx, asked, entered, interaction, *values)


def in_whole_authorized_bucket(
    tx: IMetadataTransaction,
    asked: Asked,
    interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
    *values: *Ts,
) -> tuple[T, Place | None]:
    """As :func:`in_claimed_authorized_bucket`, where the bucket itself is to change, such as one of its documents: nobody else is in it meanwhile.

    So what is decided by the bucket's documents and state is decided by those before, or by those after.
    """
    look = partial(_enter_authorized, tx, asked)
    entered = claimed(tx, look, _whole)
    return _inside(tx, asked, entered, interaction, *values)


def _whole(entered: tuple[Bucket, Place | None]) -> tuple[Claim, ...]:
    return Claim.whole(entered[0])


def _enter_authorized(
    tx: IMetadataTransaction, asked: Asked
) -> tuple[Bucket, Place | None]:
    """The real bucket, where the caller may do there what is asked; and where it is, if a link led there."""
    named = expected_bucket(tx, asked)
    if named.source is None:
        _authorize_operation(tx, asked, named)
        return named, None
    find = partial(tx.bucket, counted=False)
    led = follow(find, named, partial(authorize_right, asked.principal))
    real = led.bucket
    source = named.source if real is None else (real.volume, real.name)
    try:
        bucket = _end(tx, asked, led, named.name)
        _authorize_operation(tx, asked, bucket)
    except (S3Error, StoreError) as error:
        error.source = source
        raise
    return bucket, source


def _claims(
    tx: IMetadataTransaction, asked: Asked, entered: tuple[Bucket, Place | None]
) -> tuple[Claim, ...]:
    claims = Claim.inside(entered[0])
    if asked.operation in _COPYING:
        return *claims, *_claims_of_authorized_source(tx, asked)
    return claims


def _claims_of_authorized_source(
    tx: IMetadataTransaction, asked: Asked
) -> tuple[Claim, ...]:
    """The real bucket that a copy comes from, shared: who has it alone, to remove what is in it, waits.

    None where the caller may not read what is asked for, which is said later: who may not has nobody wait.
    """
    name, key, version = copy_source(asked.headers["x-amz-copy-source"])
    try:
        bucket = authorized_source(tx, asked, name, key, version or "")
    except S3Error:
        return ()
    return (Claim.bucket(bucket.number, shared=True),)


def _inside(
    tx: IMetadataTransaction,
    asked: Asked,
    entered: tuple[Bucket, Place | None],
    interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
    *values: *Ts,
) -> tuple[T, Place | None]:
    """Run an interaction in the bucket that was entered."""
    bucket, source = entered
    try:
        return interaction(tx, asked, bucket, *values), source
    except (S3Error, StoreError) as error:
        if source is not None:
            error.source = source
        raise


def authorized_source(
    tx: IMetadataTransaction, asked: Asked, name: str, key: str, version: str
) -> Bucket:
    """The real bucket that a copy comes from, where the caller may read the object. For use inside an interaction.

    :param version: the version that is named, ``""`` where none is.
    :raises NoSuchBucket: there is none, or a link leads nowhere.
    :raises AccessDenied: as for :func:`in_authorized_bucket`.
    """
    bucket = expected_bucket(tx, asked, name, "x-amz-source-expected-bucket-owner")
    if bucket.source is not None:
        find = partial(tx.bucket, counted=False)
        led = follow(find, bucket, partial(authorize_right, asked.principal))
        bucket = _end(tx, asked, led, name)
    authorize(tx, asked, action_on("s3:GetObject", version), bucket, key, version)
    check_payer(tx, asked, bucket)
    return bucket


def authorize_creation(tx: IMetadataTransaction, asked: Asked) -> None:
    """Make sure that the caller may make buckets. Who makes the first where there is no volume becomes its owner.

    :raises AccessDenied: no.
    """
    volume = tx.volume(asked.volume)
    if volume is None:
        # Nobody's: for administrators.
        volume = Volume(asked.volume, owner="", created=0)
    if _hangs_on_body(asked) and (asked.principal.policies or asked.principal.limits):
        return
    for action in (asked.action, *actions_besides(asked)):
        authorize(tx, asked, action, volume)


def authorize_early_creation(tx: IMetadataTransaction, asked: Asked) -> None:
    """As :func:`authorize_creation`, before the body is here."""
    authorize_creation(tx, evolve(asked, stated=None))


def authorize_list(tx: IMetadataTransaction, asked: Asked) -> None:
    """Make sure that no policy keeps the caller from the list of buckets; of each bucket it is asked then whether it is shown.

    :raises AccessDenied: one does.
    """
    volume = Volume(asked.volume, owner="", created=0)
    if is_kept_from(tx, asked, asked.action, volume):
        raise AccessDenied()


def authorize_removal(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> None:
    """Make sure that the caller may remove a bucket or link.

    :raises AccessDenied: no.
    :raises NotImplemented: the removal hangs on a condition.
    """
    authorize(tx, asked, asked.action, bucket)
    if asked.conditions is not None:
        refuse_untaken(asked.headers, asked.conditions)


def expected_bucket(
    tx: IMetadataTransaction,
    asked: Asked,
    name: str | None = None,
    header: str = "x-amz-expected-bucket-owner",
) -> Bucket:
    """The bucket or link of a name, before any right is asked. For use inside an interaction.

    :param name: the addressed one when ``None``.
    :param header: says who the client expects to own it.
    :raises NoSuchBucket: there is none.
    :raises AccessDenied: it belongs to another than the client expects; a link has an owner of its own.
    """
    if name is None:
        name = asked.address.bucket
    found = tx.bucket(asked.volume, name, False)
    if found is None:
        raise NoSuchBucket(BucketName=name)
    expected = asked.headers.get(header)
    if expected and not is_owner(asked, expected, found.owner):
        raise AccessDenied()
    return found


def is_owner(asked: Asked, expected: str, owner: str) -> bool:
    """Whether a client expects an owner.

    There are no account ids here: an owner is known by name, and by the id that S3 shows. A Kerberos principal has two
    names, of which rows may have either.
    """
    known_as, principal = asked.names.known_as, asked.principal
    names = {owner, known_as(owner)}
    if principal.is_called(owner):
        names |= {principal.user, principal.short_name}
    return known_as(expected) in names or expected in map(canonical_id, names)


def _end(tx: IMetadataTransaction, asked: Asked, led: Led, name: str) -> Bucket:
    """The bucket that a link led to.

    :param name: the link's.
    """
    if is_hidden(tx, asked.principal, led):
        raise AccessDenied()
    if led.bucket is None:
        raise NoSuchBucket(BucketName=name)
    return led.bucket


def _hangs_on_body(asked: Asked) -> bool:
    """Whether policies speak of what a body says, which is not here yet; DeleteObjects asks them for each key, when it is."""
    if asked.operation == "DeleteObjects":
        return True
    return asked.stated is None and asked.operation in _STATING


def _authorize_operation(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket
) -> None:
    """Make sure that the caller may do what is asked in the real bucket."""
    key, action = asked.address.key, asked.action
    version = asked.address.query.get("versionId") or ""
    is_configured, principal = bucket.configured, asked.principal
    if not (is_configured or principal.policies or principal.limits):
        # Most buckets and callers have none: this costs a request nothing.
        authorize(tx, asked, action, bucket, key, version)
    elif not (_hangs_on_body(asked) and has_policies(asked, bucket)):
        authorize(tx, asked, action, bucket, key, version)
        besides = actions_besides(asked)
        if besides and (lists_count(bucket) or has_policies(asked, bucket)):
            for each in besides:
                authorize(tx, asked, each, bucket, key, version)
    if action in _COMPARING and not _TELLING.isdisjoint(asked.headers):
        authorize(tx, asked, action_on("s3:GetObject", version), bucket, key, version)
    if is_configured:
        check_payer(tx, asked, bucket)
    if asked.conditions is not None:
        refuse_untaken(asked.headers, asked.conditions)

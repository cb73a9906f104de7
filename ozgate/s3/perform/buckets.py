"""Buckets: ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation.

**Regions.** As on AWS, the endpoint of ``us-east-1`` (the default of ``ozgate.region``) makes buckets in
any region a client names, and each bucket says of itself what it was made with: clients have the region
of their own configuration, and look whether the bucket is there. An operator who sets another
``ozgate.region`` has said where this is: then a bucket elsewhere is refused, as a regional endpoint does.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NoReturn

from attrs import evolve

from ...errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraintException,
    InvalidArgument,
    InvalidLocationConstraint,
    NotImplemented,
)
from ...interfaces import IMetadataTransaction
from ...secondlook import claimed
from ...values import Acl, Bucket, Claim, Volume
from ..asked import Asked
from ..call import Call
from ..changing.locks import has_object_lock
from ..configuration.objectlock import JUST_ON, OBJECT_LOCK
from ..documents import Element, document, element, read
from ..entering import (
    authorize_creation,
    authorize_early_creation,
    authorize_list,
    authorize_removal,
    expected_bucket,
)
from ..links import listed_for
from ..newbuckets import AS_ON_AWS, Beginning, asked_for, begin, begin_again
from ..owners import owner_element
from ..params import integer
from ..policy.decide import authorize, may
from ..policy.evaluator import new_acls
from ..quotas import check_bucket_quota
from ..receive import check_entry
from ..receive import document as receive_document
from ..regions import GLOBAL_REGION, region_of
from ..reply import Reply, xml_reply
from ..times import timestamp
from ..tokens import decode_token, encode_token
from .buckettags import tags_of_new

MAX_BUCKETS = 10000

_LOCKED = "x-amz-bucket-object-lock-enabled"
_REGION = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,16}){1,4}")


def arn_of(name: str) -> str:
    """A bucket's Amazon Resource Name, which S3 says wherever it shows a bucket."""
    return f"arn:aws:s3:::{name}"


async def list_buckets(call: Call) -> Reply:
    """List the buckets and links of the volume that S3 shows, as far as the caller may list or read them."""
    return await list_found(call, _find_page)


async def list_found(
    call: Call, find: Callable[[Call, str, str, int], Awaitable[Sequence[Bucket]]]
) -> Reply:
    """As :func:`list_buckets`, wherever they are.

    :param find: finds a page: by prefix, what to go on after, and limit.
    """
    parameters = ("max-buckets", "prefix", "continuation-token", "bucket-region")
    asked = any(name in call.address.query for name in parameters)
    here = call.gateway.settings.region
    limit = integer(call, "max-buckets", MAX_BUCKETS, 1, MAX_BUCKETS)
    prefix = call.query("prefix") or ""
    token = call.query("continuation-token")
    after = "" if token is None else decode_token(token)
    buckets = await find(call, prefix, after, limit + 1)
    more = len(buckets) > limit
    rows = "".join(
        f"<Bucket>{element('Name', bucket.name)}"
        f"{element('CreationDate', timestamp(bucket.created))}"
        f"{element('BucketRegion', region_of(bucket, here) if asked else None)}"
        f"{element('BucketArn', arn_of(bucket.name))}</Bucket>"
        for bucket in buckets[:limit]
    )
    return xml_reply(
        document(
            "ListAllMyBucketsResult",
            owner_element(call.principal.short_name),
            f"<Buckets>{rows}</Buckets>",
            element(
                "ContinuationToken",
                encode_token(buckets[limit - 1].name) if more else None,
            ),
            element("Prefix", call.query("prefix")),
        )
    )


async def _find_page(
    call: Call, prefix: str, after: str, limit: int
) -> Sequence[Bucket]:
    return await call.read(_authorized_page, prefix, after, limit)


def _authorized_page(
    tx: IMetadataTransaction, asked: Asked, prefix: str, after: str, limit: int
) -> list[Bucket]:
    """Buckets in order that the caller may see, in the region that was asked for, if any was.

    :raises AccessDenied: a policy keeps the caller from seeing any.
    """
    authorize_list(tx, asked)
    region, here = asked.query("bucket-region"), asked.region
    listed = listed_for(tx, asked.principal, partial(may, tx, asked, asked.action))
    found: list[Bucket] = []
    while len(found) < limit:
        page = tx.buckets(asked.volume, prefix, after, limit)
        found += (
            one
            for one in page
            if (not region or region_of(one, here) == region) and listed(one)
        )
        if len(page) < limit:
            break
        after = page[-1].name
    return found[:limit]


async def create_bucket(call: Call) -> Reply:
    """Make a bucket, owned by the caller; see :func:`_is_made_again` for one that is there."""
    name = call.bucket_name
    check_create_headers(call)
    beginning = await asked_for(call)
    data = await receive_document(call, authorize_early_creation)
    region, tags = configuration_of(call, data)
    beginning = evolve(beginning, tags=tags)
    call.state(("s3:locationconstraint", region))
    await call.write(_create_authorized, region, beginning)
    return Reply(200, [("Location", f"/{name}"), ("x-amz-bucket-arn", arn_of(name))])


def _create_authorized(
    tx: IMetadataTransaction, asked: Asked, region: str, beginning: Beginning
) -> None:
    name, principal = asked.bucket_name, asked.principal
    # Who may not has nobody wait.
    authorize_creation(tx, asked)
    claim_name(tx, asked.volume, name)
    authorize_creation(tx, asked)
    is_again = partial(_is_made_again, asked, region, beginning)

    def claims(found: Bucket | None) -> tuple[Claim, ...]:
        return (Claim.bucket(found.number),) if found and is_again(found) else ()

    # Its name is claimed, so that nobody makes another; until it is, too, it may be given away, or removed.
    existing = claimed(tx, partial(tx.bucket, asked.volume, name), claims)
    if existing is None:
        made = add_bucket(
            tx, asked.volume, name, principal.short_name, region, beginning
        )
        if beginning.tags is not None:
            authorize(tx, asked, "s3:TagResource", made)
        if _is_locked(asked):
            _lock_authorized(tx, asked, made)
    elif is_again(existing):
        begin_again(tx, asked, existing, beginning)
    else:
        is_own = principal.is_called(existing.owner)
        error = BucketAlreadyOwnedByYou if is_own else BucketAlreadyExists
        raise error(BucketName=name)


def _is_locked(asked: Asked) -> bool:
    """Whether a bucket to be shall have object lock."""
    return (asked.headers.get(_LOCKED) or "").lower() == "true"


def _lock_authorized(tx: IMetadataTransaction, asked: Asked, made: Bucket) -> None:
    """Have object lock in a bucket that was just made, and with it versioning.

    Source: Amazon S3 API Reference, "CreateBucket", there under "Permissions".

    :raises AccessDenied: the caller may make buckets, but not such.
    """
    authorize(tx, asked, "s3:PutBucketObjectLockConfiguration", made)
    authorize(tx, asked, "s3:PutBucketVersioning", made)
    tx.replace_bucket(evolve(made, versioning="Enabled"))
    document = OBJECT_LOCK.document.render(JUST_ON)
    tx.set_configuration(made, OBJECT_LOCK.kind, document)


def _is_made_again(
    asked: Asked, region: str, beginning: Beginning, existing: Bucket
) -> bool:
    """Whether an owner makes a bucket again that is in ``us-east-1``, and there.

    The answer is 200 then, and its access control list is as that of a new one, as far as those count; Ozone's is not S3's to reset. In all other regions
    it is 409 BucketAlreadyOwnedByYou, as where it shall have object lock, and has none, or tags. Source: Amazon S3 API Reference, "CreateBucket", there under "Errors".
    """
    return (
        beginning.tags is None
        and existing.source is None
        and asked.principal.is_called(existing.owner)
        and _is_locked(asked) <= has_object_lock(existing)
        and region == region_of(existing, asked.region) == GLOBAL_REGION
    )


def claim_name(tx: IMetadataTransaction, volume: str, name: str) -> Volume | None:
    """Claim the name of a bucket to be made, and its volume: shared, unless that is to be made as well.

    :return: the volume, if there is one.
    """

    def claims(found: Volume | None) -> tuple[Claim, ...]:
        return Claim.volume(volume, found is not None), Claim.name(volume, name)

    return claimed(tx, partial(tx.volume, volume), claims)


def add_bucket(
    tx: IMetadataTransaction,
    volume: str,
    name: str,
    owner: str,
    region: str,
    beginning: Beginning = AS_ON_AWS,
) -> Bucket:
    """Make a bucket, and the volume where that is missing; an interaction.

    :param beginning: what is said of it from the first.
    :raises BucketAlreadyOwnedByYou: the owner has it already.
    :raises BucketAlreadyExists: another has it.
    :raises QuotaExceeded: the volume may hold no more buckets.
    """
    found = claim_name(tx, volume, name)
    existing = tx.bucket(volume, name)
    if existing is not None:
        error = (
            BucketAlreadyOwnedByYou if existing.owner == owner else BucketAlreadyExists
        )
        raise error(BucketName=name)
    if found is None:
        found = tx.add_volume(shared_volume(volume, owner, tx.now()))
    check_bucket_quota(tx, found)
    made: Bucket = tx.add_bucket(
        Bucket(
            volume,
            name,
            owner,
            tx.now(),
            region,
            acls=new_acls(owner, found.acls),
        )
    )
    begin(tx, made, beginning)
    return made


def shared_volume(name: str, owner: str, now: int) -> Volume:
    """The volume that S3 shows, as it is made at the start: everyone may make buckets in it and list them."""
    owned = Acl("user", owner, frozenset(("ALL",)))
    shared = Acl("world", "WORLD", frozenset(("READ", "CREATE", "LIST")))
    return Volume(name, owner, now, admin=owner, acls=(owned, shared), modified=now)


def check_create_headers(call: Call) -> None:
    """Refuse what a new bucket cannot have: a name space of its own.

    :raises NotImplemented: it is asked for.
    :raises InvalidArgument: a value that S3 does not have.
    """
    headers = call.headers
    if (headers.get(_LOCKED) or "false").lower() not in ("true", "false"):
        _bad_header(call, _LOCKED)
    if (headers.get("x-amz-bucket-namespace") or "global") != "global":
        raise NotImplemented(Header="x-amz-bucket-namespace")


def _bad_header(call: Call, name: str) -> NoReturn:
    raise InvalidArgument(ArgumentName=name, ArgumentValue=call.headers.get(name) or "")


def configuration_of(call: Call, data: bytes) -> tuple[str, bytes | None]:
    """The region of a new bucket, see the module, and its tags, from the document ``CreateBucketConfiguration``.

    :raises MalformedXML: it is another document.
    :raises InvalidTag: a tag that S3 does not take.
    :raises NotImplemented: it asks for a directory bucket.
    :raises InvalidLocationConstraint: it names what is no region.
    :raises IllegalLocationConstraintException: it names a region that this endpoint is not for.
    """
    if not data.strip():
        return call.gateway.settings.region, None
    root = read(data, "CreateBucketConfiguration")
    root.allow("LocationConstraint", "Location", "Bucket", "Tags")
    for name in ("Location", "Bucket"):
        child = root.child(name)
        if child is not None and (child.children or child.text.strip()):
            raise NotImplemented()
    return _location(call, root), tags_of_new(root)


def _location(call: Call, root: Element) -> str:
    here = call.gateway.settings.region
    wanted = (root.text_of("LocationConstraint") or "").strip()
    if not wanted or wanted == here:
        return here
    if wanted != "EU" and not _REGION.fullmatch(wanted):
        raise InvalidLocationConstraint(LocationConstraint=wanted)
    if here != GLOBAL_REGION:
        raise IllegalLocationConstraintException(
            f"The {wanted} location constraint is incompatible for the region specific endpoint this request was sent to."
        )
    return wanted


async def head_bucket(call: Call) -> Reply:
    """Say whether a bucket is there; where it is, :mod:`ozgate.s3.finish` says to everybody."""
    await call.read_authorized(check_entry)
    return Reply(
        200,
        [
            ("x-amz-access-point-alias", "false"),
            ("x-amz-bucket-arn", arn_of(call.bucket_name)),
            ("Content-Type", "application/xml"),
        ],
    )


async def delete_bucket(call: Call) -> Reply:
    """Remove an empty bucket, with the uploads in progress in it."""
    await call.write(_remove_authorized)
    return Reply(204)


async def get_bucket_location(call: Call) -> Reply:
    """Name the region of a bucket; ``us-east-1`` has an empty name."""
    region = await call.read_authorized(_region)
    region = region or call.gateway.settings.region
    name = "" if region == GLOBAL_REGION else region
    return xml_reply(document("LocationConstraint", name))


def _region(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> str:
    return bucket.region


def _remove_authorized(tx: IMetadataTransaction, asked: Asked) -> None:
    """Remove what the name names: a link goes, wherever it leads, and what it points at stays.

    :raises NoSuchBucket: nothing has that name.
    :raises AccessDenied: the caller may not, or it belongs to another than the client expects.
    :raises BucketNotEmpty: there are versions in it.
    """
    named = claimed(tx, partial(_find_authorized, tx, asked), Claim.whole)
    if named.source is None and not tx.is_empty(named):
        raise BucketNotEmpty(BucketName=asked.bucket_name)
    tx.remove_bucket(named)


def _find_authorized(tx: IMetadataTransaction, asked: Asked) -> Bucket:
    """The bucket or link to remove, where the caller may: nobody else has others wait."""
    named = expected_bucket(tx, asked)
    authorize_removal(tx, asked, named)
    return named

"""What each method that changes something needs to be claimed: for tests that call methods by name, and for the test of claims themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..interfaces import IMetadataTransaction
from ..values import (
    Bucket,
    Claim,
    Group,
    ManagedPolicy,
    ObjectVersion,
    Secret,
    Upload,
    User,
    Volume,
)

Claims = Sequence[Claim]

LEASE = Claim.lease("work")
"""A lease of some work: which one is not the store's to say."""


def _nothing(*args: object) -> Claims:
    return ()


def _leased(*args: object) -> Claims:
    return (LEASE,)


def _lease(name: str, *args: object) -> Claims:
    return (Claim.lease(name),)


def _setting(name: str, *args: object) -> Claims:
    return (Claim.setting(name),)


def _secret(access_id: str) -> Claims:
    return (Claim.secret(access_id),)


def _secret_row(secret: Secret) -> Claims:
    return _secret(secret.access_id)


def _user(user: User | str) -> Claims:
    return (Claim.user(user if isinstance(user, str) else user.name),)


def _group(group: Group | str) -> Claims:
    return (Claim.group(group if isinstance(group, str) else group.name),)


def _policy(policy: ManagedPolicy | str) -> Claims:
    return (Claim.policy(policy if isinstance(policy, str) else policy.name),)


def _volume(volume: Volume) -> Claims:
    return (Claim.volume(volume.name),)


def _name(bucket: Bucket) -> Claims:
    volume, name = bucket.volume, bucket.name
    return Claim.volume(volume, shared=True), Claim.name(volume, name)


def _bucket(bucket: Bucket, *args: object) -> Claims:
    return Claim.whole(bucket)


def _key(bucket: Bucket, version: ObjectVersion, *args: object) -> Claims:
    return *Claim.inside(bucket), Claim.key(bucket.number, version.key)


def _upload(bucket: Bucket, upload: Upload, *args: object) -> Claims:
    return *Claim.inside(bucket), Claim.upload(bucket.number, upload.upload_id)


NEEDS: Mapping[str, Callable[..., Claims]] = {
    "next_sequence": _nothing,
    "add_volume": _volume,
    "replace_volume": _volume,
    "remove_volume": _volume,
    "add_bucket": _name,
    "replace_bucket": _bucket,
    "remove_bucket": _bucket,
    "set_configuration": _bucket,
    "add_version": _key,
    "replace_version": _key,
    "remove_version": _key,
    "add_upload": _upload,
    "complete_upload": _upload,
    "remove_upload": _upload,
    "put_part": _upload,
    "note_event": _nothing,
    "forget_events": _leased,
    "release": _leased,
    "forget_doomed": _leased,
    "move_blob": _leased,
    "doom": _nothing,
    "correct_usage": _leased,
    "mend_row": _leased,
    "lease": _lease,
    "end_leases": _nothing,
    "put_process": _nothing,
    "remove_process": _nothing,
    "put_user": _user,
    "remove_user": _user,
    "put_group": _group,
    "remove_group": _group,
    "put_policy": _policy,
    "remove_policy": _policy,
    "put_secret": _secret_row,
    "remove_secret": _secret,
    "set_setting": _setting,
}
"""Method → what a call with its arguments needs, but for usage, which hangs on quotas. See :class:`~ozgate.interfaces.IClaims`."""


def claim_whole(tx: IMetadataTransaction, *buckets: Bucket) -> None:
    """Claim buckets with all that is in them: a test need not say which keys it is about."""
    tx.claim(*(claim for bucket in buckets for claim in Claim.whole(bucket)))

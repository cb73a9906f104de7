"""Actions of IAM on keys. Source: IAM API Reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...auth.identities import accesskeys
from ...auth.identities.users import find_user, keys_of
from ...errors.iam import ValidationError
from ..shown import page_of, shown_key

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Secret
    from ..answers import Value
    from ..asked import QueryCall


def _keys(tx: IMetadataTransaction, user: str) -> tuple[Sequence[Secret], int]:
    find_user(tx, user)
    return list(keys_of(tx, user)), tx.now()


async def create_access_key(call: QueryCall) -> Mapping[str, Value]:
    """Make a key for a user, the caller where none is named. Its secret is not shown again."""
    user, caller = call.user_name, call.principal.user
    by = "" if user == caller else caller
    store = call.sessions.secrets
    made = await store.issue(user, None, created_by=by, is_known=True)
    access_id, secret = made
    row = await call.read(accesskeys.find_key, access_id)
    return {"AccessKey": {**shown_key(row, row.created), "SecretAccessKey": secret}}


async def list_access_keys(call: QueryCall) -> Mapping[str, Value]:
    """List the keys of a user, in pages."""
    rows, now = await call.read(_keys, call.user_name)
    page, end = page_of(call.form, rows, lambda each: each.access_id)
    return {"AccessKeyMetadata": [shown_key(each, now) for each in page], **end}


async def update_access_key(call: QueryCall) -> Mapping[str, Value]:
    """Have a key open nothing, or what it did before."""
    status = call.form.text("Status")
    if status not in ("Active", "Inactive"):
        raise ValidationError("Status is neither Active nor Inactive.")
    access_id = call.form.text("AccessKeyId", high=512)
    values = access_id, status == "Inactive", call.user_name
    await call.write(accesskeys.disable_key, *values)
    return {}


async def delete_access_key(call: QueryCall) -> Mapping[str, Value]:
    """Remove a key."""
    access_id = call.form.text("AccessKeyId", high=512)
    await call.write(accesskeys.delete_key, access_id, call.user_name)
    return {}


async def get_access_key_last_used(call: QueryCall) -> Mapping[str, Value]:
    """Say whose a key is. When it was used is not kept, which is said as of one that never was."""
    access_id = call.form.text("AccessKeyId", high=512)
    row = await call.read(accesskeys.find_key, access_id)
    unknown: dict[str, Value] = {"ServiceName": "N/A", "Region": "N/A"}
    return {"UserName": row.user, "AccessKeyLastUsed": unknown}

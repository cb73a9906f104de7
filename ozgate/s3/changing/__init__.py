"""The door to objects: nothing else changes a row of a version, an upload or a part.

S3's operations, commands, repairs and background work come through here alike, inside of their interactions; a test over the
syntax trees says so. So what holds for every change is decided in one place: which version a write replaces, whether
there is room, whether the conditions hold. No function here knows a request: each is given who asks, the real bucket, and values.

Who calls holds the bucket, shared, as :func:`~ozgate.s3.entering.in_claimed_authorized_bucket` does, and the version or upload that he
found to hand it on. What a function looks for itself it claims itself: :func:`put_version`, :func:`delete_key` the key, and whatever grows the
usage that a quota is compared with. Who changes several claims all of them first, in one call.
"""

from __future__ import annotations

from .locks import NO_LOCK, Bypass, Lock
from .objects import (
    Deleted,
    Doomed,
    Draft,
    check_put,
    delete_key,
    put_delete_marker,
    put_version,
    remove_version,
    replace_lock,
    replace_members,
)
from .uploads import begin_upload, check_part, complete_upload, drop_upload, put_part

__all__ = [
    "NO_LOCK",
    "Bypass",
    "Deleted",
    "Doomed",
    "Draft",
    "Lock",
    "begin_upload",
    "check_part",
    "check_put",
    "complete_upload",
    "delete_key",
    "drop_upload",
    "put_delete_marker",
    "put_part",
    "put_version",
    "remove_version",
    "replace_lock",
    "replace_members",
]

"""Versions, of which another system's buckets have one each, without an id: S3 calls it ``null``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import NoSuchVersion
from ...values import NULL_VERSION
from ..versions import check_version_id

if TYPE_CHECKING:
    from ..call import Call


def refuse_other_versions(call: Call) -> None:
    """Refuse what names another version than the one that there may be.

    :raises InvalidArgument: it can be no version id.
    :raises NoSuchVersion: there is none of that id.
    """
    named = call.query("versionId")
    check_version_id(named)
    if named not in (None, NULL_VERSION):
        raise NoSuchVersion(Key=call.key, VersionId=named or "")

"""Actions on a version that is named, which are not those on the current object.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OF_VERSIONS: Final[Mapping[str, str]] = {
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:GetObjectTorrent": "s3:GetObjectVersionTorrent",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
}
"""What is asked for the current object → what is asked where a version is named. Other actions are the same for both."""


def action_on(action: str, version: str | None) -> str:
    """What is asked of authorization.

    :param action: as for the current object.
    :param version: the version that is named, if one is.
    """
    return OF_VERSIONS.get(action, action) if version else action

"""What is asked of multipart uploads, in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ...errors import Refused
from ...values import (
    ForeignPart,
    ForeignUpload,
    ForeignUploadPage,
    Precondition,
)
from .keys import Place, is_plain, is_tree
from .keystream import Opening

if TYPE_CHECKING:
    from .client import Client

_MOST = 1000
"""Parts of a page at most."""

_order = attrgetter("key", "upload_id")


def create_upload(
    client: Client,
    place: Place,
    key: str,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
) -> str:
    """Begin an upload.

    :return: its id.
    """
    if not is_plain(key) and is_tree(client, place):
        raise Refused("INVALID_KEY_NAME", f"{key} would be another file's name")
    begin = client.protocol.initiateMultipartUpload
    kept, labels = client.map_of(metadata), client.map_of(tags)
    return str(begin(*place, key, client.replication, kept, labels).getUploadID())


def opening_of_part(
    place: Place, key: str, upload_id: str, number: int, size: int
) -> Opening:
    """What opens a part to be written."""

    def opening(client: Client) -> Any:
        return client.protocol.createMultipartKey(*place, key, size, number, upload_id)

    return opening


def parts(
    client: Client, place: Place, key: str, upload_id: str, after: int, limit: int
) -> list[ForeignPart]:
    """A page of the parts of an upload."""
    found = client.protocol.listParts(*place, key, upload_id, after, min(limit, _MOST))
    return [
        ForeignPart(
            int(each.getPartNumber()),
            int(each.getSize()),
            str(each.getETag() or ""),
            int(each.getModificationTime()),
        )
        for each in found.getPartInfoList()
    ]


def uploads(
    client: Client,
    place: Place,
    prefix: str,
    after_key: str,
    after_id: str,
    limit: int,
) -> ForeignUploadPage:
    """A page of the uploads under way.

    The OM's own pages are in the order of ``key/id``, in which ``a-b`` comes before ``a``, and have those of ``a`` for the prefix ``a/``: so all are asked for.
    """
    found = client.manager.listMultipartUploads(*place, prefix, "", "", 0, False)
    every = (
        ForeignUpload(
            str(each.getKeyName()),
            str(each.getUploadId()),
            int(each.getCreationTime().toEpochMilli()),
        )
        for each in found.getUploads()
    )
    after = after_key, after_id
    left = sorted(
        (
            each
            for each in every
            if each.key.startswith(prefix)
            and (_order(each) > after if after_id else each.key > after_key)
        ),
        key=_order,
    )
    return ForeignUploadPage(left[:limit], len(left) <= limit)


def complete(
    client: Client,
    place: Place,
    key: str,
    upload_id: str,
    parts: Sequence[tuple[int, str]],
    wanted: Precondition,
) -> str:
    """Make a key of parts.

    :return: the ETag that the OM gives it.
    """
    listed = client.parts_of(parts)
    ask = client.protocol.completeMultipartUpload
    named = *place, key, upload_id, listed
    # A generation of 0 is that of a key that is not there; as seen of 2.2.0.
    generation = client.generation(0) if wanted.absent else None
    if generation is None and wanted.etag is None:
        return str(ask(*named).getHash())
    return str(ask(*named, generation, wanted.etag).getHash())


def abort(client: Client, place: Place, key: str, upload_id: str) -> None:
    """Drop an upload."""
    client.protocol.abortMultipartUpload(*place, key, upload_id)

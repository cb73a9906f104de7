"""What is asked of single keys, in a thread: each function is one call of the pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import Refused, Unavailable
from ...values import ForeignObject, Precondition
from .calls import begin_change
from .found import dict_of, object_of
from .keystream import Opening, commit, drop
from .reading import check_name
from .refusals import error_of

if TYPE_CHECKING:
    from .client import Client

Place = tuple[str, str]
"""Volume and bucket."""

TREE = "FILE_SYSTEM_OPTIMIZED"
"""The layout of buckets whose keys are kept as files and folders."""


def head(client: Client, place: Place, key: str) -> ForeignObject:
    """All that is known of a key, but for where its bytes are.

    :raises Refused: ``KEY_NOT_FOUND``.
    """
    asked = client.key_args().setVolumeName(place[0]).setBucketName(place[1])
    asked.setKeyName(key).setHeadOp(True).setLatestVersionLocation(True)
    answer = client.manager.getKeyInfo(asked.build(), False)
    found = object_of(client, answer.getKeyInfo())
    check_name(found, key)
    return found


def is_tree(client: Client, place: Place) -> bool:
    """Whether the keys of a bucket are files and folders."""
    return str(client.protocol.getBucketDetails(*place).getBucketLayout()) == TREE


def is_plain(key: str) -> bool:
    """Whether a key has the same name in a tree of files."""
    return not (
        key.endswith("/")
        or key.startswith("/")
        or "//" in key
        or not {".", ".."}.isdisjoint(key.split("/"))
    )


def opening_of(
    place: Place,
    key: str,
    size: int,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
    wanted: Precondition,
) -> Opening:
    """What opens a key to be written, where what is wanted of it is so."""

    def opening(client: Client) -> Any:
        if not is_plain(key) and is_tree(client, place):
            raise Refused("INVALID_KEY_NAME", f"{key} would be another file's name")
        kept, labels = client.map_of(metadata), client.map_of(tags)
        named = *place, key, size
        replication = client.replication
        if wanted.absent:
            create = client.protocol.createKeyIfNotExists
            return create(*named, replication, kept, labels)
        if wanted.etag is not None:
            rewrite = client.protocol.rewriteKeyIfMatch
            return rewrite(*named, wanted.etag, replication, kept, labels)
        return client.protocol.createKey(*named, replication, kept, labels)

    return opening


def put(client: Client, place: Place, key: str, opening: Opening, data: bytes) -> None:
    """Write a key whose bytes are here: in a tree, a folder, where its name ends in a slash and there are none.

    :raises Uncertain: the OM was asked to commit it, and no answer came.
    :raises Unavailable: it was not.
    """
    if key.endswith("/") and not data and is_tree(client, place):
        if not begin_change():
            raise Unavailable("whoever asked has an answer already")
        make_folder(client, place, key)
        return
    try:
        stream = opening(client)
        try:
            if data:
                stream.write(data)
        except BaseException:
            drop(stream, client.hooks)
            raise
    except Exception as error:
        if not hasattr(error, "getCause"):
            raise
        raise error_of(error, False) from None
    commit(stream, client.hooks, len(data))


def make_folder(client: Client, place: Place, key: str) -> None:
    """Make a folder in a tree, and those that it is in."""
    client.protocol.createDirectory(*place, key.rstrip("/"))


def delete(client: Client, place: Place, key: str) -> None:
    """Remove a key.

    :raises Refused: ``KEY_NOT_FOUND``.
    """
    client.protocol.deleteKey(*place, key, False)


def delete_all(
    client: Client, place: Place, keys: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Remove keys.

    :return: those that were not: the OM's code and message.
    """
    asked = client.list_of(keys)
    failed = client.protocol.deleteKeys(*place, asked, True)
    return {
        str(each.getKey()): (
            str(each.getValue().getCode()),
            str(each.getValue().getMessage()),
        )
        for each in failed.entrySet()
    }


def tags(client: Client, place: Place, key: str) -> dict[str, str]:
    """The tags of a key."""
    return dict_of(client, client.protocol.getObjectTagging(*place, key))


def put_tags(client: Client, place: Place, key: str, tags: Mapping[str, str]) -> None:
    """Replace the tags of a key."""
    if tags:
        client.protocol.putObjectTagging(*place, key, client.map_of(tags))
    else:
        client.protocol.deleteObjectTagging(*place, key)

"""What is told of a key of another system besides its bytes, and what may be changed of it: tags, owner, attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import AccessDenied
from ..conditions import check_read
from ..configuration.accesslist import to_document as list_document
from ..perform.attributes import Found, tell_attributes
from ..policy.grants import owners
from ..receive import document
from ..reply import Reply, xml_reply
from ..tags import from_document, to_document
from .keptnames import version_of
from .place import ask_nothing, bucket_of, is_kept, judge
from .versionids import refuse_other_versions

if TYPE_CHECKING:
    from ..call import Call


async def get_object_tagging(call: Call) -> Reply:
    """Show the tags of a key."""
    refuse_other_versions(call)
    await judge(call)
    return xml_reply(to_document(await bucket_of(call).tags(call.key)))


async def put_object_tagging(call: Call) -> Reply:
    """Replace the tags of a key."""
    refuse_other_versions(call)
    tags = from_document(await document(call, ask_nothing))
    call.state(*((f"s3:requestobjecttag/{key}", text) for key, text in tags.items()))
    await judge(call)
    await bucket_of(call).put_tags(call.key, tags)
    return Reply(200)


async def delete_object_tagging(call: Call) -> Reply:
    """Remove the tags of a key."""
    refuse_other_versions(call)
    await judge(call)
    await bucket_of(call).put_tags(call.key, {})
    return Reply(204)


async def get_object_acl(call: Call) -> Reply:
    """Say who owns a key, and has all of it: what others may there, no list of S3's says."""
    refuse_other_versions(call)
    await judge(call)
    owner = (await bucket_of(call).head(call.key)).owner
    return xml_reply(list_document(owner, owners(owner)))


async def get_object_attributes(call: Call) -> Reply:
    """Tell what is asked about a key."""
    refuse_other_versions(call)
    return await tell_attributes(call, _find)


async def _find(call: Call, want_parts: bool, marker: int, limit: int) -> Found:
    await judge(call)
    if await is_kept(call, "s3:GetObject"):
        raise AccessDenied()
    version = version_of(await bucket_of(call).head(call.key))
    now = int(call.gateway.clock.seconds() * 1000)
    check_read(call.headers, version.etag, version.modified, now)
    return version, "", ()

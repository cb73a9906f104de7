"""Multipart uploads of keys of another system.

Their state is its own: parts are told by number, size and ETag, and nothing else is kept with one. So the object's ETag is the one that the other system gives
it, which is not AWS's, and an upload keeps no checksum: what a part came with was compared on its way in, and that of the object is put
together of those that Complete lists. Whoever wants it compared lists them; a checksum of the whole without them cannot be, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from hashlib import md5
from typing import TYPE_CHECKING, Final

from attrs import evolve

from ...errors import (
    BadDigest,
    InvalidPart,
    InvalidRequest,
    NotImplemented,
    Refused,
)
from ...values import Checksum, ForeignPart, Part, Upload, UploadPage
from ..checksums import ALGORITHMS, combine, composite
from ..conditions import refuse_untaken
from ..headers import refuse_unbuilt
from ..perform.completing import Claimed, about_document, completed, read_claim
from ..perform.multipart import begun, checksum_rule
from ..perform.partlist import MAX_PARTS, Listed, read_list
from ..perform.reading import part_number_of
from ..perform.uploadlisting import list_found_parts, list_found_uploads
from ..receive import document, receive_into
from ..reply import Reply
from ..targets import SinkTarget
from .place import ask_nothing, bucket_of, judge
from .rolling import Rolling
from .writes import described, precondition

if TYPE_CHECKING:
    from ...interfaces import IForeignSink
    from ..call import Call

_NO_UPLOAD: Final = "NO_SUCH_MULTIPART_UPLOAD_ERROR"

_MOST: Final = 1000
"""Rows that are asked for at a time."""


async def create_multipart_upload(call: Call) -> Reply:
    """Begin an upload."""
    await judge(call)
    algorithm, kind = checksum_rule(call)
    metadata, tags = described(call)
    upload_id = await bucket_of(call).create_upload(call.key, metadata, tags)
    return begun(call, upload_id, algorithm, kind)


def part_target(call: Call, number: int) -> SinkTarget:
    """A part of the addressed upload, to be written."""

    async def begin(size: int) -> IForeignSink:
        upload_id = call.query("uploadId") or ""
        return await bucket_of(call).create_part(call.key, upload_id, number, size)

    return SinkTarget(begin)


async def upload_part(call: Call) -> Reply:
    """Take a part."""
    number = part_number_of(call.query("partNumber") or "")
    refuse_unbuilt(call.headers)
    await judge(call)
    sums = await receive_into(call, part_target(call, number))
    headers = [("ETag", f'"{sums.md5}"')]
    shown = sums.declared
    if shown:
        headers.append((ALGORITHMS[shown].header, sums.checksums[shown]))
    return Reply(200, headers)


async def abort_multipart_upload(call: Call) -> Reply:
    """End an upload and drop its parts."""
    await judge(call)
    # Nothing could hold it against the upload at the moment that it is dropped.
    refuse_untaken(call.headers, frozenset())
    await bucket_of(call).abort(call.key, call.query("uploadId") or "")
    return Reply(204)


async def complete_multipart_upload(call: Call) -> Reply:
    """Make an object of the parts of an upload."""
    upload_id = call.query("uploadId") or ""
    refuse_unbuilt(call.headers)
    claim = read_claim(call)
    await judge(call)
    about = about_document(call)
    listed = read_list(await document(about, ask_nothing), upload_id)
    # Who asks may have been found out anew by then.
    call = evolve(call, asked=evolve(call.asked, principal=about.principal))
    parts = [(part.number, part.etag) for part in listed]
    wanted = await precondition(call)
    try:
        checksum = await _checksum(call, listed, claim)
        etag = await bucket_of(call).complete(call.key, upload_id, parts, wanted)
    except Refused as refused:
        if refused.code != _NO_UPLOAD or not await _is_made(call, listed):
            raise
        etag, checksum = _etag(listed), None
    return completed(call, etag, checksum)


async def _is_made(call: Call, listed: Sequence[Listed]) -> bool:
    """Whether a key is what a Complete would have made of an upload that is not there: then it did so before, and its answer was lost.

    Ozone says of no key which upload it was. It says of what parts it was made, where all that came were listed.
    """
    with suppress(Refused):
        return (await bucket_of(call).head(call.key)).etag == _etag(listed)
    return False


def _etag(listed: Sequence[Listed]) -> str:
    """The ETag that Ozone gives to what is made of parts, as seen of 2.2.0: the MD5 of their own, in hex as they are."""
    said = "".join(part.etag for part in listed).encode("utf-8", "replace")
    return f"{md5(said, usedforsecurity=False).hexdigest()}-{len(listed)}"


async def _checksum(
    call: Call, listed: Sequence[Listed], claim: Claimed
) -> Checksum | None:
    """The checksum of the object to be, by what its list says of the parts; ``None`` where that says none.

    :raises InvalidRequest: the client expects another size.
    :raises InvalidPart: a part is not there.
    :raises BadDigest: it expects another checksum.
    :raises NotImplemented: it expects one that nobody can know.
    """
    algorithm = _algorithm(listed)
    if claim.checksum is not None and claim.checksum[0] != algorithm:
        raise NotImplemented(Header=ALGORITHMS[claim.checksum[0]].header)
    if algorithm is None and claim.size is None:
        return None
    sizes = await _sizes(call, listed)
    if claim.size not in (None, sum(sizes)):
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {claim.size} does not match what was computed: {sum(sizes)}"
        )
    if algorithm is None:
        return None
    values = [part.checksums[algorithm] for part in listed]
    full = claim.kind == "FULL_OBJECT" or algorithm == "CRC64NVME"
    if full and ALGORITHMS[algorithm].full_object_combinable:
        value = combine(algorithm, zip(values, sizes, strict=True))
        found = Checksum(algorithm, "FULL_OBJECT", value)
    else:
        found = Checksum(algorithm, "COMPOSITE", composite(algorithm, values))
    given = claim.checksum
    if given is not None and given[1] not in (
        found.value,
        found.value.partition("-")[0],
    ):
        raise BadDigest(
            f"The {algorithm} you specified did not match the calculated checksum."
        )
    return found


def _algorithm(listed: Sequence[Listed]) -> str | None:
    """The algorithm of which a list has a checksum of every part, if there is one."""
    common = set.intersection(*(set(part.checksums) for part in listed))
    return min(common, default=None)


async def _sizes(call: Call, listed: Sequence[Listed]) -> list[int]:
    """The bytes of the parts that are listed.

    :raises InvalidPart: one is not there.
    """
    found: dict[int, ForeignPart] = {}
    upload_id, after = call.query("uploadId") or "", 0
    while after < listed[-1].number:
        page = await bucket_of(call).parts(call.key, upload_id, after, _MOST)
        if not page:
            break
        found.update((part.number, part) for part in page)
        after = page[-1].number
    for wanted in listed:
        part = found.get(wanted.number)
        if part is None or part.etag != wanted.etag:
            raise InvalidPart(
                UploadId=upload_id, PartNumber=wanted.number, ETag=wanted.etag
            )
    return [found[wanted.number].size for wanted in listed]


async def list_parts(call: Call) -> Reply:
    """List the parts of an upload in progress."""
    return await list_found_parts(call, _find_parts)


async def _find_parts(
    call: Call, upload_id: str, after: int, limit: int
) -> tuple[str, Upload, Sequence[Part]]:
    await judge(call)
    bucket = bucket_of(call)
    found: list[ForeignPart] = []
    # Not even the largest list of S3's is longer.
    while len(found) < min(limit, MAX_PARTS + 1):
        asked = min(limit - len(found), _MOST)
        page = await bucket.parts(call.key, upload_id, after, asked)
        found += page
        if len(page) < asked:
            break
        after = page[-1].number
    owner = (await bucket.info()).owner
    # Ozone says of no upload who began it.
    upload = Upload(call.key, upload_id, 0, owner)
    return owner, upload, [_part(part) for part in found]


def _part(part: ForeignPart) -> Part:
    return Part(part.number, part.size, part.etag, part.modified)


async def list_multipart_uploads(call: Call) -> Reply:
    """List the uploads in progress of a bucket."""
    return await list_found_uploads(call, _find_uploads)


async def _find_uploads(
    call: Call, prefix: str, key: str, upload_id: str, delimiter: str, limit: int
) -> tuple[str, UploadPage]:
    await judge(call)
    bucket = bucket_of(call)
    owner = (await bucket.info()).owner
    rolling = Rolling(prefix, key, delimiter, limit)
    items: list[Upload] = []
    key, upload_id = _past(rolling, key, upload_id)
    while limit:
        found = await bucket.uploads(prefix, key, upload_id, _MOST)
        for item in found.items:
            key, upload_id = item.key, item.upload_id
            if rolling.takes(key):
                initiator = item.owner or owner
                items.append(Upload(key, upload_id, item.initiated, initiator))
            elif rolling.is_full:
                return owner, _page(items, rolling)
        if found.is_last:
            break
        key, upload_id = _past(rolling, key, upload_id)
    return owner, UploadPage(tuple(items), tuple(rolling.prefixes))


def _past(rolling: Rolling, key: str, upload_id: str) -> tuple[str, str]:
    """Where to go on after a key and an upload, so that what is rolled up is skipped."""
    past = rolling.past(key)
    return (past, "") if past else (key, upload_id)


def _page(items: Sequence[Upload], rolling: Rolling) -> UploadPage:
    """A page that is not the last."""
    last = items[-1] if items and items[-1].key == rolling.last else None
    upload_id = "" if last is None else last.upload_id
    prefixes = tuple(rolling.prefixes)
    return UploadPage(tuple(items), prefixes, rolling.last, upload_id)

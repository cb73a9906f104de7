"""The operations that crash tests drive through a gateway, and what these find there.

What is drawn by lot is drawn from a seed, so that the same operations make the same calls and store the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from attrs import evolve

from ozgate.background.drain import rename_blob
from ozgate.background.uploads import UploadExpiry
from ozgate.content.moving import copy_stored
from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Acl, BlobRef, Bucket
from tests.crash.asking import answered, body, digested, put, set_versioning, told
from tests.crash.gate import VOLUME, Gate

DAY = 86_400
EXPIRY = 30 * DAY
"""Seconds after which an upload is given up."""

SMALL, LARGE = 300, 9_100

BYPASS = {"x-amz-bypass-governance-retention": "true"}
HELD = {
    "x-amz-object-lock-mode": "COMPLIANCE",
    "x-amz-object-lock-retain-until-date": "2200-01-01T00:00:00Z",
    "x-amz-object-lock-legal-hold": "ON",
}
"""Headers that lock an object."""

DEFAULT = (
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
    "<Mode>COMPLIANCE</Mode><Years>100</Years></DefaultRetention></Rule></ObjectLockConfiguration>"
)
"""What locks all that is written to a bucket."""


# Operations. Each fires when its client was told of success.


def put_small(gate: Gate) -> None:
    """PutObject of a body that is kept in the row."""
    put(gate, "key", SMALL)


def put_large(gate: Gate) -> None:
    """PutObject of a new key's body in two blobs."""
    put(gate, f"new-{gate.turn}", LARGE)


def overwrite(gate: Gate) -> None:
    """PutObject over what the other operations are about, in blobs."""
    put(gate, "key", LARGE)


def delete(gate: Gate) -> None:
    """DeleteObject."""
    told(gate, "DELETE", "/plain/key")
    gate.bodies.pop(("plain", "key"), None)


def put_version(gate: Gate) -> None:
    """PutObject of a new version, in blobs and in the row by turns."""
    put(gate, "key", SMALL if gate.turn % 2 else LARGE, "versions")


def mark(gate: Gate) -> None:
    """DeleteObject that puts a delete marker."""
    answer = told(gate, "DELETE", "/versions/key")
    assert answer["x-amz-delete-marker"] == "true", answer
    gate.bodies.pop(("versions", "key"), None)


def delete_version(gate: Gate) -> None:
    """DeleteObject of a version, or of a marker: of the latest and of the oldest one by turns."""
    held = gate.read(_held)
    doomed = held.pop(0 if gate.turn % 2 else -1)
    told(gate, "DELETE", f"/versions/key?versionId={doomed[0]}")
    gate.bodies.pop(("versions", "key"), None)
    if held and held[0][1] is not None:
        gate.bodies["versions", "key"] = held[0][1]


def put_null(gate: Gate) -> None:
    """PutObject over the null version, while versioning is suspended; see :func:`versioning`."""
    put(gate, "key", LARGE, "suspended")


def mark_null(gate: Gate) -> None:
    """DeleteObject that puts a null marker in the place of the null version; likewise."""
    told(gate, "DELETE", "/suspended/key")
    gate.bodies.pop(("suspended", "key"), None)


def versioning(gate: Gate) -> None:
    """PutBucketVersioning: where it was suspended it is enabled, and the other way round."""
    before = gate.read(_bucket, "suspended").versioning
    after = "Enabled" if before == "Suspended" else "Suspended"
    set_versioning(gate, "suspended", after)


def lock(gate: Gate) -> None:
    """PutObject of a version that is locked: as it says, in blobs, or by the default of its bucket, in the row, by turns."""
    held = gate.turn % 2
    put(gate, "key", LARGE if held else SMALL, "locked", HELD if held else {})


def retain(gate: Gate) -> None:
    """PutObjectRetention and PutObjectLegalHold of the oldest version: kept longer, and held or not, by turns."""
    [*_, oldest] = gate.read(_ids, "locked")
    name, document = (
        "legal-hold",
        f"<Status>{('ON', 'OFF')[gate.turn // 2 % 2]}</Status>",
    )
    root = "LegalHold"
    if gate.turn % 2:
        until = f"{2200 + gate.turn}-01-01T00:00:00Z"
        name, root = "retention", "Retention"
        document = f"<Mode>COMPLIANCE</Mode><RetainUntilDate>{until}</RetainUntilDate>"
    sent = f"<{root}>{document}</{root}>"
    target = f"/locked/key?{name}=&versionId={oldest}"
    told(gate, "PUT", target, sent.encode(), digested(sent))


def cling(gate: Gate) -> None:
    """DeleteObject of what is locked, which is refused, then of the key, which is hidden."""
    for version_id in gate.read(_ids, "locked"):
        target = f"/locked/key?versionId={version_id}"
        answered(gate, (403,), "DELETE", target, b"", BYPASS)
    told(gate, "DELETE", "/locked/key")
    gate.bodies.pop(("locked", "key"), None)


def complete(gate: Gate) -> None:
    """CompleteMultipartUpload over what the other operations are about."""
    upload_id, parts = gate.read(_next_upload, "key")
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in parts
    )
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    told(gate, "POST", f"/plain/key?uploadId={upload_id}", document.encode())
    gate.bodies["plain", "key"] = b"".join(part_body(number) for number, _ in parts)


def abort(gate: Gate) -> None:
    """AbortMultipartUpload."""
    upload_id, _ = gate.read(_next_upload, "key")
    told(gate, "DELETE", f"/plain/key?uploadId={upload_id}")


def copy(gate: Gate) -> None:
    """CopyObject, which shares the blobs of its source; of another one when the first is gone."""
    source = "key" if ("plain", "key") in gate.bodies else "other"
    told(gate, "PUT", "/plain/copy", b"", {"x-amz-copy-source": f"/plain/{source}"})
    gate.bodies["plain", "copy"] = gate.bodies["plain", source]


def tag(gate: Gate) -> None:
    """PutObjectTagging, which leaves the lock as it is where there is one: of what is locked in every other turn."""
    document = f"<Tagging><TagSet><Tag><Key>turn</Key><Value>tagged {gate.turn}</Value></Tag></TagSet></Tagging>"
    key = "key" if ("plain", "key") in gate.bodies else "other"
    target = f"/plain/{key}?tagging"
    if gate.turn % 2:
        target = f"/locked/key?tagging=&versionId={gate.read(_ids, 'locked')[0]}"
    told(gate, "PUT", target, document.encode(), digested(document))


def expire(gate: Gate) -> None:
    """The expiry of uploads, then a round of the reaper, which deletes the files of the parts."""
    expiry = UploadExpiry(gate.gateway.metadata, gate.loop, "owner", EXPIRY, 60.0)
    expiry.running = 1
    gate.loop.wait(expiry.work())
    gate.sweep()


def configure(gate: Gate) -> None:
    """CreateBucket; quotas and rights of the volume, as its administrator sets them; DeleteBucket."""
    if gate.turn % 3 == 0:
        told(gate, "PUT", f"/made-{gate.turn}")
    elif gate.turn % 3 == 1:
        gate.write(_configure_volume, gate.turn)
    else:
        told(gate, "DELETE", "/empty")


def move(gate: Gate) -> None:
    """What a drain does with each blob: a copy, which is durable before rows name it for the old one. Here within one store."""
    blob = gate.read(_first_blob)
    new = gate.loop.wait(copy_stored(gate.gateway, blob))
    while not gate.write(rename_blob, blob, new):
        pass


OPERATIONS: dict[str, Callable[[Gate], None]] = {
    "put-small": put_small,
    "put-large": put_large,
    "overwrite": overwrite,
    "delete": delete,
    "put-version": put_version,
    "mark": mark,
    "delete-version": delete_version,
    "put-null": put_null,
    "mark-null": mark_null,
    "versioning": versioning,
    "lock": lock,
    "retain": retain,
    "cling": cling,
    "complete": complete,
    "abort": abort,
    "copy": copy,
    "tag": tag,
    "expire": expire,
    "configure": configure,
    "move": move,
}
"""The twenty."""


def restart(gate: Gate) -> None:
    """An orderly stop and a start."""
    gate.close()
    gate.open()


def perform(gate: Gate, name: str) -> None:
    """One operation, a day after the one before."""
    gate.loop.advance(DAY)
    if name == "restart":
        restart(gate)
    else:
        OPERATIONS[name](gate)
    gate.turn += 1


def _first_blob(tx: IMetadataTransaction) -> BlobRef:
    [blob] = tx.blobs(("", ""), 1)
    return blob


def _bucket(tx: IMetadataTransaction, name: str) -> Bucket:
    found = tx.bucket(VOLUME, name)
    assert found is not None, name
    return found


def _held(tx: IMetadataTransaction) -> list[tuple[str, bytes | None]]:
    """The versions of what operations are about, newest first: ids, and what was stored; ``None`` of a marker."""
    bucket, found = _bucket(tx, "versions"), list[tuple[str, bytes | None]]()
    for item in tx.version_page(bucket, "key", "", "", "", 100).items:
        version = tx.version(bucket, "key", item.version_id)
        assert version is not None
        turn = version.metadata.get("turn")
        stored = None if turn is None else body(int(turn), version.size)
        found.append((item.version_id, stored))
    return found


def _ids(tx: IMetadataTransaction, bucket: str) -> list[str]:
    """The versions of what operations are about, newest first, without delete markers: their ids."""
    page = tx.version_page(_bucket(tx, bucket), "key", "", "", "", 100)
    return [each.version_id for each in page.items if not each.is_delete_marker]


def _next_upload(
    tx: IMetadataTransaction, key: str
) -> tuple[str, list[tuple[int, str]]]:
    bucket = _bucket(tx, "plain")
    upload = tx.upload_page(bucket, key, "", "", "", 1).items[0]
    parts = tx.parts(bucket, upload, 0, 10)
    return upload.upload_id, [(part.number, part.etag) for part in parts]


def _configure_volume(tx: IMetadataTransaction, turn: int) -> None:
    volume, bucket = tx.volume(VOLUME), _bucket(tx, "plain")
    assert volume is not None
    acls = (Acl.parse(f"user:user{turn}:rw"),)
    tx.replace_volume(evolve(volume, acls=acls, quota_names=100 + turn))
    tx.replace_bucket(evolve(bucket, acls=acls, quota_bytes=10_000_000 + turn))


# What is there before


def part_body(number: int) -> bytes:
    """The bytes of a part of every upload."""
    return body(1000 + number, 2_000 * number)


def fill(gate: Gate) -> None:
    """What the operations find: objects in rows and in blobs, versions, uploads young and old."""
    for name in ("plain", "versions", "suspended", "empty"):
        told(gate, "PUT", f"/{name}")
    told(gate, "PUT", "/locked", b"", {"x-amz-bucket-object-lock-enabled": "true"})
    told(gate, "PUT", "/locked?object-lock", DEFAULT.encode(), digested(DEFAULT))
    gate.turn = 100
    put(gate, "key", LARGE)
    put(gate, "other", LARGE)
    put(gate, quote("small/ü"), SMALL)
    gate.bodies["plain", "small/ü"] = gate.bodies.pop(("plain", quote("small/ü")))
    for bucket in ("versions", "suspended"):
        set_versioning(gate, bucket, "Enabled")
    for gate.turn in range(101, 104):
        put(gate, "key", SMALL, "versions")
    put(gate, "key", LARGE, "suspended")
    set_versioning(gate, "suspended", "Suspended")
    put(gate, "key", SMALL, "suspended")
    for gate.turn in range(104, 106):
        lock(gate)
    for number in range(3):
        _begin_upload(gate, f"old-{number}", 1)
        gate.loop.advance(DAY)
    gate.loop.advance(EXPIRY - 3 * DAY - 60)
    for _ in range(3):
        _begin_upload(gate, "key", 2)
    gate.turn = 0


def _begin_upload(gate: Gate, key: str, parts: int) -> None:
    _, _, answer = gate.ask("POST", f"/plain/{key}?uploads=")
    found = re.search(rb"<UploadId>(.*?)</UploadId>", answer)
    assert found is not None, answer
    upload_id = found[1].decode()
    for number in range(1, parts + 1):
        target = f"/plain/{key}?partNumber={number}&uploadId={upload_id}"
        told(gate, "PUT", target, part_body(number))

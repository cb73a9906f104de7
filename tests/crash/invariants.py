"""What must hold of a data folder, whatever happened to the process and the power before.

I1: what was acknowledged is there, bytes and metadata. I2: what was not is there in whole or not at all. I3: a listing
shows exactly what can be read. I4: ETags and checksums are those of the bytes. I5: after a recovery and a sweep no
file is left that nothing names. I6: versions are in their order, and one of each key is its latest. I8: what is
used is what a recount finds. I7: what was written to the bucket ``locked`` is locked, and cannot be deleted. Besides, SQLite finds its database whole.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import quote

from attrs import asdict, evolve
from awscrt.checksums import crc64nvme

from ozgate.errors import StoreError
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.changing.locks import lock_of
from ozgate.values import Content, Volume
from tests.crash.gate import Gate
from tests.crash.views import ALL, Stored, View, bytes_in, rows, view


def check(
    folder: str, allowed: Sequence[View], over_http: bool = False, days: int = 100
) -> list[str]:
    """Recover a data folder as a start of the service does, let it sweep once, and look at it.

    :param allowed: what may be there: one view when all was acknowledged, two when something was under way; none
        when nothing was ever stored.
    :param over_http: whether clients look too, and store something more.
    :param days: how long after the workload's beginning; later than anything that it did.
    :return: what is broken, one line each.
    """
    gate = Gate(folder)
    gate.loop.advance(days * 86_400)
    broken = []
    try:
        gate.open()
        try:
            gate.sweep()
            found = view(gate)
            broken += _check_view(found, allowed)
            broken += gate.read(_check_counts, found)
            broken += _check_files(gate, found)
            if over_http:
                broken += _check_clients(gate, found)
        finally:
            gate.close()
        broken += _check_database(gate)
    except Exception as error:
        broken.append(f"recovery: {type(error).__name__}: {error}")
    return list(dict.fromkeys(broken))


def check_relaxed(folder: str, history: Sequence[View]) -> list[str]:
    """Recover a data folder whose writes were acknowledged early, after a power cut.

    What is there is what was there at some moment: all rows of it. Bytes that are missing are missed, and no others shown.

    :param history: what was there, from the last moment at which everything was on the disk.
    :return: what is broken, one line each.
    """
    gate = Gate(folder, relaxed=True)
    gate.loop.advance(100 * 86_400)
    broken = []
    try:
        gate.open()
        try:
            gate.sweep()
            volume, buckets, versions, uploads = gate.read(rows)
            found = View(volume, buckets, versions, uploads, {})
            if found not in [evolve(each, data={}) for each in history]:
                broken.append("I2: the rows are those of no moment")
            known = {c: data for each in history for c, data in each.data.items()}
            broken += _check_readable(gate, found.contents(), known)
            broken += gate.read(_check_counts, found)
        finally:
            gate.close()
        broken += _check_database(gate)
    except Exception as error:
        broken.append(f"recovery: {type(error).__name__}: {error}")
    return broken


def _check_readable(
    gate: Gate, contents: Sequence[Content], known: Mapping[Content, bytes]
) -> Iterator[str]:
    """I4: what can be read is what was written."""
    for content in contents:
        with suppress(StoreError):
            if content.body is None and bytes_in(gate, content) != known.get(content):
                yield f"I4: wrong bytes of {content}"


def _check_view(found: View, allowed: Sequence[View]) -> list[str]:
    broken = []
    if not allowed:
        if found.buckets or found.versions or found.uploads:
            broken.append(f"I2: {found.buckets} and {found.versions} from nowhere")
    elif found not in allowed:
        differences = [_difference(found, each) for each in allowed]
        nearest = min(differences, key=len)
        which = "I1" if len(allowed) == 1 else "I1/I2"
        broken.append(f"{which}: {nearest}")
    broken += _check_contents(found)
    broken += _check_order(found)
    broken += _check_locks(found)
    return broken


def _difference(found: View, expected: View) -> str:
    """Where two views differ, in words."""
    lines = []
    for name in ("volume", "buckets", "versions", "uploads", "data"):
        left, right = getattr(found, name), getattr(expected, name)
        if left == right:
            continue
        if isinstance(left, tuple):
            more = [each for each in left if each not in right]
            less = [each for each in right if each not in left]
            lines.append(f"{name}: unexpected {more}, missing {less}")
        elif isinstance(left, Volume):
            right = asdict(right)
            changed = {k: v for k, v in asdict(left).items() if right[k] != v}
            lines.append(f"{name}: {changed}")
        else:
            lines.append(f"{name} differs")
    return "; ".join(lines)


def _check_contents(found: View) -> Iterator[str]:
    """I4."""
    for stored in found.versions:
        version, data = stored.version, found.bytes_of(stored.content)
        where = f"{stored.bucket}/{version.key}"
        if version.is_delete_marker:
            continue
        if len(data) != version.size:
            yield f"I4: {where} has {len(data)} bytes, its row says {version.size}"
        if "-" not in version.etag and version.etag != _md5(data):
            yield f"I4: the ETag of {where} is not that of its bytes"
        checksum = version.checksum
        if checksum and checksum.type == "FULL_OBJECT":
            if checksum.value != _checksum(checksum.algorithm, data):
                yield f"I4: the checksum of {where} is not that of its bytes"
    for bucket, upload, parts in found.uploads:
        for part in parts:
            if part.etag != _md5(found.bytes_of(part.content)):
                yield f"I4: the ETag of part {part.number} of {bucket}/{upload.key} is not that of its bytes"


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _checksum(algorithm: str, data: bytes) -> str:
    """Independent of what the gateway computes them with, but for CRC64NVME."""
    if algorithm == "CRC32":
        digest = zlib.crc32(data).to_bytes(4, "big")
    elif algorithm == "CRC64NVME":
        digest = crc64nvme(data).to_bytes(8, "big")
    else:
        digest = hashlib.new(algorithm, data).digest()
    return base64.b64encode(digest).decode()


def _check_order(found: View) -> Iterator[str]:
    """I6."""
    before: Stored | None = None
    for stored in found.versions:
        version = stored.version
        first = before is None or (before.bucket, before.version.key) != (
            stored.bucket,
            version.key,
        )
        if version.is_latest != first:
            yield f"I6: is_latest of {stored.bucket}/{version.key} {version.version_id} is {version.is_latest}"
        if before and not first and before.version.sequence <= version.sequence:
            yield f"I6: the versions of {stored.bucket}/{version.key} are out of order"
        before = stored


def _check_locks(found: View) -> Iterator[str]:
    """I7, of rows."""
    for stored in found.versions:
        version = stored.version
        if stored.bucket == "locked" and not version.is_delete_marker:
            if lock_of(version).mode != "COMPLIANCE":
                yield f"I7: locked/{version.key} {version.version_id} is not locked"


def _check_counts(tx: IMetadataTransaction, found: View) -> list[str]:
    """I3 and I8; an interaction."""
    broken = []
    latest = found.latest()
    for bucket in found.buckets:
        page = tx.page(bucket, "", "", "", ALL)
        listed = {item.key: (item.size, item.etag) for item in page.items}
        readable = {
            key: (stored.version.size, stored.version.etag)
            for (name, key), stored in latest.items()
            if name == bucket.name
        }
        if listed != readable:
            broken.append(f"I3: {bucket.name} lists {listed}, has {readable}")
        if tx.recount(bucket) != (bucket.used_bytes, bucket.used_names):
            broken.append(f"I8: {bucket} counts wrongly: {tx.recount(bucket)}")
    used = sum(bucket.used_bytes for bucket in found.buckets)
    if (found.volume.used_bytes, found.volume.used_names) != (used, len(found.buckets)):
        broken.append(f"I8: {found.volume} counts wrongly")
    return broken


def _check_files(gate: Gate, found: View) -> list[str]:
    """I5."""
    named = {
        extent.blob.id for content in found.contents() for extent in content.extents
    }
    blobs = f"{gate.folder}/blobs"
    there = {
        name
        for folder in os.listdir(f"{blobs}/data")
        for name in os.listdir(f"{blobs}/data/{folder}")
    }
    broken = []
    if there != named:
        broken.append(
            f"I5: files without a name {there - named}, without a file {named - there}"
        )
    if strays := [
        *os.listdir(f"{blobs}/staging"),
        *(set(os.listdir(blobs)) - {"FORMAT", "NAME", "data", "staging"}),
    ]:
        broken.append(f"I5: left over: {strays}")
    if gate.read(lambda tx: tx.doomed("files", 1 << 60, ALL)):
        broken.append("I5: doomed blobs are left")
    return broken


def _check_clients(gate: Gate, found: View) -> Iterator[str]:
    """I1, I3 and I4 as a client sees them; and that the store takes more."""
    latest = found.latest()
    for bucket in found.buckets:
        keys = sorted(key for name, key in latest if name == bucket.name)
        _, _, document = gate.ask("GET", f"/{bucket.name}?list-type=2")
        listed = [
            part.partition("</Key>")[0] for part in document.decode().split("<Key>")[1:]
        ]
        if listed != keys:
            yield f"I3: a client lists {listed} in {bucket.name}, not {keys}"
    for (name, key), stored in latest.items():
        status, headers, data = gate.ask("GET", f"/{name}/{quote(key)}")
        if status != 200 or data != found.bytes_of(stored.content):
            yield f"I1: GET of {name}/{key} answers {status} and {len(data)} bytes"
        elif headers["etag"] != f'"{stored.version.etag}"':
            yield f"I4: GET of {name}/{key} shows ETag {headers['etag']}"
    for stored in found.versions:
        version = stored.version
        if lock_of(version).mode:
            target = (
                f"/{stored.bucket}/{quote(version.key)}?versionId={version.version_id}"
            )
            status, _, _ = gate.ask("DELETE", target)
            if status != 403:
                yield f"I7: DELETE of {target} answers {status}"
    data = b"later" * 1000
    requests = (
        ("PUT", "/later", b"", b""),
        ("PUT", "/later/key", data, b""),
        ("GET", "/later/key", b"", data),
    )
    for method, target, sent, expected in requests:
        status, _, answer = gate.ask(method, target, sent)
        if (status, answer) != (200, expected):
            yield f"{method} {target} after the recovery answers {status}: {answer!r}"


def _check_database(gate: Gate) -> list[str]:
    """SQLite's own checks, once the database is closed."""
    connection = sqlite3.connect(gate.database)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            return [f"integrity_check: {found}"]
        if found := connection.execute("PRAGMA foreign_key_check").fetchall():
            return [f"foreign_key_check: {found}"]
    finally:
        connection.close()
    return []

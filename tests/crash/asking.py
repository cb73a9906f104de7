"""What crash tests ask a gateway for, which must not refuse it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from random import Random
from typing import Any

from tests.crash.gate import Gate


def body(turn: int, length: int) -> bytes:
    """Bytes that no other turn has."""
    return Random(turn * 1_000_003 + length).randbytes(length)


def told(gate: Gate, method: str, target: str, *rest: Any) -> dict[str, str]:
    """Ask for something; the headers of the answer."""
    return answered(gate, (200, 204), method, target, *rest)


def answered(
    gate: Gate, statuses: tuple[int, ...], method: str, target: str, *rest: Any
) -> dict[str, str]:
    """Ask for something that must get one of these statuses; likewise."""
    status, headers, answer = gate.ask(method, target, *rest)
    if status not in statuses:
        raise AssertionError(f"{method} {target}: {status} {answer!r}")
    return headers


def put(
    gate: Gate,
    key: str,
    length: int,
    bucket: str = "plain",
    lock: Mapping[str, str] | None = None,
) -> None:
    """PutObject, of a body that says which turn it is from."""
    data = body(gate.turn, length)
    digest = hashlib.sha256(data).digest()
    headers = {
        "x-amz-meta-turn": str(gate.turn),
        "x-amz-tagging": f"turn={gate.turn}",
        "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
        **(lock or {}),
    }
    answer = told(gate, "PUT", f"/{bucket}/{key}", data, headers)
    assert answer["etag"] == f'"{hashlib.md5(data).hexdigest()}"', answer
    gate.bodies[bucket, key] = data


def set_versioning(gate: Gate, bucket: str, status: str) -> None:
    """PutBucketVersioning."""
    document = (
        f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
    )
    told(gate, "PUT", f"/{bucket}?versioning", document.encode(), digested(document))


def digested(document: str) -> dict[str, str]:
    """The header with the MD5 of a document."""
    digest = hashlib.md5(document.encode()).digest()
    return {"content-md5": base64.b64encode(digest).decode()}

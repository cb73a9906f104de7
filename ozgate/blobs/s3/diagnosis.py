"""What an operator is told of an S3 engine: what it was found to do, and what its bucket is set to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from time import monotonic

from ...values import Diagnosis
from ...values.diagnosis import note, risk, well
from .engine import Engine
from .probe import NOTHING, Honours

_VERSIONING = re.compile(rb"<Status>\s*(Enabled|Suspended)\s*</Status>")


async def diagnose(engine: Engine, honours: Honours | None) -> Sequence[Diagnosis]:
    """Ask an engine about its bucket.

    :param honours: what it was found to do at the start.
    :raises Unavailable: it cannot be asked.
    """
    began = monotonic()
    await engine.pages("data/", "looking at the engine", most=1)
    spent = (monotonic() - began) * 1000
    location = engine.location
    told = [well(f"{location}: it answers, a list of one key took {spent:.0f} ms")]
    if not location.is_secret:
        told.append(
            risk(
                f"{location.endpoint} is not encrypted on the way",
                "use s3+https:, or a network that nobody else is on",
            )
        )
    told += _honoured(honours)
    told.append(
        note(
            "what its 200 means only its makers know: ozgate answers 200 when it did",
            "see docs/scale-out.md, an S3 for the bytes",
        )
    )
    told.append(await _versioning(engine))
    told.append(await _lifecycle(engine))
    return told


def _honoured(honours: Honours | None) -> list[Diagnosis]:
    if honours is None or not honours.is_known:
        return [note("what it honours could not be tried at the start: it was full")]
    if honours.checksum == NOTHING:
        return [
            risk(
                str(honours),
                "let 'ozgate admin scrub' run, or use an engine that verifies checksums",
            )
        ]
    return [well(str(honours))]


async def _versioning(engine: Engine) -> Diagnosis:
    """Source: Amazon S3 API Reference, "GetBucketVersioning"."""
    what = "whether the bucket keeps versions"
    answer = await engine.answered("GET", "", what, "versioning=")
    if answer.status != 200:
        return note(f"{what} it does not tell: {answer.code}")
    found = _VERSIONING.search(answer.body)
    if found and found[1] == b"Suspended":
        return note(
            "the bucket keeps the versions that it made before: they take room",
            "remove old versions there",
        )
    if b"VersioningConfiguration" not in answer.body:
        return note(f"{what} it does not tell: its answer is no document")
    if found:
        return risk(
            "the bucket keeps versions: what is deleted there goes on taking room",
            "use a bucket without versioning",
        )
    return well("the bucket keeps no versions of what is deleted")


async def _lifecycle(engine: Engine) -> Diagnosis:
    """Source: Amazon S3 API Reference, "GetBucketLifecycleConfiguration"."""
    what = "whether the bucket has lifecycle rules"
    answer = await engine.answered("GET", "", what, "lifecycle=")
    if answer.status == 200:
        return risk(
            "the bucket has lifecycle rules: one that removes or moves blobs loses objects",
            "see that none is about the prefix that ozgate has there",
        )
    if answer.code == "NoSuchLifecycleConfiguration":
        return well("the bucket has no lifecycle rules")
    return note(f"{what} it does not tell: {answer.code}")

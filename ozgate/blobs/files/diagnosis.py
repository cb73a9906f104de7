"""What an operator is told of a folder of blobs."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Unavailable
from ...filesystems import diagnose_folder
from ...values import Diagnosis
from ...values.diagnosis import risk, well


def diagnose(folder: str, is_relaxed: bool, is_shared: bool) -> Sequence[Diagnosis]:
    """Look at a folder of blobs; in a thread.

    :param is_relaxed: whether a blob is committed before it is synced.
    :param is_shared: whether several gateways may have it open.
    :raises Unavailable: its file system cannot be asked.
    """
    try:
        told = diagnose_folder(folder, "blobs", is_shared)
    except OSError as error:
        raise Unavailable(
            f"the blobs in {folder} cannot be looked at: {error.strerror}"
        ) from None
    if is_relaxed:
        told.append(
            risk(
                "blobs are answered before they are synced: a power cut takes the last ones",
                "set ozgate.durability to strict",
            )
        )
    else:
        told.append(well("a blob is answered once it and its name are synced"))
    return told

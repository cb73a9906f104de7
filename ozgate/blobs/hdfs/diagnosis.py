"""What an operator is told of an HDFS."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Diagnosis
from ...values.diagnosis import risk, well
from .filesystem import FileSystem


def diagnose(system: FileSystem, path: str) -> Sequence[Diagnosis]:
    """Look at it; in a thread.

    :param path: of a file that is there.
    :raises Unavailable: it cannot be asked.
    """
    copies = system.copies(path)
    told = [well(f"{system.url}: its name node answers")]
    if copies == 1:
        told.append(
            risk(
                "a file has one copy: it is lost with its disk",
                "set dfs.replication to 3, and hdfs dfs -setrep for what is there",
            )
        )
    else:
        told.append(well(f"a file has {copies} copies, as dfs.replication says"))
    return told

"""What a folder's file system means to who keeps something in it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .values import Diagnosis
from .values.diagnosis import note, risk, well, wrong

_IN_MEMORY = frozenset(("tmpfs", "ramfs", "devtmpfs"))
_OF_NETWORKS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "9p", "afs", "lustre")
)
_SMB = frozenset(("cifs", "smb3", "smbfs"))
_LOW = 0.05
"""The share of a file system that is free below which an operator is told of it."""


def file_system_of(path: str, mounts: Iterable[str] | None = None) -> str:
    """The type of the file system that a folder is on, such as ``ext4``.

    Source: Linux, proc(5), ``/proc/self/mountinfo``.

    :param mounts: the lines of that file; read when ``None``.
    :return: ``""`` where it cannot be found out.
    """
    if mounts is None:
        try:
            with open("/proc/self/mountinfo", encoding="utf-8") as file:
                mounts = file.readlines()
        except OSError:
            return ""
    sought, longest, found = os.path.realpath(path), -1, ""
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields, types = before.split(), after.split()
        if len(fields) < 5 or not types:
            continue
        point = fields[4].replace("\\040", " ")
        inside = point == "/" or sought == point or sought.startswith(point + "/")
        # Of two that are mounted at one place the later hides the earlier.
        if inside and len(point) >= longest:
            longest, found = len(point), types[0].partition(".")[0]
    return found


def diagnose_folder(path: str, what: str, is_shared: bool) -> list[Diagnosis]:
    """What a folder's file system means, and how much room it has. Blocks: it asks the file system.

    :param what: what is kept there, for people.
    :param is_shared: whether several machines may use it at once.
    :raises OSError: the folder cannot be asked.
    """
    found = file_system_of(path)
    sizes = os.statvfs(path)
    free, total = sizes.f_bavail * sizes.f_frsize, sizes.f_blocks * sizes.f_frsize
    where = f"{what} in {path}, on {found or 'a file system of unknown type'}"
    told = [_of_type(found, where, is_shared)]
    room = f"{free / 1e9:.1f} GB of {total / 1e9:.1f} GB are free there"
    if total and free < total * _LOW:
        told.append(risk(room, "make room before writes are refused"))
    else:
        told.append(well(room))
    return told


def _of_type(found: str, where: str, is_shared: bool) -> Diagnosis:
    if found in _IN_MEMORY:
        return risk(
            f"{where}, which is memory: a power cut takes all of it",
            "keep it in a folder on a disk",
        )
    if found in _SMB:
        return wrong(
            f"{where}, which does not make folders durable",
            "use a local disk, or NFS exported with sync",
        )
    if found in _OF_NETWORKS and not is_shared:
        return wrong(
            f"{where}, which other machines can change, and whose locks are not relied upon",
            "keep it on a local disk, or have several gateways share it with metadata in PostgreSQL",
        )
    if found in _OF_NETWORKS:
        return note(
            f"{where}: durable as far as that server syncs what it is told to sync",
            "see that it is exported with sync",
        )
    if not found or found == "overlay":
        return note(
            f"{where}: whether that lasts longer than the machine or container, cannot be found out",
            "keep it in a volume of its own",
        )
    return well(where)

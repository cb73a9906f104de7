"""Damaged rows of volumes and buckets, which stay for the sake of what is in them: closed to all but one, and within reach."""

from __future__ import annotations

import re
from typing import Protocol

from ...values import Bucket, Volume
from .columns import Row
from .conversions import is_text
from .relation import Table
from .tables import BUCKETS, VOLUMES

_NAME = re.compile(r"[a-z0-9.-]+")


class Neighbors(Protocol):
    """What is asked of the rows around a damaged one."""

    def volumes_there(self) -> dict[object, bool]:
        """The volumes by name, and whether each holds fewer buckets than it counts."""

    def volumes_used(self) -> list[object]:
        """The volumes that buckets are in, by what they say."""

    def is_taken(self, volume: object, name: object, number: object) -> bool:
        """Whether another bucket than that of this number has a name in a volume."""

    def has_ids(self, number: object) -> bool:
        """Whether a bucket has a version that is not the null version."""


def closed_up(
    table: Table[object], row: Row, owner: str, neighbors: Neighbors
) -> tuple[dict[str, object], str]:
    """Let only a new owner in.

    :param row: what the check covers, and the check.
    :return: what changes in the row; and what to say, in a line.
    """
    before = dict(zip(table.columns, row, strict=False))
    new = dict(zip(table.columns, _new_row(table), strict=False))
    after = {
        name: value if _is_of_its_kind(value, new[name]) else new[name]
        for name, value in before.items()
    }
    if table.name == "volumes":
        after["name"] = _volume_name(before["name"], row[0], neighbors)
    else:
        if None in (after["source_volume"], after["source_bucket"]):
            after["source_volume"] = after["source_bucket"] = None
        after["volume"] = _volume_of_bucket(before["volume"], neighbors)
        after["name"] = _bucket_name(after["volume"], before["name"], row[0], neighbors)
        after["versioning"] = _versioning(before["versioning"], row[0], neighbors)
    after |= {"owner": owner, "acls": ""}
    # The others are not even touched: their references would be looked at.
    changed = {n: v for n, v in after.items() if v != before[n]}
    place = "".join(
        [
            f", {said} {after[name]}"
            for said, name in (("called", "name"), ("in", "volume"))
            if name in changed
        ]
    )
    said = f"it is {owner}'s now{place}, and its list of rights empty; look at the rest"
    return changed, said


def _volume_name(name: object, number: object, neighbors: Neighbors) -> object:
    """The name of a volume: the one by which buckets know it, where that can be told."""
    there, used = neighbors.volumes_there(), neighbors.volumes_used()
    lost = [each for each in used if each not in there and _is_name(each)]
    if name in used:
        return name
    if len(lost) == 1:
        return lost[0]
    return name if _is_name(name) else f"damaged-{number}"


def _volume_of_bucket(volume: object, neighbors: Neighbors) -> object:
    """The volume that a bucket is in: where that is not there, the first that holds fewer than it counts, or any."""
    there = {n: lacks for n, lacks in neighbors.volumes_there().items() if _is_name(n)}
    if volume in there:
        return volume
    missing = [name for name, lacks in there.items() if lacks]
    return next(iter([*missing, *there]), "")


def _bucket_name(
    volume: object, name: object, number: object, neighbors: Neighbors
) -> object:
    """The name of a bucket, which no other in its volume has."""
    taken = neighbors.is_taken(volume, name if _is_name(name) else "", number)
    return name if _is_name(name) and not taken else f"damaged-{number}"


def _versioning(state: object, number: object, neighbors: Neighbors) -> object:
    """Whether a bucket keeps versions: where that cannot be told, it does, so that nothing is lost that would be kept."""
    if state in ("Enabled", "Suspended"):
        return state
    return "" if state == "" and not neighbors.has_ids(number) else "Enabled"


def _new_row(table: Table[object]) -> Row:
    """A new row: what a column has where nothing is to be made of what it holds."""
    if table.name == "volumes":
        return VOLUMES.row(Volume("", "", 0))
    return BUCKETS.row(Bucket("", "", "", 0))


def _is_name(value: object) -> bool:
    """Whether something is a name that can be asked for."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_of_its_kind(value: object, new: object) -> bool:
    """Whether a column holds what it may.

    :param new: what it holds in a new row.
    """
    if isinstance(value, str):
        return isinstance(new, str | None) and is_text(value)
    return type(value) is type(new)

"""Damaged rows of volumes and buckets, which stay for the sake of what is in them: closed to all but one, and within reach."""

from __future__ import annotations

import re

from ...values import Bucket, Volume
from ..declared.columns import Row
from ..declared.conversions import is_text
from ..declared.relation import Table
from ..declared.tables import BUCKETS, VOLUMES
from .buckets import BucketRows
from .usage import USED_NAMES

_NAME = re.compile(r"[a-z0-9.-]+")


class CloseUp(BucketRows):
    """Volumes and buckets that are damaged."""

    def _close_up(self, table: Table[object], row: Row, owner: str) -> str:
        """Let only a new owner in, and have the row agree with its check again.

        :param row: what the check covers, and the check.
        """
        before = dict(zip(table.columns, row, strict=False))
        new = dict(zip(table.columns, _new_row(table), strict=False))
        after = {
            name: value if _is_of_its_kind(value, new[name]) else new[name]
            for name, value in before.items()
        }
        if table.name == "volumes":
            after["name"] = self._volume_name(before["name"], row[0])
        else:
            if None in (after["source_volume"], after["source_bucket"]):
                after["source_volume"] = after["source_bucket"] = None
            after["volume"] = self._volume_of_bucket(before["volume"])
            after["name"] = self._bucket_name(after["volume"], before["name"], row[0])
            after["versioning"] = self._versioning(before["versioning"], row[0])
        after |= {"owner": owner, "acls": ""}
        # The others are not even touched: their references would be looked at.
        changed = {n: v for n, v in after.items() if v != before[n]}
        self._rewrite(table, row, **changed)
        place = "".join(
            [
                f", {said} {after[name]}"
                for said, name in (("called", "name"), ("in", "volume"))
                if name in changed
            ]
        )
        return f"it is {owner}'s now{place}, and its list of rights empty; look at the rest"

    def _volume_name(self, name: object, number: int) -> object:
        """The name of a volume: the one by which buckets know it, where that can be told."""
        there, used = self._volumes_there(), self._volumes_used()
        lost = [each for each in used if each not in there and _is_name(each)]
        if name in used:
            return name
        if len(lost) == 1:
            return lost[0]
        return name if _is_name(name) else f"damaged-{number}"

    def _volume_of_bucket(self, volume: object) -> object:
        """The volume that a bucket is in: where that is not there, the first that holds fewer than it counts, or any."""
        there = {n: lacks for n, lacks in self._volumes_there().items() if _is_name(n)}
        if volume in there:
            return volume
        missing = [name for name, lacks in there.items() if lacks]
        return next(iter([*missing, *there]), "")

    def _bucket_name(self, volume: object, name: object, number: int) -> object:
        """The name of a bucket, which no other in its volume has."""
        taken = self._execute(
            "SELECT 1 FROM buckets WHERE volume = ? AND name = ? AND number <> ?",
            (volume, name if _is_name(name) else "", number),
        ).fetchone()
        return name if _is_name(name) and not taken else f"damaged-{number}"

    def _versioning(self, state: object, number: int) -> object:
        """Whether a bucket keeps versions: where that cannot be told, it does, so that nothing is lost that would be kept."""
        if state in ("Enabled", "Suspended"):
            return state
        named = self._execute(
            "SELECT 1 FROM versions WHERE bucket = ? AND version_id <> 'null' LIMIT 1",
            (number,),
        ).fetchone()
        return "" if state == "" and named is None else "Enabled"

    def _volumes_there(self) -> dict[object, bool]:
        """The volumes, and whether each holds fewer buckets than it counts."""
        with self._any_text():
            rows = self._execute(
                f"SELECT name, {USED_NAMES} > (SELECT COUNT(*) FROM buckets"
                " WHERE volume = volumes.name) FROM volumes ORDER BY number"
            ).fetchall()
        return {name: bool(lacks) for name, lacks in rows}

    def _volumes_used(self) -> list[object]:
        """The volumes that buckets are in, by what they say."""
        with self._any_text():
            rows = self._execute("SELECT DISTINCT volume FROM buckets").fetchall()
        return [volume for (volume,) in rows]


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

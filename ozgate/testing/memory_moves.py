"""What the memory provider does when a blob is moved to another store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import evolve

from ..errors import Conflict
from ..values import BlobRef, Content, Extent
from .memory_state import Rows

_Move = Callable[[Content], Content]


class MovedRows(Rows):
    """Extents that come to name other blobs."""

    def move_blob(
        self, old: BlobRef, new: Sequence[BlobRef], most: int, limit: int
    ) -> bool:
        """Have extents that name a blob name others instead."""
        self._written()
        self._claims.check_lease()
        left = limit

        def move(content: Content) -> Content:
            nonlocal left
            found: list[Extent] = []
            before = left
            for extent in content.extents:
                if left and (extent.blob.store, extent.blob.id) == (old.store, old.id):
                    if extent.seal and len(new) > 1:
                        raise Conflict(f"blob {old.id} is sealed")
                    found += extent.moved(new)
                    left -= 1
                else:
                    found.append(extent)
            if left < before and len(new) > 1 and len(found) > most:
                raise Conflict(f"there would be {len(found)} extents")
            return evolve(content, extents=tuple(found))

        self._move_all(move)
        if not left:
            return False
        if not self.is_named(old.store, old.id):
            self.doom([old])
        return True

    def _move_all(self, move: _Move) -> None:
        state = self._written()
        for place, versions in state.versions.items():
            state.versions[place] = tuple(
                evolve(kept, content=move(kept.content)) for kept in versions
            )
        for parts in state.parts.values():
            for number, part in parts.items():
                parts[number] = evolve(part, content=move(part.content))
        for sequence, (at, content) in state.retired.items():
            state.retired[sequence] = (at, move(content))

"""The transactions that interactions are given: all rows together, for writing and for reading."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypeVar

from zope.interface import implementer

from ...interfaces import IMetadataTransaction
from ...values import Bucket, ByteRange, Claim, Content, ObjectVersion, Volume
from ..declared.relation import Table
from ..readonly import refuse_writing
from .base import ReadingRows
from .blobnames import BlobRows
from .events import EventRows
from .identities import IdentityRows
from .mending import MendingRows
from .session import Session
from .shared import SharedRows
from .snapshots import SNAPSHOT, Missed, State, States
from .times import Times
from .uploads import UploadRows
from .versions import VersionRows

V = TypeVar("V")


@implementer(IMetadataTransaction)
class Transaction(
    VersionRows,
    UploadRows,
    BlobRows,
    MendingRows,
    EventRows,
    IdentityRows,
    SharedRows,
):
    """What a writing interaction is given: READ COMMITTED, so that what is read once it is claimed is what is there.

    Source: PostgreSQL, "Read Committed Isolation Level", "Advisory Locks".
    """

    HOW = "ISOLATION LEVEL READ COMMITTED READ WRITE"


@refuse_writing
class ReadTransaction(ReadingRows, Transaction):
    """What a reading interaction is given: one snapshot, in which no row changes, so that what was read is kept, also for others who read the same state.

    Source: PostgreSQL, "Repeatable Read Isolation Level".

    :ivar states: what is kept, of all who read.
    """

    HOW = "ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, session: Session, times: Times, states: States) -> None:
        self.states = states
        self._state = State("")
        self._is_open = False
        super().__init__(session, times)

    def begin_with(self, snapshot: str | None) -> None:
        """Another interaction begins.

        :param snapshot: of the state that it reads, as far as that is kept: it raises ``Missed`` where it asks for more. ``None`` where its transaction is open.
        """
        self.begin()
        self._is_open = snapshot is None
        if snapshot is None:
            (snapshot,) = self._execute(SNAPSHOT).fetchone()
        self._state = self.states.of(self._session.state_of(snapshot))

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        if not self._is_open:
            raise Missed()
        return super()._execute(statement, parameters)

    def _may_keep(self, claim: Claim) -> bool:
        return False

    def _kept_of(self, place: Hashable, read: Callable[[], V | None]) -> V | None:
        """What is kept, or read now."""
        found: V | None = self._state.find(place)
        if found is None:
            found = read()
            self._state.keep(place, found)
        return found

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        return self._kept_of(("volume", name), partial(super().volume, name))

    def bucket(self, volume: str, name: str) -> Bucket | None:
        """The bucket or link of that name."""
        place = "bucket", volume, name
        return self._kept_of(place, partial(super().bucket, volume, name))

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document."""
        place = "document", bucket.number, kind
        found: bytes | None = self._state.find(place)
        if found is None:
            found = super().configuration(bucket, kind)
            self._state.keep(place, found, len(found or b""))
        return found

    def _one(self, table: Table[V], name: str) -> V | None:
        return self._kept_of((table.name, name), partial(super()._one, table, name))

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key."""
        place = "latest", bucket.number, key
        return self._kept_of(place, partial(super().latest, bucket, key))

    def content(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are; kept where they were asked for as a whole, and did not come in parts.

        :raises Absent: the version is gone.
        :raises Damaged: its bytes are, or they are fewer or more than it has.
        """
        if wanted is None or version.parts_count:
            return super().content(bucket, version, wanted, limit)
        place = "content", version.sequence
        whole: Content | None = self._state.find(place)
        is_all = wanted.length == version.size
        if whole is None:
            found = super().content(bucket, version, wanted, limit)
            if is_all and found.length == version.size:
                self._state.keep(place, found, len(found.body or b""))
            return found
        return whole if is_all else whole.cut(wanted)

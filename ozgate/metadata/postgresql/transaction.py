"""The transactions that interactions are given: all rows together, for writing and for reading."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from attrs import evolve
from zope.interface import implementer

from ...interfaces import IMetadataTransaction
from ...values import Bucket, ByteRange, Claim, Content, ObjectVersion
from ..declared.columns import Row
from ..declared.relation import Table
from ..declared.tables import BODIES
from ..readonly import refuse_writing
from .base import ReadingRows
from .blobnames import BlobRows
from .buckets import UNCOUNTED, bucket_of
from .contents import body_content
from .epochs import EPOCH, Epochs, Known, Missed
from .events import EventRows
from .identities import IdentityRows
from .mending import MendingRows
from .session import Session
from .shared import SharedRows
from .times import Times
from .uploads import UploadRows
from .versions import VersionRows, latest_of

V = TypeVar("V")

Place = tuple[str, Hashable]
"""A table, and what tells a row of it."""

Wanted = tuple[int, str]
"""The number of a bucket, and a key in it."""

TIME: Wanted = (0, "")
"""What is wanted where it is the time alone."""


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

    A bucket that is looked at before anything is claimed, to find out what to claim, is looked at again then. So the first look needs no round trip
    where the bucket is kept, though it may be another by now: it is a *guess*, which is confirmed by the second look. An interaction that ends,
    however it does, before all guesses were confirmed, is run anew without any.
    Source: PostgreSQL, "Read Committed Isolation Level", "Advisory Locks".

    :param epochs: of all transactions of a store.
    :ivar has_guessed: whether the interaction was told of a bucket that nobody has asked for.
    """

    HOW = "ISOLATION LEVEL READ COMMITTED READ WRITE"

    def __init__(self, session: Session, times: Times, epochs: Epochs) -> None:
        self._epochs = epochs
        self._may_guess = False
        self._unconfirmed: set[tuple[str, str]] = set()
        super().__init__(session, times)

    def begin(self) -> None:
        """Another transaction begins."""
        super().begin()
        self.has_guessed = False
        self._unconfirmed.clear()

    def guess(self, may: bool) -> None:
        """Whether there may be guesses from now on; where not, for one was wrong, what is kept goes."""
        self._may_guess = may
        if not may:
            self._epochs.forget()

    @property
    def is_unconfirmed(self) -> bool:
        """Whether a guess was not confirmed."""
        return bool(self._unconfirmed)

    def bucket(self, volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name."""
        place = volume, name
        if counted or self._held.is_any:
            self._unconfirmed.discard(place)
            return super().bucket(volume, name)
        self._looked_at[place] = None
        found = self._epochs.last.find(("buckets", place)) if self._may_guess else None
        if found is not None and found[0] is not None:
            self.has_guessed = True
            self._unconfirmed.add(place)
            return cast("Bucket", found[0])
        epoch, *row = self._execute(UNCOUNTED, place).fetchone()
        bucket = None if row[0] is None else bucket_of((*row, 0, 0), 0, 0)
        self._epochs.of(epoch).keep(("buckets", place), bucket)
        return bucket


@refuse_writing
class ReadTransaction(ReadingRows, Transaction):
    """What a reading interaction is given: one snapshot, in which no row changes, so that what was read is kept, also for others who read in the same epoch.

    Source: PostgreSQL, "Repeatable Read Isolation Level".

    :param epochs: of all who read.
    """

    HOW = "ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, session: Session, times: Times, epochs: Epochs) -> None:
        self._known = Known("")
        super().__init__(session, times, epochs)

    def start(self) -> None:
        """The transaction is open: find out which epoch it is in."""
        row = self._execute(EPOCH).fetchone()
        self._known = self._epochs.of(None if row is None else row[0])

    def _may_keep(self, claim: Claim) -> bool:
        return False

    def _kept_of(self, place: Place, read: Callable[[], V | None]) -> V | None:
        """What is kept, or read now."""
        found = self._known.find(place)
        if found is not None:
            return cast("V | None", found[0])
        value = read()
        self._known.keep(place, value)
        return value

    def bucket(self, volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name; kept where nobody asks what it uses."""
        read = partial(super().bucket, volume, name)
        if counted:
            return read()
        return self._kept_of(("buckets", (volume, name)), partial(_uncounted, read))

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document."""
        place = "configurations", (bucket.number, kind)
        found = self._known.find(place)
        if found is not None:
            return cast("bytes | None", found[0])
        document = super().configuration(bucket, kind)
        self._known.keep(place, document, len(document or b""))
        return document

    def _one(self, table: Table[V], name: str) -> V | None:
        return self._kept_of((table.name, name), partial(super()._one, table, name))


class NearTransaction(ReadTransaction):
    """What an interaction is given that is run where no transaction is: it finds what is kept, and what was asked for, in the same snapshot, for it.

    All else raises ``Missed``; where it is the newest version of a key, or the time, that says so.
    """

    def __init__(self, times: Times, epochs: Epochs) -> None:
        super().__init__(cast("Session", None), times, epochs)
        self._wanted: Wanted | None = None
        self._told: tuple[int, int] | None = None
        self._row: Row = ()

    def look(
        self,
        known: Known,
        wanted: Wanted | None = None,
        told: tuple[int, int] | None = None,
        row: Row = (),
    ) -> None:
        """Another interaction begins.

        :param known: what is kept.
        :param wanted: what was asked for; ``None`` where nothing was yet.
        :param told: what the time is made of.
        :param row: what else :data:`~ozgate.metadata.postgresql.versionstatements.NEAREST` gave.
        """
        self.begin()
        self._known, self._wanted, self._told, self._row = known, wanted, told, row

    def now(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.now`."""
        if self._now is None:
            if self._told is None:
                raise Missed(TIME)
            self._now = self._times.now(*self._told)
        return self._now

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        raise Missed()

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key."""
        wanted = bucket.number, key
        if wanted != self._wanted:
            # Where something else was asked for, it takes a transaction.
            raise Missed(wanted if self._wanted is None else None)
        return latest_of(bucket, key, self._row[: -BODIES.width])

    def content(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are: of that one, where they are in a row that came with it.

        :raises Damaged: its bytes are.
        """
        body = self._row[-BODIES.width :]
        if not body or body[0] != version.sequence:
            raise Missed()
        return body_content(version, body, wanted)


def _uncounted(read: Callable[[], Bucket | None]) -> Bucket | None:
    """A bucket without what it uses, which changes within an epoch."""
    found = read()
    return None if found is None else evolve(found, used_bytes=0, used_names=0)

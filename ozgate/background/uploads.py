"""The service that aborts multipart uploads nobody completes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..errors import Damaged
from ..interfaces import IMetadataStore, IMetadataTransaction
from ..s3.changing import drop_upload
from ..secondlook import claimed
from ..values import Bucket, Claim, Upload
from .leased import Lease
from .rounds import Rounds

_log = Logger()

LEASE = "upload-expiry"

TERM = 30.0
"""Seconds of the lease, renewed with each batch."""

LEAP = 60.0
"""Seconds that the store's time may run ahead between two rounds before it was set."""

_BATCH = 5
"""Uploads in one transaction: one may have 10,000 parts."""


class UploadExpiry(Rounds):
    """Aborts uploads that began too long ago, and forgets completed ones of that age.

    As Ozone does for ``ozone.om.open.mpu.expire.threshold``, and S3 for ``AbortIncompleteMultipartUpload``, age counts
    from the beginning of the upload, not from its last part. The parts' blobs are doomed, so the sweeper deletes them.

    When the wall clock was set forward between two rounds, the second does nothing: should that have been a mistake,
    there is an interval to undo it before uploads in progress are lost.

    :param clock: what rounds are timed by; a leap of the wall clock is seen if this one does not follow.
    :param owner: see :class:`~ozgate.background.leased.Lease`.
    :param age: seconds.
    :param interval: seconds between two rounds.
    """

    name = "upload-expiry"

    def __init__(
        self,
        metadata: IMetadataStore,
        clock: IReactorTime,
        owner: str,
        age: float,
        interval: float,
    ) -> None:
        super().__init__(clock, interval)
        self._metadata = metadata
        self._owner = owner
        self._age = age
        self._ahead: float | None = None

    async def _leapt(self) -> bool:
        """Whether the store's time was set forward since the last round."""
        now = await self._metadata.read(_now)
        before, self._ahead = self._ahead, now / 1000 - self._clock.seconds()
        return before is not None and self._ahead > before + LEAP

    async def work(self) -> None:
        """Abort everything that is old enough."""
        if await self._leapt():
            _log.warn(
                "the clock was set forward: what expires by it does not before the next round"
            )
            return
        term = Lease(LEASE, self._owner, TERM).begin()
        aborted = 0
        damaged: tuple[str, ...] = ()
        while self.go_on():
            found = await term.write(
                self._metadata, _abort_old, round(self._age * 1000), damaged
            )
            if found is None:
                break
            aborted += found[0]
            damaged += found[1]
            if found[2]:
                break
        if damaged:
            _log.warn(
                "{count} multipart uploads cannot be aborted by age, for rows of their parts are damaged: see 'ozgate admin fsck'",
                count=len(damaged),
            )
        if aborted:
            _log.info("aborted {count} multipart uploads by age", count=aborted)


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()


def _claims(found: Sequence[tuple[Bucket, Upload]]) -> tuple[Claim, ...]:
    """What aborting uploads decides about."""
    return tuple(
        claim
        for bucket, upload in found
        for claim in (
            *Claim.inside(bucket),
            Claim.upload(bucket.number, upload.upload_id),
        )
    )


def _abort_old(
    tx: IMetadataTransaction, age: int, passed_over: Sequence[str]
) -> tuple[int, tuple[str, ...], bool]:
    """Drop a batch of old uploads.

    :param passed_over: ids of uploads that cannot be dropped.
    :return: how many were in progress, the ids of further ones that cannot be dropped, and whether these were all.
    """
    most = _BATCH + len(passed_over)
    old = claimed(tx, partial(tx.uploads_before, tx.now() - age, most), _claims)
    aborted, damaged = 0, list[str]()
    for bucket, upload in old:
        if upload.upload_id in passed_over:
            continue
        try:
            # What is damaged it finds before it changes anything.
            drop_upload(tx, bucket, upload)
        except Damaged:
            damaged.append(upload.upload_id)
        else:
            aborted += upload.completed is None
    return aborted, tuple(damaged), len(old) < most

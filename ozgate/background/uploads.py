"""The service that aborts multipart uploads nobody completes."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..interfaces import IMetadataStore, IMetadataTransaction
from .rounds import Rounds

_log = Logger()

LEASE = "upload-expiry"

TERM = 30.0
"""Seconds of the lease, renewed with each batch."""

_BATCH = 5
"""Uploads in one transaction: one may have 10,000 parts."""


class UploadExpiry(Rounds):
    """Aborts uploads that began too long ago, and forgets completed ones of that age.

    As Ozone does for ``ozone.om.open.mpu.expire.threshold``, and S3 for ``AbortIncompleteMultipartUpload``, age counts
    from the beginning of the upload, not from its last part. The parts' blobs are doomed, so the sweeper deletes them.

    :param owner: who holds the lease; the same again after a restart.
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

    async def work(self) -> None:
        """Abort everything that is old enough."""
        aborted = 0
        while self.go_on():
            found = await self._metadata.write(
                _abort_old,
                self._owner,
                round(self._age * 1000),
                claims=(("lease", LEASE),),
            )
            if found is None:
                break
            aborted += found[0]
            if found[1] < _BATCH:
                break
        if aborted:
            _log.info("aborted {count} multipart uploads by age", count=aborted)


def _abort_old(
    tx: IMetadataTransaction, owner: str, age: int
) -> tuple[int, int] | None:
    """Drop a batch of old uploads; returns how many were in progress, and how many there were."""
    if not tx.lease(LEASE, owner, TERM):
        return None
    old = tx.uploads_before(tx.now() - age, _BATCH)
    for bucket, upload in old:
        tx.remove_upload(bucket, upload)
    return sum(upload.completed is None for _, upload in old), len(old)

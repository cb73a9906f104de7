"""Object lock in headers, where no request through the gateway tells it apart."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InvalidArgument
from ozgate.s3.changing.locks import Lock
from ozgate.s3.lockheaders import check_authorized_lock, read_lock
from ozgate.values import ANONYMOUS, Bucket
from ozgate.wire.headers import Headers
from tests.unit.s3.policy.asking import NOW, Rows, asked

LOCKED = Bucket("s3v", "bucket", "owner", 0, configured=frozenset(("object-lock",)))


class LockHeaderTests(SynchronousTestCase):
    """What a write asks for."""

    def test_nobody(self) -> None:
        """Who does not sign locks nothing, whatever is granted to everybody."""
        tx: Any = Rows()
        request = asked(ANONYMOUS, "PutObject", "/bucket/key", {})
        for lock in (Lock(hold="ON"), Lock("COMPLIANCE", NOW + 1000)):
            with self.assertRaisesRegex(InvalidArgument, "Signature Version 4"):
                check_authorized_lock(tx, request, LOCKED, lock)

    def test_none(self) -> None:
        """Headers that say nothing of a lock, or only that there is to be no hold, are read as that."""
        self.assertEqual(read_lock(Headers({})), Lock())
        headers = Headers({"x-amz-object-lock-legal-hold": "OFF"})
        self.assertEqual(read_lock(headers), Lock(hold="OFF"))

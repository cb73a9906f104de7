"""A form whose client stops while its fields are looked at."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import IncompleteBody
from ozgate.s3.formbody import take_fields
from ozgate.wire.body import RequestBody
from ozgate.wire.formdata import FormData


class Source:
    """A connection that does nothing."""

    def pause_body(self) -> None:
        """Do nothing."""

    resume_body = send_continue = drain_body = pause_body


class DropTests(SynchronousTestCase):
    """Forms that nobody wants any more."""

    def test_stopped_meanwhile(self) -> None:
        """That its client stopped, too, is no error that nobody has seen: strangers would fill the log with it."""
        body = RequestBody(Source(), 1000)
        call: Any = SimpleNamespace(body=body)
        data = FormData(b"b", 1000, ValueError, ValueError)
        taken = Deferred.fromCoroutine(take_fields(call, data))
        head = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        body.data_received(head + b"begun")
        form = self.successResultOf(taken)
        body.failed(IncompleteBody())
        form.drop()
        del form, taken
        gc.collect()
        self.assertEqual(self.flushLoggedErrors(), [])

"""The clock of one of three gateways is set while they run; what is told of that in the log: :mod:`tests.unit.service.test_clockskew`."""

from __future__ import annotations

import email.utils
import os
import time

from tests.crash.test_clock_jumps import DAY, ClockedServer
from tests.gateways.fleet import EAGER, FleetCase

MINUTES = 600.0
LARGE = 200_000
"""A body that is in a blob."""


class ClockTests(FleetCase):
    """Ten minutes and two days, forward and back."""

    settings = EAGER
    kind = ClockedServer

    def test_set(self) -> None:
        """What is written through it, in rows and blobs, is as of the database's time and there through all; who signs by the right time is refused by it when it is days off, in so many words, and so is what goes into blobs where it is days behind."""
        right, wrong, other = self.gateways
        assert isinstance(wrong, ClockedServer)
        bodies: dict[str, bytes] = {}
        for turn, ahead in enumerate((MINUTES, -MINUTES, 2 * DAY, -2 * DAY)):
            wrong.set_clock(ahead, with_clients=False)
            status, _, said = wrong.request("GET", "/bucket")
            if abs(ahead) > MINUTES:
                self.assertEqual(status, 403)
                self.assertIn(b"<Code>RequestTimeTooSkewed</Code>", said)
            else:
                self.assertEqual(status, 200, said)
            wrong.set_clock(ahead)
            for size in (100, LARGE):
                key = f"{turn}-{size}"
                bodies[key] = os.urandom(size)
                status, _, said = wrong.request(
                    "PUT", f"/bucket/{key}", {}, bodies[key]
                )
                if ahead < -MINUTES and size == LARGE:
                    # Others would take what it writes for left over.
                    self.assertEqual(status, 503, said)
                    del bodies[key]
                    continue
                self.assertEqual(status, 200, said)
                # What it is the last to name is removed by it, or by another.
                for each in (right, wrong):
                    each.request("PUT", "/bucket/replaced", {}, os.urandom(size))
            for key, body in bodies.items():
                for each in self.gateways:
                    status, headers, found = each.request("GET", f"/bucket/{key}")
                    self.assertEqual((status, found), (200, body))
                    date = email.utils.parsedate_to_datetime(headers["last-modified"])
                    self.assertLess(abs(date.timestamp() - time.time()), 120)
        wrong.set_clock(0)
        self.assertEqual(wrong.request("DELETE", "/bucket/0-100")[0], 204)
        self.assertEqual(other.request("GET", "/bucket/0-100")[0], 404)

"""Server CPU per signed GET of 4 KiB out of a bucket with a policy of 20 statements, against a bucket without, in the same run.

All statements are about reading: ten that deny under conditions which do not hold, nine that allow other keys, and one that allows this one, the
last that is looked at. Run ``python -m benchmarks.policies [rounds]``; needs wrk.
"""

from __future__ import annotations

import json
import os
import statistics
from base64 import b64encode
from hashlib import md5

from benchmarks.measure import argument, gateway, verdict
from benchmarks.wrk import busy, signed

KEYS = "arn:aws:s3:::ruled"
DENIALS = (
    {"NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "192.0.2.0/24"]}},
    {"StringLike": {"aws:Referer": "https://*.example.com/*"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"}},
    {"NumericGreaterThan": {"s3:signatureAge": "900000000"}},
)
"""Conditions that do not hold."""


def policy() -> bytes:
    """The policy of the bucket ``ruled``."""
    denials = [
        {"Effect": "Deny", "Principal": "*", "Condition": condition, "Resource": f"{KEYS}/{keys}"}
        for condition in DENIALS
        for keys in ("*", "sm*")
    ]  # fmt: skip
    allowing = [f"team-{number}/*" for number in range(9)]
    grants = [
        {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Resource": f"{KEYS}/{keys}"}
        for keys in (*allowing, "small")
    ]  # fmt: skip
    statements = [{**each, "Action": "s3:GetObject"} for each in (*denials, *grants)]
    assert len(statements) == 20
    return json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()


def measured(rounds: int) -> list[float]:
    """What a GET took with the policy relative to one without, in each round, after one that does not count.

    A round is a second of each, and the next one begins with the other: what the machine does meanwhile meets both alike.
    """
    ratios = []
    with gateway() as server:
        for bucket in ("plain", "ruled"):
            server.must("PUT", f"/{bucket}")
            server.must("PUT", f"/{bucket}/small", os.urandom(4096))
        body = policy()
        digest = b64encode(md5(body, usedforsecurity=False).digest()).decode()
        server.must("PUT", "/ruled?policy", body, content_md5=digest)
        for number in range(rounds + 1):
            order = ("plain", "ruled") if number % 2 else ("ruled", "plain")
            found = {
                each: busy(
                    server, [signed(server, "GET", f"/{each}/small")], seconds=1
                ).cost
                for each in order
            }
            ratios.append(found["ruled"] / found["plain"])
            print(
                f"     without {found['plain'] * 1e6:.0f} µs, with {found['ruled'] * 1e6:.0f} µs",
                flush=True,
            )
    return ratios[1:]


def main() -> int:
    """Print the figures; 1 when one misses."""
    ratios = measured(int(argument(__doc__, "rounds", 30)))
    met = verdict(
        "GET of 4 KiB under a policy of 20 statements, CPU relative to one without",
        statistics.median(ratios),
        1.25,
        at_most=True,
    )
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Policies that ask how a request came: in clear text, by which TLS."""

from __future__ import annotations

import json
import ssl
import time
from typing import Any
from urllib.request import Request

from ozgate.auth.sigv4 import sign
from tests.clients.test_tls import TlsTestCase
from tests.running import ACCESS_KEY, REGION, SECRET_KEY

BUCKET = "arn:aws:s3:::bucket"
CLEAR = {"Bool": {"aws:SecureTransport": "false"}}
OLD = {"NumericLessThan": {"s3:TlsVersion": "1.3"}}
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class TlsPolicyTests(TlsTestCase):
    """A service that listens with TLS and without."""

    def get(self, url: str, version: ssl.TLSVersion | None) -> tuple[int, bytes]:
        """What the owner is answered.

        :param version: of TLS, spoken and no other; ``None``: none.
        """
        url += "/bucket/key"
        context = None
        if version is not None:
            context = ssl.create_default_context(cafile=self.certificate)
            context.minimum_version = context.maximum_version = version
        headers = sign("GET", url, {}, ACCESS_KEY, SECRET_KEY, REGION, time.time())
        # A client cannot say so: only what the connection is counts.
        headers["X-Forwarded-Proto"] = "https"
        return self.answer(Request(url, headers=headers), context)

    def test_denied(self) -> None:
        """What a policy denies in clear text, or by an old TLS, is denied to the owner there, and answered by another."""
        process = self.secured(policy="HTTP_AND_HTTPS")
        clear, secure = sorted(process.urls)
        s3 = self.client(secure)
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="key", Body=b"x")
        ways = [(clear, None), *((secure, version) for version in VERSIONS)]
        for conditions, expected in (
            ([], [200, 200, 200]),
            ([CLEAR], [403, 200, 200]),
            # There is no version where there is no TLS, so that a condition on it does not hold.
            ([OLD], [200, 403, 200]),
            ([CLEAR, OLD], [403, 403, 200]),
        ):
            self.have(s3, conditions)
            found = [self.get(url, version) for url, version in ways]
            self.assertEqual([status for status, _ in found], expected, conditions)
            for status, body in found:
                said = b"x" if status == 200 else b"<Code>AccessDenied</Code>"
                self.assertIn(said, body)

    def have(self, s3: Any, conditions: list[dict[str, dict[str, str]]]) -> None:
        """Deny everybody to read under each condition."""
        s3.delete_bucket_policy(Bucket="bucket")
        statements = [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"{BUCKET}/*",
                "Condition": condition,
            }
            for condition in conditions
        ]
        if statements:
            policy = {"Version": "2012-10-17", "Statement": statements}
            s3.put_bucket_policy(Bucket="bucket", Policy=json.dumps(policy))

"""What tests of documents that are no policies share."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.policy.language import (
    Malformed,
    parse_bucket_policy,
    parse_identity_policy,
)

NOT_JSON = "Policies must be valid JSON and the first byte must be '{'"
BROKEN = "This policy contains invalid Json"
SYNTAX = "Invalid policy syntax."
PRINCIPAL = "Invalid principal in policy"
ACTION = "Policy has invalid action"
RESOURCE = "Policy has invalid resource"
MISMATCH = "Action does not apply to any resource(s) in statement"
KEY = "Policy has an invalid condition key"
NO_COMBINATION = (
    "Conditions do not apply to combination of actions and resources in statement"
)
ADDRESS = "Invalid IP address in Conditions"
TOO_LARGE = "Normalized policy document exceeds the maximum allowed size of 20480 bytes"

ARN = "arn:aws:s3:::bucket"
GONE = object()
"""Stands for an element that is not there."""


def document(**elements: Any) -> bytes:
    """A bucket's policy of one statement, with elements changed."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{ARN}/*",
        **elements,
    }
    return of({k: v for k, v in statement.items() if v is not GONE})


def of(statement: Any, **members: Any) -> bytes:
    """A policy of a statement, or of several."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": statement, **members}
    ).encode()


class Checks(SynchronousTestCase):
    """What both kinds of tests do."""

    def refused(self, reason: str, data: bytes, identity: bool = False) -> None:
        """Make sure that a document is refused for a reason."""
        with self.assertRaises(Malformed) as caught:
            if identity:
                parse_identity_policy(data)
            else:
                parse_bucket_policy(data, "bucket")
        self.assertEqual(caught.exception.reason, reason, data)

    def taken(self, data: bytes) -> None:
        """Make sure that a document is one of a bucket."""
        try:
            parse_bucket_policy(data, "bucket")
        except Malformed as error:
            self.fail(f"{error.reason}: {data!r}")

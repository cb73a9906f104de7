"""The evaluator is held against the slow, plain one of :mod:`.plain`, on what Hypothesis draws."""

import json
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.policy.language import (
    Malformed,
    Policy,
    Query,
    parse_bucket_policy,
    parse_identity_policy,
    who,
)
from tests.unit.s3.policy.drawn import documents, requests
from tests.unit.s3.policy.plain import Request, judge, values_of

drawn = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


class PlainTests(SynchronousTestCase):
    """Both say the same."""

    @drawn
    @given(documents(of_bucket=False), requests())
    def test_identities(self, document: dict[str, Any], request: Request) -> None:
        """Of policies of identities."""
        self._compare(
            parse_identity_policy(json.dumps(document).encode()), document, request
        )

    @drawn
    @given(documents(of_bucket=True), requests())
    def test_buckets(self, document: dict[str, Any], request: Request) -> None:
        """Of policies of buckets, principals included."""
        try:
            policy = parse_bucket_policy(json.dumps(document).encode(), "bucket")
        except Malformed as error:
            self.assertEqual(
                error.reason,
                "Action does not apply to any resource(s) in statement",
            )
            assume(False)
        else:
            self._compare(policy, document, request)

    def _compare(
        self, policy: Policy, document: dict[str, Any], request: Request
    ) -> None:
        ours = policy.judge(
            Query(
                who(request.names, (), request.root),
                request.action,
                request.resource,
                lambda name: values_of(name, request) or None,
            )
        )
        theirs = judge(document, request)
        event(str(theirs))
        self.assertEqual(ours.value if ours else None, theirs)

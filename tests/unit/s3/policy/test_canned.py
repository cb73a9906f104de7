"""What the canned policies of identities allow."""

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.identities.canned import CANNED
from ozgate.s3.policy.language import Effect, parse_identity_policy
from tests.unit.s3.policy.test_language import asked

READS = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListAllMyBuckets")
WRITES = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
RULES = ("s3:PutBucketPolicy", "s3:DeleteBucket", "s3:PutObjectAcl", "s3:CreateBucket")
LOCKS = ("s3:BypassGovernanceRetention", "s3:PutObjectRetention")
ALLOWED = {
    "admin": {*READS, *WRITES, *RULES, *LOCKS},
    "readonly": set(READS),
    "readwrite": {*READS, *WRITES},
    "writeonly": {"s3:PutObject"},
}


class CannedTests(SynchronousTestCase):
    """Each of them."""

    def test_allowed(self) -> None:
        """It allows what its name says, on any resource, and denies nothing."""
        self.assertEqual(CANNED.keys(), ALLOWED.keys())
        for name, document in CANNED.items():
            found = parse_identity_policy(document.encode())
            for action in (*READS, *WRITES, *RULES, *LOCKS, "iam:CreateUser"):
                said = found.judge(asked(action=action))
                is_allowed = action in ALLOWED[name]
                self.assertIs(said, Effect.ALLOW if is_allowed else None, action)

"""What is wrong with a policy."""

from __future__ import annotations


class Malformed(ValueError):
    """A document is no policy.

    :ivar reason: AWS's words, which are the message of ``MalformedPolicy`` for a bucket's policy, and of IAM's ``MalformedPolicyDocument``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

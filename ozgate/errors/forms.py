"""Errors about a browser's form."""

from __future__ import annotations

from .base import S3Error

__all__ = [
    "InvalidPolicyDocument",
    "MalformedPOSTRequest",
    "MaxPostPreDataLengthExceededError",
]


class InvalidPolicyDocument(S3Error):
    """The content of the form does not meet the conditions specified in the policy document."""


class MalformedPOSTRequest(S3Error):
    """The body of your POST request is not well-formed multipart/form-data."""


class MaxPostPreDataLengthExceededError(S3Error):
    """Your POST request fields preceding the upload file were too large."""

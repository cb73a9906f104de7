"""Errors of IAM and STS: a class for each of their codes. Some have a namesake of S3's with another status, so they are not in :mod:`ozgate.errors`.

Source: IAM API Reference and AWS Security Token Service API Reference, "Errors" of each action and "Common error types".
"""

from __future__ import annotations

from typing import ClassVar

from .base import S3Error


class QueryError(S3Error):
    """An answer of IAM or STS that is not a success.

    :cvar fault: who is to blame: ``Sender`` or ``Receiver``.
    """

    fault: ClassVar[str] = "Sender"


# Who asks


class AccessDenied(QueryError):
    """Access denied"""

    status = 403


class ExpiredToken(QueryError):
    """The security token included in the request is expired"""

    status = 403


class IncompleteSignature(QueryError):
    """The request signature does not conform to AWS standards."""


class InvalidClientTokenId(QueryError):
    """The security token included in the request is invalid."""

    status = 403


class MissingAuthenticationToken(QueryError):
    """Request is missing Authentication Token"""

    status = 403


class SignatureDoesNotMatch(QueryError):
    """The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."""

    status = 403


# What is asked


class InvalidAction(QueryError):
    """The action or operation requested is invalid."""


class InvalidInput(QueryError):
    """The request was rejected because an invalid or out-of-range value was supplied for an input parameter."""


class MalformedQueryString(QueryError):
    """The query string contains a syntax error."""

    status = 404


class MissingAction(QueryError):
    """The request is missing an action or a required parameter."""


class NotImplemented(QueryError):
    """A parameter you provided implies functionality that is not implemented."""

    status = 501
    fault = "Receiver"


class RequestEntityTooLarge(QueryError):
    """The request is too large."""

    status = 413


class ValidationError(QueryError):
    """The input fails to satisfy the constraints specified by an AWS service."""


# IAM


class DeleteConflict(QueryError):
    """Cannot delete entity, must remove what belongs to it first."""

    status = 409


class EntityAlreadyExists(QueryError):
    """The request was rejected because it attempted to create a resource that already exists."""

    status = 409


class LimitExceeded(QueryError):
    """The request was rejected because it attempted to create resources beyond the current limits."""

    status = 409


class MalformedPolicyDocument(QueryError):
    """The request was rejected because the policy document was malformed."""


class NoSuchEntity(QueryError):
    """The request was rejected because it referenced a resource entity that does not exist."""

    status = 404


class UnmodifiableEntity(QueryError):
    """The request was rejected because service that depends on the service-linked role is not."""


# STS


class ExpiredTokenException(QueryError):
    """Token expired."""


class IDPCommunicationError(QueryError):
    """The identity provider could not be reached."""


class IDPRejectedClaim(QueryError):
    """The identity provider's claim was rejected."""

    status = 403


class InvalidIdentityToken(QueryError):
    """The web identity token that was passed could not be validated."""


class PackedPolicyTooLarge(QueryError):
    """The session's policies are larger than what fits into its token."""

"""Every error ozgate raises on purpose.

Two families. :class:`S3Error`: what a client is told; the class name is the S3 code, the first
line of the docstring its message, ``status`` the HTTP status, and keywords become members of
the XML document, in the order given. :class:`StoreError`: what a store
says to the code above it (:mod:`.stores`). Source of codes, messages and statuses: Amazon S3 API Reference, "Error responses".

Imports nothing else of ozgate; whoever needs an error imports it from here.
"""

from __future__ import annotations

from .base import ClientGone as ClientGone
from .base import S3Error as S3Error
from .configuration import *
from .forms import *
from .frames import forget_frames as forget_frames
from .stores import Absent as Absent
from .stores import Conflict as Conflict
from .stores import Damaged as Damaged
from .stores import NoSpace as NoSpace
from .stores import Overtaken as Overtaken
from .stores import Refused as Refused
from .stores import StoreError as StoreError
from .stores import Unavailable as Unavailable
from .stores import Uncertain as Uncertain
from .stores import is_short as is_short


class AccessDenied(S3Error):
    """Access Denied"""

    status = 403


class AccessForbidden(S3Error):
    """CORSResponse: CORS is not enabled for this bucket."""

    status = 403


class AuthorizationHeaderMalformed(S3Error):
    """The authorization header you provided is invalid."""


class AuthorizationQueryParametersError(S3Error):
    """Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."""


class BadDigest(S3Error):
    """The Content-MD5 you specified did not match what we received."""


class BadRequest(S3Error):
    """The request could not be understood by the server."""


class BucketAlreadyExists(S3Error):
    """The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."""

    status = 409


class BucketAlreadyOwnedByYou(S3Error):
    """Your previous request to create the named bucket succeeded and you already own it."""

    status = 409


class BucketNotEmpty(S3Error):
    """The bucket you tried to delete is not empty"""

    status = 409


class EntityTooLarge(S3Error):
    """Your proposed upload exceeds the maximum allowed size"""


class EntityTooSmall(S3Error):
    """Your proposed upload is smaller than the minimum allowed size"""


class ExpiredToken(S3Error):
    """The provided token has expired."""


class IllegalLocationConstraintException(S3Error):
    """The specified location constraint is incompatible for the region specific endpoint this request was sent to."""


class IncompleteBody(S3Error):
    """You did not provide the number of bytes specified by the Content-Length HTTP header"""


class InsufficientStorage(S3Error):
    """There is not enough space left to complete the request. Nothing was stored; try again when there is room."""

    status = 507


class InternalError(S3Error):
    """We encountered an internal error. Please try again."""

    status = 500


class InvalidAccessKeyId(S3Error):
    """The AWS Access Key Id you provided does not exist in our records."""

    status = 403


class InvalidArgument(S3Error):
    """Invalid Argument"""


class InvalidBucketName(S3Error):
    """The specified bucket is not valid."""


class InvalidChunkSizeError(S3Error):
    """Only the last chunk is allowed to have a size less than 8192 bytes"""

    status = 403


class InvalidDigest(S3Error):
    """The Content-MD5 you specified was invalid."""


class InvalidLocationConstraint(S3Error):
    """The specified location-constraint is not valid"""


class InvalidPart(S3Error):
    """One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."""


class InvalidPartNumber(S3Error):
    """The requested partnumber is not satisfiable"""

    status = 416


class InvalidPartOrder(S3Error):
    """The list of parts was not in ascending order. Parts must be ordered by part number."""


class InvalidRange(S3Error):
    """The requested range is not satisfiable"""

    status = 416


class InvalidRedirectLocation(S3Error):
    """The website redirect location must have a prefix of 'http://' or 'https://' or '/'."""


class InvalidRequest(S3Error):
    """Invalid Request"""


class InvalidStorageClass(S3Error):
    """The storage class you specified is not valid"""


class InvalidTag(S3Error):
    """The tag provided was not a valid tag. This error can occur if the tag did not pass input validation."""


class InvalidToken(S3Error):
    """The provided token is malformed or otherwise invalid."""


class InvalidURI(S3Error):
    """Couldn't parse the specified URI."""


class KeyTooLongError(S3Error):
    """Your key is too long"""


class MalformedTrailerError(S3Error):
    """The request contained trailing data that was not well-formed or did not conform to our published schema."""


class MalformedXML(S3Error):
    """The XML you provided was not well-formed or did not validate against our published schema"""


class MaxMessageLengthExceeded(S3Error):
    """Your request was too big."""


class MetadataTooLarge(S3Error):
    """Your metadata headers exceed the maximum allowed metadata size"""


class MethodNotAllowed(S3Error):
    """The specified method is not allowed against this resource."""

    status = 405


class MissingContentLength(S3Error):
    """You must provide the Content-Length HTTP header."""

    status = 411


class MissingRequestBodyError(S3Error):
    """Request Body is empty"""


class NoSuchBucket(S3Error):
    """The specified bucket does not exist"""

    status = 404


class NoSuchKey(S3Error):
    """The specified key does not exist."""

    status = 404


class NoSuchUpload(S3Error):
    """The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."""

    status = 404


class NoSuchVersion(S3Error):
    """The specified version does not exist."""

    status = 404


class NotImplemented(S3Error):
    """A header or query you provided implies functionality that is not implemented."""

    status = 501


class NotModified(S3Error):
    """Not Modified

    Never has a body; carries the object's validators as headers, which the caller adds.
    """

    status = 304


class PreconditionFailed(S3Error):
    """At least one of the pre-conditions you specified did not hold"""

    status = 412


class QuotaExceeded(S3Error):
    """The quota of the bucket or its volume has been exceeded."""

    status = 403


class RequestHeaderSectionTooLarge(S3Error):
    """Your request header section exceeds the maximum allowed size."""


class RequestTimeTooSkewed(S3Error):
    """The difference between the request time and the current time is too large."""

    status = 403


class RequestTimeout(S3Error):
    """Your socket connection to the server was not read from or written to within the timeout period."""


class ServiceUnavailable(S3Error):
    """Service is unable to handle request."""

    status = 503
    retry_after = 1


class SignatureDoesNotMatch(S3Error):
    """The request signature we calculated does not match the signature you provided. Check your key and signing method."""

    status = 403


class SlowDown(S3Error):
    """Please reduce your request rate."""

    status = 503
    retry_after = 1


class XAmzContentSHA256Mismatch(S3Error):
    """The provided 'x-amz-content-sha256' header does not match what was computed."""

"""Errors: each class is a code with a message and a status."""

import gc
import weakref

from twisted.internet.defer import ensureDeferred, fail
from twisted.trial.unittest import SynchronousTestCase

from ozgate import errors
from ozgate.errors import Absent, Damaged, NoSuchKey, S3Error, StoreError, forget_frames
from ozgate.s3.documents import error_document, read

ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, S3Error) and value is not S3Error
]

STATUSES = {
    304: {"NotModified"},
    403: {
        "AccessDenied",
        "AccessForbidden",
        "InvalidAccessKeyId",
        "InvalidChunkSizeError",
        "QuotaExceeded",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    },
    405: {"MethodNotAllowed"},
    409: {
        "InvalidBucketState",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketNotEmpty",
    },
    411: {"MissingContentLength"},
    412: {"PreconditionFailed"},
    416: {"InvalidPartNumber", "InvalidRange"},
    500: {"InternalError"},
    501: {"NotImplemented"},
    503: {"ServiceUnavailable", "SlowDown"},
    507: {"InsufficientStorage"},
}


class ErrorTests(SynchronousTestCase):
    """What the classes say of themselves."""

    def test_statuses(self) -> None:
        """Each code has AWS's status: those listed, 404 where something is missing, else 400."""
        for error in ERRORS:
            expected = {s for s, codes in STATUSES.items() if error.__name__ in codes}
            if not expected:
                missing = error.__name__.startswith(
                    "NoSuch"
                ) or error.__name__.endswith("NotFoundError")
                expected = {404 if missing else 400}
            self.assertEqual({error.status}, expected, error.__name__)

    def test_listed_codes_exist(self) -> None:
        """Every code listed here is a class there."""
        names = {error.__name__ for error in ERRORS}
        self.assertFalse(set().union(*STATUSES.values()) - names)

    def test_message(self) -> None:
        """The message is the docstring's first paragraph unless one is given."""
        self.assertEqual(NoSuchKey().message, "The specified key does not exist.")
        self.assertEqual(NoSuchKey("other").message, "other")
        self.assertEqual(str(NoSuchKey("other")), "other")
        for error in ERRORS:
            self.assertTrue(error().message)
            self.assertNotIn("\n", error().message)

    def test_documents(self) -> None:
        """Each error renders to a document with its code, its members in order, and the request."""
        for error in ERRORS:
            root = read(
                error_document(error(First="1", Second=2), "/b/k", "id"), "Error"
            )
            self.assertEqual(
                [(child.name, child.text) for child in root.children],
                [
                    ("Code", error.__name__),
                    ("Message", error().message),
                    ("First", "1"),
                    ("Second", "2"),
                    ("Resource", "/b/k"),
                    ("RequestId", "id"),
                    ("HostId", "id"),
                ],
            )

    def test_retry(self) -> None:
        """Clients are told to come back soon exactly where waiting helps."""
        told = {error.__name__ for error in ERRORS if error.retry_after is not None}
        self.assertEqual(told, {"ServiceUnavailable", "SlowDown"})

    def test_headers_are_an_errors_own(self) -> None:
        """Extra headers of one error are not those of the next."""
        NoSuchKey().headers.append(("x-amz-delete-marker", "true"))
        self.assertEqual(NoSuchKey().headers, [])

    def test_families(self) -> None:
        """What stores raise is no S3 error, and the other way round."""
        for error in ERRORS:
            self.assertFalse(issubclass(error, StoreError))


class FramesTests(SynchronousTestCase):
    """Errors that are dealt with."""

    def test_forgotten(self) -> None:
        """An error that a Deferred failed with, and those that led to it, hold nothing of where they were raised."""

        class Held:
            """Something in a frame."""

        held: list[weakref.ref[Held]] = []

        async def look() -> None:
            local = Held()
            held.append(weakref.ref(local))
            try:
                await fail(Absent())
            except Absent as error:
                raise Damaged("not there") from error

        async def ask() -> str:
            try:
                await look()
            except Damaged as error:
                forget_frames(error)
                return str(error)
            return ""

        gc.disable()
        self.addCleanup(gc.enable)
        self.assertEqual(self.successResultOf(ensureDeferred(ask())), "not there")
        self.assertEqual([each() for each in held], [None])

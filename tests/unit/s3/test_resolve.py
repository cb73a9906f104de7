"""Resolving: what is asked for, and what is refused rather than guessed."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import (
    InvalidArgument,
    InvalidRequest,
    MethodNotAllowed,
    NotImplemented,
    S3Error,
)
from ozgate.s3.operations import Operation
from ozgate.s3.resolve import SELECTORS, resolve, resolve_request
from ozgate.wire.headers import Headers
from ozgate.wire.target import Scope, parse_address

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE")
PATHS = ("/", "/bucket", "/bucket/key")


def ask(method: str, target: str, copy_source: bool = False) -> Operation:
    """Resolve a path-style target."""
    address = parse_address(target.encode(), b"localhost", ())
    return resolve(method, address, copy_source)


class ResolveTests(SynchronousTestCase):
    """Requests that mean something."""

    def test_collisions(self) -> None:
        """Where operations share verb and path, the most specific one asked for is found."""
        for method, target, copy, name in (
            ("GET", "/", False, "ListBuckets"),
            ("GET", "/?max-buckets=3&prefix=a", False, "ListBuckets"),
            ("GET", "/bucket", False, "ListObjects"),
            ("GET", "/bucket?list-type=2", False, "ListObjectsV2"),
            ("GET", "/bucket?prefix=a/&list-type=2", False, "ListObjectsV2"),
            ("GET", "/bucket?list-type=2&acl", False, "GetBucketAcl"),
            ("GET", "/bucket?versions&prefix=", False, "ListObjectVersions"),
            ("GET", "/bucket?analytics", False, "ListBucketAnalyticsConfigurations"),
            ("GET", "/bucket?analytics&id=1", False, "GetBucketAnalyticsConfiguration"),
            (
                "GET",
                "/bucket?id=1&analytics=",
                False,
                "GetBucketAnalyticsConfiguration",
            ),
            ("GET", "/bucket/key?annotation", False, "ListObjectAnnotations"),
            (
                "GET",
                "/bucket/key?annotation&annotationName=a",
                False,
                "GetObjectAnnotation",
            ),
            ("GET", "/bucket/key?uploadId=x", False, "ListParts"),
            ("GET", "/bucket/key?partNumber=1", False, "GetObject"),
            ("HEAD", "/bucket/key?partNumber=1&versionId=null", False, "HeadObject"),
            ("POST", "/bucket/key?uploads", False, "CreateMultipartUpload"),
            ("POST", "/bucket/key?uploadId=x", False, "CompleteMultipartUpload"),
            ("POST", "/bucket/key?select&select-type=2", False, "SelectObjectContent"),
            ("POST", "/bucket?delete", False, "DeleteObjects"),
            ("POST", "/bucket?delete=", False, "DeleteObjects"),
            ("POST", "/bucket", False, "PostObject"),
            ("PUT", "/bucket/key", False, "PutObject"),
            ("PUT", "/bucket/key", True, "CopyObject"),
            ("PUT", "/bucket/key?partNumber=1&uploadId=x", False, "UploadPart"),
            ("PUT", "/bucket/key?uploadId=x&partNumber=1", True, "UploadPartCopy"),
            ("PUT", "/bucket/key?tagging", True, "PutObjectTagging"),
            ("PUT", "/bucket", True, "CreateBucket"),
            ("GET", "/bucket/key", True, "GetObject"),
            ("DELETE", "/bucket/key?versionId=x", False, "DeleteObject"),
            ("DELETE", "/bucket/key?uploadId=x", False, "AbortMultipartUpload"),
            ("OPTIONS", "/bucket/key", False, "OptionsObject"),
            ("POST", "/WriteGetObjectResponse", False, "WriteGetObjectResponse"),
        ):
            self.assertEqual(ask(method, target, copy).name, name, target)

    def test_harmless_parameters(self) -> None:
        """Credentials, response overrides, x-id and unknown names with values choose nothing."""
        for extra in (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Signature=0",
            "X-Amz-Security-Token=",
            "x-amz-acl=private",
            "x-amz-checksum-mode",
            "x-id=GetObject",
            "response-content-type=text%2Fplain",
            "response-expires",
            "AWSAccessKeyId=a&Signature=b&Expires=1",
            "foo=bar",
            "prefix=",
            "prefix",
        ):
            self.assertEqual(ask("GET", f"/bucket/key?{extra}").name, "GetObject")
            self.assertEqual(ask("PUT", f"/bucket/key?{extra}").name, "PutObject")
            self.assertEqual(ask("DELETE", f"/bucket?{extra}").name, "DeleteBucket")

    def test_virtual_host(self) -> None:
        """The rows are the same for a bucket named by the host."""
        address = parse_address(b"/?acl", b"bucket.example.com", ("example.com",))
        self.assertEqual(resolve("GET", address, False).name, "GetBucketAcl")


class RefusalTests(SynchronousTestCase):
    """Requests whose query says more than their plain operation."""

    def test_no_subresource_falls_through(self) -> None:
        """With any sub-resource of the table, on any path and verb, no plain operation is found."""
        names = {name for names in SELECTORS.values() for name in names}
        for method in METHODS:
            for path in PATHS:
                for name in names:
                    for value in ("", "=", "=x"):
                        for copy in (False, True):
                            try:
                                row = ask(method, f"{path}?{name}{value}", copy)
                            except S3Error:
                                continue
                            found = {w.partition("=")[0] for w in row.names}
                            self.assertIn(name, found, f"{method} {path}?{name}")

    def test_destructive_verbs(self) -> None:
        """Deleting or putting a configuration is never deleting or making the bucket."""
        for name in SELECTORS[Scope.BUCKET]:
            for method in ("DELETE", "PUT"):
                try:
                    row = ask(method, f"/bucket?{name}&id=1")
                except S3Error:
                    continue
                self.assertNotIn(row.name, ("DeleteBucket", "CreateBucket"))

    def test_method_not_allowed(self) -> None:
        """A verb that a resource lacks is 405 with S3's members and the verbs that S3 lists for its type, whatever the scope."""
        for method, target, resource, allow in (
            ("DELETE", "/", "SERVICE", "GET"),
            ("POST", "/", "SERVICE", "GET"),
            ("HEAD", "/", "SERVICE", "GET"),
            ("GET", "/WriteGetObjectResponse", "SERVICE", "GET"),
            ("PATCH", "/bucket", "BUCKET", "HEAD, DELETE, POST, GET, PUT"),
            ("POST", "/bucket/key", "OBJECT", "HEAD, DELETE, GET, PUT"),
            ("HEAD", "/bucket?acl", "ACL", "GET, PUT"),
            ("HEAD", "/bucket/key?acl", "ACL", "GET, PUT"),
            ("HEAD", "/bucket?uploads", "UPLOADS", "POST, GET"),
            ("PUT", "/bucket/key?uploads", "UPLOADS", "POST, GET"),
            ("HEAD", "/bucket?versions", "BUCKETVERSIONS", "GET"),
            ("HEAD", "/bucket?versioning", "VERSIONING", "GET, PUT"),
            ("DELETE", "/bucket?acl", "ACL", "GET, PUT"),
            ("PUT", "/bucket?location", "LOCATION", "GET"),
            ("DELETE", "/bucket?delete", "MULTI_OBJECT_DELETE", "POST"),
            ("HEAD", "/bucket/key?uploadId=x", "UPLOAD", "DELETE, POST, GET"),
            ("GET", "/bucket?list-type=2&delete", "MULTI_OBJECT_DELETE", "POST"),
            ("POST", "/bucket?policy", "BUCKETPOLICY", "DELETE, GET, PUT"),
            ("POST", "/bucket?tagging", "TAGGING", "DELETE, GET, PUT"),
            ("POST", "/bucket/key?tagging", "OBJECT_TAGGING", "DELETE, GET, PUT"),
        ):
            error = self.assertRaises(MethodNotAllowed, ask, method, target)
            self.assertEqual(
                error.members, {"Method": method, "ResourceType": resource}
            )
            self.assertEqual(error.headers, [("Allow", allow)])

    def test_control(self) -> None:
        """What is meant for S3 Control is none of a bucket's that is called so: not there, and for tags a method that is not allowed."""
        tags, blocks = "/v20180820/tags/arn", "/v20180820/configuration/x"
        account = [("x-amz-account-id", "000000000000")]
        for target, error in ((tags, MethodNotAllowed), (blocks, NotImplemented)):
            for method in ("GET", "POST", "PUT", "DELETE"):
                for host in (b"localhost", b"000000000000.s3.example.com"):
                    address = parse_address(target.encode(), host, ("s3.example.com",))
                    with self.assertRaises(error):
                        resolve_request(method, address, Headers(account))
            address = parse_address(target.encode(), b"localhost", ())
            row = resolve_request("GET", address, Headers([]))
            self.assertEqual(row.name, "GetObject")

    def test_unknown_subresource(self) -> None:
        """A bare name nobody knows may be a sub-resource of tomorrow: 501, on every verb."""
        for method, path in (
            ("GET", "/bucket"),
            ("DELETE", "/bucket"),
            ("PUT", "/bucket/key"),
            ("GET", "/bucket/key"),
            ("GET", "/"),
        ):
            for name in ("frobnicate", "Acl", "ACL", "policy%20", "frobnicate="):
                error = self.assertRaises(
                    NotImplemented, ask, method, f"{path}?prefix=a&{name}"
                )
                self.assertIn("Query", error.members)

    def test_conflicts(self) -> None:
        """Two sub-resources at once are refused by name, in S3's words, with any verb and on any scope."""
        for method, target, names in (
            ("GET", "/bucket?policy&acl", "acl, policy"),
            ("GET", "/bucket?uploads&versioning", "uploads, versioning"),
            ("POST", "/bucket/key?uploads&uploadId=x", "uploadId, uploads"),
            ("DELETE", "/bucket/key?tagging&uploadId=x", "tagging, uploadId"),
            ("POST", "/bucket?delete&website", "delete, website"),
            ("HEAD", "/bucket?acl&versioning", "acl, versioning"),
            ("HEAD", "/bucket/key?acl&tagging", "acl, tagging"),
            ("PATCH", "/bucket?acl&versioning", "acl, versioning"),
            ("GET", "/?acl&versioning", "acl, versioning"),
            ("GET", "/bucket?acl&torrent", "acl, torrent"),
            ("HEAD", "/bucket/key?versions&policy", "policy, versions"),
            ("PUT", "/bucket/key?analytics&tagging", "analytics, tagging"),
            ("DELETE", "/bucket?acl&uploadId=x", "acl, uploadId"),
        ):
            error = self.assertRaises(InvalidArgument, ask, method, target)
            self.assertEqual(
                error.message, f"Conflicting query string parameters: {names}"
            )
            self.assertEqual(
                error.members,
                {"ArgumentName": "ResourceType", "ArgumentValue": names.split(",")[0]},
            )

    def test_other_scope(self) -> None:
        """A bucket's sub-resource on a key is refused, and a key's on a bucket or the service."""
        for method, target, message in (
            ("GET", "/bucket/key?versions", "?versions sub-resource for a key"),
            ("DELETE", "/bucket/key?policy", "?policy sub-resource for a key"),
            ("GET", "/bucket?torrent", "?torrent sub-resource for a bucket"),
            ("GET", "/?acl", "?acl sub-resource for a service"),
        ):
            error = self.assertRaises(InvalidRequest, ask, method, target)
            self.assertEqual(error.message, f"There is no such thing as the {message}")

    def test_missing_parameters(self) -> None:
        """A sub-resource without the name it needs is refused, naming what is missing."""
        for method, target, name in (
            ("PUT", "/bucket/key?uploadId=x", "partNumber"),
            ("DELETE", "/bucket?analytics", "id"),
            ("PUT", "/bucket?inventory", "id"),
            ("POST", "/bucket/key?select", "select-type"),
            ("POST", "/bucket/key?select&select-type=3", "select-type"),
            ("PUT", "/bucket/key?annotation", "annotationName"),
        ):
            error = self.assertRaises(InvalidArgument, ask, method, target)
            self.assertEqual(error.members["ArgumentName"], name)

    def test_delicate_parameters(self) -> None:
        """A version, an upload or a part that the operation does not take is never ignored."""
        for method, target, name in (
            ("PUT", "/bucket/key?versionId=x", "versionId"),
            ("PUT", "/bucket/key?partNumber=1", "partNumber"),
            ("PUT", "/bucket/key?partNumber=1&uploadId=x&versionId=y", "versionId"),
            ("POST", "/bucket/key?uploads&versionId=x", "versionId"),
            ("DELETE", "/bucket/key?partNumber=1", "partNumber"),
            ("DELETE", "/bucket?versionId=x", "versionId"),
            ("DELETE", "/bucket?uploadId=x", "uploadId"),
            ("GET", "/bucket?partNumber=1", "partNumber"),
        ):
            error = self.assertRaises(InvalidArgument, ask, method, target)
            self.assertEqual(error.members["ArgumentName"], name)

    def test_list_type(self) -> None:
        """A list-type other than 2 is the first version, as if it were not there."""
        for value in ("1", "3", "", "two"):
            row = ask("GET", f"/bucket?list-type={value}")
            self.assertEqual(row.name, "ListObjects")

    @given(
        st.sampled_from(METHODS),
        st.sampled_from(PATHS),
        st.lists(
            st.sampled_from(
                sorted(
                    {n for names in SELECTORS.values() for n in names}
                    | {"versionId", "partNumber", "id", "list-type", "prefix", "foo"}
                )
            ),
            max_size=4,
        ),
        st.booleans(),
    )
    def test_any_query(
        self, method: str, path: str, names: list[str], copy: bool
    ) -> None:
        """Every mixture is one of S3's errors, or a row all of whose demands are met."""
        try:
            row = ask(method, f"{path}?{'&'.join(names)}", copy)
        except S3Error:
            return
        self.assertEqual(row.method, method)
        self.assertFalse(row.copy_source and not copy)
        for wanted in row.names:
            self.assertIn(wanted.partition("=")[0], names)

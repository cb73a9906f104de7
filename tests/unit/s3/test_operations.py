"""The table of operations, held against the service model that clients are made from."""

import gzip
import json
import sys
from importlib import resources
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.operations import ALIASES, OPERATIONS, Body, Operation
from ozgate.s3.resolve import resolve
from ozgate.wire.target import Address, Scope, parse_address

ELSEWHERE = {"PostObject", "OptionsService", "OptionsBucket", "OptionsObject"}
"""Rows the model does not have: the browser's form upload and CORS preflights."""

BY_ENDPOINT = {"ListDirectoryBuckets"}
"""Told from ListBuckets by AWS's endpoint, not by the request; a parameter tells it here."""


def load_model() -> dict[str, Any]:
    """botocore's model of S3."""
    data = resources.files("botocore") / "data/s3/2006-03-01/service-2.json.gz"
    model: dict[str, Any] = json.loads(gzip.decompress(data.read_bytes()))
    return model


MODEL = load_model()
ROWS = {row.name: row for row in OPERATIONS}


def members(name: str) -> dict[str, Any]:
    """The input members of an operation of the model."""
    shape = MODEL["operations"][name].get("input", {}).get("shape")
    found: dict[str, Any] = MODEL["shapes"][shape]["members"] if shape else {}
    return found


def required(name: str) -> list[str]:
    """The required input members of an operation of the model."""
    shape = MODEL["operations"][name].get("input", {}).get("shape")
    found: list[str] = MODEL["shapes"][shape].get("required", []) if shape else []
    return found


def parameters(name: str, *, demanded: bool) -> set[str]:
    """The query parameters of an operation of the model, those required or the others."""
    return {
        member["locationName"]
        for key, member in members(name).items()
        if member.get("location") == "querystring"
        and (key in required(name)) is demanded
    }


def model_scope(uri: str) -> Scope:
    """The scope of a request URI of the model."""
    if "{Key+}" in uri:
        return Scope.OBJECT
    return Scope.BUCKET if "{Bucket}" in uri else Scope.SERVICE


def model_body(name: str) -> Body:
    """How the model says an operation takes its body."""
    shape = MODEL["operations"][name].get("input", {}).get("shape")
    payload = MODEL["shapes"][shape].get("payload") if shape else None
    if payload:
        of = MODEL["shapes"][members(name)[payload]["shape"]]["type"]
        return Body.STREAM if of == "blob" else Body.DOCUMENT
    inside = any("location" not in member for member in members(name).values())
    return Body.DOCUMENT if inside else Body.NONE


def address_of(row: Operation, extra: str = "") -> Address:
    """An address that asks for a row, with more in its query."""
    path = {Scope.SERVICE: "/", Scope.BUCKET: "/bucket", Scope.OBJECT: "/bucket/key"}
    target, names = path[row.scope], []
    for wanted in row.names:
        if wanted.startswith("/"):
            target = wanted
        else:
            name, equals, value = wanted.partition("=")
            sent = value if equals else ("1" if name == "partNumber" else "")
            names.append(f"{quote(name)}={sent}" if sent else quote(name))
    if extra:
        names.append(extra)
    query = "?" + "&".join(names) if names else ""
    return parse_address((target + query).encode(), b"localhost", ())


class TableTests(SynchronousTestCase):
    """Each row against the model."""

    def test_every_operation_has_its_row(self) -> None:
        """The model's operations and the table's rows and aliases are the same names, each once."""
        names = [row.name for row in OPERATIONS]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(
            set(names) | set(ALIASES), set(MODEL["operations"]) | ELSEWHERE
        )
        self.assertFalse(set(names) & set(ALIASES))

    def test_aliases_are_deprecated_twins(self) -> None:
        """An alias is deprecated in the model and has the verb and URI of its row's operation."""
        for old, new in ALIASES.items():
            operation = MODEL["operations"][old]
            self.assertTrue(operation["deprecated"])
            ours, theirs = MODEL["operations"][new]["http"], operation["http"]
            self.assertEqual(ours["method"], theirs["method"])
            self.assertEqual(ours["requestUri"], theirs["requestUri"])

    def test_verbs_and_discriminators(self) -> None:
        """Verb, scope, query names, copy source, body and checksum are the model's."""
        for name in set(ROWS) - ELSEWHERE - BY_ENDPOINT:
            row, operation = ROWS[name], MODEL["operations"][name]
            uri = operation["http"]["requestUri"]
            path, _, query = uri.partition("?")
            names = set(filter(None, query.split("&"))) | parameters(
                name, demanded=True
            )
            if model_scope(uri) is Scope.SERVICE and path != "/":
                names.add(path)
            copies = any(
                member.get("locationName") == "x-amz-copy-source"
                for key, member in members(name).items()
                if key in required(name)
            )
            checked = operation.get("httpChecksum", {}).get("requestChecksumRequired")
            self.assertEqual(
                (
                    row.method,
                    row.scope,
                    set(row.names),
                    row.copy_source,
                    row.body,
                    row.checksum_required,
                ),
                (
                    operation["http"]["method"],
                    model_scope(uri),
                    names,
                    copies,
                    model_body(name),
                    bool(checked),
                ),
                name,
            )

    def test_each_row_is_reachable(self) -> None:
        """The request of each row resolves to that row and to no other."""
        for row in OPERATIONS:
            found = resolve(row.method, address_of(row), row.copy_source)
            self.assertEqual(found.name, row.name)

    def test_optional_parameters_change_nothing(self) -> None:
        """Each row with any of the model's optional parameters is still that row."""
        for name in set(ROWS) - ELSEWHERE:
            row = ROWS[name]
            optional = parameters(name, demanded=False)
            if name == "ListBuckets":
                self.assertIn("max-buckets", optional)
            for parameter in optional:
                for value in ("=1", "", "="):
                    address = address_of(row, parameter + value)
                    self.assertEqual(
                        resolve(row.method, address, row.copy_source).name, name
                    )

    def test_rows_are_whole(self) -> None:
        """Each row has an action and an audit name; what performs it is a coroutine function."""
        for row in OPERATIONS:
            if not row.name.startswith("Options"):
                self.assertRegex(row.action, r"^s3(express|-object-lambda)?:[A-Za-z]+$")
            self.assertRegex(row.audit, r"^[A-Z0-9_]+$")
            if row.perform is not None:
                self.assertTrue(iscoroutinefunction(row.perform), row.name)

    def test_names_of_functions(self) -> None:
        """Each function carries its operation's name in snake case."""
        for row in OPERATIONS:
            if row.perform is not None:
                module = vars(sys.modules[row.perform.__module__])
                spoken = {n.replace("_", ""): value for n, value in module.items()}
                self.assertIs(spoken.get(row.name.lower()), row.perform, row.name)

    def test_audit_names_are_ozones(self) -> None:
        """Where Ozone audits an operation, the row has Ozone's name of the action."""
        for name, audit in (
            ("ListBuckets", "LIST_S3_BUCKETS"),
            ("CreateBucket", "CREATE_BUCKET"),
            ("HeadBucket", "HEAD_BUCKET"),
            ("DeleteBucket", "DELETE_BUCKET"),
            ("ListObjects", "GET_BUCKET"),
            ("ListObjectsV2", "GET_BUCKET"),
            ("GetBucketLocation", "GET_BUCKET_LOCATION"),
            ("GetBucketAcl", "GET_ACL"),
            ("PutBucketAcl", "PUT_ACL"),
            ("PutObjectAcl", "PUT_OBJECT_ACL"),
            ("GetBucketLifecycleConfiguration", "GET_BUCKET_LIFECYCLE"),
            ("PutBucketLifecycleConfiguration", "PUT_BUCKET_LIFECYCLE"),
            ("DeleteBucketLifecycle", "DELETE_BUCKET_LIFECYCLE"),
            ("ListMultipartUploads", "LIST_MULTIPART_UPLOAD"),
            ("DeleteObjects", "MULTI_DELETE"),
            ("ListDirectoryBuckets", "LIST_DIRECTORY_BUCKETS"),
            ("UploadPart", "CREATE_MULTIPART_KEY"),
            ("UploadPartCopy", "CREATE_MULTIPART_KEY_BY_COPY"),
            ("CopyObject", "COPY_OBJECT"),
            ("PutObject", "CREATE_KEY"),
            ("ListParts", "LIST_PARTS"),
            ("GetObject", "GET_KEY"),
            ("HeadObject", "HEAD_KEY"),
            ("CreateMultipartUpload", "INIT_MULTIPART_UPLOAD"),
            ("CompleteMultipartUpload", "COMPLETE_MULTIPART_UPLOAD"),
            ("AbortMultipartUpload", "ABORT_MULTIPART_UPLOAD"),
            ("DeleteObject", "DELETE_KEY"),
            ("GetObjectTorrent", "GET_OBJECT_TORRENT"),
            ("PutObjectTagging", "PUT_OBJECT_TAGGING"),
            ("PutBucketTagging", "PUT_BUCKET_TAGGING"),
            ("GetObjectAttributes", "GET_OBJECT_ATTRIBUTES"),
        ):
            self.assertEqual(ROWS[name].audit, audit)

"""Addresses, listings and configuration, through boto3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from botocore import xform_name

from tests.clients.asking import CASES, SETTINGS, filled
from tests.clients.botos import DOMAIN, SharedTestCase

KEYS = (
    *("a b", "a+b", "a%2Fb", "%", "%zz", "a//b", "/lead", "trail/", "//"),
    *(".", "..", "a/../b", "a/./b", "new\nline", "cr\rlf\r\n", "tab\t", " lead "),
    *("\U0001f600", "ü", "u\u0308", "control\x01\x02", "\x7f\x85\u2028", "\ufffe"),
    *("a;b?c#d&e=f", "<xml>&\"'", "*~$@=:,!()[]{}|^`\\", "a" * 1024, "é" * 512),
)
"""Names that somebody on the way may decode twice, normalize, split or cut."""

NOT_IN_XML = ("control\x01\x02", "\ufffe")

PROBES = {
    "get_bucket_accelerate_configuration": {},
    "get_bucket_acl": None,
    "get_bucket_analytics_configuration": "NoSuchConfiguration",
    "get_bucket_cors": "NoSuchCORSConfiguration",
    "get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "get_bucket_intelligent_tiering_configuration": "NoSuchConfiguration",
    "get_bucket_inventory_configuration": "NoSuchConfiguration",
    "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
    "get_bucket_logging": {},
    "get_bucket_metrics_configuration": "NoSuchConfiguration",
    "get_bucket_notification_configuration": {},
    "get_bucket_ownership_controls": {
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    },
    "get_bucket_policy": "NoSuchBucketPolicy",
    "get_bucket_policy_status": "NoSuchBucketPolicy",
    "get_bucket_replication": "ReplicationConfigurationNotFoundError",
    "get_bucket_request_payment": {"Payer": "BucketOwner"},
    "get_bucket_tagging": "NoSuchTagSet",
    "get_bucket_versioning": {},
    "get_bucket_website": "NoSuchWebsiteConfiguration",
    "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
    "get_public_access_block": {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        }
    },
    "list_bucket_analytics_configurations": {"IsTruncated": False},
    "list_bucket_intelligent_tiering_configurations": {"IsTruncated": False},
    "list_bucket_inventory_configurations": {"IsTruncated": False},
    "list_bucket_metrics_configurations": {"IsTruncated": False},
}
"""What Terraform and consoles read of a new bucket → the answer, or the code of the 404."""


def in_order(keys: Any) -> list[str]:
    """Keys as listings have them: by their UTF-8."""
    return sorted(keys, key=lambda key: str(key).encode())


class AddressTests(SharedTestCase):
    """Keys and hosts, path style and virtual-host style."""

    def listed(self, client: Any, operation: str, member: str) -> list[str]:
        """The keys that an operation lists."""
        answer = getattr(client, operation)(Bucket=self.bucket)
        return [row["Key"] for row in answer.get(member, [])]

    def test_keys(self) -> None:
        """Every key is kept byte for byte, whatever the style, and listed, copied and removed under its name."""
        copies = [f"copy {key}" for key in KEYS if len(key) < 500]
        keys = in_order([*KEYS, *copies])
        for here, there in ((self.s3, self.virtual), (self.virtual, self.s3)):
            for key in KEYS:
                where = {"Bucket": self.bucket, "Key": key}
                here.put_object(**where, Body=key.encode())
                self.assertEqual(there.get_object(**where)["Body"].read(), key.encode())
                if f"copy {key}" in copies:
                    there.copy_object(
                        Bucket=self.bucket, Key=f"copy {key}", CopySource=where
                    )
            for operation, member in (
                ("list_objects_v2", "Contents"),
                ("list_objects", "Contents"),
                ("list_object_versions", "Versions"),
            ):
                self.assertEqual(self.listed(there, operation, member), keys)
            got = here.get_object(Bucket=self.bucket, Key="copy a%2Fb")
            self.assertEqual(got["Body"].read(), b"a%2Fb")
            self.remove(here, keys)

    def remove(self, client: Any, keys: list[str]) -> None:
        """Remove keys, those that XML can carry all at once."""
        alone = [key for key in keys if any(odd in key for odd in NOT_IN_XML)]
        outcome = client.delete_objects(
            Bucket=self.bucket,
            Delete={"Objects": [{"Key": key} for key in keys if key not in alone]},
        )
        self.assertNotIn("Errors", outcome)
        self.assertEqual(self.listed(client, "list_objects_v2", "Contents"), alone)
        for key in alone:
            client.delete_object(Bucket=self.bucket, Key=key)

    def test_too_long(self) -> None:
        """Keys have at most 1024 bytes."""
        error = self.refused(400, "KeyTooLongError", self.s3.put_object, Key="é" * 513)
        self.assertEqual((error["Size"], error["MaxSizeAllowed"]), ("1026", "1024"))

    def test_uploads_of_odd_keys(self) -> None:
        """Uploads are listed under their keys too."""
        keys = [key for key in KEYS if key not in NOT_IN_XML]
        for key in keys:
            self.virtual.create_multipart_upload(Bucket=self.bucket, Key=key)
        self.assertEqual(
            self.listed(self.s3, "list_multipart_uploads", "Uploads"), in_order(keys)
        )

    def test_hosts(self) -> None:
        """Domains in any case, with any port or a final dot; other hosts are path style."""
        self.put("a//b")
        below, path = "/a//b", f"/{self.bucket}/a//b"
        for host, target in (
            (f"{self.bucket}.{DOMAIN}:1", below),
            (f"{self.bucket}.{DOMAIN}.".upper(), below),
            (f"{self.bucket}.x.example", below),
            (DOMAIN, path),
            ("[::1]:9878", path),
            (f"{self.bucket}.other.example", path),
        ):
            status, _, body = self.raw("GET", target, host=host)
            self.assertEqual((status, body), (200, b"0123456789"), host)
        for host in ("two words", "a..b", "x:99999", "x:y"):
            status, _, body = self.raw("GET", path, host=host)
            self.assertEqual(status, 400, host)
            self.assertIn(b"<Code>BadRequest</Code>", body)
        self.assertEqual(self.raw("PUT", "/", host=DOMAIN)[0], 405)


class ListingTests(SharedTestCase):
    """Pages of listings."""

    def test_groups_at_the_borders_of_pages(self) -> None:
        """However long a page, each key and each group comes once, in order."""
        keys = ("a", "b/1", "b/2", "b/3", "b0", "c/", "c/1/x", "d", "e/1", "e/2")
        for key in keys:
            self.put(key)
            self.s3.create_multipart_upload(Bucket=self.bucket, Key=key)
        for operation, member in (
            ("list_objects_v2", "Contents"),
            ("list_objects", "Contents"),
            ("list_object_versions", "Versions"),
            ("list_multipart_uploads", "Uploads"),
        ):
            for size in (1, 2, 3, 1000):
                for prefix, names, groups in (
                    ("", ["a", "b0", "d"], ["b/", "c/", "e/"]),
                    ("b", ["b0"], ["b/"]),
                    ("c/", ["c/"], ["c/1/"]),
                ):
                    pages = list(
                        self.s3.get_paginator(operation).paginate(
                            Bucket=self.bucket,
                            Delimiter="/",
                            Prefix=prefix,
                            PaginationConfig={"PageSize": size},
                        )
                    )
                    asked = (operation, size, prefix)
                    self.assertEqual(
                        [row["Key"] for page in pages for row in page.get(member, [])],
                        names,
                        asked,
                    )
                    self.assertEqual(
                        [
                            row["Prefix"]
                            for page in pages
                            for row in page.get("CommonPrefixes", [])
                        ],
                        groups,
                        asked,
                    )
                    rows = len(names) + len(groups)
                    self.assertEqual(len(pages), max(1, -(-rows // size)), asked)

    def test_wrong_parameters(self) -> None:
        """Numbers, tokens and encodings that are none are named."""
        listing = self.s3.list_objects_v2
        for options, name in (
            ({"MaxKeys": -1}, "maxKeys"),
            ({"MaxKeys": 1 << 31}, "max-keys"),
            ({"ContinuationToken": "made up"}, "continuation-token"),
            ({"EncodingType": "base64"}, "encoding-type"),
        ):
            error = self.refused(400, "InvalidArgument", listing, **options)
            self.assertEqual(error["ArgumentName"], name)
        page = listing(Bucket=self.bucket, MaxKeys=0)
        self.assertEqual((page["KeyCount"], page["IsTruncated"]), (0, False))

    def test_buckets(self) -> None:
        """Buckets come in pages, by prefix, and by region."""
        names = [f"{self.bucket}-{name}" for name in "abc"]
        for name in names:
            self.s3.create_bucket(
                Bucket=name,
                CreateBucketConfiguration={"LocationConstraint": "eu-north-1"},
            )
        pages = self.s3.get_paginator("list_buckets").paginate(
            Prefix=f"{self.bucket}-",
            BucketRegion="eu-north-1",
            PaginationConfig={"PageSize": 2},
        )
        found = [[row["Name"] for row in page["Buckets"]] for page in pages]
        self.assertEqual(found, [names[:2], names[2:]])
        location = self.s3.get_bucket_location(Bucket=names[0])
        self.assertEqual(location["LocationConstraint"], "eu-north-1")
        self.refused(
            409, "BucketAlreadyOwnedByYou", self.s3.create_bucket, Bucket=names[0]
        )
        self.put()
        self.refused(409, "BucketNotEmpty", self.s3.delete_bucket)


class ConfigurationTests(SharedTestCase):
    """A bucket, as Terraform looks at it."""

    def setUp(self) -> None:
        """Hold every answer against the model."""
        super().setUp()
        events = self.s3.meta.events
        events.register("before-parse.s3", self.check, unique_id=self.id())
        self.addCleanup(events.unregister, "before-parse.s3", unique_id=self.id())

    def check(self, operation_model: Any, response_dict: Any, **rest: Any) -> None:
        """Assert that an answer is XML of S3's namespace, with nothing but what the model knows, in any order."""
        shape, body = operation_model.output_shape, response_dict["body"]
        payload = shape and shape.serialization.get("payload")
        if response_dict["status_code"] != 200 or not shape or not body:
            return
        if payload:
            shape = shape.members[payload]
            if shape.type_name != "structure":
                return
        root = ElementTree.fromstring(body)
        self.assertTrue(body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>'))
        self.assertEqual(list(unknown(root, shape)), [], operation_model.name)

    def probe(self, but: Mapping[str, Any]) -> None:
        """Assert that everything is readable, or absent under the code that clients know, and is as in a new bucket.

        :param but: what is otherwise.
        """
        for name, expected in {**PROBES, **but}.items():
            call = getattr(self.s3, name)
            options = {"Id": "x"} if expected == "NoSuchConfiguration" else {}
            if isinstance(expected, str):
                error = self.refused(404, expected, call, **options)
                self.assertEqual(error["BucketName"], self.bucket)
            else:
                answer = call(Bucket=self.bucket)
                del answer["ResponseMetadata"]
                if expected is None:
                    [grant] = answer["Grants"]
                    self.assertEqual(grant["Permission"], "FULL_CONTROL")
                    self.assertEqual(grant["Grantee"]["ID"], answer["Owner"]["ID"])
                else:
                    self.assertEqual(answer, expected, name)

    def test_new(self) -> None:
        """A bucket of which nobody said anything."""
        self.probe({})

    def test_set(self) -> None:
        """What is set is shown as it was set, beside all that was before; what is deleted is absent, and nothing else is."""
        found: dict[str, Any] = {}
        for setting in SETTINGS:
            put = getattr(self.s3, f"put_{xform_name(setting.name)}")
            put(Bucket=self.bucket, **{setting.member: setting.document})
            found[f"get_{xform_name(setting.name)}"] = setting.shown
            self.probe(found)
        policy = filled(CASES["PutBucketPolicy"].asks, {"bucket": self.bucket})
        self.s3.put_bucket_policy(Bucket=self.bucket, **policy)
        found["get_bucket_policy"] = {"Policy": policy["Policy"]}
        found["get_bucket_policy_status"] = {"PolicyStatus": {"IsPublic": False}}
        self.probe(found)
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        del found["get_bucket_policy"], found["get_bucket_policy_status"]
        for setting in SETTINGS:
            if setting.removed:
                name = xform_name(setting.name)
                getattr(self.s3, f"delete_{name}")(Bucket=self.bucket)
                found[f"get_{name}"] = setting.removed
                self.probe(found)


def unknown(element: Any, shape: Any) -> Iterator[str]:
    """What is in an element that its shape does not have, however deep."""
    if shape.type_name != "structure":
        return
    known = {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
    }
    for child in element:
        namespace, _, tag = child.tag.rpartition("}")
        member = known.get(tag)
        if member is None or namespace != "{http://s3.amazonaws.com/doc/2006-03-01/":
            yield child.tag
            continue
        if member.type_name != "list":
            yield from unknown(child, member)
        elif member.serialization.get("flattened"):
            yield from unknown(child, member.member)
        else:
            for each in child:
                yield from unknown(each, member.member)

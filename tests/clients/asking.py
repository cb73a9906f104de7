"""Every operation that is built, as boto3 is told to ask for it, and the actions that AWS wants granted for it.

The actions are written down here anew, and are not looked up in the service's own table. Sources: Service Authorization Reference, "Actions,
resources, and condition keys for Amazon S3"; Amazon S3 API Reference, "Permissions" of each operation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Any, Final

from attrs import frozen

Asks = Mapping[str, Any]

BOTH: Final = ""
"""What whoever does not sign is told where it may be granted to him, and is: nothing."""
NEVER: Final = "AccessDenied"
"""Where it may not."""
UNSIGNED_LOCK: Final = "InvalidArgument"
"""Where S3 wants a signature of version 4: "Put Object requests with Object Lock parameters require AWS Signature Version 4"."""


@frozen
class Case:
    """One request.

    :ivar label: the operation; after a colon, what tells the case from others of the operation.
    :ivar actions: each of them has to be granted.
    :ivar asks: parameters, besides the bucket; ``$`` and a name stands for what an earlier answer said.
    :ivar after: the labels of the cases that the bucket's owner asks for first.
    :ivar gives: what the owner is answered: members and their values, ``None`` for any; or the code of the error that says that there is no such configuration.
    :ivar anonymous: the code of the error for whoever does not sign, and is granted it with everybody; ``""`` for none.
    """

    label: str
    actions: tuple[str, ...]
    asks: Asks
    after: tuple[str, ...]
    gives: Asks | str
    anonymous: str

    @property
    def name(self) -> str:
        """The operation."""
        return self.label.partition(":")[0]


def case(
    label: str,
    actions: str,
    asks: Asks,
    after: str = "",
    gives: Asks | str = "",
    who: str = NEVER,
) -> Case:
    """Write a row; see :class:`Case`.

    :param actions: with blanks between, without the prefix.
    :param after: with commas between.
    :param who: what whoever does not sign is told.
    """
    earlier = tuple(after.split(", ")) if after else ()
    wanted = tuple(f"s3:{action}" for action in actions.split())
    return Case(label, wanted, asks, earlier, gives or {}, who)


def filled(given: Any, values: Mapping[str, str]) -> Any:
    """Parameters, with what was answered before in its places."""
    if isinstance(given, str):
        return Template(given).substitute(values)
    if isinstance(given, Mapping):
        return {name: filled(value, values) for name, value in given.items()}
    return [filled(value, values) for value in given] if type(given) is list else given


UNTIL: Final = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
RETENTION: Final = {"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL}
RETAINED: Final = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL}
HOLD: Final = {"Status": "ON"}
TAGS: Final = {"TagSet": [{"Key": "team", "Value": "blue"}]}
KEY: Final = {"Key": "key"}
BODY: Final = {**KEY, "Body": b"0123456789"}
VERSION: Final = {**KEY, "VersionId": "$version"}
SOURCE: Final = {"Bucket": "$bucket", **KEY}
UPLOAD: Final = {**KEY, "UploadId": "$upload"}
PART: Final = {**UPLOAD, "PartNumber": 1}
PARTS: Final = {"Parts": [{"PartNumber": 1, "ETag": "$part", "ChecksumCRC32": "$sum"}]}
TEN: Final = {"ContentLength": 10}
MADE: Final = {"VersionId": "$version"}
BLOCKS: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": False,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": True,
}
POLICY: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:RestoreObject",
            "Resource": "arn:aws:s3:::$bucket/*",
        },
    }
)

# The formatter would make ten lines of each row.
# fmt: off
_ROWS: Final = (
    # Buckets and listings
    case("HeadBucket", "ListBucket", {}, who=BOTH),
    case("GetBucketLocation", "GetBucketLocation", {}, who=BOTH),
    case("DeleteBucket", "DeleteBucket", {}),
    case("ListObjects", "ListBucket", {}, "PutObject", {"Contents": None}, BOTH),
    case("ListObjectsV2", "ListBucket", {}, "PutObject", {"KeyCount": 1}, BOTH),
    case("ListObjectVersions", "ListBucketVersions", {}, "PutObject", {"Versions": None}, BOTH),
    case("ListMultipartUploads", "ListBucketMultipartUploads", {}, "CreateMultipartUpload", {"Uploads": None}, BOTH),
    # Objects
    case("GetObject", "GetObject", KEY, "PutObject", TEN, BOTH),
    case("HeadObject", "GetObject", KEY, "PutObject", TEN, BOTH),
    case("GetObjectAttributes", "GetObject GetObjectAttributes", {**KEY, "ObjectAttributes": ["ObjectSize"]}, "PutObject", {"ObjectSize": 10}, BOTH),
    case("PutObject", "PutObject", BODY, "", {"VersionId": None}, BOTH),
    case("PutObject: with tags", "PutObject PutObjectTagging", {**BODY, "Tagging": "a=b"}, who=BOTH),
    case("PutObject: with retention", "PutObject PutObjectRetention", {**BODY, **RETAINED}, who=UNSIGNED_LOCK),
    case("PutObject: with a hold", "PutObject PutObjectLegalHold", {**BODY, "ObjectLockLegalHoldStatus": "ON"}, who=UNSIGNED_LOCK),
    case("PutObject: with a list", "PutObject PutObjectAcl", {**BODY, "ACL": "bucket-owner-read"}, "PutBucketOwnershipControls", who=BOTH),
    case("PostObject", "PutObject", KEY, who=BOTH),
    case("CopyObject", "PutObject GetObject", {"Key": "copy", "CopySource": SOURCE}, "PutObject", {"CopyObjectResult": None}),
    case("DeleteObject", "DeleteObject", KEY, "PutObject", {"DeleteMarker": True}, BOTH),
    case("DeleteObjects", "DeleteObject", {"Delete": {"Objects": [KEY]}}, "PutObject", {"Deleted": None}, BOTH),
    case("GetObjectTagging", "GetObjectTagging", KEY, "PutObject, PutObjectTagging", TAGS, BOTH),
    case("PutObjectTagging", "PutObjectTagging", {**KEY, "Tagging": TAGS}, "PutObject", MADE, BOTH),
    case("DeleteObjectTagging", "DeleteObjectTagging", KEY, "PutObject", MADE, BOTH),
    case("GetObjectAcl", "GetObjectAcl", KEY, "PutObject", {"Grants": None}, BOTH),
    case("PutObjectAcl", "PutObjectAcl", {**KEY, "ACL": "private"}, "PutBucketOwnershipControls, PutObject", who=BOTH),
    # Versions
    case("GetObject: of a version", "GetObjectVersion", VERSION, "PutObject", MADE, BOTH),
    case("HeadObject: of a version", "GetObjectVersion", VERSION, "PutObject", MADE, BOTH),
    case("GetObjectAttributes: of a version", "GetObjectVersion GetObjectVersionAttributes", {**VERSION, "ObjectAttributes": ["ETag"]}, "PutObject", MADE, BOTH),
    case("CopyObject: of a version", "PutObject GetObjectVersion", {"Key": "copy", "CopySource": {**SOURCE, **MADE}}, "PutObject", {"CopySourceVersionId": "$version"}),
    case("DeleteObject: of a version", "DeleteObjectVersion", VERSION, "PutObject", MADE, BOTH),
    case("DeleteObjects: of versions", "DeleteObjectVersion", {"Delete": {"Objects": [VERSION]}}, "PutObject", {"Deleted": [VERSION]}, BOTH),
    case("GetObjectTagging: of a version", "GetObjectVersionTagging", VERSION, "PutObject", MADE, BOTH),
    case("PutObjectTagging: of a version", "PutObjectVersionTagging", {**VERSION, "Tagging": TAGS}, "PutObject", MADE, BOTH),
    case("DeleteObjectTagging: of a version", "DeleteObjectVersionTagging", VERSION, "PutObject", MADE, BOTH),
    case("GetObjectAcl: of a version", "GetObjectVersionAcl", VERSION, "PutObject", {"Grants": None}, BOTH),
    case("PutObjectAcl: of a version", "PutObjectVersionAcl", {**VERSION, "ACL": "private"}, "PutBucketOwnershipControls, PutObject", who=BOTH),
    # Object lock
    case("PutObjectRetention", "PutObjectRetention", {**KEY, "Retention": RETENTION}, "PutObject", who=BOTH),
    case("PutObjectRetention: removed", "PutObjectRetention BypassGovernanceRetention",
         {**KEY, "Retention": {}, "BypassGovernanceRetention": True}, "PutObject, PutObjectRetention", who=BOTH),
    case("GetObjectRetention", "GetObjectRetention", KEY, "PutObject, PutObjectRetention", {"Retention": RETENTION}, BOTH),
    case("PutObjectLegalHold", "PutObjectLegalHold", {**KEY, "LegalHold": HOLD}, "PutObject", who=BOTH),
    case("GetObjectLegalHold", "GetObjectLegalHold", KEY, "PutObject, PutObjectLegalHold", {"LegalHold": HOLD}, BOTH),
    case("DeleteObject: that is retained", "DeleteObjectVersion BypassGovernanceRetention",
         {**VERSION, "BypassGovernanceRetention": True}, "PutObject, PutObjectRetention", MADE, BOTH),
    # Multipart uploads
    case("CreateMultipartUpload", "PutObject", KEY, "", {"UploadId": None}),
    case("UploadPart", "PutObject", {**PART, "Body": b"part"}, "CreateMultipartUpload", {"ETag": None}, BOTH),
    case("UploadPartCopy", "PutObject GetObject", {**PART, "CopySource": SOURCE}, "PutObject, CreateMultipartUpload", {"CopyPartResult": None}),
    case("ListParts", "ListMultipartUploadParts", UPLOAD, "CreateMultipartUpload, UploadPart", {"Parts": None}, BOTH),
    case("CompleteMultipartUpload", "PutObject", {**UPLOAD, "MultipartUpload": PARTS}, "CreateMultipartUpload, UploadPart", {"VersionId": None}, BOTH),
    case("AbortMultipartUpload", "AbortMultipartUpload", UPLOAD, "CreateMultipartUpload", who=BOTH),
    # Who may do what
    case("PutBucketPolicy", "PutBucketPolicy", {"Policy": POLICY, "ConfirmRemoveSelfBucketAccess": True}),
    case("GetBucketPolicy", "GetBucketPolicy", {}, "PutBucketPolicy", {"Policy": POLICY}),
    case("GetBucketPolicyStatus", "GetBucketPolicyStatus", {}, "PutBucketPolicy", {"PolicyStatus": {"IsPublic": False}}),
    case("DeleteBucketPolicy", "DeleteBucketPolicy", {}, "PutBucketPolicy"),
    case("PutBucketAcl", "PutBucketAcl", {"ACL": "private"}, "PutBucketOwnershipControls", who=BOTH),
    case("GetBucketAcl", "GetBucketAcl", {}, "", {"Grants": None}, BOTH),
)
# fmt: on


@frozen
class Setting:
    """A document of a bucket, with the operations that put, get and delete it.

    :ivar name: of the operations, after their verbs.
    :ivar action: of the actions, after theirs.
    :ivar member: of the request, that the document is in.
    :ivar shown: what is answered to who gets it.
    :ivar removed: the code of the error once it was deleted; ``""`` where nothing deletes it.
    :ivar deleting: the action, where it is not the one that puts.
    :ivar anybody: whether reading it may be granted to whoever does not sign.
    """

    name: str
    action: str
    member: str
    document: Asks
    shown: Asks
    removed: str = ""
    deleting: str = ""
    anybody: bool = False

    def cases(self) -> Iterator[Case]:
        """The rows for it."""
        put, who = f"Put{self.name}", BOTH if self.anybody else NEVER
        yield case(put, f"Put{self.action}", {self.member: self.document})
        yield case(f"Get{self.name}", f"Get{self.action}", {}, put, self.shown, who)
        if self.removed:
            deleting = self.deleting or f"Put{self.action}"
            yield case(f"Delete{self.name}", deleting, {}, put)


CORS: Final = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"]}
OWNERSHIP: Final = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
LOCK: Final = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
}
WEBSITE: Final = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "404.html"},
}
ON, OFF, PAID = {"Status": "Enabled"}, {"Status": "Suspended"}, {"Payer": "BucketOwner"}

# fmt: off
SETTINGS: Final = (
    Setting("BucketVersioning", "BucketVersioning", "VersioningConfiguration", ON, ON, anybody=True),
    Setting("ObjectLockConfiguration", "BucketObjectLockConfiguration", "ObjectLockConfiguration", LOCK, {"ObjectLockConfiguration": LOCK}),
    Setting("PublicAccessBlock", "BucketPublicAccessBlock", "PublicAccessBlockConfiguration", BLOCKS, {"PublicAccessBlockConfiguration": BLOCKS},
            "NoSuchPublicAccessBlockConfiguration"),
    Setting("BucketOwnershipControls", "BucketOwnershipControls", "OwnershipControls", OWNERSHIP, {"OwnershipControls": OWNERSHIP}, "OwnershipControlsNotFoundError"),
    Setting("BucketCors", "BucketCORS", "CORSConfiguration", {"CORSRules": [CORS]}, {"CORSRules": [CORS]}, "NoSuchCORSConfiguration", anybody=True),
    Setting("BucketWebsite", "BucketWebsite", "WebsiteConfiguration", WEBSITE, WEBSITE, "NoSuchWebsiteConfiguration", "DeleteBucketWebsite", True),
    Setting("BucketTagging", "BucketTagging", "Tagging", TAGS, TAGS, "NoSuchTagSet", anybody=True),
    Setting("BucketRequestPayment", "BucketRequestPayment", "RequestPaymentConfiguration", PAID, PAID, anybody=True),
    Setting("BucketAccelerateConfiguration", "AccelerateConfiguration", "AccelerateConfiguration", OFF, OFF),
)
# fmt: on

NEVER_SET: Final = {
    # Configurations that nothing sets here → the action's name, and what is answered.
    "GetBucketEncryption": (
        "EncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    "GetBucketLifecycleConfiguration": (
        "LifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
    ),
    "GetBucketReplication": (
        "ReplicationConfiguration",
        "ReplicationConfigurationNotFoundError",
    ),
    "GetBucketLogging": ("BucketLogging", ""),
    "GetBucketNotificationConfiguration": ("BucketNotification", ""),
}
BY_NUMBER: Final = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
"""Kinds of configuration of which a bucket may have several, and has none here."""


def _cases() -> Iterator[Case]:
    yield from _ROWS
    for setting in SETTINGS:
        yield from setting.cases()
    for name, (action, gives) in NEVER_SET.items():
        yield case(name, f"Get{action}", {}, gives=gives)
    for kind in BY_NUMBER:
        action, one = f"Get{kind}Configuration", f"GetBucket{kind}Configuration"
        yield case(one, action, {"Id": "x"}, gives="NoSuchConfiguration")
        yield case(f"ListBucket{kind}Configurations", action, {})


CASES: Final = {each.label: each for each in _cases()}

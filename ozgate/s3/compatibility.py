"""What of S3 is built, as the table says, and where an answer differs from AWS's: for people, and for documents made of it.

Source of the operations: the table (:mod:`ozgate.s3.operations`). What differs is named here, where nothing else could tell it.
"""

from __future__ import annotations

from typing import Final

from ..immutable import frozen
from .foreign.plain import is_plain
from .operations import ALIASES, OPERATIONS
from .perform import configuration
from .row import Gate, Operation

BUILT, NONE_HERE, NOT_BUILT = "built", "never any", "501"

STATES: Final = {
    BUILT: "works as on AWS, but for what is said beside it",
    NONE_HERE: "says what AWS says of a bucket that has no such configuration; none can be set",
    NOT_BUILT: "answered 501 `NotImplemented`, and never with what another operation would do",
}

_GATES: Final = {
    Gate.SIGNED: "signed",
    Gate.FORM: "form",
    Gate.PREFLIGHT: "anybody",
    Gate.ANYBODY: "signed, or granted to everybody",
}

DIFFERENCES: Final[dict[str, str]] = {
    "ListBuckets": "Shows what the caller may list or read, links of Ozone's included.",
    "OptionsBucket": "A bucket that is not there is answered like one without rules.",
    "OptionsObject": "As OptionsBucket.",
    "CreateBucket": "An endpoint of `us-east-1` makes buckets of any region. No directory buckets, no account-regional names.",
    "HeadBucket": "Of a bucket that is not there it says the region of this endpoint.",
    "GetObjectAttributes": "`ObjectParts` has `PartsCount` alone where parts have no checksums of their own.",
    "PutObject": "No encryption, no writes at an offset (501). What nobody signed is owned by the bucket's owner.",
    "DeleteObject": "A delete marker is a name like any other for a quota, so that one that is full refuses it.",
    "PostObject": "Checksums of the file are fields; in the request's own headers they are 501.",
    "PutObjectAcl": "As PutBucketAcl. What nobody signed is owned by the bucket's owner.",
    "PutObjectRetention": "No event holds (501).",
    "PutBucketVersioning": "There is no MFA delete: what would turn it on is refused as of somebody without a second factor.",
    "PutBucketAcl": "Nobody has an e-mail address. `aws-exec-read` gives nobody anything besides.",
    "PutBucketPolicy": "`NotPrincipal` with `Allow` is refused; at most 500 patterns of actions with wildcards, 20 of those that take long. There are no other accounts, services, networks and access points. Administrators and the bucket's owner may always read, change and remove it.",
    "GetBucketEncryption": "AWS shows `AES256` for every bucket; here nothing is encrypted, and nothing says so.",
    "PutBucketWebsite": "Served on a listener of its own, once that is configured (`ozgate.website.listen`); not where requesters pay.",
    "PutBucketAccelerateConfiguration": "`Suspended` alone: there is nothing that `Enabled` would do (501).",
    "PutBucketRequestPayment": "Whoever does not say that he pays is refused; nobody is charged.",
    "PutObjectLockConfiguration": "No event holds (501).",
    "PutPublicAccessBlock": "What AWS has for a whole account is `ozgate.s3.block-public-access` here.",
}
"""Operation → where it differs from AWS's, in sentences."""

GENERAL: Final[tuple[str, ...]] = (
    "There is one account: users are named `arn:aws:iam:::user/NAME`, with any account number, or by canonical ids, which are the SHA-256 of their names.",
    "Buckets live in a volume of Ozone's; a bucket may be a link to another, and an operation through a link is one on the real bucket.",
    "Administrators (`ozone.administrators`) are what the root user of an account is on AWS. While `ozone.security.enabled` is false, as by default, whoever signs may do everything.",
    "Ozone's access control lists of buckets grant things besides policies and S3's lists; what a policy denies they do not give back.",
    "Owners are shown with `DisplayName`, which AWS has left out since November 2025.",
    "Nothing is encrypted by the service: a write that asks for encryption, or brings a key for it, is 501.",
    "Storage classes are kept and shown, and change nothing: there is one kind of storage.",
    "S3 Control (`aws s3control`) is not here: 501, and 405 for tags of buckets.",
    "Query parameters are at most 500; an error's document has at most 4 KiB of its request.",
)
"""What differs everywhere."""


ELSEWHERE: Final[tuple[str, ...]] = (
    "What is configured of a bucket has no place there: what reads it says what AWS says of a bucket that has none, what would put it is 501. So there is nothing public, and whoever did not sign gets nothing.",
    "Who may what is the other system's to say: `PERMISSION_DENIED` is `AccessDenied`. What a policy of IAM, or a limit of a session or key, denies it denies there too; one that hangs on `s3:ExistingObjectTag` denies everything.",
    "There are no versions: each key has one, which S3 calls `null`. ListObjectVersions lists those.",
    "Conditions of PutObject, CopyObject and CompleteMultipartUpload are the other system's, at the moment of the write. Those of DeleteObject, DeleteObjects and AbortMultipartUpload are 501, since nothing could hold them against what is there at that moment.",
    "The ETag of what was put in one piece is its MD5. That of an upload is the one that the other system makes (of Ozone: the MD5 of the hex MD5s of all parts that came, and their number), which is not AWS's. What has none, since it was not put by S3, is shown with one that ends in `-0`, by which no write can be conditioned.",
    "Checksums of what was put in one piece are compared and kept. Those of parts are compared, and not kept: that of the object is made of those that CompleteMultipartUpload lists; one that it states without them is 501. A CompleteMultipartUpload that is repeated is answered as before where all parts that came were listed, and the key is still what was made of them.",
    "A copy goes through the gateway: what is copied is read and put. It is as what was put, in one piece.",
    "User metadata, `Content-Type` and its like, tags and storage classes are kept with the key, so that other clients of the other system see them; lists show `STANDARD`. Metadata whose names are no header's, as other clients may give, are counted in `x-amz-missing-meta`.",
    "Where keys are files (a bucket of Ozone's layout `FILE_SYSTEM_OPTIMIZED`), a key cannot be in another one, nor have a name that no file can have: 400. An empty folder is listed as a key of no bytes whose name ends in `/`, one that holds something is not.",
    "A bucket has no region of its own, and none of a lock, tags, or objects that others own: CreateBucket refuses to be asked for them.",
)
"""What differs in a bucket of another system."""


@frozen
class Line:
    """What is said of one operation.

    :ivar request: verb, path and query.
    :ivar state: one of :data:`STATES`.
    :ivar action: what is asked of authorization.
    :ivar gate: who is let in.
    :ivar elsewhere: its state in a bucket of another system.
    :ivar differs: where it differs from AWS's; ``""`` where nothing is known to.
    """

    name: str
    request: str
    state: str
    action: str
    gate: str
    elsewhere: str
    differs: str


def lines() -> list[Line]:
    """All operations, in the order of the table."""
    return [_line(row) for row in OPERATIONS]


def _line(row: Operation) -> Line:
    path = {"service": "/", "bucket": "/BUCKET", "object": "/BUCKET/KEY"}[
        row.scope.value
    ]
    names = [name for name in row.names if not name.startswith("/")]
    path = next((name for name in row.names if name.startswith("/")), path)
    query = f"?{'&'.join(names)}" if names else ""
    return Line(
        row.name,
        f"{row.method} {path}{query}",
        state_of(row),
        row.action,
        _GATES[row.gate],
        state_elsewhere(row),
        DIFFERENCES.get(row.name, ""),
    )


def state_of(row: Operation) -> str:
    """Which of :data:`STATES` an operation is in."""
    if row.perform is None:
        return NOT_BUILT
    if row.perform.__module__ == configuration.__name__:
        return NONE_HERE
    return BUILT


def state_elsewhere(row: Operation) -> str:
    """Which of :data:`STATES` it is in for a bucket of another system."""
    if row.foreign is None and row.gate is not Gate.PREFLIGHT:
        return NOT_BUILT
    return NONE_HERE if row.foreign is not None and is_plain(row.foreign) else BUILT


def markdown() -> str:
    """The document ``docs/compatibility.md``."""
    found = lines()
    counts = {state: sum(line.state == state for line in found) for state in STATES}
    rows = [
        f"| {line.name} | `{line.request}` | {line.state} | {line.elsewhere} | {_code(line.action)} | {line.gate} | {line.differs} |"
        for line in found
    ]
    aliases = ", ".join(f"{old} ({new})" for old, new in sorted(ALIASES.items()))
    return "\n".join(
        [
            "# Which operations there are",
            "",
            "Made of the table that the service itself goes by: `ozgate s3 operations --markdown > docs/compatibility.md`. A test holds it.",
            "",
            "| | operations | |",
            "| --- | --- | --- |",
            *(
                f"| {state} | {counts[state]} | {said} |"
                for state, said in STATES.items()
            ),
            "",
            f"Deprecated names of requests that their successors answer: {aliases}.",
            "",
            "## What differs everywhere",
            "",
            *(f"- {said}" for said in GENERAL),
            "",
            "## What differs in buckets of another system",
            "",
            "Such as those of a cluster of Apache Ozone, which the column *of another system* below is about.",
            "",
            *(f"- {said}" for said in ELSEWHERE),
            "",
            "## Operation by operation",
            "",
            "| operation | request | | of another system | action | whom it lets in | differs from AWS |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""

"""A gateway, or several, held against the model: answers are the model's, and so is all that can be read.

What got no answer leaves open what happened: the model is every state that is possible then, until what is read rules out the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from twisted.python.failure import Failure

from ozgate.interfaces import IMetadataTransaction
from tests.crash.drawing import BUCKETS, KEYS
from tests.crash.lock_operations import (
    GetLock,
    GetObjectLockConfiguration,
    PutLockedObject,
    PutObjectLockConfiguration,
)
from tests.crash.model import Model
from tests.crash.object_operations import GetObject, GetObjectTagging, PutObject
from tests.crash.operations import CreateBucket, ListBuckets, Operation, Sent
from tests.crash.trouble import LOST, REFUSED, Outcome
from tests.crash.upload_operations import (
    CreateMultipartUpload,
    ListMultipartUploads,
    ListParts,
    UploadPart,
)
from tests.crash.version_operations import (
    GetBucketVersioning,
    GetVersion,
    ListObjectVersions,
    OnVersion,
    PutBucketVersioning,
)
from tests.operations.support import Response

VOLUME = "s3v"

FIRST = (
    CreateBucket(bucket="one"),
    PutObject(bucket="one", key="a", body=b"in the row"),
    PutObject(bucket="one", key="a/b", body=b"in a blob " * 7000, tags={"n": "1"}),
    CreateMultipartUpload(bucket="one", key="b", upload="upload 0"),
    UploadPart(bucket="one", key="b", upload="upload 0", number=1, body=b"a part" * 99),
    CreateBucket(bucket="two"),
    PutBucketVersioning(bucket="two", status_wanted="Enabled"),
    PutObjectLockConfiguration(bucket="two"),
    PutLockedObject(
        bucket="two",
        key="a",
        body=b"locked",
        is_held=False,
        retention=("GOVERNANCE", 2100),
    ),
    PutObject(bucket="two", key="a", body=b"newer"),
)
"""What every history begins with, so that there is something to ask for: a bucket without versions, and one with object lock."""


class Compared:
    """What is asked, and the states that there may be by the model.

    :cvar done: counts what was asked and what went wrong.

    :ivar models: one, but while answers leave it open.
    :ivar ids: of uploads, by this test's names.
    :ivar uploads: bucket and key of each, by name.
    """

    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.models = [Model()]
        self.ids: dict[str, str] = {}
        self.uploads: dict[str, tuple[str, str]] = {}

    def answered(self, sent: Sent) -> Response:
        """What a request gets."""
        raise NotImplementedError

    def look(self, interaction: Callable[..., Any], *args: object) -> Any:
        """What the rows say."""
        raise NotImplementedError

    def name_versions(self, operation: Operation) -> None:
        """Find the ids of the versions of a key of which an operation names one: they come in the model's order."""
        if not isinstance(operation, OnVersion):
            return
        bucket, key = operation.bucket, operation.key
        listed = ListObjectVersions(bucket=bucket, prefix=key).sent({})
        answer = self.answered(listed)
        found = [
            each.findtext("VersionId", "")
            for each in answer.xml()
            if each.findtext("Key") == key
        ]
        held = self.models[0].held.get(bucket, {}).get(key, ())
        for place, version_id in enumerate(found):
            self.ids[f"place {bucket}/{key}/{place}"] = version_id
            if place < len(held):
                self.ids[f"version {held[place].number}"] = version_id

    def outcome(
        self, operation: Operation, answer: Response | Failure | None, struck: bool
    ) -> Outcome:
        """What came of a request: an answer, or what there is instead while the disk is in trouble."""
        if answer is None or (struck and isinstance(answer, Failure)):
            return LOST
        if isinstance(answer, Failure):
            answer.raiseException()
        assert isinstance(answer, Response)
        if isinstance(operation, CreateMultipartUpload) and answer.status == 200:
            self.ids[operation.upload] = answer.text("UploadId") or ""
            self.uploads[operation.upload] = operation.bucket, operation.key
        names = {upload_id: name for name, upload_id in self.ids.items()}
        heard = operation.heard(answer, names)
        if heard.status in (503, 507) and struck:
            return REFUSED
        if heard.status == 500 and struck:
            return LOST
        return heard

    def verify(self) -> None:
        """Read everything; rule out the states that do not agree."""
        self.adopt()
        for operation in everything(self.models, self.uploads.items()):
            outcome = self.heard(operation)
            left = [each for each in self.models if operation.meant(each) == outcome]
            assert left, (operation, outcome, [operation.meant(m) for m in self.models])
            self.models = left
        self.check_usage()

    def heard(self, operation: Operation) -> Outcome:
        """What a request gets while nothing goes wrong."""
        self.name_versions(operation)
        return self.outcome(operation, self.answered(operation.sent(self.ids)), False)

    def adopt(self) -> None:
        """Find the ids of uploads whose beginning got no answer."""
        nameless = {
            (upload.bucket, upload.key): name
            for each in self.models
            for name, upload in each.uploads.items()
            if name not in self.ids
        }
        for (bucket, key), name in nameless.items():
            sent = ListMultipartUploads(bucket=bucket).sent({})
            answer = self.answered(sent)
            known = set(self.ids.values())
            for upload in answer.xml().findall("Upload"):
                upload_id = upload.findtext("UploadId") or ""
                if upload.findtext("Key") == key and upload_id not in known:
                    self.ids[name] = upload_id
                    self.uploads[name] = bucket, key

    def check_usage(self) -> None:
        """The counters of each bucket agree with a recount and with the model."""
        (state,) = self.models
        for name in state.buckets:
            counted, recount = self.look(usage, VOLUME, name)
            assert counted == recount == state.used(name), (
                name,
                counted,
                recount,
                state.used(name),
            )


def everything(
    models: Iterable[Model], uploads: Iterable[tuple[str, tuple[str, str]]]
) -> list[Operation]:
    """What reads all that any of these states has, and all that none should have."""
    asked: list[Operation] = [ListBuckets()]
    for bucket in BUCKETS:
        asked += [
            GetBucketVersioning(bucket=bucket),
            GetObjectLockConfiguration(bucket=bucket),
            ListObjectVersions(bucket=bucket),
            ListMultipartUploads(bucket=bucket),
        ]
        for key in KEYS:
            asked.append(GetObject(bucket=bucket, key=key))
            if any(key in each.buckets.get(bucket, ()) for each in models):
                asked.append(GetObjectTagging(bucket=bucket, key=key))
            held = [each.held.get(bucket, {}).get(key, ()) for each in models]
            asked += [
                GetVersion(bucket=bucket, key=key, place=place)
                for place in range(1, max(map(len, held)))
            ]
            if any(bucket in each.locking for each in models):
                asked += [
                    GetLock(bucket=bucket, key=key, place=place)
                    for place in range(max(map(len, held)))
                ]
    for name, (bucket, key) in uploads:
        asked.append(ListParts(bucket=bucket, key=key, upload=name))
    return asked


def usage(
    tx: IMetadataTransaction, volume: str, name: str
) -> tuple[tuple[int, int], tuple[int, int]]:
    """What is counted of a bucket, and what a recount finds."""
    bucket = tx.bucket(volume, name)
    assert bucket is not None
    return (bucket.used_bytes, bucket.used_names), tx.recount(bucket)

"""The gateway and the model side by side: what is asked of one is asked of the other.

An answer is the model's. When a call to the disk failed or the process died, the model is
every state that the answers leave open: what was refused did not happen; what got no answer, or
``InternalError``, happened wholly or not at all. Then everything is read, and what does not agree with that is ruled out.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, ClassVar
from unittest.mock import patch

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from ozgate.gateway.room import Room
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import connections
from ozgate.s3.perform import completing
from tests.crash import model, tapping
from tests.crash.disksite import DiskSite, Turns, image
from tests.crash.drawing import BUCKETS, KEYS
from tests.crash.lock_operations import (
    GetLock,
    GetObjectLockConfiguration,
    PutLockedObject,
    PutObjectLockConfiguration,
)
from tests.crash.model import Model
from tests.crash.object_operations import GetObject, GetObjectTagging, PutObject
from tests.crash.operations import CreateBucket, ListBuckets, Operation
from tests.crash.smallworld import drawn_ids
from tests.crash.trouble import CALM, LOST, REFUSED, Disk, Outcome, Trouble, possible
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

BEGINNING = 1_795_000_000

CHECKPOINT_PAGES = 60
"""Pages in the write-ahead log at which it is emptied: often, for histories are short."""

IN_MEMORY = "/dev/shm"
"""Where histories are, if there is such a folder: what a power cut leaves is no matter here, and a sync costs nothing."""

PLENTY = 1 << 60
"""A reserve that no disk has free."""


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


class SideBySide:
    """A gateway on a disk, and the states that it may be in by the model.

    :cvar done: counts what was asked and what went wrong.

    :ivar models: one, but while answers leave it open.
    :ivar ids: of uploads, by this test's names.
    :ivar uploads: bucket and key of each, by name.
    :ivar low: whether less is free than must stay free.
    :ivar until_room: steps until a disk that is full or almost full is so no more.
    """

    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        memory = IN_MEMORY if os.path.isdir(IN_MEMORY) else None
        self.root = tempfile.mkdtemp(prefix="ozgate-model-", dir=memory)
        self.disk = Disk()
        self.around = ExitStack()
        self.around.callback(shutil.rmtree, self.root)
        for module, name, value in (
            (completing, "MIN_PART", model.MIN_PART),
            (connections, "CHECKPOINT_PAGES", CHECKPOINT_PAGES),
        ):
            self.around.enter_context(patch.object(module, name, value))
        # What depends on ids, such as how rows share pages, is the same when a history is played again.
        self.around.enter_context(drawn_ids())
        self.around.enter_context(tapping.tapped(self.disk))
        self.clock = Turns()
        self.clock.advance(BEGINNING)
        self.highest = float(BEGINNING)
        self.images = 0
        self.low = False
        self.until_room = 0
        self.models = [Model()]
        self.ids: dict[str, str] = {}
        self.uploads: dict[str, tuple[str, str]] = {}
        self.site = DiskSite(self.clock, f"{self.root}/0")
        self.site.open()
        for operation in FIRST:
            self.ask([operation])

    def close(self) -> None:
        """Have done with it."""
        self.site.close()
        self.around.close()

    # One step

    def ask(
        self,
        operations: list[Operation],
        trouble: Trouble = CALM,
        sweeping: bool = False,
    ) -> None:
        """Have operations under way at once, with the reaper perhaps; something may go wrong meanwhile."""
        self.clock.advance(0.003)
        for operation in operations:
            self.name_versions(operation)
        answers: dict[int, Response | Failure] = {}
        images: list[tuple[str, dict[int, Response | Failure]]] = []
        self.disk.arm(
            trouble, lambda: images.append((self.make_image(), answers.copy()))
        )
        waiting: list[Deferred[Any]] = [
            self.begin(operation).addBoth(partial(answers.__setitem__, number))
            for number, operation in enumerate(operations)
        ]
        if sweeping:
            waiting.append(ensureDeferred(self.site.reaper.reap()).addErrback(str))
        for each in waiting:
            self.clock.until(each)
        if images:
            _, answers = images[0]
        struck = self.disk.struck
        self.disk.arm(CALM)
        self.done["step"] += 1
        self.done.update(type(each).__name__ for each in operations)
        if struck:
            self.done[f"{trouble.kind} in mid-request"] += 1
        outcomes = [
            self.outcome(operation, answers.get(number), struck)
            for number, operation in enumerate(operations)
        ]
        if images:
            self.restart(images[0][0], trouble.again)
        found = possible(self.models, operations, outcomes)
        assert found, (operations, outcomes, self.models)
        self.models = found
        if struck or len(found) > 1:
            self.verify()
        if struck and trouble.dies:
            self.restart()
            self.verify()
        self.until_room -= 1
        if self.until_room == 0:
            self.make_room()
            self.verify()

    def begin(self, operation: Operation) -> Deferred[Response]:
        """Send a request."""
        sent = operation.sent(self.ids)
        return self.site.client.begin(
            sent.method, sent.target, sent.headers, sent.body, sent.length
        )

    def name_versions(self, operation: Operation) -> None:
        """Find the ids of the versions of a key of which an operation names one: they come in the model's order."""
        if not isinstance(operation, OnVersion):
            return
        bucket, key = operation.bucket, operation.key
        listed = ListObjectVersions(bucket=bucket, prefix=key).sent({})
        answer = self.clock.until(self.site.client.begin(listed.method, listed.target))
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
        if heard.status == 507 and self.low and operation.stores:
            return REFUSED
        if heard.status == 507 and self.disk.full and operation.changes:
            return REFUSED
        if heard.status in (503, 507) and struck:
            return REFUSED
        if heard.status == 500 and struck:
            return LOST
        return heard

    # The process

    def make_image(self) -> str:
        """What a process that dies now leaves."""
        self.images += 1
        return image(self.site.folder, f"{self.root}/{self.images}")

    def restart(self, folder: str | None = None, again: int = 0) -> None:
        """Go on from an image, or from one made now; the process that starts may die at once."""
        self.done["restart"] += 1
        self.leave(folder or self.make_image())
        images: list[str] = []
        trouble = Trouble("crash", again)
        self.disk.arm(trouble, lambda: images.append(self.make_image()))
        self.site.open()
        self.disk.arm(CALM)
        if images:
            self.done["crash in mid-start"] += 1
            self.leave(images[0])
            self.site.open()
        self.set_low(self.low)

    def leave(self, folder: str) -> None:
        """Have done with a process that is dead; the next begins in a folder."""
        full, self.disk.full = self.disk.full, False
        self.site.close()
        self.disk.full = full
        shutil.rmtree(self.site.folder)
        self.site = DiskSite(self.clock, folder)

    def set_low(self, low: bool) -> None:
        """Have less free than must stay free, or more."""
        self.low = low
        reserve = PLENTY if low else 0
        self.site.gateway.room = Room(self.site.folder, reserve)

    def make_room(self) -> None:
        """Have room on the disk again."""
        self.disk.full = False
        self.set_low(False)

    # What holds

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
        return self.outcome(operation, self.clock.until(self.begin(operation)), False)

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
            answer = self.clock.until(self.site.client.begin(sent.method, sent.target))
            known = set(self.ids.values())
            for upload in answer.xml().findall("Upload"):
                upload_id = upload.findtext("UploadId") or ""
                if upload.findtext("Key") == key and upload_id not in known:
                    self.ids[name] = upload_id
                    self.uploads[name] = bucket, key

    def check_usage(self) -> None:
        """The counters of each bucket agree with a recount and with the model."""
        (state,) = self.models
        volume = self.site.gateway.settings.volume_name
        for name in state.buckets:
            counted, recount = self.site.look(_usage, volume, name)
            assert counted == recount == state.used(name), (
                name,
                counted,
                recount,
                state.used(name),
            )

    def check_database(self) -> None:
        """SQLite finds nothing wrong."""
        with self.database() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []

    def database(self) -> closing[sqlite3.Connection]:
        """A connection to the metadata, past everything."""
        return closing(sqlite3.connect(f"{self.site.folder}/metadata.db"))


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


def _usage(
    tx: IMetadataTransaction, volume: str, name: str
) -> tuple[tuple[int, int], tuple[int, int]]:
    """What is counted of a bucket, and what a recount finds."""
    bucket = tx.bucket(volume, name)
    assert bucket is not None
    return (bucket.used_bytes, bucket.used_names), tx.recount(bucket)

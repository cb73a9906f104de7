"""Quotas under any history, and under a race on a real server: never above, and counted to the byte."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from tests.operations.past import PastTestCase
from tests.operations.support import Response, checked
from tests.operations.uploads import LARGE, complete_document
from tests.operations.versioned import configuration
from tests.running import Server, read_answers
from tests.started import started

FULL, NAMES = 100, 3

KEYS = st.sampled_from("abc")
NUMBERS = st.integers(1, 3)
SIZES = st.sampled_from((0, 1, 7, 40, 60, 99, 100, 101))
STEPS = st.one_of(
    st.tuples(st.just("put"), KEYS, SIZES),
    st.tuples(st.just("copy"), KEYS, KEYS),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("begin"), KEYS),
    st.tuples(st.just("part"), NUMBERS, SIZES),
    st.tuples(st.just("part_copy"), NUMBERS, KEYS),
    st.tuples(st.just("complete")),
    st.tuples(st.just("abort")),
    st.tuples(st.just("versioning"), st.sampled_from(("Enabled", "Suspended"))),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("delete_many"), st.lists(KEYS, min_size=1, max_size=4)),
)


class HistoryTests(PastTestCase):
    """Any history: what is used is what a recount finds, and never above a quota."""

    uploads: list[str]

    def setUp(self) -> Deferred[None]:
        """A bucket of a hundred bytes and three names, in a volume of a hundred and twenty bytes; a link to it."""
        return super().setUp().addCallback(lambda _: ensureDeferred(self._limit()))

    async def _limit(self) -> None:
        await self.link("link", "bucket")
        await self.change("bucket", quota_bytes=FULL, quota_names=NAMES)
        await self.change_volume(quota_bytes=FULL + 20)
        await self.ask("PUT", "/second")
        await self.put(b"z" * 30, "/second/z")

    def do_put(self, key: str, size: int) -> None:
        """Put an object."""
        self.outcome(self.asked("PUT", f"/bucket/{key}", b"x" * size))

    def do_copy(self, key: str, source: str) -> None:
        """Copy an object, through the link."""
        headers = {
            "x-amz-copy-source": f"/link/{source}",
            "x-amz-metadata-directive": "REPLACE",
        }
        self.outcome(self.asked("PUT", f"/bucket/{key}", b"", headers))

    def do_delete(self, key: str) -> None:
        """Remove an object, or hide it, for which there may be no name left."""
        response = self.asked("DELETE", f"/link/{key}")
        if response.status != 204:
            self.assertEqual(response.code, "QuotaExceeded")

    def do_delete_many(self, keys: list[str]) -> None:
        """Remove or hide several at once."""
        rows = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
        body = f"<Delete>{rows}</Delete>".encode()
        response = self.asked("POST", "/bucket?delete", body, checked(body))
        self.assertLessEqual(set(response.texts("Error/Code")), {"QuotaExceeded"})

    def do_versioning(self, status: str) -> None:
        """Have versions kept, or no more."""
        body = configuration(status)
        response = self.asked("PUT", "/link?versioning", body, checked(body))
        self.assertEqual(response.status, 200)

    def do_remove(self, number: int) -> None:
        """Remove a version or marker for good."""
        listed = self.asked("GET", f"/bucket?versions&max-keys={number}")
        rows = [row for row in listed.xml() if row.find("VersionId") is not None]
        if rows:
            named = (
                f"{rows[-1].findtext('Key')}?versionId={rows[-1].findtext('VersionId')}"
            )
            self.assertEqual(self.asked("DELETE", f"/bucket/{named}").status, 204)

    def do_begin(self, key: str) -> None:
        """Begin an upload, through the link."""
        begun = self.asked("POST", f"/link/{key}?uploads")
        self.uploads.append(f"/bucket/{key}?uploadId={begun.text('UploadId')}")

    def do_part(self, number: int, size: int) -> None:
        """Send a part of the last upload."""
        if self.uploads:
            target = f"{self.uploads[-1]}&partNumber={number}"
            self.outcome(self.asked("PUT", target, b"y" * size))

    def do_part_copy(self, number: int, source: str) -> None:
        """Copy a part of the last upload."""
        if self.uploads:
            target = f"{self.uploads[-1]}&partNumber={number}"
            headers = {"x-amz-copy-source": f"/bucket/{source}"}
            self.outcome(self.asked("PUT", target, b"", headers))

    def do_complete(self) -> None:
        """Complete the last upload, of its last part: only the number of keys can be against it."""
        if self.uploads:
            target = self.uploads.pop()
            parts = self.asked("GET", target)
            numbers, etags = parts.texts("Part/PartNumber"), parts.texts("Part/ETag")
            listed = [(int(n), e) for n, e in zip(numbers, etags, strict=True)][-1:]
            completed = self.asked("POST", target, complete_document(listed))
            if completed.status == 403:
                self.assertIn("namespace quota", completed.text("Message") or "")
                self.uploads.append(target)
            else:
                self.assertEqual(completed.status, 200 if listed else 400)

    def do_abort(self) -> None:
        """Abort the last upload."""
        if self.uploads:
            self.assertEqual(self.asked("DELETE", self.uploads.pop()).status, 204)

    def outcome(self, response: Response) -> None:
        """A write is done, or refused for a quota, or has no source."""
        if response.status != 200:
            self.assertIn(response.code, ("QuotaExceeded", "NoSuchKey"))

    def test_history(self) -> None:
        """After each step of any history, what is used is what a recount finds, and within every quota."""

        # A function, not a method: Hypothesis wants each method to be of one class, and this one is inherited.
        @settings(max_examples=80, deadline=None, derandomize=True, database=None)
        @given(st.lists(STEPS, min_size=5, max_size=40))
        def holds(steps: list[tuple[Any, ...]]) -> None:
            store: Any = self.client.gateway.metadata
            before, self.uploads = store.snapshot(), []
            for name, *arguments in steps:
                getattr(self, f"do_{name}")(*arguments)
                use = self.successResultOf(ensureDeferred(self.used()))
                self.assertLessEqual(use.bytes, FULL)
                self.assertLessEqual(use.names, NAMES)
                self.assertEqual(use.volume_bytes, use.bytes + 30)
                self.assertLessEqual(use.volume_bytes, FULL + 20)
            store.restore(before)

        holds()


class RaceTests(TestCase):
    """A real server, with SQLite."""

    def setUp(self) -> None:
        """A bucket with room for one body."""
        folder = os.path.abspath(self.mktemp())
        os.makedirs(folder)
        self.server = Server(f"{folder}/data")
        # The test opens its database, too.
        self.server.is_elsewhere = False
        self.server.start()
        self.addCleanup(self.server.kill)
        self.server.request("PUT", "/bucket")
        self.server.stop()

    async def limit(self) -> None:
        """Give the bucket its quota while nothing else has the store."""

        def change(tx: IMetadataTransaction) -> None:
            bucket = tx.bucket("s3v", "bucket")
            assert bucket is not None
            tx.replace_bucket(evolve(bucket, quota_bytes=len(LARGE)))

        await self.on_store(change)

    async def on_store(self, interaction: Callable[..., Any]) -> Any:
        """Run an interaction on the store of the server, which is stopped."""
        store = SQLiteMetadataStore(f"{self.server.data}/metadata.db", reactor)
        await started(store)
        try:
            return await store.write(interaction)
        finally:
            await store.close()

    async def test_race(self) -> None:
        """Of two bodies that come at once, after both were found to fit, one is refused; the counters are exact."""
        await self.limit()
        self.server.start()
        length = f"Content-Length: {len(LARGE)}"
        connections = []
        for key in "ab":
            connection = self.server.connect()
            self.addCleanup(connection.close)
            head = self.server.head(
                "PUT", f"/bucket/{key}", None, (length, "Expect: 100-continue")
            )
            connection.sendall(head)
            self.assertIn(b" 100 Continue", connection.recv(65536))
            connections.append(connection)
        for connection in connections:
            connection.sendall(LARGE)
        statuses = {read_answers(each)[:12] for each in connections}
        self.assertEqual(statuses, {b"HTTP/1.1 200", b"HTTP/1.1 403"})
        self.server.stop()

        def used(tx: IMetadataTransaction) -> tuple[int, int, tuple[int, int]]:
            bucket = tx.bucket("s3v", "bucket")
            assert bucket is not None
            return bucket.used_bytes, bucket.used_names, tx.recount(bucket)

        size = len(LARGE)
        self.assertEqual(await self.on_store(used), (size, 1, (size, 1)))

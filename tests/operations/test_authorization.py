"""Who may do what: every operation that is built, asked by everybody who may or may not."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from hashlib import md5
from typing import Any

from attrs import evolve

from ozgate.s3.app import make_site
from ozgate.s3.operations import Body
from ozgate.testing.inmemory import in_memory_agent
from ozgate.values import RIGHTS, Acl
from ozgate.wire.target import Scope
from tests.operations.past import VOLUME
from tests.operations.rights import (
    BUILT,
    NEEDS,
    SIGNED,
    UNLOCKED,
    VERSIONED,
    Asked,
    AuthorizationTestCase,
    suffices,
    target_query,
)
from tests.operations.test_bucket_configuration import ABSENT
from tests.operations.uploads import LARGE, UNKNOWN_UPLOAD, complete_document, etag_of


class MatrixTests(AuthorizationTestCase):
    """Every operation, by everybody."""

    def test_complete(self) -> None:
        """Each operation that is built says here what it needs."""
        self.assertEqual({row.name for row in BUILT}, NEEDS.keys())

    async def test_owner(self) -> None:
        """The owner of a bucket may do everything, with any of his keys; so may an administrator."""
        expected = await self.outcomes()
        for name, outcome in expected.items():
            absent = (404, ABSENT.get(target_query(name)))
            unlocked = UNLOCKED.get(name, absent)
            self.assertIn(outcome, [(200, None), (204, None), absent, unlocked], name)
        for who in (
            await self.issue("testuser", "ci"),
            await self.issue("boss"),
            await self.issue("boss", "ci"),
        ):
            for row in BUILT:
                await self.check_granted(self.request_for(row), who, expected[row.name])

    async def test_strangers(self) -> None:
        """Somebody whom nothing is granted is refused all, but for making buckets and listing those there are."""
        expected = await self.outcomes()
        for row in BUILT:
            asked = self.request_for(row)
            if NEEDS[row.name] == SIGNED:
                await self.check_granted(asked, "other", expected[row.name])
            else:
                await self.check_refused(asked, "other")

    async def test_each_right(self) -> None:
        """Each right opens what the table says, whether a user, a group or the world has it, and nothing else."""
        expected = await self.outcomes()
        for letter, right in RIGHTS.items():
            for entry in ("user:other", "group:staff", "world:"):
                for bucket in ("bucket", "empty"):
                    await self.grant(f"{entry}:{letter}", bucket=bucket)
                for row in BUILT:
                    asked = self.request_for(row)
                    if suffices(row, right):
                        await self.check_granted(asked, "other", expected[row.name])
                    else:
                        await self.check_refused(asked, "other")

    async def test_entries_of_others(self) -> None:
        """What is granted to others is of no use."""
        others = ("user:somebody:a", "group:other:a", "anonymous::a", "user:staff:a")
        for bucket in ("bucket", "empty"):
            await self.grant(*others, bucket=bucket)
        for row in BUILT:
            if NEEDS[row.name] != SIGNED:
                await self.check_refused(self.request_for(row), "other")

    async def test_nobody(self) -> None:
        """Without a signature everything is refused, even where all is granted to everyone (Ceph CVE-2016-7031).

        There, a list for all who had signed in was one for anybody.
        """
        for bucket in ("bucket", "empty"):
            await self.grant("world::a", "anonymous::a", bucket=bucket)
        for row in BUILT:
            await self.check_refused(self.request_for(row), None)

    async def test_keys_that_were(self) -> None:
        """A key that was revoked, or has expired, is none on the very next request, be its user the owner (Ozone CVE-2021-36372).

        There, tokens for blocks were good for longer than the right that they were given for.
        """
        revoked = await self.issue("testuser", "revoked")
        expired = await self.issue("testuser", "expired", ttl=60)
        for who in (revoked, expired):
            self.assertEqual(
                (await self.send(Asked("GET", "/bucket", {}, b""), who)), (200, None)
            )
        await self.secrets.revoke(revoked)
        self.clock.advance(60)
        for row in BUILT:
            for who in (revoked, expired):
                await self.check_refused(
                    self.request_for(row), who, "InvalidAccessKeyId"
                )

    async def test_keys_that_end_meanwhile(self) -> None:
        """A key that is revoked or replaced, or expires, while a large body comes, stores nothing by it."""
        blobs: Any = self.client.gateway.blobs.default
        create, then = blobs.create, []

        def create_then(*arguments: Any) -> Any:
            for ends in then:
                ends()
            return create(*arguments)

        self.patch(blobs, "create", create_then)
        part = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        for number, target in enumerate(("/bucket/key", part)):
            revoked, replaced, expired, kept = [
                await self.issue("testuser", f"{name}{number}", ttl)
                for name, ttl in (("a", None), ("b", None), ("c", 60.0), ("d", None))
            ]
            for who, ends, found in (
                (revoked, lambda who: self.secrets.revoke(who), 403),
                (replaced, lambda who: self.secrets.set(who, "another"), 403),
                (expired, lambda who: self.clock.advance(60), 403),
                (kept, lambda who: None, 200),
            ):
                before = self.holds()[1]
                then[:] = [partial(ends, who)]
                status, code = await self.send(
                    Asked("PUT", target, {}, bytes(200_000)), who
                )
                self.assertEqual(status, found, (who, target, code))
                if status != 200:
                    self.assertEqual(code, "InvalidAccessKeyId")
                    self.assertEqual(self.holds()[1], before)

    async def test_expected_owner(self) -> None:
        """Where the client expects another owner, even the owner is refused."""
        expected = await self.outcomes()
        wrong = {"x_amz_expected_bucket_owner": "other"}
        right = {"x_amz_expected_bucket_owner": "testuser"}
        for row in BUILT:
            if NEEDS[row.name] == SIGNED:
                continue
            await self.check_refused(self.request_for(row, **wrong), "testuser")
            asked = self.request_for(row, **right)
            await self.check_granted(asked, "testuser", expected[row.name])
            if row.copy_source:
                wrong_source = {"x_amz_source_expected_bucket_owner": "other"}
                asked = self.request_for(row, **wrong_source)
                await self.check_refused(asked, "testuser")

    async def test_without_security(self) -> None:
        """While security is off, whoever it is may do everything."""
        expected = await self.outcomes()
        client = self.client
        client.site = make_site(
            self.clock, client.gateway, None, client.access_log, client.audit_log
        )
        client._agent = in_memory_agent(client.site, self.clock)
        for row in BUILT:
            asked = self.request_for(row)
            await self.check_granted(asked, "other", expected[row.name])


class NothingSaidTests(AuthorizationTestCase):
    """Who may not is told nothing, and sends nothing."""

    async def test_what_is_there(self) -> None:
        """Whether a key, version or upload is there, a stranger is told the same: no."""
        for row in BUILT:
            if row.scope is not Scope.OBJECT:
                continue
            asked = self.request_for(row)
            nothing = asked.target.replace("/bucket/key", "/bucket/nothing")
            target = nothing.replace(self.upload_id, UNKNOWN_UPLOAD)
            await self.check_refused(evolve(asked, target=target), "other")
            if row.name in VERSIONED:
                mark = "&" if "?" in asked.target else "?"
                version = f"{asked.target}{mark}versionId={'v' * 32}"
                await self.check_refused(evolve(asked, target=version), "other")
            for name in ("if-match", "if-none-match", "if-unmodified-since"):
                headers = {**asked.headers, name: "*"}
                await self.check_refused(evolve(asked, headers=headers), "other")

    async def test_bodies(self) -> None:
        """A body is not asked for, nor waited for, where it is refused anyway."""
        self.client = self.client.as_user("other")
        await self.change_volume(acls=())
        before = self.holds()
        for row in BUILT:
            if row.body is Body.NONE:
                continue
            asked = self.request_for(row)
            for fields in (
                {"expect": "100-continue", "content-length": "5"},
                {"expect": "100-continue", "transfer-encoding": "chunked"},
                {"content-length": "1000000"},
                {"transfer-encoding": "chunked"},
            ):
                said = self.said(
                    asked.method, asked.target, b"", asked.headers, **fields
                )
                self.assertTrue(said.startswith(b"HTTP/1.1 403 "), (row, fields, said))
                self.assertIn(b"<Code>AccessDenied</Code>", said)
            self.assertEqual(self.holds(), before)

    async def test_missing_keys(self) -> None:
        """Who may read but not list is not told that there is no such key, as on AWS."""
        source = {"x-amz-copy-source": "/bucket/nothing"}
        upload = f"/bucket/key?partNumber=1&uploadId={self.upload_id}"
        asked = [
            Asked("GET", "/bucket/nothing", {}, b""),
            Asked("GET", f"/bucket/key?versionId={'v' * 32}", {}, b""),
            Asked("HEAD", "/bucket/nothing", {}, b""),
            Asked("GET", "/bucket/nothing?tagging", {}, b""),
            Asked(
                "GET",
                "/bucket/nothing?attributes",
                {"x-amz-object-attributes": "ETag"},
                b"",
            ),
            Asked("PUT", "/bucket/other", source, b""),
            Asked("PUT", upload, source, b""),
        ]
        await self.grant("user:other:rw")
        for each in asked:
            await self.check_refused(each, "other")
        await self.grant("user:other:rwl")
        for each in asked:
            status, _ = await self.send(each, "other")
            self.assertEqual(status, 404, each)

    async def test_comparing(self) -> None:
        """A condition on an ETag, a size or a time tells what an object is, and that it is there, so that it needs READ as well."""
        matching = {"if-match": etag_of(LARGE)}
        head = await self.ask("HEAD", "/bucket/key")
        modified = head.headers["last-modified"]
        document = (
            b"<Delete><Object><Key>key</Key><ETag>x</ETag></Object>"
            b"<Object><Key>key</Key><Size>1</Size></Object>"
            b"<Object><Key>key</Key><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime></Object>"
            b"<Object><Key>nothing</Key></Object></Delete>"
        )
        digest = md5(document, usedforsecurity=False).digest()
        checked = {"content-md5": b64encode(digest).decode()}
        upload = f"/bucket/key?uploadId={self.upload_id}"
        complete = complete_document([(1, self.etag)])
        asked = [
            Asked("PUT", "/bucket/key", matching, b"new"),
            Asked("POST", upload, matching, complete),
            Asked("DELETE", "/bucket/key", matching, b""),
            *(
                Asked("DELETE", "/bucket/key", {f"x-amz-if-match-{name}": text}, b"")
                for name, text in (
                    ("size", str(len(LARGE))),
                    ("last-modified-time", modified),
                )
            ),
        ]
        await self.grant("user:other:wdl")
        for each in asked:
            await self.check_refused(each, "other")
        many = await self.client.as_user("other").request(
            "POST", "/bucket?delete", checked, document
        )
        self.assertEqual(many.texts("Error/Code"), ["AccessDenied"] * 3)
        self.assertEqual(many.texts("Deleted/Key"), ["nothing"])
        await self.grant("user:other:wdr")
        for each in asked:
            before, _ = self.holds()
            status, _ = await self.send(each, "other")
            self.assertIn(status, (200, 204))
            metadata: Any = self.client.gateway.metadata
            metadata.restore(before)


class TwoBucketsTests(AuthorizationTestCase):
    """What is done in two buckets needs a right on each."""

    async def test_copies(self) -> None:
        """A copy needs READ on the bucket it comes from and WRITE on the one it goes to, and no more."""
        await self.add_bucket("source")
        await self.put(LARGE, "/source/key")
        headers = {"x-amz-copy-source": "/source/key"}
        upload = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        for target in ("/bucket/copy", upload):
            asked = Asked("PUT", target, headers, b"")
            for source, destination in (
                ("r", ""),
                ("", "w"),
                ("w", "r"),
                ("wlcdxy", "wlcdxy"),
                ("rlcdxy", "rlcdxy"),
            ):
                await self._grant("source", source)
                await self._grant("bucket", destination)
                await self.check_refused(asked, "other")
            await self._grant("source", "r")
            await self._grant("bucket", "w")
            await self.check_granted(asked, "other", (200, None))

    async def _grant(self, bucket: str, letters: str) -> None:
        entries = (f"user:other:{letters}",) if letters else ()
        await self.grant(*entries, bucket=bucket)

    async def test_own_buckets(self) -> None:
        """Who owns one of the two may not for that reason do anything with the other."""
        await self.add_bucket("mine", VOLUME, "other")
        asked = Asked("PUT", "/mine/copy", {"x-amz-copy-source": "/bucket/key"}, b"")
        await self.check_refused(asked, "other")
        asked = Asked("PUT", "/bucket/copy", {"x-amz-copy-source": "/mine/key"}, b"")
        await self.check_refused(asked, "other")

    async def test_removing_buckets(self) -> None:
        """Who may remove keys may not remove the bucket, to make another of its name: that needs WRITE on the volume."""
        asked = Asked("DELETE", "/empty", {}, b"")
        await self.grant("user:other:a", bucket="empty")
        await self.check_refused(asked, "other")
        await self.change_volume(acls=(Acl.parse("user:other:w"),))
        await self.check_granted(asked, "other", (204, None))
        await self.grant("user:other:rwlcxy", bucket="empty")
        await self.check_refused(asked, "other")

"""Whoever did not sign: granted exactly what a policy grants to everybody, where nothing blocks that, and nothing else."""

from __future__ import annotations

from ozgate.s3.configuration.publicaccess import PUBLIC_ACCESS, PublicAccessBlock
from ozgate.s3.operations import Gate
from ozgate.wire.target import Scope
from tests.operations.policies import PolicyTestCase
from tests.operations.rights import BUILT, DOOMED
from tests.operations.support import checked
from tests.operations.test_table import last_line
from tests.unit.s3.policy.documents import statement

BUCKET = "arn:aws:s3:::bucket"
KEYS = BUCKET + "/*"
BOTH = [BUCKET, KEYS]
ALL = statement("Allow", "s3:*", BOTH, "*")
READ = statement("Allow", "s3:GetObject", KEYS, "*")


class AnonymousTests(PolicyTestCase):
    """Requests without a signature."""

    async def test_everything(self) -> None:
        """Where all is granted to everybody, nobody may do what each row says that may be granted, and else nothing."""
        await self.open()
        await self.have_policy(ALL)
        expected = await self.outcomes()
        for row in BUILT:
            asked = self.request_for(row)
            if row.gate is not Gate.ANYBODY:
                await self.check_refused(asked, None)
                continue
            before, _ = self.holds()
            found = await self.send(asked, None)
            self.assertEqual(found, expected[row.name], row.name)
            self.client.gateway.metadata.restore(before)  # type: ignore[attr-defined]

    async def test_nothing(self) -> None:
        """Without a policy nothing is granted, whatever blocks are off and whatever Ozone's lists give the world."""
        await self.open()
        await self.grant("world::a", "anonymous::a")
        for row in BUILT:
            await self.check_refused(self.request_for(row), None)

    async def test_blocked(self) -> None:
        """Where public buckets are restricted, for this one or for all, a public policy grants nobody anything, but goes on to those who sign."""
        await self.have_policy(READ)
        await self.check_may_not(None, "GET")
        await self.check_may("other", "GET")
        for blocks, check in (
            (PublicAccessBlock(True, True, True, False), self.check_may),
            (PublicAccessBlock(False, False, False, True), self.check_may_not),
        ):
            data = PUBLIC_ACCESS.document.render(blocks)
            await self.store(PUBLIC_ACCESS.kind, data)
            await check(None, "GET")
        await self.open()
        await self.check_may(None, "GET")
        self.client = self.client.with_settings(block_public_access=True)
        await self.check_may_not(None, "GET")
        await self.check_may("other", "GET")

    async def test_not_public(self) -> None:
        """A policy for everybody at a fixed address is not public, so that no block takes away what it grants."""
        for address, check in (
            ("192.0.2.0/24", self.check_may),
            ("198.51.100.0/24", self.check_may_not),
        ):
            where = {"IpAddress": {"aws:SourceIp": address}}
            await self.have_policy(READ | {"Condition": where})
            await check(None, "GET")

    async def test_exactly(self) -> None:
        """What is granted to everybody is granted, key by key, and no more: not to list, so that nobody learns which keys there are."""
        await self.open()
        await self.have_policy(
            statement("Allow", "s3:GetObject", f"{BUCKET}/public/*", "*")
        )
        await self.put(b"x", "/bucket/public/a")
        await self.check_may(None, "GET", "/bucket/public/a")
        await self.check_may(None, "HEAD", "/bucket/public/a")
        for method, target in (
            ("GET", "/bucket/key"),
            ("GET", "/bucket/public/none"),
            ("HEAD", "/bucket/public/none"),
            ("GET", "/bucket"),
            ("PUT", "/bucket/public/a"),
            ("DELETE", "/bucket/public/a"),
            ("GET", "/bucket/public/a?tagging"),
            ("GET", "/bucket?policy"),
        ):
            await self.check_may_not(None, method, target)

    async def test_named(self) -> None:
        """What is granted to somebody is not granted to nobody, and what is denied to everybody is denied."""
        await self.open()
        await self.have_policy(statement("Allow", "s3:*", BOTH, "other"))
        await self.check_may_not(None, "GET")
        users = {"Principal": {"AWS": "123456789012"}}
        await self.have_policy({**READ, **users})
        await self.check_may_not(None, "GET")
        await self.have_policy(ALL, statement("Deny", "s3:PutObject", KEYS, "*"))
        await self.check_may_not(None, "PUT")
        await self.check_may(None, "GET")

    async def test_written(self) -> None:
        """What nobody writes is the bucket owner's, and the logs name nobody."""
        await self.open()
        await self.have_policy(statement("Allow", "s3:PutObject", KEYS, "*"))
        for size in (5, 200_000):
            body = b"x" * size
            await self.check_may(None, "PUT", "/bucket/drop", body)
            line = last_line(self.client.audit_log)
            self.assertIn("op=CREATE_KEY", line)
            self.assertNotIn("testuser", line.partition("| op=")[0])
            response = await self.client.request("GET", "/bucket?prefix=drop")
            self.assertEqual(response.texts("Contents/Owner/DisplayName"), ["testuser"])
            self.assertEqual((await self.get("/bucket/drop")).body, body)
            await self.check_may_not(None, "GET", "/bucket/drop")

    async def test_copies(self) -> None:
        """Copies, and beginning an upload, want a signature whatever is granted, as on AWS."""
        await self.open()
        await self.have_policy(ALL)
        source = {"x_amz_copy_source": "/bucket/key"}
        await self.check_may_not(None, "PUT", "/bucket/copy", **source)
        await self.check_may_not(None, "POST", "/bucket/new?uploads")
        part = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        await self.check_may_not(None, "PUT", part, **source)
        await self.check_may(None, "PUT", part, b"x")

    async def test_delete_many(self) -> None:
        """Nobody deletes many keys, those that are granted."""
        await self.open()
        await self.have_policy(
            statement("Allow", "s3:DeleteObject", f"{BUCKET}/key", "*")
        )
        doomed = DOOMED.replace(
            b"</Delete>", b"<Object><Key>kept</Key></Object></Delete>"
        )
        response = await self.client.request(
            "POST", "/bucket?delete", checked(doomed), doomed, signed=False
        )
        self.assertEqual(response.texts("Deleted/Key"), ["key"])
        self.assertEqual(response.texts("Error/Code"), ["AccessDenied"])

    async def test_badly_signed(self) -> None:
        """A signature that is wrong is no lack of one."""
        await self.open()
        await self.have_policy(ALL)
        signed = self.client._sign("GET", "/bucket/key", {})
        for old, new, code in (
            ("testuser", "other", "SignatureDoesNotMatch"),
            ("testuser", "nobody", "InvalidAccessKeyId"),
        ):
            authorization = signed["authorization"].replace(old, new)
            headers = {**signed, "authorization": authorization}
            asked = self.client.request("GET", "/bucket/key", headers, signed=False)
            await self.refused(asked, 403, code)
        for query in ("AWSAccessKeyId=x", "Signature=x"):
            await self.check_may_not(None, "GET", f"/bucket/key?{query}")

    async def test_absent(self) -> None:
        """Nobody is told that a bucket is not there, as on AWS; a link is one that nobody may follow."""
        for target in ("/absent", "/absent/key"):
            found = await self.ask_as(None, "GET", target)
            self.assertEqual(found, (404, "NoSuchBucket"))
        self.assertEqual(await self.ask_as(None, "HEAD", "/absent"), (404, None))
        await self.open()
        await self.have_policy(ALL)
        await self.link("link", "bucket", "world::rl", "anonymous::rl")
        await self.link("loose", "nowhere", "world::rl")
        for target in ("/link", "/link/key", "/loose/key"):
            await self.check_may_not(None, "GET", target)

    async def test_bodies(self) -> None:
        """A body that nobody may bring is refused before anything of it is looked at."""
        await self.have_policy(READ)
        for method, target in (
            ("PUT", "/bucket/key"),
            ("POST", f"/bucket/key?uploadId={self.upload_id}"),
            ("PUT", f"/bucket/key?partNumber=x&uploadId={self.upload_id}"),
        ):
            await self.check_may_not(None, method, target, b"<", content_md5="x")

    def test_scopes(self) -> None:
        """Nothing is granted to everybody that changes a bucket, but for its list, which lists speak of; or is of the service."""
        for row in BUILT:
            if row.gate is Gate.ANYBODY:
                self.assertNotEqual(row.scope, Scope.SERVICE, row.name)
                changes = row.method not in ("GET", "HEAD")
                is_of_keys = row.scope is Scope.OBJECT or row.name == "DeleteObjects"
                is_list = row.name == "PutBucketAcl"
                self.assertTrue(is_of_keys or is_list or not changes, row.name)

    async def test_overrides(self) -> None:
        """Whoever did not sign sets no header of the answer, nor does who signs one that nobody knows."""
        await self.open()
        await self.have_policy(READ)
        target = "/bucket/key?response-content-type=text/x"
        found = await self.ask_as(None, "GET", target)
        self.assertEqual(found, (400, "InvalidRequest"))
        await self.check_may("other", "GET", target)
        for who in ("other", None):
            found = await self.ask_as(who, "GET", "/bucket/key?response-vary=x")
            self.assertEqual(found, (400, "InvalidArgument"))

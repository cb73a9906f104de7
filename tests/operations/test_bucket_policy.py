"""PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy."""

from __future__ import annotations

from twisted.trial.unittest import SkipTest

from ozgate.s3.configuration.bucketpolicy import KIND
from ozgate.s3.owners import canonical_id
from ozgate.testing.memory_buckets import BucketRows
from tests import elsewhere
from tests.operations.policies import TARGET, PolicyTestCase
from tests.operations.support import checked
from tests.unit.s3.policy.documents import USER, document, statement

KEYS = "arn:aws:s3:::bucket/*"
BUCKET = "arn:aws:s3:::bucket"
READ = statement("Allow", "s3:GetObject", KEYS, "other")
PUBLIC = statement("Allow", "s3:GetObject", KEYS, "*")
SHUT = statement("Deny", "s3:PutBucketPolicy", BUCKET, "*")
CONFIRM = "x_amz_confirm_remove_self_bucket_access"


class KeepingTests(PolicyTestCase):
    """The policy as a document."""

    async def shown(self) -> bytes | None:
        """The policy that is shown; ``None`` where there is none."""
        response = await self.client.request("GET", TARGET)
        if response.status == 404:
            self.assertEqual(response.code, "NoSuchBucketPolicy")
            self.assertEqual(response.text("BucketName"), "bucket")
            return None
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/json")
        return response.body

    async def test_put(self) -> None:
        """A policy is shown byte for byte as it was put, until another is, or it is removed; removing none is no error."""
        self.assertIsNone(await self.shown())
        text = document(READ).replace(b": ", b" :\n ")
        for body in (text, document(READ)):
            done = await self.client.request("PUT", TARGET, checked(body), body)
            self.assertEqual((done.status, done.body), (204, b""))
            self.assertEqual(await self.shown(), body)
        for _ in range(2):
            done = await self.client.request("DELETE", TARGET)
            self.assertEqual((done.status, done.body), (204, b""))
            self.assertIsNone(await self.shown())

    async def test_malformed(self) -> None:
        """What is no policy of this bucket is refused with its reason, and changes nothing."""
        await self.put_policy(READ)
        other = statement("Allow", "s3:GetObject", "arn:aws:s3:::other/*", "other")
        for body, reason in (
            (b"", "Policies must be valid JSON and the first byte must be '{'"),
            (b"<x/>", "Policies must be valid JSON and the first byte must be '{'"),
            (b"{}", "Missing required field Statement"),
            (document(other), "Policy has invalid resource"),
            (document(READ | {"Action": "x"}), "Policy has invalid action"),
            (document(READ | {"Effect": "x"}), "Invalid effect: x"),
            (
                document({**READ, "Principal": {"AWS": "x"}}),
                "Invalid principal in policy",
            ),
        ):
            response = await self.refused(
                self.client.request("PUT", TARGET, checked(body), body),
                400,
                "MalformedPolicy",
            )
            self.assertEqual(response.text("Message"), reason, body)
        large = document(*[READ] * 400)
        asked = self.client.request("PUT", TARGET, checked(large), large)
        await self.refused(asked, 400, "MalformedPolicy")
        asked = self.client.request("PUT", TARGET, {}, document(READ))
        await self.refused(asked, 400, "InvalidRequest")
        self.assertEqual(await self.shown(), document(READ))

    async def test_nobody(self) -> None:
        """A principal that is nobody is malformed; who has a key, a row, a bucket or an entry in the list is somebody, by each of his names."""
        await self.issue("keyed", "K")
        await self.issue("carol@EXAMPLE.COM", "C")
        await self.add_bucket("owned", owner="builder")
        await self.grant("user:listed:r", "group:staff:r")
        for name in ("keyed", "other", "builder", "listed", "testuser"):
            done = await self.put_policy(statement("Allow", "s3:*", KEYS, name))
            self.assertEqual(done.status, 204, name)
        for name in ("keyed", "carol@EXAMPLE.COM", "builder"):
            who = {"Principal": {"CanonicalUser": canonical_id(name)}}
            done = await self.put_policy({**READ, **who})
            self.assertEqual(done.status, 204, name)
        named = statement("Allow", "s3:*", KEYS, "chief")
        await self.refused(self.put_policy(named), 400, "MalformedPolicy")
        client = self.client
        self.client = client.with_settings(administrators=("chief",))
        self.assertEqual((await self.put_policy(named)).status, 204)
        self.client = client
        for who in (
            {"AWS": USER + "nobody"},
            {"AWS": USER + "staff"},
            {"AWS": [USER + "other", USER + "nobody"]},
            {"AWS": "arn:aws:iam:::role/nobody"},
            {"CanonicalUser": canonical_id("nobody")},
        ):
            response = await self.put_policy({**READ, "Principal": who})
            self.assertEqual((response.status, response.code), (400, "MalformedPolicy"))
            self.assertEqual(response.text("Message"), "Invalid principal in policy")

    async def test_blocked(self) -> None:
        """A public policy is refused where the bucket blocks such, or all do; one that only denies is not public."""
        refused = self.put_policy(PUBLIC)
        await self.refused(refused, 403, "AccessDenied")
        deny = statement("Deny", "s3:DeleteObject", KEYS, "*")
        self.assertEqual((await self.put_policy(deny)).status, 204)
        await self.open()
        self.assertEqual((await self.put_policy(PUBLIC)).status, 204)
        self.client = self.client.with_settings(block_public_access=True)
        await self.refused(self.put_policy(PUBLIC), 403, "AccessDenied")

    async def test_shut_out(self) -> None:
        """One that would keep the owner, or whoever puts it, from putting another wants that confirmed; the owner can change it all the same."""
        await self.refused(self.put_policy(SHUT), 403, "AccessDenied")
        named = statement("Deny", "s3:*", BUCKET, "testuser")
        await self.refused(self.put_policy(named), 403, "AccessDenied")
        wanted = {CONFIRM: "false"}
        await self.refused(self.put_policy(SHUT, **wanted), 403, "AccessDenied")
        self.assertIsNone(await self.shown())
        wanted = {CONFIRM: "True"}
        self.assertEqual((await self.put_policy(SHUT, **wanted)).status, 204)
        self.assertEqual(await self.shown(), document(SHUT))
        self.assertEqual((await self.put_policy(READ)).status, 204)

    async def test_giving_away(self) -> None:
        """Whoever may put a policy by the policy alone keeps that, or confirms that it is to go."""
        given = statement("Allow", "s3:PutBucketPolicy", BUCKET, "other")
        await self.put_policy(given)
        body = document(READ)
        client = self.client.as_user("other")
        await self.refused(
            client.request("PUT", TARGET, checked(body), body), 403, "AccessDenied"
        )
        confirmed = {"x-amz-confirm-remove-self-bucket-access": "true"}
        done = await client.request("PUT", TARGET, checked(body) | confirmed, body)
        self.assertEqual(done.status, 204)
        await self.check_may_not("other", "PUT", TARGET, body, **checked(body))

    async def test_mending(self) -> None:
        """Whatever a policy says, be it broken, its bucket's owner and administrators read, change and remove it; nobody else does."""
        boss = await self.issue("boss")
        for stored in (document(statement("Deny", "s3:*", f"{BUCKET}*", "*")), b"{"):
            for who in ("testuser", boss):
                await self.store(KIND, stored)
                await self.check_may(who, "GET", TARGET)
                await self.check_may(who, "DELETE", TARGET)
                await self.store(KIND, stored)
                body = document(READ)
                await self.check_may(who, "PUT", TARGET, body, **checked(body))
            await self.store(KIND, stored)
            status, _ = await self.ask_as("other", "GET", TARGET)
            self.assertEqual(status, 403 if stored != b"{" else 500)

    async def test_broken(self) -> None:
        """Where a policy cannot be read nobody knows what it denies: nothing is done, and nothing told."""
        await self.store(KIND, b"{")
        for who in ("testuser", "other", None):
            for method in ("GET", "PUT", "DELETE"):
                found = await self.ask_as(who, method)
                expected = (
                    (403, "AccessDenied") if who is None else (500, "InternalError")
                )
                self.assertIn(found, (expected, (500, "InternalError")))
        self.flushLoggedErrors()

    async def test_lost(self) -> None:
        """Nor does anybody where it is not there, though the bucket says that it has one; its owner removes it."""
        if elsewhere.METADATA:
            raise SkipTest("it is the provider in memory that loses it")
        await self.put_policy(READ)
        lost = self.patch(BucketRows, "configuration", lambda *_: None)
        for who in ("testuser", "other"):
            found = await self.ask_as(who, "GET")
            self.assertEqual(found, (500, "InternalError"))
        lost.restore()
        self.flushLoggedErrors()
        await self.check_may("testuser", "DELETE", TARGET)
        await self.check_may("testuser", "GET")

    async def test_link(self) -> None:
        """Through a link it is the policy of the bucket that it leads to, which alone it may name."""
        await self.link("link", "bucket", "world::r")
        self.assertEqual(
            (await self.put_policy(READ, target="/link?policy")).status, 204
        )
        self.assertEqual(await self.shown(), document(READ))
        named = statement("Allow", "s3:GetObject", "arn:aws:s3:::link/*", "other")
        refused = self.put_policy(named, target="/link?policy")
        await self.refused(refused, 400, "MalformedPolicy")
        await self.check_may("other", "GET", "/link/key")

    async def test_rights(self) -> None:
        """Without a grant nobody sees or changes a policy; Ozone's READ_ACL shows it."""
        body = document(READ)
        for who in ("other", None):
            await self.check_may_not(who, "GET", TARGET)
            await self.check_may_not(who, "DELETE", TARGET)
            await self.check_may_not(who, "PUT", TARGET, body, **checked(body))
        await self.put_policy(READ)
        await self.grant("user:other:x")
        await self.check_may("other", "GET", TARGET)
        await self.check_may_not("other", "DELETE", TARGET)

    async def test_absent_bucket(self) -> None:
        """A bucket that is not there has none."""
        for method in ("GET", "PUT", "DELETE"):
            body = document(READ) if method == "PUT" else b""
            asked = self.client.request(method, "/absent?policy", checked(body), body)
            await self.refused(asked, 404, "NoSuchBucket")

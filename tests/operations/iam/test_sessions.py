"""STS: who asks, sessions, and what they may do with S3."""

from __future__ import annotations

import json

from ozgate.auth.identities.users import disable_user, remove_user
from tests.attack.requests import content_md5
from tests.operations.iam.support import Caller, QueryTestCase
from tests.operations.support import Response

ROLE = "arn:aws:iam::000000000000:role/"


def document(*actions: str, resource: str = "*", effect: str = "Allow") -> str:
    """A policy of one statement."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class CallerTests(QueryTestCase):
    """GetCallerIdentity."""

    async def test_users(self) -> None:
        """Everybody may ask who he is."""
        alice = await self.user("alice")
        for caller, name in ((self.root, "testuser"), (alice, "alice")):
            answer = await caller.ask("sts", "GetCallerIdentity")
            self.assertEqual(answer.members["Account"], "000000000000")
            arn = f"arn:aws:iam::000000000000:user/{name}"
            self.assertEqual(answer.members["Arn"], arn)
            self.assertRegex(answer.members["UserId"], r"\AAIDA[A-Z2-7]{17}\Z")

    async def test_sessions(self) -> None:
        """In a session with a name he is that session, in one without himself."""
        alice = await self.user("alice")
        made = await alice.ask("sts", "GetSessionToken")
        caller = alice.in_session(made.members["Credentials"])
        answer = await caller.ask("sts", "GetCallerIdentity")
        arn = "arn:aws:iam::000000000000:user/alice"
        self.assertEqual(answer.members["Arn"], arn)
        made = await alice.ask(
            "sts", "AssumeRole", RoleArn=ROLE + "alice", RoleSessionName="work"
        )
        caller = alice.in_session(made.members["Credentials"])
        answer = await caller.ask("sts", "GetCallerIdentity")
        arn = "arn:aws:sts::000000000000:assumed-role/alice/work"
        self.assertEqual(answer.members["Arn"], arn)
        self.assertEqual(made.members["AssumedRoleUser"]["Arn"], arn)
        self.assertEqual(
            made.members["AssumedRoleUser"]["AssumedRoleId"], answer.members["UserId"]
        )


class SessionTokenTests(QueryTestCase):
    """GetSessionToken."""

    async def test_session(self) -> None:
        """A session does what its user may, until it ends."""
        made = await self.root.ask("sts", "GetSessionToken", DurationSeconds=900)
        found = made.members["Credentials"]
        self.assertRegex(found["AccessKeyId"], r"\AASIA[A-Z0-9]{16}\Z")
        self.assertEqual(found["Expiration"].timestamp(), 900 + self.clock.seconds())
        caller = self.root.in_session(found)
        self.assertEqual((await caller.s3("PUT", "/bucket/key", b"x")).status, 200)
        self.clock.advance(899)
        self.assertEqual((await caller.s3("GET", "/bucket/key")).body, b"x")
        self.clock.advance(1)
        await self.refused(caller.s3("GET", "/bucket/key"), 400, "ExpiredToken")
        answer = await caller.ask("sts", "GetCallerIdentity")
        self.refusal(answer, 403, "ExpiredToken")

    async def test_bounds(self) -> None:
        """It lasts for 900 s to 36 h, and 12 h where that is not said."""
        for seconds, code in ((899, "ValidationError"), (129601, "ValidationError")):
            answer = await self.root.ask(
                "sts", "GetSessionToken", DurationSeconds=seconds
            )
            self.refusal(answer, 400, code)
        for parameters, seconds in (({}, 43200), ({"DurationSeconds": 129600}, 129600)):
            answer = await self.root.ask("sts", "GetSessionToken", **parameters)
            ends = answer.members["Credentials"]["Expiration"].timestamp()
            self.assertEqual(ends, self.clock.seconds() + seconds)

    async def test_not_in_a_session(self) -> None:
        """A session makes none, as on AWS."""
        made = await self.root.ask("sts", "GetSessionToken")
        caller = self.root.in_session(made.members["Credentials"])
        self.refusal(await caller.ask("sts", "GetSessionToken"), 403, "AccessDenied")

    async def test_mfa(self) -> None:
        """A second factor that were ignored would prove nothing: it is refused."""
        answer = await self.root.ask(
            "sts", "GetSessionToken", SerialNumber="123456789", TokenCode="123456"
        )
        self.refusal(answer, 501, "NotImplemented")


class AssumeRoleTests(QueryTestCase):
    """AssumeRole."""

    async def assume(self, caller: Caller, policy: str = "") -> Caller:
        """A session, narrowed."""
        name = (await caller.ask("sts", "GetCallerIdentity")).members["Arn"]
        user = name.split("/")[1]
        parameters = {"Policy": policy} if policy else {}
        answer = await caller.ask(
            "sts",
            "AssumeRole",
            RoleArn=ROLE + user,
            RoleSessionName="session",
            **parameters,
        )
        self.assertEqual(answer.code, "", answer.message)
        return caller.in_session(answer.members["Credentials"])

    async def test_narrowed(self) -> None:
        """A session does what its user may and its policy allows, though he be an administrator."""
        await self.root.s3("PUT", "/bucket/key", b"x")
        caller = await self.assume(self.root, document("s3:GetObject"))
        self.assertEqual((await caller.s3("GET", "/bucket/key")).body, b"x")
        for method, path in (("PUT", "/bucket/key"), ("GET", "/bucket"), ("GET", "/")):
            asked = caller.s3(method, path)
            await self.refused(asked, 403, "AccessDenied")
        answer = await caller.ask("iam", "ListUsers")
        self.refusal(answer, 403, "AccessDenied")

    async def test_grants_nothing(self) -> None:
        """A policy of a session gives nothing that its user has not."""
        alice = await self.user("alice")
        caller = await self.assume(alice, document("s3:*", "iam:*"))
        await self.refused(caller.s3("GET", "/bucket"), 403, "AccessDenied")
        self.refusal(await caller.ask("iam", "ListUsers"), 403, "AccessDenied")

    async def test_chained(self) -> None:
        """A session in a session is within both policies, and ends with the first."""
        await self.root.s3("PUT", "/bucket/key", b"x")
        first = await self.assume(self.root, document("s3:GetObject"))
        second = await self.assume(first, document("s3:*"))
        self.assertEqual((await second.s3("GET", "/bucket/key")).status, 200)
        await self.refused(second.s3("PUT", "/bucket/key"), 403, "AccessDenied")
        third = await self.assume(first)
        await self.refused(third.s3("PUT", "/bucket/key"), 403, "AccessDenied")
        self.clock.advance(3500)
        late = await self.assume(third)
        self.clock.advance(100)
        await self.refused(late.s3("GET", "/bucket/key"), 400, "ExpiredToken")

    async def test_chained_too_long(self) -> None:
        """It lasts for an hour at most."""
        first = await self.assume(self.root)
        answer = await first.ask(
            "sts",
            "AssumeRole",
            RoleArn=ROLE + "testuser",
            RoleSessionName="session",
            DurationSeconds=3601,
        )
        self.refusal(answer, 400, "ValidationError")

    async def test_others(self) -> None:
        """Nobody assumes another, an administrator neither, and nobody what is none."""
        await self.user("alice")
        for arn, status, code in (
            (ROLE + "alice", 403, "AccessDenied"),
            (ROLE + "nobody", 403, "AccessDenied"),
            ("arn:aws:iam::000000000000:policy/a", 400, "ValidationError"),
            ("arn:aws:s3:::bucket/testuser", 400, "ValidationError"),
        ):
            answer = await self.root.ask(
                "sts", "AssumeRole", RoleArn=arn, RoleSessionName="session"
            )
            self.refusal(answer, status, code)

    async def test_denied(self) -> None:
        """To assume oneself needs no permission, but may be denied."""
        alice = await self.user("alice")
        await self.root.ask(
            "iam",
            "PutUserPolicy",
            UserName="alice",
            PolicyName="no",
            PolicyDocument=document("sts:AssumeRole", effect="Deny"),
        )
        answer = await alice.ask(
            "sts", "AssumeRole", RoleArn=ROLE + "alice", RoleSessionName="session"
        )
        self.refusal(answer, 403, "AccessDenied")

    async def test_malformed(self) -> None:
        """What is malformed is told as AWS does, and makes no session."""
        good = {"RoleArn": ROLE + "testuser", "RoleSessionName": "session"}
        long = document("s3:GetObject", resource="arn:aws:s3:::" + "x" * 2048)
        for parameters, status, code in (
            ({"Policy": "{}"}, 400, "MalformedPolicyDocument"),
            ({"Policy": "x"}, 400, "MalformedPolicyDocument"),
            ({"Policy": long}, 400, "ValidationError"),
            ({"RoleSessionName": "a b"}, 400, "ValidationError"),
            ({"DurationSeconds": 899}, 400, "ValidationError"),
            ({"DurationSeconds": 43201}, 400, "ValidationError"),
            ({"Tags": [{"Key": "a", "Value": "b"}]}, 501, "NotImplemented"),
            ({"PolicyArns": [{"arn": ROLE + "a" * 20}]}, 501, "NotImplemented"),
            ({"ExternalId": "ab"}, 501, "NotImplemented"),
            ({"SourceIdentity": "ab"}, 501, "NotImplemented"),
        ):
            answer = await self.root.ask("sts", "AssumeRole", **{**good, **parameters})
            self.refusal(answer, status, code)

    async def test_too_many_policies(self) -> None:
        """A token has room for so many policies."""
        caller = self.root
        policy = document("s3:*", resource="arn:aws:s3:::" + "x" * 1900)
        for _ in range(2):
            caller = await self.assume(caller, policy)
        answer = await caller.ask(
            "sts",
            "AssumeRole",
            RoleArn=ROLE + "testuser",
            RoleSessionName="session",
            Policy=policy,
        )
        self.refusal(answer, 400, "PackedPolicyTooLarge")

    async def test_revoked(self) -> None:
        """A session ends with the key that it was made with, and with its user, at once."""
        for action, parameters in (
            ("UpdateAccessKey", {"Status": "Inactive"}),
            ("DeleteAccessKey", {}),
        ):
            name = action.lower()
            user = await self.user(name, "readwrite")
            session = await self.assume(user)
            self.assertEqual((await session.s3("GET", "/bucket")).status, 200)
            done = await self.root.ask(
                "iam",
                action,
                UserName=name,
                AccessKeyId=user.access_id,
                **parameters,
            )
            self.assertEqual(done.code, "", done.message)
            asked = session.s3("GET", "/bucket")
            await self.refused(asked, 403, "InvalidAccessKeyId")
            answer = await session.ask("sts", "GetCallerIdentity")
            self.refusal(answer, 403, "InvalidClientTokenId")

    async def test_user_disabled(self) -> None:
        """It ends at once when its user is disabled or removed."""
        store = self.client.gateway.metadata
        for change, values in (
            (disable_user, ("alice", True)),
            (remove_user, ("alice",)),
        ):
            user = await self.user("alice", "readwrite")
            session = await self.assume(user)
            self.assertEqual((await session.s3("GET", "/bucket")).status, 200)
            await store.write(change, *values)
            asked = session.s3("GET", "/bucket")
            await self.refused(asked, 403, "InvalidAccessKeyId")
            if change is disable_user:
                await store.write(remove_user, "alice")

    async def test_policies_change(self) -> None:
        """What a session may follows what its user may."""
        user = await self.user("alice")
        session = await self.assume(user)
        await self.refused(session.s3("GET", "/bucket"), 403, "AccessDenied")
        arn = "arn:aws:iam::aws:policy/readonly"
        named = {"UserName": "alice", "PolicyArn": arn}
        await self.root.ask("iam", "AttachUserPolicy", **named)
        self.assertEqual((await session.s3("GET", "/bucket")).status, 200)
        await self.root.ask("iam", "DetachUserPolicy", **named)
        await self.refused(session.s3("GET", "/bucket"), 403, "AccessDenied")


class NamedSessionTests(QueryTestCase):
    """What a bucket's policy says of a session by its name."""

    async def session(self, caller: Caller, user: str, name: str) -> Caller:
        """A session of a user."""
        made = await caller.ask(
            "sts", "AssumeRole", RoleArn=ROLE + user, RoleSessionName=name
        )
        return caller.in_session(made.members["Credentials"])

    async def test_named(self) -> None:
        """A grant or a denial to a session is to that session, and to no other of the same user, nor to himself."""
        await self.root.s3("PUT", "/bucket/key", b"x")
        alice = await self.user("alice")
        named = await self.session(alice, "alice", "one")
        others = alice, await self.session(alice, "alice", "other")
        owner = await self.session(self.root, "testuser", "one")
        arn = "arn:aws:sts::000000000000:assumed-role"
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"{arn}/alice/one"},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::bucket/*",
            },
            {
                "Effect": "Deny",
                "Principal": {"AWS": f"{arn}/testuser/one"},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::bucket/*",
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::bucket",
                "Condition": {"StringLike": {"aws:userid": "*:one"}},
            },
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        put = await self.put_policy(policy.encode())
        self.assertEqual(put.status, 204, put.body)
        self.assertEqual((await named.s3("GET", "/bucket/key")).body, b"x")
        for other in others:
            await self.refused(other.s3("GET", "/bucket/key"), 403, "AccessDenied")
        await self.refused(owner.s3("GET", "/bucket/key"), 403, "AccessDenied")
        self.assertEqual((await self.root.s3("GET", "/bucket/key")).body, b"x")
        await self.refused(owner.s3("GET", "/bucket"), 403, "AccessDenied")
        self.assertEqual((await self.root.s3("GET", "/bucket")).status, 200)

    async def put_policy(self, policy: bytes) -> Response:
        """Put a policy."""
        return await self.client.request(
            "PUT", "/bucket?policy", {"content-md5": content_md5(policy)}, policy
        )

"""STS: AssumeRoleWithWebIdentity."""

from __future__ import annotations

from typing import Any

from ozgate.auth.identities.users import disable_user
from ozgate.auth.oidc import PAUSE
from tests.issuer import AUDIENCE, Issuer
from tests.operations.iam.support import Answer, Caller, QueryTestCase
from tests.operations.iam.test_gate import text_of
from tests.operations.iam.test_sessions import document

ROLE = "arn:aws:iam::000000000000:role/"


class WebIdentityTests(QueryTestCase):
    """An issuer called ``corp``."""

    async def _open(self) -> None:
        await super()._open()
        self.clock.advance(1_800_000_000)
        self.issuer = Issuer()
        self.client = self.client.with_settings(
            oidc_issuers=(("corp", self.issuer.url),), oidc_audiences=(AUDIENCE,)
        )
        self.client.documents.update(self.issuer.documents())
        self.root = Caller(self.client)
        await self.root.s3("PUT", "/bucket/key", b"x")

    async def assume(
        self, claims: dict[str, Any] | None = None, **parameters: Any
    ) -> Answer:
        """Ask for a session with a token."""
        token = self.issuer.token(self.clock.seconds(), **(claims or {}))
        asked = {
            "RoleArn": ROLE + "corp",
            "RoleSessionName": "session",
            "WebIdentityToken": token,
            **parameters,
        }
        return await self.root.ask_unsigned("sts", "AssumeRoleWithWebIdentity", **asked)

    async def session(self, *claims: Any, **parameters: Any) -> Caller:
        """A session."""
        answer = await self.assume(*claims, **parameters)
        self.assertEqual(answer.code, "", answer.message)
        return self.root.in_session(answer.members["Credentials"])

    async def test_session(self) -> None:
        """Who has a token has a session, with the policies that it names."""
        answer = await self.assume()
        said = answer.members
        self.assertEqual(said["SubjectFromWebIdentityToken"], "alice")
        self.assertEqual(said["Audience"], AUDIENCE)
        self.assertEqual(said["Provider"], self.issuer.url)
        arn = "arn:aws:sts::000000000000:assumed-role/corp:alice/session"
        self.assertEqual(said["AssumedRoleUser"]["Arn"], arn)
        caller = self.root.in_session(said["Credentials"])
        found = await caller.ask("sts", "GetCallerIdentity")
        self.assertEqual(found.members["Arn"], arn)
        self.assertEqual((await caller.s3("GET", "/bucket/key")).body, b"x")
        await self.refused(caller.s3("PUT", "/bucket/key"), 403, "AccessDenied")
        self.refusal(await caller.ask("iam", "ListUsers"), 403, "AccessDenied")
        self.clock.advance(3600)
        await self.refused(caller.s3("GET", "/bucket/key"), 400, "ExpiredToken")

    async def test_no_policy(self) -> None:
        """A token that names no policy that there is gives no session."""
        for policy in (None, "", [], "nothing", ["nothing", "x"]):
            answer = await self.assume({"policy": policy})
            self.refusal(answer, 403, "AccessDenied")

    async def test_roles(self) -> None:
        """A role is the issuer, or one of the policies that the token names, which then is the only one."""
        both = {"policy": ["readonly", "writeonly"]}
        all_of_them = await self.session(both)
        self.assertEqual((await all_of_them.s3("PUT", "/bucket/key")).status, 200)
        one = await self.session(both, RoleArn=ROLE + "readonly")
        self.assertEqual((await one.s3("GET", "/bucket/key")).status, 200)
        await self.refused(one.s3("PUT", "/bucket/key"), 403, "AccessDenied")
        for role in ("admin", "alice", "corp:alice", "testuser"):
            answer = await self.assume(both, RoleArn=ROLE + role)
            self.refusal(answer, 403, "AccessDenied")

    async def test_narrowed(self) -> None:
        """A policy narrows it, and what is made in it."""
        caller = await self.session(Policy=document("s3:ListBucket"))
        self.assertEqual((await caller.s3("GET", "/bucket")).status, 200)
        await self.refused(caller.s3("GET", "/bucket/key"), 403, "AccessDenied")
        answer = await caller.ask(
            "sts",
            "AssumeRole",
            RoleArn=ROLE + "corp:alice",
            RoleSessionName="chained",
            Policy=document("s3:*"),
        )
        chained = self.root.in_session(answer.members["Credentials"])
        self.assertEqual((await chained.s3("GET", "/bucket")).status, 200)
        await self.refused(chained.s3("GET", "/bucket/key"), 403, "AccessDenied")

    async def test_nobody_else(self) -> None:
        """A user of an issuer is no user of ours, and no administrator, whatever he is called."""
        await self.user("alice", "admin")
        client = self.client.with_settings(
            administrators=("corp:alice", "alice", "*"), s3_administrators=("*",)
        )
        client.documents.update(self.issuer.documents())
        self.root = Caller(client)
        caller = await self.session()
        await self.refused(caller.s3("PUT", "/bucket/key"), 403, "AccessDenied")
        self.refusal(await caller.ask("iam", "ListUsers"), 403, "AccessDenied")

    async def test_disabled(self) -> None:
        """Who has a row of that name is bound by it: by what it denies, and when he is disabled, at once."""
        caller = await self.session()
        await self.root.ask("iam", "CreateUser", UserName="corp:alice")
        await self.root.ask(
            "iam",
            "PutUserPolicy",
            UserName="corp:alice",
            PolicyName="no",
            PolicyDocument=document("s3:GetObject", effect="Deny"),
        )
        self.assertEqual((await caller.s3("GET", "/bucket")).status, 200)
        await self.refused(caller.s3("GET", "/bucket/key"), 403, "AccessDenied")
        store = self.client.gateway.metadata
        await store.write(disable_user, "corp:alice", True)
        await self.refused(caller.s3("GET", "/bucket"), 403, "InvalidAccessKeyId")
        self.refusal(await self.assume(), 403, "AccessDenied")

    async def test_policy_gone(self) -> None:
        """A policy that is written anew or removed counts from the next request on."""
        made = await self.root.ask(
            "iam",
            "CreatePolicy",
            PolicyName="mine",
            PolicyDocument=document("s3:*"),
        )
        named = {"PolicyArn": made.members["Policy"]["Arn"]}
        caller = await self.session({"policy": "mine"})
        self.assertEqual((await caller.s3("PUT", "/bucket/key")).status, 200)
        await self.root.ask(
            "iam",
            "CreatePolicyVersion",
            PolicyDocument=document("s3:ListBucket"),
            SetAsDefault=True,
            **named,
        )
        await self.refused(caller.s3("PUT", "/bucket/key"), 403, "AccessDenied")
        self.assertEqual((await caller.s3("GET", "/bucket")).status, 200)
        await self.root.ask("iam", "DeletePolicy", **named)
        await self.refused(caller.s3("GET", "/bucket"), 403, "InvalidAccessKeyId")

    async def test_denial_gone(self) -> None:
        """A session that lost one of its policies opens nothing: what that denied is not allowed by the others."""
        denial = document("s3:GetObject", effect="Deny")
        asked = {"PolicyName": "less", "PolicyDocument": denial}
        made = await self.root.ask("iam", "CreatePolicy", **asked)
        caller = await self.session({"policy": ["readonly", "less"]})
        self.assertEqual((await caller.s3("GET", "/bucket")).status, 200)
        await self.refused(caller.s3("GET", "/bucket/key"), 403, "AccessDenied")
        arn = made.members["Policy"]["Arn"]
        await self.root.ask("iam", "DeletePolicy", PolicyArn=arn)
        for path in ("/bucket", "/bucket/key"):
            await self.refused(caller.s3("GET", path), 403, "InvalidAccessKeyId")

    async def test_refused(self) -> None:
        """Tokens that are not believed, and an issuer that does not answer."""
        now = int(self.clock.seconds())
        for claims, status, code in (
            ({"aud": "other"}, 400, "InvalidIdentityToken"),
            ({"iss": "https://evil.test"}, 400, "InvalidIdentityToken"),
            ({"exp": now - 61}, 400, "ExpiredTokenException"),
            ({"nbf": now + 100}, 400, "InvalidIdentityToken"),
            ({"sub": "a b"}, 403, "IDPRejectedClaim"),
        ):
            self.refusal(await self.assume(claims), status, code)
        for parameters, code in (
            ({"WebIdentityToken": "x.y.z"}, "InvalidIdentityToken"),
            ({"WebIdentityToken": "x" * 20001}, "ValidationError"),
            ({"RoleSessionName": "a b"}, "ValidationError"),
            ({"Policy": "x"}, "MalformedPolicyDocument"),
        ):
            self.refusal(await self.assume(**parameters), 400, code)
        self.client.documents.clear()
        self.issuer.rotate("second")
        self.clock.advance(PAUSE)
        self.refusal(await self.assume(), 400, "InvalidIdentityToken")
        self.clock.advance(3600)
        self.refusal(await self.assume(), 400, "IDPCommunicationError")

    async def test_signed_besides(self) -> None:
        """It needs no signature; where there is one, it has to be right, and the token says who asks."""
        asked = {
            "RoleArn": ROLE + "corp",
            "RoleSessionName": "session",
            "WebIdentityToken": self.issuer.token(self.clock.seconds()),
        }
        name = "AssumeRoleWithWebIdentity"
        answer = await self.root.ask("sts", name, **asked)
        self.assertIn("corp:alice", answer.members["AssumedRoleUser"]["Arn"])
        stranger = Caller(self.client, secret="x")
        answer = await stranger.ask("sts", name, **asked)
        self.refusal(answer, 403, "SignatureDoesNotMatch")

    async def test_logs(self) -> None:
        """The audit log says who it was, and nothing of the token."""
        token = self.issuer.token(self.clock.seconds())
        answer = await self.assume(WebIdentityToken=token)
        found = answer.members["Credentials"]
        named = f"user=corp:alice~{found['AccessKeyId']} "
        logs = self.client.access_log, self.client.audit_log
        texts = [text_of(log.file.path) for log in logs]
        self.assertIn(named, texts[1])
        for text in texts:
            for secret in (token, found["SecretAccessKey"], found["SessionToken"]):
                self.assertNotIn(secret, text)

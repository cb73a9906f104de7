"""Who is let in to IAM and STS, and what is a request of theirs at all."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from ozgate.iam.form import MOST
from tests.attack.requests import UNSIGNED, Sent
from tests.operations.iam.support import FORM, QueryTestCase, read_answer

ASKED = b"Action=GetCallerIdentity&Version=2011-06-15"


def text_of(path: str) -> str:
    """What a file has in it."""
    return Path(path).read_text()


class GateTests(QueryTestCase):
    """Signatures."""

    async def outcome(self, sent: Sent, service: str = "sts") -> tuple[int, str]:
        """What is answered to a request."""
        action = "GetCallerIdentity" if service == "sts" else "GetUser"
        answer = read_answer(service, action, await self.root.send(sent))
        return answer.status, answer.code

    async def test_signed(self) -> None:
        """A signature is over the body, whether or not a header says its hash."""
        draft = self.root.draft("sts", ASKED)
        self.assertEqual(await self.outcome(draft.signed()), (200, ""))
        without = evolve(draft, headers={**draft.headers})
        self.assertEqual(await self.outcome(without.signed()), (200, ""))

    async def test_another_body(self) -> None:
        """Another body than was signed is a mismatch, whatever a header says of it."""
        sent = self.root.draft("sts", ASKED).signed()
        other = b"Action=GetSessionToken&Version=2011-06-15"
        mismatch = (403, "SignatureDoesNotMatch")
        self.assertEqual(await self.outcome(evolve(sent, body=other)), mismatch)
        for payload in (UNSIGNED, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
            draft = evolve(self.root.draft("sts", ASKED), payload=payload)
            self.assertEqual(await self.outcome(draft.signed()), mismatch)

    async def test_who(self) -> None:
        """Who has no key, another's, or none that is known is told so in IAM's words."""
        sent = self.root.draft("sts", ASKED)
        for draft, code in (
            (evolve(sent, secret="x"), "SignatureDoesNotMatch"),
            (evolve(sent, access_id="nobody"), "InvalidClientTokenId"),
            (evolve(sent, time=sent.time + 901), "SignatureDoesNotMatch"),
            (evolve(sent, time=sent.time + 901), "SignatureDoesNotMatch"),
        ):
            self.assertEqual(await self.outcome(draft.signed()), (403, code))
        signed = sent.signed()
        incomplete = signed.having("authorization", "AWS4-HMAC-SHA256 x")
        self.assertEqual(await self.outcome(incomplete), (400, "IncompleteSignature"))
        unsigned = signed.having("authorization", None)
        expected = (403, "MissingAuthenticationToken")
        self.assertEqual(await self.outcome(unsigned), expected)
        added = signed.adding("x-amz-meta-more", "x")
        self.assertEqual(await self.outcome(added), (400, "IncompleteSignature"))

    async def test_tokens(self) -> None:
        """A token that is none, or another's, lets nobody in."""
        made = await self.root.ask("sts", "GetSessionToken")
        session = self.root.in_session(made.members["Credentials"])
        other = await self.root.ask("sts", "GetSessionToken")
        wrong = (403, "InvalidClientTokenId")
        for token in ("", "x", other.members["Credentials"]["SessionToken"]):
            caller = evolve(session, token=token)
            sent = caller.draft("sts", ASKED).signed()
            self.assertEqual(await self.outcome(sent), wrong)
        caller = evolve(self.root, token=session.token)
        sent = caller.draft("sts", ASKED).signed()
        self.assertEqual(await self.outcome(sent), wrong)

    async def test_services(self) -> None:
        """A signature is good for one service alone."""
        asked = b"Action=GetUser&Version=2010-05-08"
        draft = self.root.draft("iam", asked)
        self.assertEqual(await self.outcome(draft.signed(), "iam"), (200, ""))
        for service in ("s3", "ec2", "IAM", "sts/iam"):
            sent = evolve(draft, service=service).signed()
            status, code = await self.outcome(sent, "iam")
            self.assertIn(code, ("SignatureDoesNotMatch", "IncompleteSignature"))
            self.assertIn(status, (400, 403))
        relabeled = draft.signed().authorized("/iam/", "/sts/")
        expected = (403, "SignatureDoesNotMatch")
        self.assertEqual(await self.outcome(relabeled, "iam"), expected)
        sent = evolve(draft, service="sts").signed()
        self.assertEqual(await self.outcome(sent, "iam"), (400, "InvalidAction"))

    async def test_not_for_s3(self) -> None:
        """A signature that was made for IAM or STS is none for S3, in a header or in a URL."""
        for service in ("iam", "sts"):
            asked = self.root.s3("GET", "/bucket", service=service)
            await self.refused(asked, 400, "AuthorizationHeaderMalformed")
            draft = self.root.draft("sts", b"")
            draft = evolve(draft, method="GET", path="/bucket", service=service)
            asked = self.root.send(draft.presigned())
            await self.refused(asked, 400, "AuthorizationQueryParametersError")
            relabeled = evolve(draft, service=service).signed()
            relabeled = relabeled.authorized(f"/{service}/", "/s3/")
            await self.refused(self.root.send(relabeled), 403, "SignatureDoesNotMatch")

    async def test_not_verified(self) -> None:
        """Unsigned, whatever is asked for, nobody learns what there is."""
        for body in (
            b"",
            b"Action=GetUser&Version=2010-05-08",
            b"Action=Frobnicate&Version=2010-05-08",
            b"Action=AssumeRole&Version=2011-06-15",
            b"Action=AssumeRoleWithWebIdentity&Version=2010-05-08",
        ):
            sent = Sent("POST", "/", (("content-type", FORM),), body)
            expected = (403, "MissingAuthenticationToken")
            self.assertEqual(await self.outcome(sent), expected)


class ProtocolTests(QueryTestCase):
    """Forms."""

    async def test_actions(self) -> None:
        """What is no action is told so, and changes nothing."""
        for body, status, code in (
            (b"", 400, "MissingAction"),
            (b"Version=2011-06-15", 400, "MissingAction"),
            (b"Action=Frobnicate&Version=2011-06-15", 400, "InvalidAction"),
            (b"Action=GetCallerIdentity", 400, "InvalidAction"),
            (b"Action=GetCallerIdentity&Version=2010-05-08", 400, "InvalidAction"),
            (b"Action=CreateRole&Version=2010-05-08", 400, "InvalidAction"),
            (ASKED + b"&Frobnicate=1", 501, "NotImplemented"),
            (ASKED + b"&Action=GetUser", 404, "MalformedQueryString"),
            (ASKED + b"&%zz", 404, "MalformedQueryString"),
        ):
            sent = self.root.draft("sts", body).signed()
            response = await self.root.send(sent)
            answer = read_answer("sts", "GetCallerIdentity", response)
            self.refusal(answer, status, code)

    async def test_too_large(self) -> None:
        """A form that is larger than any may be is refused before it is read, be it in pieces."""
        body = ASKED + b"&x=" + b"x" * MOST
        sent = self.root.draft("sts", body).signed()
        answer = read_answer("sts", "GetCallerIdentity", await self.root.send(sent))
        self.refusal(answer, 413, "RequestEntityTooLarge")
        headers = dict(sent.headers)
        headers.pop("host")
        response = await self.client.request(
            "POST", "/", headers, body, None, signed=False
        )
        answer = read_answer("sts", "GetCallerIdentity", response)
        self.refusal(answer, 413, "RequestEntityTooLarge")

    async def test_not_theirs(self) -> None:
        """What is no form at / is S3's, which has nothing there."""
        headers = {"content-type": FORM}
        for method, target, kind in (
            ("POST", "/?Action=GetCallerIdentity", FORM),
            ("POST", "/bucket", FORM),
            ("POST", "/", "text/xml"),
            ("POST", "/", "multipart/form-data; boundary=x"),
            ("PUT", "/", FORM),
        ):
            headers = {"content-type": kind}
            response = await self.client.request(method, target, headers, ASKED)
            self.assertIn(response.status, (400, 405, 412, 501), (method, target))
            self.assertEqual(response.headers["content-type"], "application/xml")
            response = await self.client.request(
                method, target, headers, ASKED, signed=False
            )
            self.assertEqual(response.code, "AccessDenied", (method, target))

    async def test_logs(self) -> None:
        """Both logs say who did what, and nothing of what is secret; so does the count."""
        made = await self.root.ask("sts", "GetSessionToken")
        session = self.root.in_session(made.members["Credentials"])
        await session.ask("sts", "GetCallerIdentity")
        await session.s3("PUT", "/bucket/key")
        await session.ask(
            "iam",
            "UpdateAccessKey",
            UserName="al|ice",
            AccessKeyId="AKIA" * 5,
            Status="Inactive",
        )
        await self.root.ask_unsigned(
            "sts",
            "AssumeRoleWithWebIdentity",
            RoleArn="arn:aws:iam:::role/readonly",
            RoleSessionName="session",
            WebIdentityToken="the.token.itself",
        )
        logs = self.client.access_log, self.client.audit_log
        texts = [text_of(log.file.path) for log in logs]
        for name in ("GetSessionToken", "GetCallerIdentity"):
            self.assertIn(f" {name} ", texts[0])
        named = f"user=testuser~{session.access_id} "
        self.assertIn("op=GET_CALLER_IDENTITY ", texts[1])
        self.assertEqual(texts[1].count(named), 3)
        said = '{"UserName": "[al\\u007cice]", "AccessKeyId": "[AKIAAKIAAKIAAKIAAKIA]", "Status": "[Inactive]", '
        self.assertIn(f"op=UPDATE_ACCESS_KEY {said}", texts[1])
        self.assertIn("op=ASSUME_ROLE_WITH_WEB_IDENTITY ", texts[1])
        for text in texts:
            for secret in (session.secret, session.token, "the.token.itself"):
                self.assertNotIn(secret, text)
        tally = self.client.gateway.tally
        self.assertIn("InvalidIdentityToken", tally.errors)

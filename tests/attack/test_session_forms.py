"""Browsers' forms that are signed in a session, or for another service than S3."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime

from ozgate.auth.canonical import signature, signing_key
from ozgate.values import Session
from tests.attack.test_sessions import NOTHING, SessionTestCase
from tests.operations.forms import BOUNDARY, form
from tests.operations.support import REGION, SECRETS, Response


class FormTests(SessionTestCase):
    """Forms."""

    async def post(
        self,
        access_id: str,
        secret: str,
        token: str = "",
        service: str = "s3",
        key_of: str = "",
    ) -> Response:
        """Send a form that stores an object.

        :param service: the one that is named; ``key_of`` the one whose key signs, where that is another.
        """
        now = self.clock.seconds()
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        fields = [
            ("key", "from-a-form"),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            (
                "x-amz-credential",
                f"{access_id}/{stamp[:8]}/{REGION}/{service}/aws4_request",
            ),
            ("x-amz-date", stamp),
        ]
        if token:
            fields.append(("x-amz-security-token", token))
        expires = datetime.fromtimestamp(now + 600, UTC)
        policy = {
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": [{"bucket": "bucket"}, *(dict([pair]) for pair in fields)],
        }
        text = b64encode(json.dumps(policy).encode()).decode()
        key = signing_key(secret, stamp[:8], REGION, key_of or service)
        fields += [("policy", text), ("x-amz-signature", signature(key, text))]
        headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        return await self.client.request(
            "POST", "/bucket", headers, form(fields), signed=False
        )

    async def post_in(self, session: Session, token: str = "") -> Response:
        """The same, in a session."""
        token = token or self.tokens.seal(session)
        return await self.post(session.access_id, session.secret, token)

    async def test_sessions(self) -> None:
        """A session is honoured, narrowed, and refused when it is not good."""
        session = await self.make()
        self.assertEqual((await self.post_in(session)).status, 204)
        before = self.holds()
        narrow = await self.make(limits=(NOTHING,))
        await self.refused(self.post_in(narrow), 403, "AccessDenied")
        other = self.tokens.seal(await self.make())
        for token in (other, "x"):
            asked = self.post_in(session, token)
            await self.refused(asked, 400, "InvalidToken")
        token = self.tokens.seal(session)
        asked = self.post(session.access_id, SECRETS["testuser"], token)
        await self.refused(asked, 403, "SignatureDoesNotMatch")
        asked = self.post("testuser", SECRETS["testuser"], token)
        await self.refused(asked, 400, "InvalidToken")
        asked = self.post(session.access_id, session.secret)
        await self.refused(asked, 403, "InvalidAccessKeyId")
        self.clock.advance(900)
        await self.refused(self.post_in(session), 400, "ExpiredToken")
        self.assertEqual(self.holds(), before)

    async def test_services(self) -> None:
        """A form is signed for S3 and for nothing else, whatever it names."""
        secret = SECRETS["testuser"]
        before = self.holds()
        for service in ("iam", "sts"):
            asked = self.post("testuser", secret, service=service)
            await self.refused(asked, 400, "AuthorizationQueryParametersError")
            asked = self.post("testuser", secret, key_of=service)
            await self.refused(asked, 403, "SignatureDoesNotMatch")
        self.assertEqual(self.holds(), before)

"""Sessions on every operation of the table and in every place where a signature can be: honoured, narrowed, and refused when they are not good.

A session policy that is asked in some places and not in others is MinIO's CVE-2025-62506: who was narrowed made himself a key that was not
(``tests.operations.iam.test_users`` has that one).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve

from ozgate.auth.sessions import new_access_id
from ozgate.auth.sigv2 import SUB_RESOURCES
from ozgate.s3.operations import Body, Operation
from ozgate.testing.inmemory import CLIENT, join, settle
from ozgate.values import Session
from tests.attack.requests import CHUNKED, Draft, Sent, chunked
from tests.attack.support import AttackTestCase, Outcome
from tests.attack.test_chunks import BUILT, pieces_of, streaming
from tests.operations.support import SECRETS
from tests.wire.support import Peer

NOTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::elsewhere", "arn:aws:s3:::elsewhere/*"],
            }
        ],
    }
).encode()
"""A policy that allows nothing here."""

TOKEN = "X-Amz-Security-Token"


def in_header(draft: Draft, token: str) -> Sent:
    """Signed in its header."""
    return draft.having(x_amz_security_token=token).signed()


def in_query(draft: Draft, token: str) -> Sent:
    """Presigned, the token with it."""
    return evolve(draft, query=(*draft.query, (TOKEN, token))).presigned()


def beside_query(draft: Draft, token: str) -> Sent:
    """Presigned, with the token in a signed header."""
    return draft.having(x_amz_security_token=token).presigned()


def in_version_2(draft: Draft, token: str) -> Sent:
    """Presigned in the manner of version 2, which covers the token as it does headers."""
    made = draft.having(x_amz_security_token=token).presigned_2()
    value = made.header("x-amz-security-token")
    made = made.having("x-amz-security-token", None)
    return evolve(made, target=f"{made.target}&x-amz-security-token={value}")


FORMS: tuple[Callable[[Draft, str], Sent], ...] = (
    in_header,
    in_query,
    beside_query,
    in_version_2,
)


class SessionTestCase(AttackTestCase):
    """Sessions of the owner."""

    async def _fill(self) -> None:
        await super()._fill()
        self.tokens = self.client.sessions.tokens

    async def make(self, parent: str = "testuser", **members: Any) -> Session:
        """A session that lasts for 900 s."""
        standing = await self.client.sessions.secrets.standing(parent)
        session = Session(
            new_access_id(),
            "the secret of a session",
            parent,
            standing.bond,
            standing.user,
            "AssumeRole",
            "session",
            standing.now,
            standing.now + 900_000,
        )
        return evolve(session, **members)

    def forms(self) -> Iterator[tuple[Operation, Draft, Callable[[Draft, str], Sent]]]:
        """Each row in each form that it can be signed in."""
        for row, draft in self.drafts():
            simple = SUB_RESOURCES.issuperset(n for n, _ in draft.query if n != "x-id")
            for form in FORMS:
                if simple or form is not in_version_2:
                    yield row, draft, form

    def refusals(
        self, session: Session, token: str, code: str, **changes: Any
    ) -> list[str]:
        """What is not refused with a code, or changes something.

        :param changes: of the drafts, before they are signed.
        """
        found = []
        for row, draft, form in self.forms():
            made = evolve(
                draft, access_id=session.access_id, secret=session.secret, **changes
            )
            before = self.holds()
            status, said = self.send_sent(form(made, token))
            if status < 400 or said != code or self.holds() != before:
                found.append(f"{row.name} {form.__name__}: {status} {said}")
                self.undo(before)
        return found


class EveryOperationTests(SessionTestCase):
    """Every operation, signed in a session."""

    async def test_honoured(self) -> None:
        """In a session that is not narrowed one is answered what its user is, whatever the form of the signature."""
        session = await self.make()
        token = self.tokens.seal(session)
        for row, draft, form in self.forms():
            own = {in_header: Draft.signed, in_version_2: Draft.presigned_2}
            expected = self.baseline(row, own.get(form, Draft.presigned)(draft))
            made = evolve(draft, access_id=session.access_id, secret=session.secret)
            self.assertEqual(
                self.baseline(row, form(made, token)), expected, (row.name, form)
            )

    async def test_narrowed(self) -> None:
        """In one that is narrowed nothing is done that its policy does not allow, though the bucket be its user's own."""
        for limits in ((NOTHING,), (NOTHING, NOTHING)):
            session = await self.make(limits=limits)
            token = self.tokens.seal(session)
            for row, draft, form in self.forms():
                if row.perform is None:
                    continue
                made = evolve(draft, access_id=session.access_id, secret=session.secret)
                before = self.holds()
                outcome = self.send_sent(form(made, token))
                self.check_denied(row, outcome)
                self.assertEqual(self.holds(), before, row.name)

    def check_denied(self, row: Operation, outcome: Outcome) -> None:
        """Assert that nothing was allowed; DeleteObjects says so of each key."""
        if row.name == "DeleteObjects":
            self.assertIn(b"<Code>AccessDenied</Code>", self.heard)
            self.assertNotIn(b"<Deleted>", self.heard)
            return
        self.assertEqual(outcome, (403, "AccessDenied"), row.name)

    async def test_over(self) -> None:
        """One that is over is told so."""
        session = await self.make()
        token = self.tokens.seal(session)
        self.clock.advance(900)
        self.assertEqual(self.refusals(session, token, "ExpiredToken"), [])

    async def test_revoked(self) -> None:
        """One that was made with a key that is revoked, replaced or over is refused like such a key."""
        key = await self.issue("testuser", "key", 100.0)
        session = await self.make(key)
        token = self.tokens.seal(session)
        self.assertEqual((await self.make(key)).user, "testuser")
        await self.secrets.set(key, "another")
        self.assertEqual(self.refusals(session, token, "InvalidAccessKeyId"), [])
        session = await self.make(key)
        token = self.tokens.seal(session)
        self.clock.advance(100)
        self.assertEqual(self.refusals(session, token, "InvalidAccessKeyId"), [])

    async def test_another_token(self) -> None:
        """The token of another session is none, nor is one that was changed, though one's own secret signs it."""
        session = await self.make()
        other = self.tokens.seal(await self.make())
        token = self.tokens.seal(session)
        for wrong in (other, token[:-1], "A" * 300):
            self.assertEqual(self.refusals(session, wrong, "InvalidToken"), [])

    async def test_another_secret(self) -> None:
        """A token that was seen signs nothing: not with the secret of its user's key, nor with that of whoever saw it."""
        session = await self.make()
        token = self.tokens.seal(session)
        for secret in (SECRETS["testuser"], SECRETS["other"], ""):
            stolen = evolve(session, secret=secret)
            code = "SignatureDoesNotMatch"
            self.assertEqual(self.refusals(stolen, token, code), [])

    async def test_without_token(self) -> None:
        """Nor does a session's secret without its token."""
        session = await self.make()
        for row, draft in self.drafts():
            made = evolve(draft, access_id=session.access_id, secret=session.secret)
            for sent in (made.signed(), made.presigned()):
                outcome = self.send_sent(sent)
                self.assertEqual(outcome, (403, "InvalidAccessKeyId"), row.name)

    async def test_two_tokens(self) -> None:
        """Of two tokens none is believed: what is signed by one does not count by another."""
        narrow = await self.make(limits=(NOTHING,))
        wide = evolve(narrow, limits=())
        tokens = self.tokens.seal(narrow), self.tokens.seal(wide)
        for one, other in (tokens, tokens[::-1]):
            for row, draft in self.drafts():
                made = evolve(draft, access_id=narrow.access_id, secret=narrow.secret)
                made = evolve(made, query=(*made.query, (TOKEN, one)))
                twice = evolve(made, query=(*made.query, (TOKEN, other)))
                lower = evolve(made, query=(*made.query, (TOKEN.lower(), other)))
                for sent in (
                    in_header(made, other),
                    beside_query(made, other),
                    twice.presigned(),
                    lower.presigned(),
                ):
                    outcome = self.send_sent(sent)
                    self.assertEqual(outcome, (400, "InvalidToken"), row.name)

    async def test_unsigned_token(self) -> None:
        """A token that is added to what was signed, or taken away, is no part of it."""
        session = await self.make()
        token = self.tokens.seal(session)
        for row, draft in self.drafts():
            made = evolve(draft, access_id=session.access_id, secret=session.secret)
            for sent, code in (
                (made.signed().adding("x-amz-security-token", token), "AccessDenied"),
                (
                    made.presigned().adding("x-amz-security-token", token),
                    "AccessDenied",
                ),
                (
                    in_header(made, token).having("x-amz-security-token", None),
                    "InvalidAccessKeyId",
                ),
            ):
                self.assertEqual(self.send_sent(sent), (403, code), row.name)
            added = made.presigned()
            added = evolve(added, target=f"{added.target}&{TOKEN}={token}")
            outcome = self.send_sent(added)
            self.assertEqual(outcome, (403, "SignatureDoesNotMatch"), row.name)


class BodyTests(SessionTestCase):
    """Bodies that are sent in a session."""

    def chunked(self, row: Operation, draft: Draft, secret: str = "") -> Outcome:
        """What is answered to a body in signed chunks; what it did is undone.

        :param secret: what the chunks are signed with, where that is not what the head is.
        """
        pieces = pieces_of(row, draft.body)
        made = streaming(draft, pieces, CHUNKED)
        signer = evolve(made, secret=secret) if secret else made
        body = b"".join([*chunked(signer, pieces), b"\r\n"])
        before = self.holds()
        outcome = self.send_sent(evolve(made.signed(), body=body))
        self.undo(before)
        return outcome

    async def test_chunks(self) -> None:
        """Chunks are signed with the session's secret, and with nobody else's."""
        session = await self.make()
        narrow = await self.make(limits=(NOTHING,))
        for row in BUILT:
            draft = self.draft(row)
            expected = self.chunked(row, draft)
            made = draft.having(x_amz_security_token=self.tokens.seal(session))
            made = evolve(made, access_id=session.access_id, secret=session.secret)
            self.assertEqual(self.chunked(row, made), expected, row.name)
            found = self.chunked(row, made, SECRETS["testuser"])
            self.assertEqual(found, (403, "SignatureDoesNotMatch"), row.name)
            made = draft.having(x_amz_security_token=self.tokens.seal(narrow))
            made = evolve(made, access_id=narrow.access_id, secret=narrow.secret)
            found = self.chunked(row, made)
            if row.name == "DeleteObjects":
                self.assertIn(b"<Code>AccessDenied</Code>", self.heard)
            else:
                self.assertEqual(found, (403, "AccessDenied"), row.name)

    async def test_slow(self) -> None:
        """A session that ends while a body comes does nothing any more, nor does one whose key is revoked meanwhile."""
        for ends in ("over", "revoked"):
            for row in BUILT:
                if row.body is not Body.STREAM:
                    continue
                key = await self.issue("testuser", f"{ends}-{row.name.lower()}")
                session = await self.make(key)
                session = evolve(session, expires=session.issued + 2000)
                body = b"x" * 200_000
                draft = evolve(
                    self.draft(row),
                    access_id=session.access_id,
                    secret=session.secret,
                    body=body,
                )
                octets = in_header(draft, self.tokens.seal(session)).octets()
                peer, server = Peer(), self.client.site.buildProtocol(CLIENT)
                assert server is not None
                join(self.clock, server, peer)
                peer.send(octets[: len(octets) // 2])
                settle(self.clock)
                before = self.holds()[0].versions
                code = b"ExpiredToken"
                if ends == "revoked":
                    await self.secrets.revoke(key)
                    code = b"InvalidAccessKeyId"
                else:
                    self.clock.advance(2)
                peer.send(octets[len(octets) // 2 :])
                settle(self.clock)
                said = await peer.ended
                self.assertIn(b"<Code>" + code + b"</Code>", said, row.name)
                self.assertEqual(self.holds()[0].versions, before)

"""Sessions: their tokens, and what is signed with them."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.auth.sessions import MOST, Sessions, SessionTokens, new_access_id
from ozgate.auth.sessions import new_secret as new_session_secret
from ozgate.errors import Absent, ExpiredToken, InvalidToken
from ozgate.errors.iam import PackedPolicyTooLarge
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import Presented, Session, Signatory
from tests.started import started
from tests.unit.auth.signed import presented

KEY = MasterKey(b"k" * 32)
LIMIT = b'{"Version":"2012-10-17","Statement":[]}'
SESSION = Session(
    "ASIA0123456789ABCDEF",
    "a secret of its own",
    "alice",
    b"b" * 16,
    "alice",
    "GetSessionToken",
    "",
    1000,
    2000,
    (LIMIT, b'"\xc3\xa9"'),
    ("readonly",),
)


class TokenTests(SynchronousTestCase):
    """Tokens."""

    def setUp(self) -> None:
        """What makes them, and one."""
        self.tokens = SessionTokens(KEY)
        self.token = self.tokens.seal(SESSION)

    def test_opened(self) -> None:
        """A token says what was put into it."""
        self.assertEqual(self.tokens.open(SESSION.access_id, self.token), SESSION)

    def test_form(self) -> None:
        """It may be in a header and in a query as it is, and says nothing to who cannot open it."""
        self.assertRegex(self.token, r"\A[A-Za-z0-9_=-]+\Z")
        self.assertNotEqual(self.token, self.tokens.seal(SESSION))

    def test_of_another(self) -> None:
        """It is the token of one access id alone."""
        for access_id in ("ASIA0123456789ABCDEX", "alice", ""):
            with self.assertRaises(InvalidToken):
                self.tokens.open(access_id, self.token)

    def test_other_keys(self) -> None:
        """It opens under no other key: not the master key itself, nor one for another purpose."""
        for key in (MasterKey(b"x" * 32), KEY.derived("sessions")):
            with self.assertRaises(InvalidToken):
                SessionTokens(key).open(SESSION.access_id, self.token)
        sealed = KEY.seal(SESSION.access_id, "{}").hex()
        with self.assertRaises(InvalidToken):
            self.tokens.open(SESSION.access_id, sealed)

    def test_every_character(self) -> None:
        """None of its characters may be another, or be missing."""
        for place in range(len(self.token)):
            other = "A" if self.token[place] != "A" else "B"
            for changed in (
                self.token[:place] + other + self.token[place + 1 :],
                self.token[:place] + self.token[place + 1 :],
            ):
                with self.assertRaises(InvalidToken):
                    self.tokens.open(SESSION.access_id, changed)

    @given(st.text(max_size=60))
    def test_anything(self, text: str) -> None:
        """What is no token is refused as such, whatever it is."""
        with self.assertRaises(InvalidToken):
            self.tokens.open(SESSION.access_id, text)

    def test_too_long(self) -> None:
        """What would be too long to be sent is not made, and what is longer is not looked at."""
        with self.assertRaises(PackedPolicyTooLarge):
            self.tokens.seal(evolve(SESSION, limits=(b"x" * MOST,)))
        with self.assertRaises(InvalidToken):
            self.tokens.open(SESSION.access_id, self.token + "A" * MOST)

    def test_secrets_are_not_shown(self) -> None:
        """No repr has a secret or a token."""
        shown = repr(SESSION) + repr(Presented("a", "text", "sig", token=self.token))
        for secret in (SESSION.secret, self.token, "sig'"):
            self.assertNotIn(secret, shown)

    def test_names(self) -> None:
        """Access ids and secrets look like AWS's, and are new."""
        self.assertRegex(new_access_id(), r"\AASIA[A-Z0-9]{16}\Z")
        self.assertEqual(len(new_session_secret()), 40)
        self.assertNotEqual(new_access_id(), new_access_id())


class VerifyingTests(TestCase):
    """What is signed in sessions, by what they were made with."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A user with a key in rows, and a pair of the configuration."""
        self.clock = Clock()
        self.clock.advance(1000)
        metadata = MemoryMetadataStore(self.clock)
        await started(metadata)
        self.addCleanup(metadata.close)
        self.stored = MetadataSecretStore(metadata, KEY)
        await self.stored.issue("alice", "", 3000.0)
        self.pairs = StaticSecrets({"root": "the secret of root"}, self.stored)
        self.sessions = Sessions(KEY, self.pairs)

    async def session_of(self, parent: str, **members: Any) -> tuple[Session, str]:
        """A session that lasts for 900 s, and its token."""
        standing = await self.pairs.standing(parent)
        session = evolve(
            SESSION,
            parent=parent,
            user=standing.user,
            bond=standing.bond,
            issued=standing.now,
            expires=standing.now + 900_000,
            **members,
        )
        return session, self.sessions.tokens.seal(session)

    def signed(
        self, session: Session, token: str, *, version_2: bool = False
    ) -> Deferred[Signatory | None]:
        """Whose the signature is that a session makes."""
        made = presented(session.access_id, session.secret, version_2=version_2)
        return self.sessions.verify(evolve(made, token=token))

    async def test_session(self) -> None:
        """A session signs for its user, in both versions, and says what it is."""
        for parent in ("alice", "root"):
            session, token = await self.session_of(parent)
            for version_2 in (False, True):
                found = await self.signed(session, token, version_2=version_2)
                assert found is not None
                self.assertEqual((found.user, found.session), (parent, session))
                self.assertEqual(found.signing_key is None, version_2)

    async def test_another_secret(self) -> None:
        """A token is worth nothing without its secret: not with another session's, nor with that of the key it was made with."""
        session, token = await self.session_of("root")
        for secret in ("the secret of root", "x"):
            other = evolve(session, secret=secret)
            self.assertIsNone(await self.signed(other, token))

    async def test_another_token(self) -> None:
        """Nor does a secret sign with the token of another session, or with none."""
        session, _ = await self.session_of("alice")
        other, token = await self.session_of("alice", access_id=new_access_id())
        self.assertNotEqual(other.access_id, session.access_id)
        await self.assertFailure(self.signed(session, token), InvalidToken)
        await self.assertFailure(self.signed(session, ""), Absent)

    async def test_key_with_token(self) -> None:
        """A key of its own signs without a token: one that were ignored would narrow nothing down."""
        _, token = await self.session_of("root")
        for verifier in (self.sessions, self.pairs):
            for sent in (token, "x"):
                made = evolve(presented("root", "the secret of root"), token=sent)
                await self.assertFailure(verifier.verify(made), InvalidToken)

    async def test_over(self) -> None:
        """A session ends when it was said to end."""
        session, token = await self.session_of("alice")
        self.clock.advance(899)
        self.assertIsNotNone(await self.signed(session, token))
        self.clock.advance(1)
        await self.assertFailure(self.signed(session, token), ExpiredToken)

    async def test_revoked(self) -> None:
        """It ends as well when the key is revoked that it was made with, is replaced or expires."""
        session, token = await self.session_of("alice")
        await self.stored.set("alice", "another")
        await self.assertFailure(self.signed(session, token), Absent)
        session, token = await self.session_of("alice")
        await self.stored.revoke("alice")
        await self.assertFailure(self.signed(session, token), Absent)
        await self.stored.issue("alice", "", 60.0)
        await self.assertFailure(self.signed(session, token), Absent)
        session, token = await self.session_of("alice")
        self.assertIsNotNone(await self.signed(session, token))
        self.clock.advance(60)
        await self.assertFailure(self.signed(session, token), Absent)

    async def test_pair_changed(self) -> None:
        """So does one that was made with a pair of the configuration, when that has another secret or is gone."""
        session, token = await self.session_of("root")
        for pairs in ({"root": "x"}, {}):
            secrets = StaticSecrets(pairs, self.stored)
            self.sessions = Sessions(KEY, secrets)
            await self.assertFailure(self.signed(session, token), Absent)

    async def test_after_a_restart(self) -> None:
        """Any process that has the master key knows it."""
        session, token = await self.session_of("alice")
        self.sessions = Sessions(MasterKey(b"k" * 32), self.pairs)
        self.assertIsNotNone(await self.signed(session, token))
        self.sessions = Sessions(MasterKey(b"x" * 32), self.pairs)
        await self.assertFailure(self.signed(session, token), InvalidToken)

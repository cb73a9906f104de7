"""Tests of :mod:`ozgate.auth.secretstore`."""

from __future__ import annotations

import os
import string

from attrs import evolve
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets, open_master_key
from ozgate.errors import Absent, Conflict, Damaged, Unavailable
from ozgate.errors.iam import NoSuchEntity
from ozgate.interfaces import ISecretStore, IVerifier
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask
from tests.unit.auth.signed import presented

WHO = "testuser/scm@EXAMPLE.COM"


class SecretStoreTests(SynchronousTestCase):
    """Both stores over metadata in memory."""

    def setUp(self) -> None:
        """Open the metadata."""
        self.clock = Clock()
        metadata = MemoryMetadataStore(self.clock)
        self.successResultOf(metadata.open())
        self.key = MasterKey(b"k" * 32)
        self.metadata = metadata
        self.store = MetadataSecretStore(metadata, self.key)
        self.static = StaticSecrets({"key": "configured"}, self.store)

    def test_interface(self) -> None:
        """Both provide both interfaces."""
        for store in (self.store, self.static):
            verifyObject(ISecretStore, store)
            verifyObject(IVerifier, store)

    def test_verify(self) -> None:
        """A signature of another secret, of another text or of nobody's is told from a good one, and no answer shows the secret."""
        _, secret = self.successResultOf(self.store.issue(WHO))
        for store in (self.store, self.static):
            self.assertIsNone(self.signs(store, WHO, "another"))
            for version_2 in (False, True):
                sent = presented(WHO, secret, version_2=version_2)
                for changed in (
                    evolve(sent, string_to_sign="another"),
                    evolve(sent, signature=""),
                    evolve(sent, signature=sent.signature[:-1]),
                    evolve(sent, signature="é"),
                    evolve(sent, date="20261129", region="eu-central-1"),
                ):
                    self.assertIsNone(self.successResultOf(store.verify(changed)))
                self.assertNotIn(secret, str(self.successResultOf(store.verify(sent))))
        self.assertIsNone(self.signs(self.static, "key", "another"))

    def signs(self, store: IVerifier, access_id: str, secret: str) -> str | None:
        """Whose signature it is that was made with a secret, in either version; ``None``: another's."""
        found = set()
        for version_2 in (False, True):
            sent = presented(access_id, secret, version_2=version_2)
            signatory = self.successResultOf(store.verify(sent))
            found.add(None if signatory is None else signatory.user)
            if signatory is not None:
                self.assertEqual(signatory.signing_key is None, version_2)
        [who] = found
        return who

    def assertUnknown(self, store: IVerifier, access_id: str) -> None:
        """Assert that nobody has an access id."""
        for version_2 in (False, True):
            sent = presented(access_id, "x", version_2=version_2)
            self.failureResultOf(store.verify(sent), Absent)

    def test_issue(self) -> None:
        """A secret is issued once, 64 hex digits, and is the one that is found."""
        self.assertUnknown(self.store, WHO)
        access_id, secret = self.successResultOf(self.store.issue(WHO))
        self.assertEqual(access_id, WHO)
        self.assertEqual(len(secret), 64)
        self.assertLessEqual(set(secret), set(string.hexdigits.lower()))
        self.assertEqual(self.signs(self.store, WHO, secret), WHO)
        self.failureResultOf(self.store.issue(WHO), Conflict)
        self.assertEqual(self.signs(self.store, WHO, secret), WHO)
        self.assertNotEqual(self.successResultOf(self.store.issue("b"))[1], secret)

    def test_known(self) -> None:
        """A secret is issued to somebody who is there, where it is only for those."""
        for store in (self.store, self.static):
            self.failureResultOf(store.issue("b", None, is_known=True), NoSuchEntity)
        self.successResultOf(self.store.issue("b"))
        access_id, secret = self.successResultOf(
            self.static.issue("b", None, is_known=True)
        )
        self.assertEqual(self.signs(self.store, access_id, secret), "b")

    def test_further_keys(self) -> None:
        """A user's further keys have access ids of their own, and expire when told."""
        _, first = self.successResultOf(self.store.issue(WHO))
        access_id, secret = self.successResultOf(self.store.issue(WHO, "ci", 60))
        self.assertEqual(access_id, f"{WHO}~ci")
        self.assertEqual(self.signs(self.store, access_id, secret), WHO)
        self.failureResultOf(self.store.issue(WHO, "ci"), Conflict)
        self.clock.advance(60)
        self.assertUnknown(self.store, access_id)
        self.assertEqual(self.signs(self.store, WHO, first), WHO)

    def test_listed(self) -> None:
        """A listing shows rows by access id, without secrets."""
        for user in ("b", "a", "c"):
            self.successResultOf(self.store.issue(user))
        rows = self.successResultOf(self.static.listed("a", 1))
        self.assertEqual([(row.access_id, row.sealed) for row in rows], [("b", b"")])

    def test_set_and_revoke(self) -> None:
        """A secret that is there can be set anew, and is gone at once when revoked."""
        self.failureResultOf(self.store.set(WHO, "zero"), Absent)
        self.successResultOf(self.store.issue(WHO))
        for secret in ("one", "two"):
            self.successResultOf(self.store.set(WHO, secret))
            self.assertEqual(self.signs(self.store, WHO, secret), WHO)
        self.successResultOf(self.store.revoke(WHO))
        self.assertUnknown(self.store, WHO)
        self.failureResultOf(self.store.revoke(WHO), Absent)

    def test_static(self) -> None:
        """A configured pair is found and cannot be changed; others are the inner store's."""
        self.assertEqual(self.signs(self.static, "key", "configured"), "key")
        self.failureResultOf(self.static.issue("key"), Conflict)
        self.failureResultOf(self.static.set("key", "other"), Conflict)
        self.failureResultOf(self.static.revoke("key"), Conflict)
        _, secret = self.successResultOf(self.static.issue(WHO))
        self.assertEqual(self.signs(self.static, WHO, secret), WHO)
        self.successResultOf(self.static.set(WHO, "other"))
        self.assertEqual(self.signs(self.store, WHO, "other"), WHO)
        self.successResultOf(self.static.revoke(WHO))
        self.assertUnknown(self.static, WHO)

    def test_expired_makes_room(self) -> None:
        """One that has expired can be neither used nor set, is listed, and is replaced or revoked."""
        self.successResultOf(self.store.issue(WHO, "", 60))
        self.clock.advance(60)
        self.failureResultOf(self.store.set(WHO, "another one"), Absent)
        [row] = self.successResultOf(self.store.listed("", 10))
        self.assertEqual(row.access_id, WHO)
        _, secret = self.successResultOf(self.store.issue(WHO, "", 60))
        self.assertEqual(self.signs(self.store, WHO, secret), WHO)
        self.clock.advance(60)
        self.successResultOf(self.store.revoke(WHO))
        self.assertEqual(self.successResultOf(self.store.listed("", 10)), [])

    def test_sealed(self) -> None:
        """Rows hold what opens under the key alone, and for their own access id alone."""
        _, secret = self.successResultOf(self.store.issue(WHO))
        rows = self.successResultOf(self.metadata.read(ask, "secrets", ("", 10)))
        self.assertNotIn(secret.encode(), rows[0].sealed)
        self.assertEqual(self.key.open(WHO, rows[0].sealed), secret)
        other = MetadataSecretStore(self.metadata, MasterKey(b"o" * 32))
        self.failureResultOf(other.verify(presented(WHO, secret)), Damaged)

    def test_master_key(self) -> None:
        """A store knows its master key again, and takes no other once it has one."""
        folder = os.path.abspath(self.mktemp())
        os.makedirs(folder)
        path = os.path.join(folder, "key")

        def opened() -> MasterKey:
            asked = ensureDeferred(open_master_key(self.metadata, path))
            return self.successResultOf(asked)

        sealed = opened().seal(WHO, "secret")
        self.assertEqual(opened().open(WHO, sealed), "secret")
        os.unlink(path)
        asked = ensureDeferred(open_master_key(self.metadata, path))
        self.failureResultOf(asked, Unavailable)
        MasterKey.make(path)
        asked = ensureDeferred(open_master_key(self.metadata, path))
        self.failureResultOf(asked, Unavailable)

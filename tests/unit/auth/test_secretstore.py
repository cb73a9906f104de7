"""Tests of :mod:`ozgate.auth.secretstore`."""

from __future__ import annotations

import os
import string

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets, open_master_key
from ozgate.errors import Absent, Conflict, Damaged, Unavailable
from ozgate.interfaces import ISecretStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask

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
        """Both provide the interface."""
        verifyObject(ISecretStore, self.store)
        verifyObject(ISecretStore, self.static)

    def found(self, store: ISecretStore, access_id: str) -> tuple[str, str] | None:
        """The secret and the user of an access id."""
        credential = self.successResultOf(store.secret(access_id))
        return credential and (credential.secret, credential.user)

    def test_issue(self) -> None:
        """A secret is issued once, 64 hex digits, and is the one that is found."""
        self.assertIsNone(self.found(self.store, WHO))
        access_id, secret = self.successResultOf(self.store.issue(WHO))
        self.assertEqual(access_id, WHO)
        self.assertEqual(len(secret), 64)
        self.assertLessEqual(set(secret), set(string.hexdigits.lower()))
        self.assertEqual(self.found(self.store, WHO), (secret, WHO))
        self.failureResultOf(self.store.issue(WHO), Conflict)
        self.assertEqual(self.found(self.store, WHO), (secret, WHO))
        self.assertNotEqual(self.successResultOf(self.store.issue("b"))[1], secret)

    def test_further_keys(self) -> None:
        """A user's further keys have access ids of their own, and expire when told."""
        self.successResultOf(self.store.issue(WHO))
        access_id, secret = self.successResultOf(self.store.issue(WHO, "ci", 60))
        self.assertEqual(access_id, f"{WHO}~ci")
        self.assertEqual(self.found(self.store, access_id), (secret, WHO))
        self.failureResultOf(self.store.issue(WHO, "ci"), Conflict)
        self.clock.advance(60)
        self.assertIsNone(self.found(self.store, access_id))
        self.assertIsNotNone(self.found(self.store, WHO))

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
            self.assertEqual(self.found(self.store, WHO), (secret, WHO))
        self.successResultOf(self.store.revoke(WHO))
        self.assertIsNone(self.found(self.store, WHO))
        self.failureResultOf(self.store.revoke(WHO), Absent)

    def test_static(self) -> None:
        """A configured pair is found and cannot be changed; others are the inner store's."""
        self.assertEqual(self.found(self.static, "key"), ("configured", "key"))
        self.failureResultOf(self.static.issue("key"), Conflict)
        self.failureResultOf(self.static.set("key", "other"), Conflict)
        self.failureResultOf(self.static.revoke("key"), Conflict)
        _, secret = self.successResultOf(self.static.issue(WHO))
        self.assertEqual(self.found(self.static, WHO), (secret, WHO))
        self.successResultOf(self.static.set(WHO, "other"))
        self.assertEqual(self.found(self.store, WHO), ("other", WHO))
        self.successResultOf(self.static.revoke(WHO))
        self.assertIsNone(self.found(self.static, WHO))

    def test_expired_makes_room(self) -> None:
        """One that has expired can be neither used nor set, is listed, and is replaced or revoked."""
        self.successResultOf(self.store.issue(WHO, "", 60))
        self.clock.advance(60)
        self.failureResultOf(self.store.set(WHO, "another one"), Absent)
        [row] = self.successResultOf(self.store.listed("", 10))
        self.assertEqual(row.access_id, WHO)
        _, secret = self.successResultOf(self.store.issue(WHO, "", 60))
        self.assertEqual(self.found(self.store, WHO), (secret, WHO))
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
        self.failureResultOf(other.secret(WHO), Damaged)

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

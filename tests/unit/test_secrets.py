"""Tests of :mod:`ozgate.auth.secrets`."""

from __future__ import annotations

import string

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from ozgate.auth.secrets import MetadataSecretStore, StaticSecrets
from ozgate.errors import Absent, Conflict
from ozgate.interfaces import ISecretStore
from ozgate.testing.memory_metadata import MemoryMetadataStore

WHO = "testuser/scm@EXAMPLE.COM"


class SecretStoreTests(SynchronousTestCase):
    """Both stores over metadata in memory."""

    def setUp(self) -> None:
        """Open the metadata."""
        metadata = MemoryMetadataStore(Clock())
        self.successResultOf(metadata.open())
        self.store = MetadataSecretStore(metadata)
        self.static = StaticSecrets({"key": "configured"}, self.store)

    def test_interface(self) -> None:
        """Both provide the interface."""
        verifyObject(ISecretStore, self.store)
        verifyObject(ISecretStore, self.static)

    def test_issue(self) -> None:
        """A secret is issued once, 64 hex digits, and is the one that is found."""
        self.assertIsNone(self.successResultOf(self.store.secret(WHO)))
        secret = self.successResultOf(self.store.issue(WHO))
        self.assertEqual(len(secret), 64)
        self.assertLessEqual(set(secret), set(string.hexdigits.lower()))
        self.assertEqual(self.successResultOf(self.store.secret(WHO)), secret)
        self.failureResultOf(self.store.issue(WHO), Conflict)
        self.assertEqual(self.successResultOf(self.store.secret(WHO)), secret)
        self.assertNotEqual(self.successResultOf(self.store.issue("b")), secret)

    def test_set_and_revoke(self) -> None:
        """A secret that was set can be set anew, and is gone at once when revoked."""
        for secret in ("one", "two"):
            self.successResultOf(self.store.set(WHO, secret))
            self.assertEqual(self.successResultOf(self.store.secret(WHO)), secret)
        self.successResultOf(self.store.revoke(WHO))
        self.assertIsNone(self.successResultOf(self.store.secret(WHO)))
        self.failureResultOf(self.store.revoke(WHO), Absent)

    def test_static(self) -> None:
        """A configured pair is found and cannot be changed; others are the inner store's."""
        self.assertEqual(self.successResultOf(self.static.secret("key")), "configured")
        self.failureResultOf(self.static.issue("key"), Conflict)
        self.failureResultOf(self.static.set("key", "other"), Conflict)
        self.failureResultOf(self.static.revoke("key"), Conflict)
        secret = self.successResultOf(self.static.issue(WHO))
        self.assertEqual(self.successResultOf(self.static.secret(WHO)), secret)
        self.successResultOf(self.static.set(WHO, "other"))
        self.assertEqual(self.successResultOf(self.store.secret(WHO)), "other")
        self.successResultOf(self.static.revoke(WHO))
        self.assertIsNone(self.successResultOf(self.static.secret(WHO)))

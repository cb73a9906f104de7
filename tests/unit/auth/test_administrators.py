"""Tests of :mod:`ozgate.auth.administrators`."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.accounts import KEPT, Accounts, groups_of, local_user
from ozgate.auth.administrators import Administrators
from ozgate.batches import RunInThread
from ozgate.config.settings import Settings


class AdministratorsTests(SynchronousTestCase):
    """Who is one."""

    def make(self, **settings: Any) -> Administrators:
        """Administrators of a configuration, with groups and a clock of the test's."""
        self.groups = {"carol": frozenset(("ops",))}
        self.now = 0.0
        self.ask: RunInThread = maybeDeferred
        self.found = Administrators(
            Settings(**settings),
            Accounts(
                lambda *args: self.ask(*args),
                Clock(),
                lambda name: self.groups.get(name, frozenset()),
                seconds=lambda: self.now,
            ),
            "EXAMPLE.COM",
        )
        return self.found

    def is_admin(self, user: str) -> bool:
        """Whether a user is one."""
        found = self.successResultOf(ensureDeferred(self.found.identify(user)))
        return found.is_admin

    def is_s3_admin(self, user: str) -> bool:
        """Whether a user is one of S3."""
        found = self.successResultOf(ensureDeferred(self.found.identify(user)))
        return found.is_s3_admin

    def test_nobody_but_the_service(self) -> None:
        """With nothing configured it is the service's own local user alone, not a principal that is short for it."""
        self.make()
        own = local_user(os.geteuid())
        self.assertTrue(self.is_admin(own))
        self.assertTrue(self.is_s3_admin(own))
        for user in ("", "alice", f"{own}@EXAMPLE.COM", f"{own}/host@EXAMPLE.COM"):
            self.assertFalse(self.is_admin(user))
            self.assertFalse(self.is_s3_admin(user))

    def test_static_pair(self) -> None:
        """A user who happens to be called as the static access key is none."""
        self.make(access_key="minio", secret_key="x")
        self.assertFalse(self.is_admin("minio"))

    def test_names(self) -> None:
        """An entry means the whole name or the short one, and no more than that."""
        self.make(administrators=("alice", "bob/host@OTHER.COM"))
        for user in ("alice", "alice@EXAMPLE.COM", "bob/host@OTHER.COM"):
            self.assertTrue(self.is_admin(user), user)
            self.assertTrue(self.is_s3_admin(user), user)
        for user in ("alice@OTHER.COM", "bob", "bob@OTHER.COM", "Alice", "alicee"):
            self.assertFalse(self.is_admin(user), user)

    def test_rules(self) -> None:
        """Short names are those of the configured rules."""
        self.make(
            administrators=("alice",), auth_to_local="RULE:[1:$1@$0](.*@OTHER)s/@.*//"
        )
        self.assertTrue(self.is_admin("alice@OTHER"))
        self.assertFalse(self.is_admin("alice@EXAMPLE.COM"))
        self.assertRaises(ValueError, self.make, auth_to_local="nonsense")

    def test_s3_administrators(self) -> None:
        """Administrators of S3 are others where any are named, by name or by group."""
        self.make(administrators=("alice",), s3_administrators=("bob",))
        self.assertEqual(self.is_admin("alice"), True)
        self.assertEqual(self.is_s3_admin("alice"), False)
        self.assertEqual(self.is_admin("bob"), False)
        self.assertEqual(self.is_s3_admin("bob"), True)
        self.make(administrators=("alice",), s3_administrator_groups=("ops",))
        self.assertFalse(self.is_s3_admin("alice"))
        self.assertTrue(self.is_s3_admin("carol@EXAMPLE.COM"))

    def test_groups(self) -> None:
        """Members of the groups are, by their short names, and cease to be a while after they leave."""
        self.make(administrator_groups=("ops", "wheel"))
        self.assertTrue(self.is_admin("carol@EXAMPLE.COM"))
        self.assertTrue(self.is_s3_admin("carol"))
        self.assertFalse(self.is_admin("dave"))
        self.groups = {}
        self.assertTrue(self.is_admin("carol"))
        self.now = KEPT
        self.assertFalse(self.is_admin("carol"))

    def test_reloaded_meanwhile(self) -> None:
        """Who is asked about during a reload is who he is by the new rules, not for ever a member of the old ones' groups."""
        self.make(
            administrator_groups=("ops",),
            auth_to_local="RULE:[1:$1@$0](.*@OTHER)s/@.*//",
        )
        answers: list[Deferred[frozenset[str]]] = []

        def ask(f: Any, name: str) -> Deferred[frozenset[str]]:
            answers.append(Deferred())
            return answers[-1].addCallback(lambda _: f(name))

        self.ask = ask
        asked = ensureDeferred(self.found.identify("carol@OTHER"))
        self.found.take_up(Settings(administrator_groups=("ops",)))
        answers[0].callback(frozenset())
        answers[1].callback(frozenset())
        self.assertFalse(self.successResultOf(asked).is_admin)
        self.assertFalse(self.is_admin("carol@OTHER"))

    def test_everyone(self) -> None:
        """A star means everyone, but not nobody."""
        self.make(administrators=("*",))
        self.assertTrue(self.is_admin("whoever"))
        self.assertFalse(self.is_admin(""))

    def test_operating_system(self) -> None:
        """Groups are those of the operating system; who is not known there has none."""
        self.assertIn("root", groups_of("root"))
        self.assertEqual(groups_of("no such user"), frozenset())
        self.assertEqual(local_user(0), "root")
        self.assertEqual(local_user(4_000_000_000), "4000000000")

"""Interactions on users, groups, policies and keys, overtaken by each other, as they are where several processes write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from ozgate.auth import secretstore
from ozgate.auth.identities.accesskeys import delete_key, disable_key, expire_key
from ozgate.auth.identities.groups import (
    attach_group_policy,
    create_group,
    delete_group,
)
from ozgate.auth.identities.policies import (
    create_policy,
    delete_policy,
    replace_policy,
)
from ozgate.auth.identities.users import (
    add_user_to_group,
    attach_user_policy,
    create_user,
    delete_user,
    disable_user,
    put_user_policy,
    remove_user,
    remove_user_from_group,
)
from ozgate.values import Secret
from tests.unit.auth.identities.people import DOCUMENT, PeopleTestCase

Work = tuple[Callable[..., Any], tuple[Any, ...]]

OF_KEYS: tuple[Work, ...] = (
    (secretstore._issue, (Secret("alice~new", "alice", b"", 0), None, False)),
    (secretstore._issue, (Secret("AKIAALICE", "alice", b"", 0), None, True)),
    (secretstore._issue, (Secret("AKIANOBODY", "nobody", b"", 0), None, True)),
    (secretstore._rotate, ("alice", "AKIANEW", b"", 5.0, "")),
    (secretstore._set, ("alice", b"another")),
    (secretstore._revoke, ("alice",)),
    (disable_key, ("alice", True)),
    (expire_key, ("alice", 9.0)),
    (delete_key, ("alice",)),
)
"""What is done to keys, of which users know nothing."""

OF_OTHERS: tuple[Work, ...] = (
    (create_user, ("bob",)),
    (delete_user, ("alice",)),
    (delete_user, ("nobody",)),
    (remove_user, ("alice",)),
    (disable_user, ("alice", True)),
    (attach_user_policy, ("alice", "deny")),
    (attach_user_policy, ("nobody", "readonly")),
    (put_user_policy, ("alice", "own", DOCUMENT)),
    (add_user_to_group, ("alice", "staff")),
    (remove_user_from_group, ("nobody", "staff")),
    (create_group, ("press",)),
    (delete_group, ("staff",)),
    (attach_group_policy, ("staff", "deny")),
    (create_policy, ("deny", DOCUMENT)),
    (create_policy, ("allow", DOCUMENT)),
    (replace_policy, ("deny", "{}")),
    (delete_policy, ("deny",)),
)

ALL = OF_KEYS + OF_OTHERS


class MeanwhileTests(PeopleTestCase):
    """``alice`` has keys and no row; ``nobody`` has a row and no keys, and is in a group."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.issue("alice", "further")
        for interaction, *args in (
            (create_policy, "deny", DOCUMENT),
            (create_group, "staff"),
            (create_user, "nobody"),
            (add_user_to_group, "nobody", "staff"),
        ):
            self.do(interaction, *args)

    def write(self, work: Work) -> Any:
        """What some work comes to: how it is refused, or what it gives."""
        interaction, args = work
        found: list[Any] = []
        self.metadata.write(interaction, *args).addBoth(found.append)
        [result] = found
        return repr(result.value) if isinstance(result, Failure) else result

    def check(self, work: Work, other: Work, claims: int) -> bool:
        """Assert that work which is overtaken comes to what it comes to afterwards; whether it was overtaken. It is undone."""
        before = self.metadata.snapshot()
        came: list[Any] = []
        self.metadata.let_in(lambda: came.append(self.write(other)), claims)
        found = self.write(work), self.metadata.snapshot()
        self.metadata.let_in(lambda: None, 99)
        self.metadata.restore(before)
        if came:
            self.write(other)
            expected = self.write(work), self.metadata.snapshot()
            self.assertEqual(found, expected, (work, other, claims))
            self.metadata.restore(before)
        return bool(came)

    def test_before(self) -> None:
        """Each comes to the same, whoever came before it held what it claims."""
        overtaken = [self.check(work, other, 1) for work in ALL for other in ALL]
        self.assertGreater(sum(overtaken), 500)

    def test_keys_within(self) -> None:
        """So it does where keys change while it has the user already: one that is revoked does not come back, and none is forgotten."""
        overtaken = [
            self.check(work, other, 2) for work in OF_OTHERS for other in OF_KEYS[4:]
        ]
        self.assertGreater(sum(overtaken), 20)

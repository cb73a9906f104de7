"""Groups of users: asked for at the gate, so that no interaction waits for the operating system, nor anybody else."""

from __future__ import annotations

import pickle
import pwd
from typing import Any

from twisted.internet.defer import Deferred, succeed

from ozgate.auth.accounts import PATIENCE, Accounts
from ozgate.auth.administrators import Administrators
from ozgate.testing.inmemory import settle
from ozgate.values import Principal
from tests.operations.past import VOLUME, PastTestCase
from tests.operations.uploads import SMALL

GROUP = "group:staff:rwl"


class GroupsTests(PastTestCase):
    """A bucket that a group has rights on."""

    async def test_not_inside_interactions(self) -> None:
        """The operating system is asked, but never while an interaction runs, on the side of commits or elsewhere."""
        await self.add_bucket("shared", VOLUME, "testuser", GROUP)
        metadata: Any = self.client.gateway.metadata
        inside: list[bool] = []
        asked: list[bool] = []

        def watched(run: Any) -> Any:
            def watching(*args: Any, **kw: Any) -> Any:
                # In memory an interaction is over when that returns, and who waits for it goes on later.
                inside.append(True)
                try:
                    return run(*args, **kw)
                finally:
                    inside.pop()

            return watching

        def found(name: str) -> Any:
            asked.append(bool(inside))
            raise KeyError(name)

        self.patch(metadata, "read", watched(metadata.read))
        self.patch(metadata, "write", watched(metadata.write))
        self.patch(pwd, "getpwnam", found)
        other = self.client.as_user("other")
        for method, target, body in (
            ("GET", "/", b""),
            ("GET", "/shared", b""),
            ("PUT", "/shared/key", SMALL),
            ("DELETE", "/shared/key", b""),
            ("DELETE", "/shared", b""),
        ):
            await other.request(method, target, body=body)
        self.assertTrue(asked)
        self.assertNotIn(True, asked)

    async def test_slow(self) -> None:
        """Who waits for a slow answer of the operating system has nobody else wait; who has waited long is in no group."""
        await self.add_bucket("shared", VOLUME, "testuser", GROUP)
        slow: dict[str, Deferred[Any]] = {}

        def run(f: Any, name: str) -> Deferred[Any]:
            if name == "testuser":
                return succeed(frozenset())
            return slow.setdefault(name, Deferred())

        gateway = self.client.gateway
        gateway.administrators = Administrators(
            gateway.settings, Accounts(run, self.clock), "EXAMPLE.COM"
        )
        other, somebody = map(self.client.as_user, ("other", "somebody"))
        writing = other.begin("PUT", "/shared/key", {}, SMALL)
        listing = other.begin("GET", "/shared", {})
        refused = somebody.begin("GET", "/shared", {})
        settle(self.clock)
        self.assertEqual((await self.put(SMALL, "/shared/mine")).status, 200)
        for waiting in (writing, listing, refused):
            self.assertNoResult(waiting)
        slow["other"].callback(frozenset(("staff",)))
        settle(self.clock)
        self.assertEqual(self.successResultOf(writing).status, 200)
        self.assertEqual(self.successResultOf(listing).status, 200)
        self.assertNoResult(refused)
        self.clock.advance(PATIENCE)
        settle(self.clock)
        self.assertEqual(self.successResultOf(refused).status, 403)

    def test_principal(self) -> None:
        """A principal brings its groups, and can be sent to another process."""
        found = Principal("a@R", "a@R", False, "a", frozenset(("staff",)))
        self.assertEqual(pickle.loads(pickle.dumps(found)), found)

"""Contract of metadata: who is who. Rows of users, groups, policies, and of secrets."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ..interfaces import IMetadataTransaction
from ..values import Claim, Group, ManagedPolicy, Secret, User
from .metadata_base import START, MetadataTests

DOCUMENT = '{"Version":"2012-10-17","Statement":[],"é":"\\u0000\'"}'

USER = User(
    "testuser/scm@EXAMPLE.COM",
    "AIDAEXAMPLE",
    START * 1000,
    is_disabled=True,
    groups=frozenset({"staff", "people/ö"}),
    policies=frozenset({"all", "some"}),
    inline={"own": DOCUMENT, "none": "{}"},
    tags={"team": "ü", "empty": ""},
    more={"a": "b"},
)
"""A user with every member set."""

GROUP = Group(
    "people/ö",
    "AGPAEXAMPLE",
    START,
    policies=USER.policies,
    inline=USER.inline,
    more={"a": "b"},
)

POLICY = ManagedPolicy(
    "all",
    "ANPAEXAMPLE",
    START,
    DOCUMENT,
    START + 1,
    version=7,
    description="says é",
    tags=USER.tags,
    more={"a": "b"},
)

SECRET = Secret(
    "AKIAEXAMPLE",
    USER.name,
    b"\0sealed\xff",
    1,
    START * 2000,
    is_managed=True,
    is_disabled=True,
    limits=(DOCUMENT, "{}"),
    description="of é",
    created_by="root",
)


class IdentityTests(MetadataTests):
    """Users, groups, policies and secrets are kept, replaced, listed by name and removed."""

    async def test_users(self) -> None:
        """Users come back with every member, whether that was there or not."""
        await self._kept("user", "users", USER, User("a", "", 1))

    async def test_groups(self) -> None:
        """Likewise groups."""
        await self._kept("group", "groups", GROUP, Group("a", "", 1))

    async def test_policies(self) -> None:
        """Likewise policies."""
        plain = ManagedPolicy("Zero", "", 1, "", 2)
        await self._kept("policy", "policies", POLICY, plain)

    async def _kept(
        self,
        one: str,
        several: str,
        full: User | Group | ManagedPolicy,
        plain: User | Group | ManagedPolicy,
    ) -> None:
        self.assertIsNone(await self.read(one, full.name))
        self.assertEqual(list(await self.read(several, "", 9)), [])
        for row in (evolve(full, id="before"), full, plain):
            await self.write(f"put_{one}", row)
        for row in (full, plain):
            self.assertEqual(await self.read(one, row.name), row)
        expected = sorted((full, plain), key=lambda row: row.name)
        self.assertEqual(list(await self.read(several, "", 9)), expected)
        self.assertEqual(list(await self.read(several, "", 1)), expected[:1])
        after = expected[0].name
        self.assertEqual(list(await self.read(several, after, 9)), expected[1:])
        for _ in range(2):
            await self.write(f"remove_{one}", full.name)
        self.assertIsNone(await self.read(one, full.name))
        self.assertEqual(await self.read(one, plain.name), plain)

    async def test_secrets(self) -> None:
        """Rows of secrets are kept, replaced, listed by access id and removed."""
        rows = [
            Secret("testuser/scm@EXAMPLE.COM", "testuser", b"\0sealed\xff", 1),
            Secret("a~ci", "a", b"", 2, 3),
            Secret("a", "a", b"x", START * 1000, START * 2000),
            SECRET,
        ]
        await self.write(_add, rows)
        for row in rows:
            found = await self.read("secret_row", row.access_id)
            self.assertEqual(found, row)
        listed = await self.read("secrets", "", 3)
        self.assertEqual(list(listed), [SECRET, rows[2], rows[1]])
        listed = await self.read("secrets", "a~ci", 2)
        self.assertEqual(list(listed), [rows[0]])
        await self.write("remove_secret", "a")
        await self.write("remove_secret", "a")
        self.assertIsNone(await self.read("secret_row", "a"))

    async def test_secrets_of(self) -> None:
        """The secrets of a user, in order, whatever their access ids are called; not those of one whose name is like his."""
        rows = [
            Secret(access_id, user, b"", 1)
            for access_id, user in (
                ("a", "a"),
                ("a~ci", "a"),
                ("AKIA1", "a"),
                ("z", "a"),
                ("a~b", "b"),
                ("A", "A"),
            )
        ]
        await self.write(_add, rows)
        for after, limit, names in (
            ("", 9, ["AKIA1", "a", "a~ci", "z"]),
            ("", 2, ["AKIA1", "a"]),
            ("a", 2, ["a~ci", "z"]),
            ("z", 2, []),
        ):
            found = await self.read("secrets_of", "a", after, limit)
            self.assertEqual([row.access_id for row in found], names)
        moved = evolve(rows[3], user="b")
        await self.write("put_secret", moved)
        found = await self.read("secrets_of", "b", "", 9)
        self.assertEqual(list(found), [rows[4], moved])
        self.assertEqual(list(await self.read("secrets_of", "nobody", "", 9)), [])

    async def test_reading_refuses(self) -> None:
        """A reading interaction changes nobody."""
        for attempt in (
            ("put_user", USER),
            ("remove_user", "a"),
            ("put_group", GROUP),
            ("remove_group", "a"),
            ("put_policy", POLICY),
            ("remove_policy", "a"),
            ("put_secret", SECRET),
            ("remove_secret", "a"),
        ):
            await self.assertFailure(self.read(*attempt), TypeError)


def _add(tx: IMetadataTransaction, rows: Sequence[Secret]) -> None:
    tx.claim(*(Claim.secret(row.access_id) for row in rows))
    for row in rows:
        tx.put_secret(evolve(row, sealed=b"replaced", expires=9))
        tx.put_secret(row)

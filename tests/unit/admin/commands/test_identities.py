"""Users, groups, policies and keys behind ``ozgate admin``, on stores in memory."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from ozgate.admin.context import AdminContext
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from tests.unit.admin.commands.support import ADMIN, ALICE, CommandCase

ALLOW = '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
MALFORMED = '{"Statement": {"Effect": "Allow", "Action": "s3:*"}}'


class IdentityCase(CommandCase):
    """Security is on, and administrators come over the socket."""

    async def _open(self) -> None:
        await super()._open()
        self.secrets = MetadataSecretStore(self.gateway.metadata, MasterKey(b"k" * 32))
        self.context = AdminContext(self.gateway, self.secrets, 0.0)
        self.admin = evolve(ADMIN, is_local=True)

    async def run_all(self, *commands: tuple[str, dict[str, Any]]) -> list[Any]:
        """What several commands come to."""
        return [await self.do(name, self.admin, **args) for name, args in commands]


class WhoMayTests(IdentityCase):
    """Who may call these commands."""

    async def test_security_off(self) -> None:
        """While signatures are not verified nothing of it would count, and nothing is stored."""
        self.context = AdminContext(self.gateway, None, 0.0)
        for name, arguments in (
            ("create_user", {"user": "alice"}),
            ("create_policy", {"policy": "p", "document": ALLOW}),
            ("create_access_key", {"user": "alice"}),
            ("list_access_keys", {}),
        ):
            await self.refused("SECURITY_DISABLED", name, self.admin, **arguments)

    async def test_not_administrators_of_secrets(self) -> None:
        """Who manages the secrets of others attaches no policy, for that is as good as being an administrator; and is told of no document."""
        caller = evolve(ALICE, is_s3_admin=True, is_local=True)
        for name, arguments in (
            ("attach_user_policy", {"user": "alice", "policy": "admin"}),
            ("create_policy", {"policy": "p", "document": "no JSON"}),
            ("create_access_key", {"user": "alice"}),
        ):
            await self.refused("PERMISSION_DENIED", name, caller, **arguments)

    async def test_secrets_over_tcp(self) -> None:
        """A secret is shown to who comes over TCP only where the configuration lets secrets be had so."""
        await self.do("create_user", self.admin, user="alice")
        for name, arguments in (
            ("create_access_key", {"user": "alice"}),
            ("rotate_access_key", {"access_id": "alice"}),
        ):
            await self.refused("SECRET_ENDPOINT_DISABLED", name, ADMIN, **arguments)


class UserTests(IdentityCase):
    """Users and groups."""

    async def test_user(self) -> None:
        """A user is made with groups and policies, shown, changed and removed."""
        await self.do("create_group", self.admin, group="staff")
        made = await self.do(
            "create_user",
            self.admin,
            user="a/b@C",
            policies=["readonly"],
            groups=["staff"],
        )
        self.assertEqual((made["groups"], made["policies"]), (["staff"], ["readonly"]))
        place = {"user": "a/b@C"}
        own = {**place, "policy": "own"}
        await self.run_all(
            ("attach_user_policy", {**own, "document": ALLOW}),
            ("detach_user_policy", {**place, "policy": "readonly"}),
            ("disable_user", place),
            ("create_access_key", place),
        )
        found = await self.do("info_user", self.admin, **place)
        self.assertEqual(found["documents"], {"own": ALLOW})
        self.assertEqual(
            (found["policies"], found["disabled"], found["keys"]), ([], True, 1)
        )
        [listed] = await self.do("list_users", self.admin)
        self.assertEqual(listed, {k: v for k, v in found.items() if k != "documents"})
        await self.run_all(
            ("enable_user", place), ("detach_user_policy", {**own, "inline": True})
        )
        found = await self.do("info_user", self.admin, **place)
        self.assertEqual((found["inline"], found["disabled"]), ([], False))
        removed = await self.do("remove_user", self.admin, **place)
        self.assertEqual(removed, {"name": "a/b@C", "keys": 1})
        self.assertEqual(await self.do("list_access_keys", self.admin), [])

    async def test_made_whole(self) -> None:
        """A user whose group or policy is not there is not made at all."""
        for more in ({"groups": ["none"]}, {"policies": ["readonly", "none"]}):
            await self.refused(
                "NO_SUCH_ENTITY", "create_user", self.admin, user="a", **more
            )
            await self.refused("NO_SUCH_ENTITY", "info_user", self.admin, user="a")

    async def test_group(self) -> None:
        """A group is made, filled, shown, emptied and removed."""
        place = {"group": "staff"}
        [made, *_] = await self.run_all(
            ("create_group", place),
            ("create_user", {"user": "alice"}),
            ("add_user_to_group", {**place, "user": "alice"}),
            ("attach_group_policy", {**place, "policy": "readonly"}),
            ("attach_group_policy", {**place, "policy": "own", "document": ALLOW}),
        )
        found = await self.do("info_group", self.admin, **place)
        self.assertEqual(found["id"], made["id"])
        self.assertEqual(found["users"], ["alice"])
        self.assertEqual(found["policies"], ["readonly"])
        self.assertEqual(found["documents"], {"own": ALLOW})
        self.assertEqual(len(await self.do("list_groups", self.admin)), 1)
        await self.refused("DELETE_CONFLICT", "remove_group", self.admin, **place)
        await self.run_all(
            ("remove_user_from_group", {**place, "user": "alice"}),
            ("detach_group_policy", {**place, "policy": "readonly"}),
            ("detach_group_policy", {**place, "policy": "own", "inline": True}),
            ("remove_group", place),
        )
        self.assertEqual(await self.do("list_groups", self.admin), [])

    async def test_refused(self) -> None:
        """What is not there, or there already, or no policy, is refused with IAM's code, and nothing is changed."""
        await self.do("create_user", self.admin, user="alice")
        await self.do("create_group", self.admin, group="staff")
        for code, name, arguments in (
            ("ENTITY_ALREADY_EXISTS", "create_user", {"user": "alice"}),
            ("VALIDATION_ERROR", "create_user", {"user": "a b"}),
            ("NO_SUCH_ENTITY", "disable_user", {"user": "bob"}),
            ("NO_SUCH_ENTITY", "remove_user", {"user": "bob"}),
            ("ENTITY_ALREADY_EXISTS", "create_group", {"group": "staff"}),
            ("VALIDATION_ERROR", "create_group", {"group": "a/b"}),
            ("NO_SUCH_ENTITY", "add_user_to_group", {"group": "x", "user": "alice"}),
        ):
            await self.refused(code, name, self.admin, **arguments)
        for kind, name in (("user", "alice"), ("group", "staff")):
            await self.refused(
                "MALFORMED_POLICY_DOCUMENT",
                f"attach_{kind}_policy",
                self.admin,
                **{kind: name, "policy": "own", "document": MALFORMED},
            )


class PolicyTests(IdentityCase):
    """Named policies."""

    async def test_policy(self) -> None:
        """A policy is made, shown, written anew and removed."""
        place = {"policy": "all"}
        said = {"document": ALLOW, "description": "é"}
        made = await self.do("create_policy", self.admin, **place, **said)
        self.assertEqual((made["version"], made["canned"]), (1, False))
        await self.run_all(
            ("create_user", {"user": "alice", "policies": ["all"]}),
            ("update_policy", {**place, "document": f"{ALLOW} "}),
        )
        found = await self.do("info_policy", self.admin, **place)
        self.assertEqual((found["version"], found["users"]), (2, ["alice"]))
        self.assertEqual((found["document"], found["groups"]), (f"{ALLOW} ", []))
        await self.refused("DELETE_CONFLICT", "remove_policy", self.admin, **place)
        await self.do("detach_user_policy", self.admin, user="alice", **place)
        await self.do("remove_policy", self.admin, **place)
        listed = await self.do("list_policies", self.admin)
        self.assertEqual(
            [each["name"] for each in listed],
            ["admin", "readonly", "readwrite", "writeonly"],
        )

    async def test_refused(self) -> None:
        """What is no policy is refused, and so is to change one that is always there."""
        for name in ("create_policy", "update_policy"):
            place = {"policy": "readonly", "document": MALFORMED}
            await self.refused("MALFORMED_POLICY_DOCUMENT", name, self.admin, **place)
        for code, name, more in (
            ("ENTITY_ALREADY_EXISTS", "create_policy", {"document": ALLOW}),
            ("UNMODIFIABLE_ENTITY", "update_policy", {"document": ALLOW}),
            ("UNMODIFIABLE_ENTITY", "remove_policy", {}),
        ):
            await self.refused(code, name, self.admin, policy="readonly", **more)


class KeyTests(IdentityCase):
    """Keys."""

    async def _open(self) -> None:
        await super()._open()
        await self.do("create_user", self.admin, user="alice")

    async def test_key(self) -> None:
        """A key is made, shown without its secret, disabled, rotated and removed."""
        made = await self.do(
            "create_access_key", self.admin, user="alice", description="é", ttl=60.0
        )
        place = {"access_id": made["accessKeyId"]}
        self.assertRegex(made["secretAccessKey"], "^[0-9a-f]{64}$")
        self.assertRegex(made["accessKeyId"], "^AKIA[A-Z2-7]{16}$")
        found = await self.do("info_access_key", self.admin, **place)
        self.assertEqual(
            found, {k: v for k, v in made.items() if k != "secretAccessKey"}
        )
        self.assertEqual((found["createdBy"], found["description"]), ("admin", "é"))
        [rotated] = await self.run_all(
            ("rotate_access_key", {**place, "expire_old": 5})
        )
        self.assertEqual(rotated["description"], "é")
        await self.do("disable_access_key", self.admin, **place)
        await self.refused("NO_SUCH_ENTITY", "rotate_access_key", self.admin, **place)
        states = {
            row["accessKeyId"]: (row["disabled"], row["expires"])
            for row in await self.do("list_access_keys", self.admin, user="alice")
        }
        now = int(self.clock.seconds() * 1000)
        self.assertEqual(
            states,
            {
                made["accessKeyId"]: (True, now + 5000),
                rotated["accessKeyId"]: (False, None),
            },
        )
        await self.run_all(("enable_access_key", place), ("remove_access_key", place))
        await self.refused("NO_SUCH_ENTITY", "info_access_key", self.admin, **place)

    async def test_narrowed(self) -> None:
        """A key is narrowed by what is said of it, or by a policy, not by both."""
        for more in (
            {"bucket": "photos", "prefix": "2026/", "read": True},
            {"write": True},
            {"document": ALLOW},
        ):
            made = await self.do("create_access_key", self.admin, user="alice", **more)
            self.assertTrue(made["narrowed"])
            self.assertEqual(len(made["documents"]), 1)
        self.assertEqual(made["documents"], [ALLOW])
        for more in (
            {"document": ALLOW, "read": True},
            {"prefix": "2026/"},
            {"bucket": "Not A Bucket"},
            {"description": "x" * 1025},
            {"ttl": 0.0},
            {"key": "a b"},
        ):
            await self.refused(
                "INVALID_REQUEST", "create_access_key", self.admin, user="alice", **more
            )
        bad = {"user": "alice", "document": MALFORMED}
        await self.refused(
            "MALFORMED_POLICY_DOCUMENT", "create_access_key", self.admin, **bad
        )
        self.assertEqual(len(await self.do("list_access_keys", self.admin)), 3)

    async def test_whose(self) -> None:
        """Keys are made of users who are there; a name is one's only once."""
        await self.refused(
            "NO_SUCH_ENTITY", "create_access_key", self.admin, user="bob"
        )
        await self.refused("NO_SUCH_ENTITY", "list_access_keys", self.admin, user="bob")
        named = {"user": "alice", "key": "ci"}
        made = await self.do("create_access_key", self.admin, **named)
        self.assertEqual(made["accessKeyId"], "alice~ci")
        await self.refused(
            "S3_SECRET_ALREADY_EXISTS", "create_access_key", self.admin, **named
        )

    async def test_only_known(self) -> None:
        """A secret for somebody who is not there is refused where that was asked for; for users with a row, a key, or oneself it is not."""
        said = await self.refused(
            "USER_NOT_FOUND", "get_secret", self.admin, user="bob", only_known=True
        )
        self.assertEqual(said, "There is no user bob yet")
        for user in ("alice", "admin"):
            await self.do("get_secret", self.admin, user=user, only_known=True)
        await self.do("get_secret", self.admin, user="bob")
        await self.do("get_secret", self.admin, user="bob", key="x", only_known=True)

    async def test_no_access_id(self) -> None:
        """Nobody has a secret under a name that could be another's access key."""
        for name in ("get_secret", "revoke_secret"):
            await self.refused(
                "INVALID_REQUEST", name, self.admin, user="AKIAIOSFODNN7EXAMPLE"
            )

"""Access control lists behind ``ozgate sh``: their changes, who may make them, what new buckets have of them; on stores in memory."""

from __future__ import annotations

from tests.unit.admin.commands.support import ALICE, BOB, CommandCase


class AclTests(CommandCase):
    """Access control lists."""

    async def test_changes(self) -> None:
        """Rights are added to and taken from an entry; what changes nothing says so."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", **arguments)

        async def change(name: str, *acls: str) -> list[bool]:
            done = await self.do(name, **arguments, acls=list(acls))
            return [each["changed"] for each in done]

        async def shown() -> dict[str, list[str]]:
            acls = await self.do("get_acl", **arguments)
            return {f"{x['type']}:{x['name']}": x["aclList"] for x in acls}

        self.assertEqual(
            await change("add_acl", "user:bob:r", "user:bob:r"), [True, False]
        )
        self.assertEqual(
            await change("add_acl", "user:bob:w", "group:g:l"), [True, True]
        )
        found = {
            "USER:admin": ["ALL"],
            "USER:bob": ["READ", "WRITE"],
            "GROUP:g": ["LIST"],
        }
        self.assertEqual(await shown(), found)
        self.assertEqual(
            await change("remove_acl", "user:bob:rx", "user:eve:r"), [True, False]
        )
        self.assertEqual(await change("remove_acl", "group:g:l"), [True])
        self.assertEqual(await shown(), {"USER:admin": ["ALL"], "USER:bob": ["WRITE"]})
        await change("set_acl", "world::r", "user:bob:r", "user:bob:l")
        found = {"WORLD:WORLD": ["READ"], "USER:bob": ["READ", "LIST"]}
        self.assertEqual(await shown(), found)

    async def test_who_may(self) -> None:
        """The list is shown by READ_ACL and changed by WRITE_ACL."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **arguments)
        await self.refused("PERMISSION_DENIED", "get_acl", BOB, **arguments)
        await self.do("add_acl", ALICE, **arguments, acls=["user:bob:x"])
        await self.do("get_acl", BOB, **arguments)
        change = {**arguments, "acls": ["user:bob:a"]}
        await self.refused("PERMISSION_DENIED", "add_acl", BOB, **change)
        await self.refused("PERMISSION_DENIED", "set_acl", BOB, **change)
        await self.do("add_acl", ALICE, **arguments, acls=["user:bob:y"])
        await self.do("add_acl", BOB, **change)

    async def test_malformed(self) -> None:
        """Entries of another form are refused, and so are none at all."""
        for acls in ([], ["bob"], ["user:bob:q"], ["user::r"], ["x:bob:r"], [7]):
            await self.refused("INVALID_REQUEST", "add_acl", volume="s3v", acls=acls)

    async def test_inherited(self) -> None:
        """What a volume's list has for what is made in it holds for new buckets."""
        await self.do("add_acl", volume="s3v", acls=["user:bob:rl[DEFAULT]"])
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **arguments)
        await self.do("info_bucket", BOB, **arguments)
        await self.do("list_keys", BOB, **arguments)

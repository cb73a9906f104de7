"""What entries of access control lists mean, those of volumes among them."""

from __future__ import annotations

from attrs import evolve

from ozgate.testing.metadata_base import ask
from ozgate.values import RIGHTS, Acl
from tests.operations.past import VOLUME
from tests.operations.rights import Asked, AuthorizationTestCase

OK = (200, None)


class EntryTests(AuthorizationTestCase):
    """What entries of access control lists mean."""

    async def opens(self, *acls: str, who: str = "other") -> bool:
        """Whether a list lets somebody read."""
        await self.grant(*acls)
        return (await self.send(Asked("GET", "/bucket/key", {}, b""), who))[0] == 200

    async def test_scopes(self) -> None:
        """Entries for what is made inside are in force for the bucket itself as well, as in Ozone."""
        self.assertTrue(await self.opens("user:other:r[ACCESS]"))
        self.assertTrue(await self.opens("user:other:r[DEFAULT]"))

    async def test_none(self) -> None:
        """An entry with NONE gives nothing; it takes nothing from another entry."""
        self.assertFalse(await self.opens("user:other:n"))
        self.assertFalse(await self.opens("user:other:rn"))
        self.assertFalse(await self.opens("user:other:an"))
        self.assertTrue(await self.opens("user:other:n", "world::r"))

    async def test_short_names(self) -> None:
        """A Kerberos principal is meant by its short name as well, where auth_to_local makes one of it."""
        alice = await self.issue("alice@EXAMPLE.COM")
        stranger = await self.issue("alice@ELSEWHERE.COM")
        for name in ("alice", "alice@EXAMPLE.COM"):
            self.assertTrue(await self.opens(f"user:{name}:r", who=alice))
            self.assertFalse(await self.opens(f"user:{name}:r", who=stranger))
        self.assertFalse(await self.opens(who=alice))
        await self.change("bucket", owner="alice")
        self.assertTrue(await self.opens(who=alice))
        self.assertFalse(await self.opens(who=stranger))

    async def test_new_buckets(self) -> None:
        """A new bucket is its owner's; the volume's DEFAULT entries hold for it, others do not."""
        await self.change_volume(
            acls=tuple(
                map(Acl.parse, ("world::c", "user:other:rl[DEFAULT]", "group:x:a"))
            )
        )
        await self.ask("PUT", "/fresh")
        made = await self.client.gateway.metadata.read(ask, "bucket", (VOLUME, "fresh"))
        self.assertEqual(made.owner, "testuser")
        shown = [str(acl) for acl in made.acls]
        self.assertEqual(shown, ["user:testuser:a[ACCESS]", "user:other:rl[ACCESS]"])
        self.assertEqual(await self.send(Asked("GET", "/fresh", {}, b""), "other"), OK)

    async def test_making_buckets(self) -> None:
        """Making a bucket needs CREATE on the volume; where there is no volume, an administrator makes both."""
        boss = await self.issue("boss")
        asked = Asked("PUT", "/fresh", {}, b"")
        for acls in ((), ("world::rwldxy",), ("user:somebody:a",)):
            await self.change_volume(acls=tuple(map(Acl.parse, acls)))
            await self.check_refused(asked, "other")
            await self.check_granted(asked, boss, OK)
        await self.change_volume(acls=(Acl.parse("group:staff:c"),))
        await self.check_granted(asked, "other", OK)
        await self.change_volume(acls=(), owner="other")
        await self.check_granted(asked, "other", OK)
        self.client.gateway.settings = evolve(
            self.client.gateway.settings, volume_name="gone"
        )
        await self.check_refused(asked, "other")
        await self.check_granted(asked, boss, OK)

    async def test_shown(self) -> None:
        """ListBuckets shows what the caller may list or read: his own, and what was granted."""
        await self.add_bucket("mine", VOLUME, "other")
        for letter, right in RIGHTS.items():
            await self.grant(f"user:other:{letter}")
            listed = await self.client.as_user("other").request("GET", "/")
            shown = ["bucket"] if right in ("READ", "LIST", "ALL") else []
            self.assertEqual(listed.texts("Buckets/Bucket/Name"), [*shown, "mine"])
        boss = self.client.as_user(await self.issue("boss"))
        listed = await boss.request("GET", "/")
        names = ["bucket", "empty", "mine"]
        self.assertEqual(listed.texts("Buckets/Bucket/Name"), names)

"""Rights on links, and where they lead."""

from __future__ import annotations

from typing import Any

from ozgate.values import Acl
from tests.operations.links import THROUGH, LinkTestCase
from tests.operations.past import VOLUME
from tests.operations.rights import Asked, suffices

READ = (Acl.parse("user:other:r"),)
ALL_BUT_READ = (Acl.parse("user:other:wclxyd"), Acl.parse("user:somebody:a"))
ALL = (Acl.parse("user:other:a"),)


class RightsTests(LinkTestCase):
    """READ is needed on each link, and the operation's right where they lead."""

    async def test_each_link(self) -> None:
        """One link on the way that may not be read is enough to be refused."""
        asked = Asked("GET", "/one/key", {}, b"")
        await self.grant("user:other:r")
        on_the_way = (("one", VOLUME), ("two", VOLUME), ("three", "deep"))
        for name, volume in on_the_way:
            await self.change(name, volume, acls=READ)
        await self.check_granted(asked, "other", (200, None))
        for name, volume in on_the_way:
            for acls in ((), ALL_BUT_READ):
                await self.change(name, volume, acls=acls)
                await self.check_refused(asked, "other")
            await self.change(name, volume, acls=READ)
        await self.grant("user:other:wlcdxy")
        await self.check_refused(asked, "other")

    async def test_owners(self) -> None:
        """Who owns a link may not for that do anything with its source; who owns the source may not follow the link."""
        asked = Asked("GET", "/mine/key", {}, b"")
        await self.link("mine", "bucket", owner="other")
        await self.check_refused(asked, "other")
        await self.check_refused(asked, "testuser")
        await self.grant("user:other:r")
        await self.check_granted(asked, "other", (200, None))

    async def test_each_right(self) -> None:
        """With READ on the link, the rights on its source open what they open there, and rights on the link nothing."""
        metadata: Any = self.client.gateway.metadata
        await self.link("open", "bucket", "world::rw")
        for letter, right in (("r", "READ"), ("w", "WRITE"), ("l", "LIST")):
            await self.grant(f"user:other:{letter}")
            for row in THROUGH:
                asked = self.through(self.request_for(row), "open")
                if suffices(row, right):
                    before, _ = self.holds()
                    status, _ = await self.send(asked, "other")
                    self.assertNotEqual(status, 403, row.name)
                    metadata.restore(before)
                else:
                    await self.check_refused(asked, "other")
        await self.grant()
        await self.change("open", acls=ALL)
        for row in THROUGH:
            asked = self.through(self.request_for(row), "open")
            await self.check_refused(asked, "other")

    async def test_nowhere(self) -> None:
        """Who may not read a link is not told whether it leads anywhere."""
        for link in ("one", "dangling", "astray", "self", "into"):
            for row in THROUGH:
                asked = self.through(self.request_for(row), link)
                await self.check_refused(asked, "other")

    async def test_hidden(self) -> None:
        """One's own link into a volume that one may not see tells the same, whether a bucket is there or not."""
        await self.add_volume("secret", "somebody")
        await self.add_bucket("there", "secret", "somebody")
        links = {"to-it": "secret/there", "past": "secret/no", "off": "no/there"}
        for link, target in links.items():
            await self.link(link, target, owner="other")
            await self.link(f"{link}-again", link, owner="other")
        for row in THROUGH:
            for link in [*links, *(f"{link}-again" for link in links)]:
                asked = self.through(self.request_for(row), link)
                await self.check_refused(asked, "other")
        answers = set()
        for link in links:
            found = await self.client.as_user("other").request("GET", f"/{link}/key")
            said = found.body.replace(link.encode(), b"").replace(
                found.headers["x-amz-request-id"].encode(), b""
            )
            answers.add((found.status, said))
        self.assertEqual(len(answers), 1)
        for link in links:
            asked = Asked("DELETE", f"/{link}", {}, b"")
            await self.check_granted(asked, "other", (204, None))

    async def test_shown_volume(self) -> None:
        """Who may see the volume that a link leads into is told that nothing is there."""
        await self.add_volume("shown", "somebody", "user:other:l")
        await self.link("past", "shown/no", owner="other")
        asked = Asked("GET", "/past/key", {}, b"")
        self.assertEqual(await self.send(asked, "other"), (404, "NoSuchBucket"))

    async def test_copies(self) -> None:
        """A copy from a link needs READ on it, and on what it leads to."""
        await self.add_bucket("mine", VOLUME, "other")
        await self.link("open", "bucket", "world::r")
        headers = {"x-amz-copy-source": "/open/key"}
        asked = Asked("PUT", "/mine/key", headers, b"")
        await self.check_refused(asked, "other")
        await self.grant("user:other:r")
        await self.check_granted(asked, "other", (200, None))
        await self.change("open", acls=())
        await self.check_refused(asked, "other")

    async def test_expected_owner(self) -> None:
        """The owner that a client expects is the link's own, of a copy's source too, and of a link to be removed."""
        await self.link("open", "bucket", "world::rd", owner="other")
        for owner, status in (("other", 200), ("testuser", 403)):
            expected = {"x-amz-expected-bucket-owner": owner}
            asked = Asked("GET", "/open/key", expected, b"")
            self.assertEqual((await self.send(asked))[0], status)
            headers = {
                "x-amz-copy-source": "/open/key",
                "x-amz-source-expected-bucket-owner": owner,
            }
            asked = Asked("PUT", "/bucket/copy", headers, b"")
            self.assertEqual((await self.send(asked))[0], status)
        expected = {"x-amz-expected-bucket-owner": "testuser"}
        await self.check_refused(Asked("DELETE", "/open", expected, b""), "other")
        expected = {"x-amz-expected-bucket-owner": "other"}
        asked = Asked("DELETE", "/open", expected, b"")
        self.assertEqual(await self.send(asked, "other"), (204, None))

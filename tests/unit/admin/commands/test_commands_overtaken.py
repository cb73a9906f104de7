"""Commands of administrators, overtaken by others between what they look at and what they claim; see :mod:`tests.operations.test_overtaken`."""

from __future__ import annotations

from functools import partial
from typing import Any

from ozgate.admin.caller import Caller
from ozgate.admin.commands.table import run
from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from tests.operations.past import VOLUME
from tests.operations.test_overtaken import OvertakenTestCase
from tests.operations.uploads import SMALL

ADMIN = Caller("root", True, is_local=True)

BUCKET = {"volume": VOLUME, "bucket": "bucket"}
EMPTY = {"volume": VOLUME, "bucket": "empty"}
LINK = {"volume": VOLUME, "bucket": "link"}
NEW = {"volume": VOLUME, "bucket": "new"}
SOURCE = {"source_volume": VOLUME, "source_bucket": "empty"}
ACLS = ["user:other:rw"]

COMMANDS: list[tuple[str, dict[str, object]]] = [
    ("create_bucket", NEW),
    ("create_bucket", NEW | {"space_quota": 5}),
    ("link_bucket", NEW | SOURCE),
    ("update_bucket", BUCKET | {"user": "other"}),
    ("update_bucket", LINK | {"user": "other"}),
    ("delete_bucket", EMPTY),
    ("delete_bucket", BUCKET),
    ("delete_bucket", BUCKET | {"recursive": True}),
    ("delete_bucket", LINK),
    ("set_bucket_quota", BUCKET | {"namespace_quota": 1}),
    ("set_bucket_quota", BUCKET | {"space_quota": 200_000}),
    ("set_bucket_quota", EMPTY | {"space_quota": 200_000}),
    ("set_volume_quota", {"volume": VOLUME, "namespace_quota": 3}),
    ("set_volume_quota", {"volume": VOLUME, "space_quota": 300_000}),
    ("add_acl", BUCKET | {"acls": ACLS}),
    ("set_acl", LINK | {"acls": ACLS}),
    ("remove_acl", BUCKET | {"acls": ACLS}),
    ("set_acl", {"volume": VOLUME, "acls": ACLS}),
    ("update_volume", {"volume": VOLUME, "user": "other"}),
    ("create_volume", {"volume": "more"}),
]


class CommandTests(OvertakenTestCase):
    """Every command that changes rows, overtaken by each, and by requests."""

    async def command(self, name: str, arguments: Any) -> tuple[int, str | None]:
        """Run a command; a status, and what it was refused for."""
        context = AdminContext(self.client.gateway, None, 0.0)
        try:
            await run(context, ADMIN, name, arguments)
        except AdminError as error:
            return error.status, error.code
        return 200, None

    async def remake(self) -> None:
        """Remove both buckets, and make some of the same names."""
        await self.ask("DELETE", "/bucket/key")
        for name in ("bucket", "empty"):
            await self.ask("DELETE", f"/{name}")
            await self.ask("PUT", f"/{name}")

    async def turn_link(self) -> None:
        """Have the link lead to another bucket."""
        await self.change("link", source=(VOLUME, "empty"))

    async def fill(self) -> None:
        """Put objects."""
        for target in ("/bucket/more", "/empty/more"):
            await self.put(SMALL, target)

    async def test_all(self) -> None:
        """Each comes to what it comes to after the others: whether it is done, and every row."""
        commands = [partial(self.command, *each) for each in COMMANDS]
        others = [self.remake, self.turn_link, self.fill, *commands]
        written = [await self.written(each) for each in others]
        done = 0
        for command in commands:
            for each in written:
                status, _ = await self.outcome(command, each)
                done += status == 200
        self.assertGreater(done, 300)

"""Commands that another system is asked, such as the Ozone cluster that has a volume: the one place where that is decided.

It is asked by the same names and arguments, as whoever calls, and its own rights count: who administers the gateway may do nothing there for that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ...gateway.foreign import Foreign
from ...immutable import frozen
from ...interfaces import IForeignCommands, IMetadataTransaction
from ...s3.links import follow
from ...values import Principal
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from ..errors import AdminError
from .lookup import MOST_LISTED, page_size
from .rights import authorize_caller, principal_of
from .s3secrets import check_way

Command = Callable[..., Awaitable[Any]]
"""``async def name(context, caller, **arguments) -> JSON-able``; raises AdminError, S3Error, StoreError."""

SECRETS = frozenset(("get_secret", "set_secret", "revoke_secret", "list_secrets"))
"""Of whoever holds signatures against them."""

THROUGH_LINKS = frozenset(
    (
        "list_keys",
        "info_key",
        "rename_key",
        "delete_key",
        "add_acl",
        "remove_acl",
        "set_acl",
    )
)
"""What is done to the bucket that a link leads to; the others are done to the link itself."""


async def perform(
    context: AdminContext,
    caller: Caller,
    command: Command,
    arguments: Mapping[str, object],
) -> Any:
    """Run a command where it belongs: on the stores of this service, or in the other system."""
    name, foreign = command.__name__, context.gateway.foreign
    commands = None if foreign is None else foreign.system.commands
    if foreign is None or commands is None or name not in commands.names:
        return await command(context, caller, **arguments)
    if name in SECRETS:
        if not foreign.system.verifies:
            return await command(context, caller, **arguments)
        check_way(context, caller)
        return await commands.run(name, _name(foreign, caller), arguments)
    if name == "list_volumes":
        return await _list_volumes(context, caller, command, foreign, arguments)
    volume, bucket = arguments.get("volume"), arguments.get("bucket")
    is_behind = arguments.get("source") or arguments.get("key")
    goes_on = name in THROUGH_LINKS or bool(is_behind)
    there = dict(arguments)
    if goes_on and isinstance(bucket, str):
        place = await _real_place(context, caller, str(volume), bucket)
        there["volume"], there["bucket"] = place
    if not foreign.has(str(there["volume"])):
        return await command(context, caller, **arguments)
    found = await commands.run(name, _name(foreign, caller), there)
    if name == "list_keys":
        # As Ozone lists through a link: under the names that were asked for.
        return [dict(each, volumeName=volume, bucketName=bucket) for each in found]
    return found


def _name(foreign: Foreign, caller: Caller) -> str:
    """What the other system calls who asks: by his principal where it knows those, else as what he makes is owned here."""
    return caller.user if foreign.system.verifies else caller.owner_name


@frozen
class There:
    """Where the bytes of a bucket's keys are in another system.

    :ivar commands: who is asked for them.
    :ivar user: what it calls who asks.
    :ivar place: volume and bucket there.
    """

    commands: IForeignCommands
    user: str
    place: tuple[str, str]


async def bytes_of(
    context: AdminContext, caller: Caller, volume: str, bucket: str
) -> There | None:
    """Where another system has the bytes of a bucket's keys; ``None``: they are here."""
    foreign = context.gateway.foreign
    if foreign is None:
        return None
    place = await _real_place(context, caller, volume, bucket)
    commands = foreign.system.commands
    if commands is None or not foreign.has(place[0]):
        return None
    return There(commands, _name(foreign, caller), place)


async def _real_place(
    context: AdminContext, caller: Caller, volume: str, bucket: str
) -> tuple[str, str]:
    """Volume and name of a bucket in the other system, where a link of this one leads there; else those that were asked for.

    :raises AdminError: the caller may not follow it.
    """
    foreign = context.gateway.foreign
    if foreign is None or foreign.has(volume):
        return volume, bucket
    end = await context.gateway.metadata.read(
        _led, principal_of(caller), volume, bucket
    )
    return end if foreign.has(end[0]) else (volume, bucket)


def _led(
    tx: IMetadataTransaction, principal: Principal, volume: str, bucket: str
) -> tuple[str, str]:
    named = tx.bucket(volume, bucket)
    if named is None:
        return volume, bucket

    def check(right: str, link: Any) -> None:
        authorize_caller(principal, right, link)

    return follow(tx.bucket, named, check).end


async def _list_volumes(
    context: AdminContext,
    caller: Caller,
    command: Command,
    foreign: Foreign,
    arguments: Mapping[str, object],
) -> list[Json]:
    """A page of volumes: as the other system lists them where all are its own, else those of both by name."""
    commands: IForeignCommands = foreign.system.commands
    user = _name(foreign, caller)
    if foreign.volumes is None:
        found: Any = await commands.run("list_volumes", user, arguments)
        return list(found)
    here: list[Json] = await command(context, caller, **arguments)
    after = str(arguments.get("start", ""))
    there = [
        each
        for each in await _all_volumes(commands, user, arguments)
        if each["name"] in foreign.volumes and str(each["name"]) > after
    ]
    limit = arguments.get("limit", 100)
    if not isinstance(limit, int):
        raise AdminError("INVALID_REQUEST", "limit has the wrong type")
    both = sorted(here + there, key=lambda each: str(each["name"]))
    return both[: page_size(limit)]


async def _all_volumes(
    commands: IForeignCommands, user: str, arguments: Mapping[str, object]
) -> list[Json]:
    """All volumes that the other system lists, page after page: it need not list them by name."""
    found: list[Json] = []
    start = ""
    while True:
        wanted = dict(arguments, start=start, limit=MOST_LISTED)
        page: Any = await commands.run("list_volumes", user, wanted)
        found += page
        if len(page) < MOST_LISTED:
            return found
        start = str(page[-1]["name"])

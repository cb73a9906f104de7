"""The commands of ``ozgate s3`` and ``ozgate sh``: one dictionary, for the HTTP API and for offline use.

``POST /ozgate/v1/NAME`` with a JSON object of arguments answers JSON: what the function returned, or
``{"code": …, "message": …}`` with the status of the error. The content type must be JSON: a page in somebody's browser
cannot send that to another origin without being asked for permission, which is never given.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from time import monotonic
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from klein import Klein

from ...errors import BadRequest, S3Error, StoreError
from ...wire.request import GatewayRequest
from ...wire.streams import Collect
from ..answers import Json, answer
from ..caller import Caller, caller_of
from ..context import AdminContext
from ..errors import AdminError, access_denied, as_admin_error
from ..upkeep import backupcommands, doctor, drain, fsck, scrub
from . import (
    accesskeys,
    acls,
    buckets,
    elsewhere,
    groups,
    keys,
    policies,
    quotas,
    s3secrets,
    users,
    volumes,
)
from .elsewhere import Command

COMMANDS: dict[str, Command] = {
    command.__name__: command
    for command in (
        s3secrets.whoami,
        s3secrets.get_secret,
        s3secrets.set_secret,
        s3secrets.revoke_secret,
        s3secrets.list_secrets,
        users.create_user,
        users.list_users,
        users.info_user,
        users.remove_user,
        users.disable_user,
        users.enable_user,
        users.attach_user_policy,
        users.detach_user_policy,
        groups.create_group,
        groups.list_groups,
        groups.info_group,
        groups.remove_group,
        groups.add_user_to_group,
        groups.remove_user_from_group,
        groups.attach_group_policy,
        groups.detach_group_policy,
        policies.create_policy,
        policies.update_policy,
        policies.list_policies,
        policies.info_policy,
        policies.remove_policy,
        accesskeys.create_access_key,
        accesskeys.list_access_keys,
        accesskeys.info_access_key,
        accesskeys.disable_access_key,
        accesskeys.enable_access_key,
        accesskeys.rotate_access_key,
        accesskeys.remove_access_key,
        volumes.create_volume,
        volumes.info_volume,
        volumes.list_volumes,
        volumes.update_volume,
        volumes.delete_volume,
        buckets.create_bucket,
        buckets.link_bucket,
        buckets.info_bucket,
        buckets.list_buckets,
        buckets.update_bucket,
        buckets.delete_bucket,
        quotas.set_volume_quota,
        quotas.set_bucket_quota,
        acls.get_acl,
        acls.add_acl,
        acls.remove_acl,
        acls.set_acl,
        keys.list_keys,
        keys.info_key,
        keys.rename_key,
        keys.delete_key,
        scrub.start_scrub,
        scrub.stop_scrub,
        scrub.scrub_status,
        fsck.check_store,
        fsck.end_check,
        backupcommands.start_backup,
        backupcommands.stop_backup,
        backupcommands.backup_status,
        doctor.diagnose,
        drain.start_drain,
        drain.stop_drain,
        drain.drain_status,
    )
}

LARGEST = 1 << 20
"""Bytes of arguments."""

ACTIONS = {"get_secret": "GENERATE_SECRET"}
"""Ozone's names in the audit log, where they are not the command's own."""


async def run(
    context: AdminContext, caller: Caller, name: str, arguments: Mapping[str, object]
) -> Any:
    """Run a command.

    :raises AdminError: whatever went wrong that was foreseen.
    """
    command = COMMANDS.get(name)
    if command is None:
        raise AdminError("INVALID_REQUEST", f"there is no command {name}", 404)
    if not caller.user:
        raise access_denied(
            "who asks is not known: ask over admin.sock in the data folder, or set ozone.s3g.http.auth.type to kerberos"
        )
    check_arguments(command, arguments)
    try:
        return await elsewhere.perform(context, caller, command, arguments)
    except (S3Error, StoreError) as error:
        raise as_admin_error(error) from error


def routes(app: Klein, context: AdminContext) -> None:
    """Add the HTTP API."""

    @app.route("/ozgate/v1/<name>", methods=["POST"])
    async def command(request: GatewayRequest, name: str) -> bytes:
        failed: AdminError | None = None
        caller, arguments = Caller(""), Json()
        try:
            caller = await caller_of(request, context)
            arguments = await read_arguments(request)
            result = await run(context, caller, name, arguments)
            status = 200
        except AdminError as error:
            failed, status = error, error.status
            result = error.to_json()
        reply = answer(
            request,
            status,
            json.dumps(result).encode(),
            "application/json",
            headers=failed.headers if failed else (),
        )
        if context.audit_log is not None and name in COMMANDS:
            seconds = monotonic() - request.started
            action, log = ACTIONS.get(name, name.upper()), context.audit_log
            bucket, key = place_of(arguments)
            log.note(request, action, caller.user, bucket, key, seconds, failed)
        return reply


def place_of(arguments: Mapping[str, object]) -> tuple[str, str]:
    """What arguments name, for the audit log: ``volume/bucket`` and key."""
    names = (arguments.get("volume"), arguments.get("bucket"))
    return "/".join(str(each) for each in names if each), str(arguments.get("key", ""))


def content_type(request: GatewayRequest) -> str:
    """The type of what was sent, without its parameters."""
    [value, *_] = request.requestHeaders.getRawHeaders(b"content-type", [b""])
    return str(value.decode("latin-1")).partition(";")[0].strip().lower()


async def read_arguments(request: GatewayRequest) -> Json:
    """The arguments that a request brings, as JSON.

    :raises AdminError: it brings something else.
    """
    if content_type(request) != "application/json":
        raise AdminError("INVALID_REQUEST", "arguments are application/json", 415)
    collected = Collect(LARGEST, _too_large)
    try:
        await request.body.deliver_to(collected)
        arguments = json.loads(collected.value() or b"{}")
    except BadRequest as error:
        raise AdminError("INVALID_REQUEST", error.message, 413) from None
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise AdminError("INVALID_REQUEST", "arguments are one object in JSON")
    return arguments


def _too_large() -> BadRequest:
    return BadRequest(f"arguments have more than {LARGEST} bytes")


def check_arguments(command: Command, arguments: Mapping[str, object]) -> None:
    """Hold arguments against the signature of a command, for they come from anywhere.

    :raises AdminError: one is missing, unknown or of another type.
    """
    try:
        inspect.signature(command).bind(None, None, **arguments)
    except TypeError as error:
        raise AdminError("INVALID_REQUEST", f"{command.__name__}: {error}") from None
    hints = get_type_hints(command)
    for name, value in arguments.items():
        if name in ("context", "caller") or not _is_one(value, hints.get(name, Any)):
            raise AdminError("INVALID_REQUEST", f"{name} has the wrong type")
        if isinstance(value, str) and not _is_text(value):
            raise AdminError("INVALID_REQUEST", f"{name} is no text")


def _is_text(value: str) -> bool:
    """Whether it is Unicode: JSON may hold halves of surrogate pairs, which no store takes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_one(value: object, hint: Any) -> bool:
    """Whether a value from JSON is of a type: plain ones, unions of them, lists and dictionaries unlooked into."""
    if hint is Any:
        return True
    if isinstance(hint, UnionType):
        return any(_is_one(value, each) for each in get_args(hint))
    if hint is None or hint is NoneType:
        return value is None
    if hint is float:
        hint = (int, float)
    elif isinstance(value, bool):
        return hint is bool
    plain = getattr(hint, "__origin__", hint)
    return isinstance(value, plain) and not (
        isinstance(value, bool) and hint == (int, float)
    )

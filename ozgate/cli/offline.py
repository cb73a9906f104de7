"""A command while the service is down: it opens the stores itself, as the service would, and closes them again.

Whoever can open the data folder could read everything in it, so the user who runs the command is an administrator. Root
first becomes the folder's owner: files made by root could not be opened by the service later.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..admin.caller import local_caller
from ..admin.commands import run
from ..admin.errors import AdminError, as_admin_error
from ..errors import StoreError
from ..loading import load
from ..running import GatewayService
from ..sitefile import ConfigurationError, Setting


def run_offline(
    data: str, config: str | None, name: str, arguments: Mapping[str, Any]
) -> Any:
    """Run one command on the stores of a data folder; once in a process, since it runs the reactor.

    :param config: an ``ozone-site.xml``; the environment is read as the service does.
    :raises AdminError: it was refused, or the folder is no data folder, in use, or not this user's.
    """
    uid = os.getuid()
    if not os.path.exists(os.path.join(data, "lock")):
        raise _not_found(f"nothing listens in {data}, and it is no data folder")
    _become_owner(data)
    try:
        place = Setting("ozgate.data", data, "--data", direct=True)
        settings = load(config, os.environ, [place]).settings

        from twisted.internet import reactor

        service = GatewayService(reactor, settings)
    except ConfigurationError as error:
        raise _not_found(str(error)) from None
    outcome = _in_reactor(reactor, _run(service, uid, name, arguments))
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome


async def _run(
    service: GatewayService, uid: int, name: str, arguments: Mapping[str, Any]
) -> Any:
    try:
        context = await service.open()
        return await run(context, local_caller(uid, context), name, arguments)
    except StoreError as error:
        raise as_admin_error(error) from error
    except ConfigurationError as error:
        raise _not_found(str(error)) from None
    finally:
        await service.close()


def _in_reactor(reactor: Any, coroutine: Any) -> Any:
    """What a coroutine comes to, run in the reactor from its start to its end."""
    outcomes: list[Any] = []

    def begin() -> None:
        done = Deferred.fromCoroutine(coroutine)
        done.addBoth(outcomes.append)
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    if not outcomes:
        raise AdminError("INTERRUPTED", "the command was interrupted")
    return outcomes[0]


def _become_owner(data: str) -> None:
    """As root, become who owns the folder.

    :raises AdminError: this user is neither root nor the owner.
    """
    found = os.stat(data)
    if os.geteuid() == found.st_uid:
        return
    if os.geteuid() != 0:
        raise _not_found(f"the service is down, and {data} belongs to another user")
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
        os.initgroups(name, found.st_gid)
    except KeyError:
        os.setgroups([])
    os.setgid(found.st_gid)
    os.setuid(found.st_uid)


def _not_found(message: str) -> AdminError:
    return AdminError("SERVICE_NOT_FOUND", message)

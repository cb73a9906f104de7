"""A command while the service is down: it opens the stores itself, as the service would, and closes them again when it ends.

Whoever can open the data folder could read everything in it, so the user who runs the command is an administrator. Root
first becomes the folder's owner: files made by root could not be opened by the service later.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Coroutine, Mapping
from functools import cache, partial
from threading import Event, Thread
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from ..admin.caller import Caller, local_caller
from ..admin.commands.table import run
from ..admin.context import AdminContext
from ..admin.errors import AdminError, as_admin_error
from ..config.loading import load
from ..config.sitefile import ConfigurationError, Setting
from ..errors import S3Error, StoreError
from ..service.gatewayservice import GatewayService


class Stores:
    """The stores of a data folder, opened by this process; a context manager, which closes them again.

    The reactor runs in a thread of its own until the process ends, since it cannot be started twice.

    :param config: an ``ozone-site.xml``; the environment is read as the service does, but for what clients have there.
    :raises AdminError: the folder is no data folder, in use, or not this user's.
    """

    def __init__(self, data: str, config: str | None) -> None:
        uid = os.getuid()
        if not os.path.exists(os.path.join(data, "lock")):
            raise _not_found(
                f"nothing listens in {data}, and it is no data folder: give --data the folder of the service"
            )
        become_owner(data)
        try:
            place = Setting("ozgate.data", data, "--data", direct=True)
            settings = load(config, environment(), [place]).settings
            # Nobody is served.
            settings = evolve(settings, workers=1)
            self.reactor = running_reactor()
            self._service = GatewayService(self.reactor, settings)
        except ConfigurationError as error:
            raise _not_found(str(error)) from None
        try:
            self._context: AdminContext = self._wait(self._service.open)
            self._caller: Caller = self._wait(lambda: local_caller(uid, self._context))
        except BaseException as error:
            self._wait(self._service.close)
            raise _refusal(error, config) from error

    def __enter__(self) -> Stores:
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._service.close)

    def run(self, name: str, arguments: Mapping[str, object]) -> Any:
        """Run a command.

        :raises AdminError: it was refused.
        """
        return self._wait(lambda: run(self._context, self._caller, name, arguments))

    def perform(
        self, function: Callable[[AdminContext, Caller], Coroutine[Any, Any, Any]]
    ) -> Any:
        """Run what is no command, in the reactor's thread.

        :raises AdminError: it was refused.
        """
        try:
            return self._wait(lambda: function(self._context, self._caller))
        except (S3Error, StoreError) as error:
            raise as_admin_error(error) from error

    def _wait(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return blockingCallFromThread(
            self.reactor, lambda: Deferred.fromCoroutine(function())
        )


def environment() -> dict[str, str]:
    """The environment without what AWS's tools find their keys by: the shell of a command is that of a client."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    }


@cache
def running_reactor() -> Any:
    """The reactor, in a thread of its own."""
    from twisted.internet import reactor

    running: Any = reactor
    started = Event()
    running.callWhenRunning(started.set)
    run = partial(running.run, installSignalHandlers=False)
    Thread(target=run, name="reactor", daemon=True).start()
    started.wait()
    return running


def become_owner(data: str) -> None:
    """As root, become who owns the folder.

    :raises AdminError: this user is neither root nor the owner.
    """
    found = os.stat(data)
    if os.geteuid() == found.st_uid:
        return
    if os.geteuid() != 0:
        raise _not_found(
            f"the service is down, and {data} belongs to another user: ask as that user, or as root"
        )
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
        os.initgroups(name, found.st_gid)
    except KeyError:
        os.setgroups([])
    os.setgid(found.st_gid)
    os.setuid(found.st_uid)


def _refusal(error: BaseException, config: str | None) -> BaseException:
    """What is said of stores that cannot be opened."""
    if isinstance(error, StoreError):
        return as_admin_error(error)
    if isinstance(error, ConfigurationError):
        said = "" if config else "; --config gives the service's own file"
        return _not_found(f"{error}{said}")
    return error


def _not_found(message: str) -> AdminError:
    return AdminError("SERVICE_NOT_FOUND", message)

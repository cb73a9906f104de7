"""``twistd ozgate``: its options, and the settings they make.

What can be found wrong before the reactor runs is: one line on standard error, exit code 1. The service itself is
in :mod:`ozgate.service.gatewayservice`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python.usage import Options as UsageOptions

from .. import __version__
from ..config.environment import CONFIG
from ..config.loading import load, override
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError, Setting
from .launch import Launch
from .workerprocess import WorkerProcess, how_many, how_many_first

if TYPE_CHECKING:
    from .gatewayservice import GatewayService

_log = Logger()


class Options(UsageOptions):
    """What ``twistd ozgate`` takes. No option is mandatory; ``OZGATE_CONFIG`` stands in for ``--config``."""

    synopsis = "[--data DIR] [--config FILE] [--listen ENDPOINT]... [--workers N] [-D KEY=VALUE]..."
    optParameters = [  # noqa: RUF012 - as twisted.python.usage wants it
        ["data", None, None, "Folder that holds everything; by default ./ozgate-data."],
        [
            "workers",
            None,
            None,
            "How many processes serve clients; by default as many as there are cores, and at most 8.",
        ],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["config"] = None
        self["listen"] = []
        self["define"] = []

    def opt_config(self, path: str) -> None:
        """An ozone-site.xml; etc/ozone-site.xml shows all keys. By default OZGATE_CONFIG."""
        # Read again at each reload, when a daemon may be in another folder.
        self["config"] = os.path.abspath(path)

    def opt_version(self) -> None:
        """Print ozgate's version, and exit."""
        print(f"ozgate {__version__}")
        sys.exit(0)

    def opt_listen(self, description: str) -> None:
        """Listen on HOST:PORT, on PORT of all interfaces, or on a Twisted endpoint, such as
        ssl:9879:privateKey=key.pem:certKey=cert.pem. Repeatable."""
        self["listen"].append(description)

    def opt_define(self, text: str) -> None:
        """KEY=VALUE: set a key of the configuration. Repeatable."""
        self["define"].append(text)

    opt_D = opt_define

    def postOptions(self) -> None:
        """What the command ``ozgate`` takes from the environment holds here, too."""
        if self["config"] is None and os.environ.get(CONFIG):
            self.opt_config(os.environ[CONFIG])


def read_settings(options: Options) -> tuple[Settings, Iterable[str]]:
    """Settings from the command line and all that it names, and notes for the log.

    :raises ConfigurationError: something is wrong.
    """
    overrides = [override(text) for text in options["define"]]
    for option in ("data", "workers"):
        if options[option] is not None:
            key = f"ozgate.{option}"
            overrides.append(Setting(key, options[option], f"--{option}", direct=True))
    loaded = load(options["config"], os.environ, overrides)
    settings = loaded.settings
    if options["listen"]:
        origins = {**settings.origins, "ozgate.listen": "--listen"}
        settings = evolve(settings, listen=tuple(options["listen"]), origins=origins)
    return settings, loaded.notes


def makeService(options: Options) -> IService:
    """The whole service, not yet started; the entry point of the twistd plugin.

    :raises SystemExit: the configuration or the data folder is wrong; one line says how.
    """
    from twisted.internet import reactor

    try:
        if options.parent and not options.parent.get("chroot"):
            _check_files(options.parent)
        settings, notes = read_settings(options)
        count = how_many(settings)
        early = count > 1 and _stays_as_it_is(options.parent or {})
        first = how_many_first(count) if early else 0
        processes = [WorkerProcess(reactor) for _ in range(first)]
        service = _class_of_service()(
            reactor,
            settings,
            reread=lambda: read_settings(options)[0],
            launch=_launch(options),
            processes=processes,
        )
        service.try_ports()
    except ConfigurationError as error:
        raise SystemExit(f"ozgate: {error}") from None
    for note in notes:
        _log.info("{note}", note=note)
    return service


def _stays_as_it_is(twistd: Mapping[str, Any]) -> bool:
    """Whether the service is going to run in this very process, as this user; of a daemon it is not.

    :param twistd: twistd's own options.
    """
    changes = ("chroot", "uid", "gid", "euid")
    given = [twistd.get(each) not in (None, False, 0) for each in changes]
    return bool(twistd.get("nodaemon")) and not any(given)


def _class_of_service() -> type[GatewayService]:
    """What the service is made of, loaded with the garbage collector off.

    It takes half of a start, which is that of the workers, too. All of it stays: the collector would look through hundreds of modules again and again,
    for a quarter of the time of a start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        from .gatewayservice import GatewayService

        gc.freeze()
    finally:
        if was_on:
            gc.enable()
    return GatewayService


def _check_files(twistd: Mapping[str, Any]) -> None:
    """twistd can write the number of its process and its log. It says in a traceback where it cannot.

    :param twistd: twistd's own options.
    :raises ConfigurationError: it cannot.
    """
    log = twistd.get("logfile") or ("-" if twistd.get("nodaemon") else "twistd.log")
    elsewhere = twistd.get("syslog") or twistd.get("logger") or log == "-"
    files = {"pidfile": twistd.get("pidfile"), "logfile": "" if elsewhere else log}
    for option, path in files.items():
        if not path:
            continue
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            reason = "there is no such folder"
        elif os.path.isdir(path):
            reason = "it is a folder"
        elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
            reason = "this user may not"
        else:
            continue
        raise ConfigurationError(
            f"cannot write {path} ({reason}): give twistd another --{option}, before the word ozgate"
        )


def _launch(options: Options) -> Launch:
    """Who hears how the start goes, by what twistd was told of the log."""
    twistd: Mapping[str, Any] = options.parent or {}
    file = twistd.get("logfile") or "twistd.log"
    elsewhere = twistd.get("syslog") or twistd.get("logger")
    stays = twistd.get("nodaemon", False)
    return Launch(
        "the system's log" if twistd.get("syslog") else os.path.abspath(file),
        stays and not elsewhere and twistd.get("logfile") in (None, "-"),
    )

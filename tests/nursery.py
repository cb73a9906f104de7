"""Where processes are forked, for :mod:`tests.forking`: run as a program, it imports ozgate and then does what it is asked by its standard input.

That is a socket. A message is the program's arguments, its environment and its folder, with descriptors of three files and of a pipe, through which
the process's number is told and, at its end, its exit code. When nobody can ask any more it ends, and all that it has forked with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import runpy
import signal
import socket
import sys
from importlib import import_module
from pkgutil import walk_packages
from selectors import EVENT_READ, DefaultSelector
from types import ModuleType

import ozgate

LIBRARIES = (
    *("klein", "service_identity", "twisted.internet.epollreactor"),
    "twisted.scripts.twistd",
)
"""What is not imported by a module of ozgate's that is."""
DRAWING = ("ozgate.auth.signatory", "ozgate.wire.request")
"""Modules that draw numbers as they are imported."""

_REACTOR = "twisted.internet.reactor"
_PR_SET_PDEATHSIG = 1


def import_modules() -> None:
    """Import what a process would import, but for what is its own: modules that draw numbers, those that import them, and the reactor, which klein
    imports, and does not use as ozgate uses klein.
    """
    sys.modules[_REACTOR] = ModuleType(_REACTOR)
    for name in LIBRARIES:
        import_module(name)
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(DRAWING))  # None: it cannot be imported
    for found in walk_packages(ozgate.__path__, "ozgate.", lambda _: None):
        if not found.name.startswith(("ozgate.__main__", "ozgate.testing")):
            with contextlib.suppress(ImportError):
                import_module(found.name)
    for name in (_REACTOR, *DRAWING):
        del sys.modules[name]
    # Those of them that look for garbage need not look here.
    gc.freeze()


def fork_processes() -> tuple[list[str], dict[str, str], str]:
    """Fork as often as asked; returns in each child, with what it was asked to be.

    :raises SystemExit: nobody can ask any more.
    """
    asking = socket.socket(fileno=os.dup(0))
    with asking, DefaultSelector() as selector:
        selector.register(asking, EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not asking:
                    selector.unregister(key.fileobj)
                    os.close(key.fd)
                    pid, telling = key.data
                    _, status = os.waitpid(pid, 0)
                    os.write(telling, b"%8d" % os.waitstatus_to_exitcode(status))
                    os.close(telling)
                    continue
                asked, fds, _, _ = socket.recv_fds(asking, 1 << 20, 4)
                if not asked:
                    raise SystemExit
                *files, telling = fds
                pid = os.fork()
                if pid == 0:
                    for number, file in enumerate(files):
                        os.dup2(file, number)
                    found: tuple[list[str], dict[str, str], str] = json.loads(asked)
                    return found
                for file in files:
                    os.close(file)
                os.write(telling, b"%8d" % pid)
                selector.register(os.pidfd_open(pid), EVENT_READ, (pid, telling))


def become(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Be the process that was asked for, in a child; it ends as a program does."""
    # What the parent has open is not ours.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = arguments
    if arguments[0] == "-c":
        exec(arguments.pop(1), {"__name__": "__main__"})
    elif arguments[0] == "-m":
        del arguments[0]
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    import_modules()
    become(*fork_processes())

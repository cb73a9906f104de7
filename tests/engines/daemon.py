"""A program of Hadoop's in a JVM: started, killed, frozen, ended, by its process id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.engines.given import JAVA, classpath
from tests.forking import die_with_parent

PATIENCE = 240
"""Seconds that a daemon has to come up: on two busy cores a JVM takes its time."""
_MORE = (
    *("--add-opens", "java.management/com.sun.jmx.mbeanserver=ALL-UNNAMED"),
    *("--add-exports", "java.management/com.sun.jmx.mbeanserver=ALL-UNNAMED"),
)


class Daemon:
    """One of a cluster's.

    :param name: whose class path it has, and what it is called.
    :param main: its class.
    :param folder: of the cluster.
    :param port: where it listens on loopback once it is up.
    :param heap: of the JVM, such as ``384m``.
    :param options: further ones of the JVM.
    :param environment: in the place of this process'.
    :param classes: its class path, where that is not the one of its name.
    :param arguments: that it is started with.
    """

    def __init__(
        self,
        name: str,
        main: str,
        folder: Path,
        port: int,
        heap: str = "384m",
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        classes: str = "",
        arguments: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.log = folder / "log" / f"{name}.log"
        self._main = main
        self._folder = folder
        self._port = port
        self._options = [*JAVA, *_MORE, f"-Xmx{heap}", *options]
        self._environment = dict(environment or os.environ)
        self._classes = classes
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self, argument: str = "--init") -> None:
        """Run it once, to the end, to have it make what it needs.

        :raises RuntimeError: it failed; its log is shown.
        """
        process = self._launch(argument)
        try:
            code: object = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = f"nothing after {PATIENCE} seconds"
        finally:
            process.kill()
        if code:
            raise RuntimeError(
                f"{self.name} {argument} ended with {code}:\n{self.said()}"
            )

    def start(self) -> None:
        """Start it. It is killed when this process ends, however it does."""
        self._process = self._launch(*self._arguments)
        Path(self._folder, "pid", self.name).write_text(str(self._process.pid))

    def wait(self) -> None:
        """Wait until it listens.

        :raises RuntimeError: it ended, or does not come up; its log is shown.
        """
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), 5),
            ):
                return
            time.sleep(0.1)
        code = self._process.poll()
        how = f"does not listen after {PATIENCE} seconds"
        if code is not None:
            how = f"ended with {code}"
        raise RuntimeError(f"{self.name} {how}:\n{self.said()}")

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Let it run no more, with its connections open, until :meth:`thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it, whatever state it is in: nothing of it is needed afterwards. Idempotent."""
        if self.is_running:
            self.kill()

    def said(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        classes = f"{self._folder}/conf:{self._classes or classpath(self.name)}"
        command = ["java", *self._options, "-cp", classes, self._main, *arguments]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )

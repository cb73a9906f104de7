"""Who hears how the start went: the terminal or, of a daemon, the process that it was forked from.

twistd's process that stays in front ends with 0 once the service *begins* to start, before it listens. So that one is kept, by a
hook that Python calls after a fork, until the daemon says through a pipe how it went, or is gone.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

READY, FAILED = b"+", b"-"
"""What begins the one thing that a daemon says."""

INTERRUPTED = 130
"""The exit code of who would not wait, as shells have it."""


class Terminal:
    """A process that stays where it was started.

    :param logs_here: its log is on standard output, so that what is said there need not be logged.
    """

    def __init__(self, logs_here: bool = False) -> None:
        self.logs_here = logs_here

    def begin(self) -> None:
        """The reactor runs; from here on no fork is that of a daemon."""

    def ready(self, text: str) -> None:
        """The start is over.

        :param text: lines for people.
        """
        _say(sys.__stdout__, text)

    def failed(self, line: str) -> None:
        """The start has failed, and the process ends."""
        _say(sys.__stderr__, f"ozgate: {line}\n")


class Launch(Terminal):
    """A process that may become a daemon, to be made before it does.

    :param log: where a daemon's log is, for people.
    """

    def __init__(self, log: str, logs_here: bool = False) -> None:
        super().__init__(logs_here)
        self._log = log
        self._first = os.getpid()
        self._begun = False
        self._reader, self._writer = os.pipe()
        os.register_at_fork(after_in_parent=self._wait)

    def begin(self) -> None:
        """See :meth:`Terminal.begin`."""
        self._begun = True
        os.close(self._reader)
        if not self._is_daemon():
            os.close(self._writer)

    def ready(self, text: str) -> None:
        """See :meth:`Terminal.ready`."""
        if not self._is_daemon():
            super().ready(text)
            return
        self._tell(
            READY, f"{text}It runs as process {os.getpid()}, and logs to {self._log}\n"
        )
        os.close(self._writer)

    def failed(self, line: str) -> None:
        """See :meth:`Terminal.failed`; a daemon's pipe stays open until its process is gone, with all that it held."""
        if self._is_daemon():
            self._tell(FAILED, f"ozgate: {line}\n")
        else:
            super().failed(line)

    def _is_daemon(self) -> bool:
        return os.getpid() != self._first

    def _tell(self, outcome: bytes, text: str) -> None:
        # Whoever started it may be gone.
        with contextlib.suppress(OSError):
            os.write(self._writer, outcome + text.encode("utf-8", "surrogateescape"))

    def _wait(self) -> None:
        """In the process that forked: wait for the daemon, and end with 1 if it fails."""
        if self._begun or self._is_daemon():
            return
        os.close(self._writer)
        try:
            with open(self._reader, "rb") as pipe:
                told = pipe.read()
        except KeyboardInterrupt:
            _say(sys.__stderr__, f"ozgate still starts: {self._log} says how it goes\n")
            os._exit(INTERRUPTED)
        text = told[1:].decode("utf-8", "surrogateescape")
        if told.startswith(READY):
            if sys.__stdout__ is not None and sys.__stdout__.isatty():
                _say(sys.__stdout__, text)
            return
        _say(
            sys.__stderr__,
            text or f"ozgate: it ended before it was ready: see {self._log}\n",
        )
        os._exit(1)


def _say(stream: TextIO | None, text: str) -> None:
    """Write to the terminal itself: ``print`` would end up in the log, line by line."""
    if stream is not None:
        stream.write(text)
        stream.flush()

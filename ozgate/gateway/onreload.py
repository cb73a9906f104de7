"""What can be taken up anew while the service runs, each part by its name: what SIGHUP runs.

Imports nothing of ozgate: whoever builds a part registers how it reloads.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

_log = Logger()


class ReloadingParts:
    """What reloads, part by part, in the order of registration."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, Callable[[], str]]] = []

    def register(self, name: str, reload: Callable[[], str]) -> None:
        """Have a part reloaded by :meth:`run`.

        :param name: what people call it; parts may share one.
        :param reload: reloads it at once and returns what came of it, one line for people. What it raises
            is what came of it, too; the part then goes on with what it had.
        """
        self._parts.append((name, reload))

    def run(self) -> list[tuple[str, str]]:
        """Reload every part. None keeps another from its turn.

        :return: for each part its name and what came of it, one line for people.
        """
        return [(name, _outcome(name, reload)) for name, reload in self._parts]


def _outcome(name: str, reload: Callable[[], str]) -> str:
    try:
        return reload()
    except Exception as error:
        _log.failure("{name} cannot be reloaded", name=name)
        return f"failed: {' '.join(str(error).split()) or type(error).__name__}"

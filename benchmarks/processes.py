"""What processes use, from /proc: CPU seconds and memory, of a server and of all that it started."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all that came of it, as far as they run."""
    found = [pid]
    for each in found:
        # Who ends in the meantime has no children any more.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def cpu_of(pid: int) -> float:
    """CPU seconds that a process and all that came of it used so far, user and system.

    To 10 milliseconds. Of those that ended, their parents know.
    """
    return sum(sum(_times(each)) for each in tree(pid)) / _TICK


def _times(pid: int) -> tuple[int, ...]:
    """Ticks: of the process in user and in system mode, and of its children that ended (proc(5), fields 14 to 17)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(map(int, stat.rsplit(")", 1)[1].split()[11:15]))


def memory_of(pid: int, name: str = "VmRSS") -> list[float]:
    """MiB of each process of a tree, the first one's first: resident now (``VmRSS``) or at its highest (``VmHWM``).

    What they share counts for each of them.
    """
    return [size for each in tree(pid) for size in _sizes(each, name)]


def _sizes(pid: int, name: str) -> Iterator[float]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                yield int(line.split()[1]) / 1024


def reset_high_water(pid: int) -> None:
    """Make ``VmHWM`` of each process of a tree start again from what is resident now.

    :raises PermissionError: it is another user's.
    """
    for each in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            Path(f"/proc/{each}/clear_refs").write_text("5")


class Process:
    """A server process that was started here, with all that came of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.pid = process.pid

    @property
    def cpu(self) -> float:
        """CPU seconds used so far, user and system."""
        return cpu_of(self.pid)

    def memory(self, name: str = "VmRSS") -> float:
        """MiB of resident memory now (``VmRSS``) or at its highest (``VmHWM``), of all processes together."""
        return sum(memory_of(self.pid, name))

    def reset_high_water(self) -> None:
        """Make ``VmHWM`` start again from what is resident now."""
        reset_high_water(self.pid)

    def stop(self) -> None:
        """End it and wait."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

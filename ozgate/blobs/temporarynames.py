"""Names of what is being written in a store that several gateways share, and which of them nobody writes any more.

A gateway that is killed leaves what it was writing. Another one, or itself at its next start, may remove that only when no living gateway writes it: those
that begin with the mark of this machine belong to processes that can be looked for; all others are judged by their age. Should one be removed that is still
written, as by a machine that was paused for a day, its commit fails, and nothing is lost: only what has its last name is ever read.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from awscrt.checksums import crc64nvme

OLD = 86400.0
"""Seconds after which nobody is taken to write a blob any more: since it was written to where that is known, else since it was begun."""

_UNKNOWN = "0" * 16


def temporary_name() -> str:
    """A new one, of this process: the machine's mark, the process, when it began, and random digits."""
    pid = os.getpid()
    return f"{_machine()}-{pid}-{_began(pid) or 0}-{os.urandom(8).hex()}"


def is_left_over(name: str, age: float) -> bool:
    """Whether nobody writes what has that name any more.

    :param age: seconds since it was written to, or begun, by the clock of whoever keeps it.
    """
    return age >= OLD or _is_of_dead(name)


def _is_of_dead(name: str) -> bool:
    """Whether a process of this machine wrote it that has ended."""
    machine, _, rest = name.partition("-")
    words = rest.split("-")
    if machine == _UNKNOWN or machine != _machine() or len(words) != 3:
        return False
    if not (words[0].isdigit() and words[1].isdigit()):
        return False
    pid, began = int(words[0]), int(words[1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # somebody else's, and alive
    # The number may have been given to another since.
    return began != 0 and _began(pid) not in (None, began)


@cache
def _machine() -> str:
    """What tells this start of this machine, and this space of process ids in it, from all others: a container has a space of its own.

    Source: random(4) of Linux, ``/proc/sys/kernel/random/boot_id``; pid_namespaces(7).
    """
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        return f"{crc64nvme(f'{boot} {space}'.encode()):016x}"
    return _UNKNOWN


def _began(pid: int) -> int | None:
    """When a process began, in ticks since the start of the machine; ``None`` where that is not shown. Source: proc_pid_stat(5), field 22."""
    with suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/stat").read_text()
        # The name of the program comes second, in parentheses, and may have any characters.
        return int(text.rpartition(")")[2].split()[19])
    return None

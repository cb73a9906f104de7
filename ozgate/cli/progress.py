"""Progress on the terminal: one line that changes. Where standard error is no terminal, nothing."""

from __future__ import annotations

import shutil
import sys

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


class Progress:
    """The line."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._written = False

    def show(self, text: str) -> None:
        """Write it anew."""
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()
            self._written = True

    def clear(self) -> None:
        """Take it away, before something else is printed."""
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._written = False


def size(count: float) -> str:
    """Bytes for people: ``3.4 GB``, binary units as in the configuration."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def seconds(count: float) -> str:
    """A duration for people: ``2h05m``, ``3m10s``, ``7s``."""
    whole = round(count)
    if whole >= 3600:
        return f"{whole // 3600}h{whole // 60 % 60:02d}m"
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def stage(name: str, done: float, total: float) -> str:
    """How far a stage is, as far as its whole is known: ``blobs: 1.2 GB of 4.0 TB (0 %)``."""
    if not total:
        return name
    return f"{name}: {size(done)} of {size(total)} ({share(done, total)})"


def share(done: float, total: float) -> str:
    """How much of a whole: ``47 %``."""
    return f"{100 * min(done / total, 1):.0f} %" if total else "100 %"

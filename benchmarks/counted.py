"""``twistd`` that counts Python's opcodes by function. Run ``python -m benchmarks.counted ARGUMENTS``, which are those of twistd.

At each second SIGUSR2 it says what it counted since the one before, in all its threads: a line of JSON after ``opcodes:``, of paths and names.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from types import CodeType, FrameType
from typing import Any

from twisted.scripts.twistd import run

_counts: Counter[CodeType] = Counter()
_counting = False


def _called(frame: FrameType, event: str, arg: object) -> Any:
    """What Python calls for each new frame."""
    if not _counting:
        return None
    frame.f_trace_opcodes, frame.f_trace_lines = True, False
    return _traced


def _traced(frame: FrameType, event: str, arg: object) -> Any:
    """What it calls for each opcode of that frame."""
    if event == "opcode":
        _counts[frame.f_code] += 1
    return _traced


def toggle(*ignored: object) -> None:
    """Begin to count, or end and say what was counted."""
    global _counting
    _counting = not _counting
    if _counting:
        _counts.clear()
        return
    found = [
        (code.co_filename, code.co_qualname, count) for code, count in _counts.items()
    ]
    os.write(1, b"opcodes: %s\n" % json.dumps(found).encode())


def main() -> None:
    """Run twistd so."""
    signal.signal(signal.SIGUSR2, toggle)
    threading.settrace(_called)
    sys.settrace(_called)
    run()


if __name__ == "__main__":
    main()

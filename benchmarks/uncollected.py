"""``twistd`` with the cyclic garbage collector off. Run ``python -m benchmarks.uncollected ARGUMENTS``, which are those of twistd.

At each SIGUSR2 it looks for garbage once, and says how many objects it found, and how many it never looks at:
``unreachable: 12, frozen: 150000``.
"""

from __future__ import annotations

import gc
import os
import signal

from twisted.scripts.twistd import run


def tell(*ignored: object) -> None:
    """Look for garbage, and say what was found."""
    os.write(
        1, b"unreachable: %d, frozen: %d\n" % (gc.collect(), gc.get_freeze_count())
    )


def main() -> None:
    """Run twistd so."""
    gc.disable()
    signal.signal(signal.SIGUSR2, tell)
    run()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()

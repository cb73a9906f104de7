"""Histories against the model for as long as one likes: ``python -m tests.crash.model_run --minutes 20``.

What :mod:`tests.crash.test_model` runs for a minute, with another seed each round. A round that fails is shrunk and
printed as a program, and the run ends with 1; ``--seed`` repeats the round of that seed::

    python -m tests.crash.model_run --seed 17 --rounds 1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from twisted.logger import globalLogBeginner

from tests.crash.test_model import STEPS, GatewayMachine, profile, run_histories


def main() -> int:
    """Run rounds until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=1 << 30)
    parser.add_argument("--examples", type=int, default=50, help="histories a round")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    asked = parser.parse_args()
    # Each request that fails with its disk would be logged.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    end = time.monotonic() + asked.minutes * 60
    done: Counter[str] = Counter()
    number = asked.seed
    while number < asked.seed + asked.rounds and time.monotonic() < end:
        settings = profile(asked.examples, asked.steps, asked.shrink)
        print(f"seed {number}", flush=True)
        GatewayMachine.done = done
        run_histories(number, settings)
        number += 1
        print(", ".join(f"{count} {what}" for what, count in sorted(done.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Histories of several gateways against the model for as long as one likes: ``python -m tests.gateways.model_run --minutes 20 --engine s3``.

Each is drawn by a seed and played by three gateways on a database of their own, while they are killed. One that fails says what was asked and answered, and the
run ends with 1. What the gateways answered goes into what is asked next, and that hangs on the moment of a kill: a seed says what a history is like, not each step of it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from contextlib import closing
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.crash import drawing
from tests.crash.drawing import Known
from tests.crash.model import Model
from tests.crash.operations import Operation
from tests.gateways.modelled import TROUBLES, Modelled

STEPS = 40
"""Requests in a history, or several at once."""

_TROUBLE = st.tuples(st.sampled_from(TROUBLES), st.floats(0, 0.03), st.integers(0, 2))


def play(both: Modelled, draw: drawing.Draw, steps: int) -> None:
    """Play a history to its end."""
    for _ in range(steps):
        what = draw(st.integers(0, 9))
        if what == 9:
            _pages(both, draw)
        elif what == 8:
            both.ask([_create_upload(both, draw)], draw(_TROUBLE))
        else:
            count = draw(st.sampled_from((1, 1, 1, 2, 3)))
            asked = [_drawn(both, draw) for _ in range(count)]
            both.ask(asked, draw(_TROUBLE))
        both.check_usage()
    both.check()


def _known(both: Modelled) -> Known:
    return Known(both.models[0], both.uploads)


def _create_upload(both: Modelled, draw: drawing.Draw) -> Operation:
    return drawing.create_upload(draw, _known(both))


def _drawn(both: Modelled, draw: drawing.Draw) -> Operation:
    kinds = drawing.ON_OBJECTS + (drawing.ON_UPLOADS * 2 if both.uploads else ())
    made: Operation = draw(st.sampled_from(kinds))(draw, _known(both))
    return made


def _pages(both: Modelled, draw: drawing.Draw) -> None:
    """A listing, each page of which another gateway may give."""
    asked: Any = drawing.listing(draw, _known(both))
    while True:
        answer = both.answered(asked.sent(both.ids))
        model: Model = both.models[0]
        expected = asked.meant(model)
        assert asked.heard(answer, {}) == expected, (asked, answer, expected)
        if expected.code or not expected.says[2]:
            return
        asked = asked.following(model, answer)


def play_histories(number: int, examples: int, steps: int, engine: str) -> None:
    """Play the histories of a seed.

    :param engine: where blobs are, ``files`` or ``s3``.
    :raises AssertionError: an answer, or what is read, is not the model's.
    """

    @seed(number)
    @settings(
        max_examples=examples,
        phases=(Phase.generate,),
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def history(data: Any) -> None:
        with closing(Modelled(engine)) as both:
            play(both, data.draw, steps)

    history()


def main() -> int:
    """Play until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=1 << 30)
    parser.add_argument("--examples", type=int, default=10, help="histories a round")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--engine", choices=("files", "s3"), default="files")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    asked = parser.parse_args()
    end = time.monotonic() + asked.minutes * 60
    Modelled.done = Counter()
    for number in range(asked.seed, asked.seed + asked.rounds):
        if time.monotonic() > end:
            break
        print(f"seed {number}", flush=True)
        play_histories(number, asked.examples, asked.steps, asked.engine)
        done = sorted(Modelled.done.items())
        print(", ".join(f"{count} {what}" for what, count in done), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

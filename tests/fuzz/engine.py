"""The process under atheris: ``python -m tests.fuzz.engine NAME [libFuzzer's options]``; :mod:`tests.fuzz.running` starts it.

What a target raises is written down, once for each place it was raised at, and the fuzzing goes on. A hang, and what kills
the process, ends it; libFuzzer then leaves the input.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from importlib import import_module

import atheris

from tests.fuzz.running import CRASHES, options

_INSTRUMENTED = ["ozgate", "email", "klein", "twisted.web"]


def main(name: str, arguments: list[str]) -> None:
    """Fuzz a target until libFuzzer's options say stop."""
    with atheris.instrument_imports(include=_INSTRUMENTED):
        target = import_module(f"tests.fuzz.{name}")
    known: set[str] = set()

    def test_one_input(data: bytes) -> None:
        try:
            target.one_input(data)
        except Exception as error:
            _note(name, data, error, known)

    program = f"{sys.executable} -m tests.fuzz.engine {name}"
    atheris.Setup([program, *options(name, target), *arguments], test_one_input)
    atheris.Fuzz()


def _note(name: str, data: bytes, error: Exception, known: set[str]) -> None:
    """Keep an input that broke a promise, with what was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.name}" for frame in frames[-3:]]
    place = hashlib.sha1(" ".join([type(error).__name__, *places]).encode()).hexdigest()
    if place in known:
        return
    known.add(place)
    folder = CRASHES / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / place[:12]
    if not path.exists():
        path.write_bytes(data)
        text = "".join(traceback.format_exception(error))
        path.with_suffix(".txt").write_text(text, encoding="utf-8", errors="replace")
        print(f"FOUND {name} {path}: {error!r:.300}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

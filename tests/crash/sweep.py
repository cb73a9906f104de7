"""Every sequence of up to three operations, cut at every persistence point, recovered from and looked at.

::

    python -m tests.crash.sweep                    all of it
    python -m tests.crash.sweep --all --part 2/8   the second of eight parts of it
    python -m tests.crash.sweep --seconds 60       a sample, drawn with --seed
    python -m tests.crash.sweep --only ID          one state, as a failure names it

The cut comes in the last operation of a sequence, for cuts in those before are those of a shorter sequence. Of the longest
sequences each write is torn in one way, of the others in every way. A crash state is counted once, however many cuts lead to it. Its parts: :mod:`tests.crash.tapping` records what reaches the disk,
:mod:`tests.crash.disk` makes what may be left of it, :mod:`tests.crash.workload` has the operations,
:mod:`tests.crash.sequences` their sequences and :mod:`tests.crash.invariants` what must hold.
"""

from __future__ import annotations

import argparse
import errno
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from random import Random
from unittest.mock import patch

from attrs import evolve

from ozgate.background import reaper as blobs_sweep
from ozgate.blobs.files import syscalls
from tests.crash import sqlitevfs
from tests.crash.disk import Disk, Folder, Image, read_tree
from tests.crash.gate import Gate
from tests.crash.invariants import check, check_relaxed
from tests.crash.parts import add_part
from tests.crash.sequences import (
    AGAIN,
    LONGEST,
    RELAXED,
    STAGED,
    START,
    Log,
    Outcome,
    State,
    Tally,
    Views,
    sequences,
)
from tests.crash.smallworld import ENDINGS, small_world
from tests.crash.tapping import Call, Recording, tapped, unavailable
from tests.crash.views import View, view
from tests.crash.workload import fill, perform

STALE_INDEX = 8
"""In one state in that many there is an index of the log, with what a disk may have kept of it: anything."""

SECOND_CUTS = 40
"""Of that many states."""

CLIENTS_LOOK = 16
"""One state in that many is looked at by clients too."""


class Crashes:
    """Makes crash states in a folder of its own and recovers from them.

    :param folder: a folder, best one in memory.
    :param defect: what is wrong with the gateway, for tests of these tests.
    """

    def __init__(
        self,
        folder: str,
        defect: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._folder = Folder(folder)
        self._defect = defect
        self._base: dict[str, bytes] = {}
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._seconds = 0.0
        with small_world():
            gate = Gate(folder)
            gate.open()
            fill(gate)
            gate.close()
        self._base = read_tree(folder)
        self._gate = gate

    def run(
        self, sequence: str, most: int = 0, random: Random | None = None
    ) -> Outcome:
        """Recover from the crash states of a sequence.

        :param most: from how many, drawn by lot; 0 for all.
        """
        states = list(self.states(sequence))
        if most and random is not None and len(states) > most:
            states = random.sample(states, most)
        broken = []
        for state in states:
            broken += [(state.id, line) for line in self.recover(state)]
        digests = tuple(state.digest for state in states)
        return Outcome(sequence, digests, tuple(broken))

    def recover(self, state: State) -> list[str]:
        """Recover from a state; gives what is broken."""
        self._folder.hold(state.image)
        look = state.digest[0] % CLIENTS_LOOK == 0
        if state.digest[1] % STALE_INDEX == 0:
            with open(f"{self._gate.database}-shm", "wb") as file:
                file.write(Random(state.id).randbytes(1 << 15))
        days = 101 if state.id.startswith(AGAIN) else 100
        # The others are empty: the check looks there, the sweep for orphans need not. That saves a third of the time.
        with patch.object(blobs_sweep, "_ENDINGS", ENDINGS):
            if state.id.startswith(RELAXED) and state.image.kind != "all":
                broken = check_relaxed(self._folder.path, state.allowed)
            else:
                broken = check(self._folder.path, state.allowed, look, days)
        if look or broken or state.image.folders or self._folder.known is None:
            self._folder.known = None
        else:
            # No file has come but those of SQLite: :func:`check` has looked.
            database = self._gate.database
            self._folder.known |= {database, f"{database}-wal", f"{database}-shm"}
        return broken

    def states(self, sequence: str) -> Iterator[State]:
        """The crash states of a sequence, each once."""
        if sequence.startswith(AGAIN):
            yield from self._states_again(sequence)
            return
        log = self._record(sequence)
        allowed: Views = (log.history[-1], log.after)
        in_the_end: Views = (log.after,)
        if sequence == START:
            allowed = in_the_end = ()
        for state in self._cut(sequence, log.disk, log.calls, allowed, in_the_end):
            if sequence.startswith(RELAXED) and state.image.kind != "all":
                yield evolve(state, allowed=(*log.history, log.after))
            else:
                yield state

    def _cut(
        self,
        sequence: str,
        disk: Disk,
        calls: Sequence[Call],
        allowed: Views,
        in_the_end: Views,
    ) -> Iterator[State]:
        """The states that cuts within calls leave.

        All kinds are made where most is pending, which is before something is made durable and at the end; between, what
        a killed process leaves.
        """
        found: dict[bytes, State] = {}
        thorough = sequence.count("+") < LONGEST - 1
        for number, call in enumerate([*calls, None]):
            full = call is None or call.kind in ("sync", "sync_folder")
            images: Iterable[Image] = ()
            if full:
                images = disk.images(thorough)
            elif thorough or call is None or call.kind != "write":
                # Up to which write, the next full one tells.
                images = (disk.written(),)
            expected = in_the_end if call is None else allowed
            for image in images:
                digest = image.digest(self._folder.path)
                kind = image.kind.replace(" ", "-")
                if digest not in found or call is None:
                    # What is in the end expected is the most that can be: it stands.
                    state_id = f"{sequence}@{number}/{kind}"
                    found[digest] = State(state_id, image, expected, digest)
            if call is not None:
                disk.do(call)
        yield from found.values()

    def _states_again(self, sequence: str) -> Iterator[State]:
        """The states that a second cut leaves, in the recovery from a first one."""
        states = list(self.states(sequence.removeprefix(AGAIN)))
        random = Random(sequence)
        first = random.choice(states)
        self._folder.hold(first.image)
        self._folder.known = None
        recording = Recording()
        with tapped(recording, reads=False):
            check(self._folder.path, first.allowed)
        disk = Disk(first.image.files)
        found = list(
            self._cut(sequence, disk, recording.calls, first.allowed, first.allowed)
        )
        yield from random.sample(found, min(len(found), SECOND_CUTS))

    # Recording

    def _record(self, sequence: str) -> Log:
        staged = sequence.startswith(STAGED)
        relaxed = sequence.startswith(RELAXED)
        names = sequence.removeprefix(STAGED).removeprefix(RELAXED).split("+")
        with small_world(), refused_unnamed() if staged else nullcontext():
            sqlitevfs.seed_randomness(1)
            if names == [START]:
                return self._record_start()
            return self._run(names, relaxed)

    def _record_start(self) -> Log:
        shutil.rmtree(self._folder.path)
        os.mkdir(self._folder.path)
        self._folder = Folder(self._folder.path)
        gate = Gate(self._folder.path)
        recording = Recording()
        with tapped(recording, reads=False), self._defect():
            gate.open()
            after = view(gate)
            calls = list(recording.calls)
            gate.close()
        made = [call.path for call in calls if call.kind == "mkdir"]
        return Log(Disk({}, made), calls, (after,), after)

    def _run(self, names: Sequence[str], relaxed: bool) -> Log:
        """Run a sequence on the base."""
        base = self._base
        if relaxed:
            # The note is made, durably, before anything is written; by calls that are not recorded.
            base = {**base, f"{self._gate.database}-relaxed": b""}
        self._folder.hold(Image("base", base))
        self._folder.known = None
        gate = Gate(self._folder.path, relaxed)
        gate.bodies = dict(self._gate.bodies)
        gate.loop.advance(self._gate.loop.seconds() - gate.loop.seconds())
        disk, recording = Disk(base), Recording()
        with tapped(recording, reads=False), self._defect():
            gate.open()
            history = [view(gate)]
            for name in names[:-1]:
                perform(gate, name)
                history.append(view(gate))
            done = len(recording.calls)
            perform(gate, names[-1])
            calls = recording.calls[done:]
            after = view(gate)
            gate.close()
        _check_bodies(gate, after)
        for call in recording.calls[:done]:
            disk.do(call)
        return Log(disk, calls, tuple(history), after)


def _check_bodies(gate: Gate, found: View) -> None:
    """Make sure that what is there is what clients stored: a recovery is held against it."""
    there = {
        place: found.bytes_of(stored.content)
        for place, stored in found.latest().items()
    }
    assert there == gate.bodies, "the gateway does not hold what was stored"


def _refuse(folder: str) -> int:
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


@contextmanager
def refused_unnamed() -> Iterator[None]:
    """A file system that has no files without names."""
    with patch.object(syscalls, "open_unnamed", _refuse):
        yield


# The command


Job = tuple[str, int, int]
"""A sequence, from how many of its states to recover, and a seed for their choice."""

IN_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()
"""Where crash states are made; what is lost in a cut is only played."""


def jobs(seed: int, whole: bool, most: int) -> list[Job]:
    """What there is to do, in the order in which it is done."""
    found = sequences()
    if not whole:
        Random(seed).shuffle(found)
    return [(sequence, most, seed) for sequence in found]


@cache
def _crashes(folder: str) -> Crashes:
    own = f"{folder}/{os.getpid()}"
    os.mkdir(own)
    return Crashes(own)


def _work(folder: str, job: Job) -> Outcome:
    sequence, most, seed = job
    random = Random(f"{seed} {sequence}")
    return _crashes(folder).run(sequence, most, random)


def sweep(
    todo: Sequence[Job], tally: Tally, processes: int, progress: bool = False
) -> None:
    """Recover from crash states until there are no more or the tally says that it is over."""
    folder = tempfile.mkdtemp(prefix="ozgate-cuts-", dir=IN_MEMORY)
    pool = multiprocessing.get_context("spawn").Pool(processes)
    shown = 0.0
    try:
        for outcome in pool.imap_unordered(partial(_work, folder), todo):
            tally.add(outcome)
            for state_id, line in outcome.broken:
                print(f"BROKEN {state_id}: {line}", flush=True)
            if progress and tally.passed - shown >= 5:
                shown = tally.passed
                print(f"{tally.sequences}/{len(todo)}: {tally}", flush=True)
            if tally.is_over:
                break
    finally:
        pool.terminate()
        pool.join()
        shutil.rmtree(folder, ignore_errors=True)


def only(state_id: str) -> list[str]:
    """Recover from one state; gives what is broken."""
    sequence = state_id.partition("@")[0]
    with tempfile.TemporaryDirectory(prefix="ozgate-cuts-", dir=IN_MEMORY) as folder:
        crashes = Crashes(folder)
        for state in crashes.states(sequence):
            if state.id == state_id:
                return crashes.recover(state)
    raise SystemExit(f"there is no crash state {state_id}")


def main(arguments: Sequence[str]) -> int:
    """The command; its status is 1 when an invariant is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.sweep")
    parser.add_argument("--all", action="store_true", help="everything, in order")
    parser.add_argument("--seconds", type=float, default=0.0, help="a sample")
    parser.add_argument("--states", type=int, default=0, help="a sample")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", metavar="ID", help="one crash state")
    add_part(parser)
    given = parser.parse_args(arguments)
    if reason := unavailable():
        print(reason)
        return 2
    if given.only:
        broken = only(given.only)
        print("\n".join(broken) or "nothing is broken")
        return bool(broken)
    whole = given.all or not (given.seconds or given.states)
    tally = Tally(given.states, given.seconds)
    todo = given.part.take(jobs(given.seed, whole, 0 if whole else 20))
    sweep(todo, tally, given.processes, progress=True)
    print(f"{tally}; seed {given.seed}, {given.part if whole else 'a sample'}")
    return bool(tally.broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A process that is really killed, at each of its calls to the disk, and what the next one finds.

::

    python -m tests.crash.kill_sweep               a sample of the calls
    python -m tests.crash.kill_sweep --all         every call, and the calls of recoveries from kills
    python -m tests.crash.kill_sweep --all --part 2/8   the second of eight parts of that
    python -m tests.crash.kill_sweep --only ID     one kill, as a failure names it

A child works through a script over the real providers and kills itself with SIGKILL at its N-th call, those of blobs
and of SQLite counted together; half of a write may have been done by then. Through a pipe it has told what was
acknowledged. Then the folder is recovered from and must hold the invariants of :mod:`tests.crash.invariants`. What the
power takes besides is the business of :mod:`tests.crash.sweep`; here nothing is played, and everything the kernel has is there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.util import Finalize
from random import Random
from typing import Any

from attrs import evolve, frozen

from tests.crash import sqlitevfs
from tests.crash.disk import Folder, Image, read_tree
from tests.crash.earlier_schemas import dumps, migrate, rows_of
from tests.crash.gate import Gate, Loop
from tests.crash.invariants import check
from tests.crash.kill_points import MIGRATION, SCRIPT_PLAN, START, Found, Kill, Plan
from tests.crash.parts import add_part
from tests.crash.smallworld import small_world
from tests.crash.tapping import Counting, Ending, Recording, tapped, unavailable
from tests.crash.views import View, view
from tests.crash.workload import fill, perform
from tests.unit.metadata.sqlite.metadata_rows import restore

SCRIPT = (
    "put-small put-large overwrite copy tag overwrite complete delete put-small configure put-version mark lock retain delete-version"
    " delete-version put-null cling complete restart lock configure mark-null versioning put-null versioning overwrite mark-null put-version configure put-null"
    " abort expire retain put-large move mark-null tag expire put-version delete-version move"
).split()
"""Every operation, some with what another has left, a stop and a start; the log is emptied now and then."""

PARTS = (0.0, 0.5)
"""How much of a write may be done at the kill."""

RECOVERY = 40
"""Calls of a recovery, about."""


def in_child(work: Callable[[Callable[[], object]], None]) -> tuple[int, int]:
    """Do something in a forked process.

    :param work: is given what to call after each acknowledgement.
    :return: how many there were, and the signal that ended the process.
    :raises AssertionError: it ended in another way than at its end or by SIGKILL.
    """
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(10)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reading)
            work(lambda: os.write(writing, b"."))
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, "rb") as pipe:
        acknowledged = len(pipe.read())
    _, status = os.waitpid(child, 0)
    if status not in (0, signal.SIGKILL):
        raise AssertionError(f"the child ended with {status}")
    return acknowledged, os.WTERMSIG(status)


class Killing:
    """Kills processes that work in a folder.

    :param folder: best in memory: it is written anew for each kill.
    :param seed: draws ids, and the order of the operations; 0 for that of :data:`SCRIPT`.
    """

    def __init__(self, folder: str, seed: int = 0) -> None:
        self._seed = seed
        self._folder = Folder(folder)
        self._plans: dict[str, Plan] = {}
        with small_world(seed):
            gate = Gate(folder)
            gate.open()
            fill(gate)
            gate.close()
        self._filled = gate
        self._base = Image("base", read_tree(folder))
        # Those without a file, too: what is missing is made by a start, in calls of its own.
        self._folders = [path for path, _, _ in os.walk(folder)]

    def names(self) -> list[str]:
        """Of all plans."""
        return [SCRIPT_PLAN, START, *(f"{MIGRATION}{number}" for number in dumps())]

    def plan(self, name: str) -> Plan:
        """A plan, tried out."""
        if name not in self._plans:
            self._plans[name] = self._try(name)
        return self._plans[name]

    def kill(self, kill: Kill) -> Found:
        """Kill a process, and another that recovers, then see what is there."""
        plan = self.plan(kill.plan)
        self._begin(plan)
        tap = Ending(at=kill.at, part=kill.part)
        acknowledged, ended = in_child(partial(self._work, plan, tap))
        if not ended:
            raise AssertionError(f"{kill}: there was no such call")
        killed = 1
        if kill.again:
            tap = Ending(at=kill.again)
            _, ended = in_child(lambda acknowledge: self._recover(plan, tap))
            killed += bool(ended)
        broken = self._look(plan, acknowledged)
        return Found(kill, acknowledged, killed, tuple(broken))

    def recovery(self, kill: Kill) -> int:
        """How many calls the recovery from a kill makes."""
        plan = self.plan(kill.plan)
        self._begin(plan)
        in_child(partial(self._work, plan, Ending(at=kill.at, part=kill.part)))
        tap = Counting()
        self._recover(plan, tap)
        return tap.count

    def operation(self, kill: Kill) -> int:
        """How many operations were acknowledged when it came, as the plan was tried."""
        plan = self.plan(kill.plan)
        return sum(1 for calls in plan.marks if calls < kill.at)

    # Plans

    def _try(self, name: str) -> Plan:
        plan = Plan(name, self._names() if name == SCRIPT_PLAN else ())
        recording = Recording()
        views: list[View] = []
        marks: list[int] = []
        self._begin(plan)
        self._work(
            plan,
            recording,
            lambda: marks.append(len(recording.calls)),
            lambda gate: views.append(view(gate)),
        )
        rows = rows_of(self._folder.path) if name.startswith(MIGRATION) else ()
        return Plan(name, plan.names, tuple(views), recording.calls, marks, rows)

    def _names(self) -> list[str]:
        """The operations in order; in one that was drawn, those that find something to do."""
        names = list(SCRIPT)
        if not self._seed:
            return names
        Random(self._seed).shuffle(names)
        done: list[str] = []
        self._begin(Plan(SCRIPT_PLAN))
        with small_world(self._seed):
            gate = self._gate()
            gate.open()
            for name in names:
                with suppress(AssertionError, IndexError):
                    perform(gate, name)
                    done.append(name)
            gate.close()
        return done

    def _begin(self, plan: Plan) -> None:
        """Have the folder as it is before."""
        path = self._folder.path
        if plan.name == SCRIPT_PLAN:
            self._folder.known = None
            self._folder.hold(self._base)
            for each in self._folders:
                os.makedirs(each, exist_ok=True)
            return
        shutil.rmtree(path)
        os.mkdir(path)
        self._folder = Folder(path)
        if plan.name != START:
            dump = dumps()[int(plan.name.removeprefix(MIGRATION))]
            restore(dump.read_text(encoding="utf-8"), f"{path}/metadata.db")

    def _work(
        self,
        plan: Plan,
        tap: Any,
        acknowledge: Callable[[], object],
        see: Callable[[Gate], None] = lambda gate: None,
    ) -> None:
        """Work through a plan.

        :param see: called before its first operation and after each.
        """
        with small_world(self._seed), tapped(tap, reads=False):
            sqlitevfs.seed_randomness(1)
            if plan.name.startswith(MIGRATION):
                migrate(self._folder.path)
                return
            gate = self._gate() if plan.names else Gate(self._folder.path)
            gate.open()
            see(gate)
            for name in plan.names:
                perform(gate, name)
                acknowledge()
                see(gate)
            gate.close()

    def _gate(self) -> Gate:
        """A gateway over the folder, as the one that filled it left off."""
        gate = Gate(self._folder.path)
        gate.bodies = dict(self._filled.bodies)
        _set(gate.loop, self._filled.loop.seconds())
        return gate

    def _recover(self, plan: Plan, tap: Any) -> None:
        """Start as the service does, and sweep; nothing is looked at."""
        with small_world(self._seed + 1), tapped(tap, reads=False):
            if plan.name.startswith(MIGRATION):
                migrate(self._folder.path)
                return
            gate = Gate(self._folder.path)
            _set(gate.loop, gate.loop.seconds() + 100 * 86_400)
            gate.open()
            gate.sweep()
            gate.close()

    def _look(self, plan: Plan, acknowledged: int) -> list[str]:
        if plan.name.startswith(MIGRATION):
            rows = rows_of(self._folder.path)
            return [] if rows == plan.rows else [f"I1: {rows}, not {plan.rows}"]
        allowed = plan.views[acknowledged : acknowledged + 2]
        if plan.name == START:
            allowed = ()
        return check(self._folder.path, allowed, days=101)


def _set(loop: Loop, now: float) -> None:
    loop.advance(now - loop.seconds())


# Many of them


def kills(killing: Killing, name: str) -> Iterator[Kill]:
    """Every kill of a plan, without those in recoveries."""
    for at, call in enumerate(killing.plan(name).calls, 1):
        for part in PARTS:
            if not part or (call.kind == "write" and call.size > 1):
                yield Kill(name, at, part)


def sample(killing: Killing, random: Random, count: int) -> list[Kill]:
    """Some kills: half of them of the script, and a quarter of all with another in the recovery."""
    names = killing.names()
    found = []
    for number in range(count):
        name = names[0] if number % 2 else random.choice(names[1:])
        kill = random.choice(list(kills(killing, name)))
        if number % 4 < 2:
            kill = evolve(kill, again=random.randint(1, 2 * RECOVERY))
        found.append(kill)
    return found


def everything(killing: Killing, random: Random) -> list[Kill]:
    """Every kill of every plan; and every kill in the recovery from one kill of each operation, and of each start."""
    found = []
    for name in killing.names():
        there = list(kills(killing, name))
        found += there
        for kill in _one_of_each(killing, there, random):
            calls = killing.recovery(kill)
            found += [evolve(kill, again=again) for again in range(1, calls + 1)]
    return found


def _one_of_each(
    killing: Killing, there: Sequence[Kill], random: Random
) -> Iterator[Kill]:
    """A kill in each operation."""
    within: dict[int, list[Kill]] = {}
    for kill in there:
        within.setdefault(killing.operation(kill), []).append(kill)
    for some in within.values():
        yield random.choice(some)


@frozen
class Place:
    """A folder of a process that kills."""

    seed: int

    def killing(self) -> Killing:
        """Begin there."""
        return Killing(make_folder(), self.seed)


def make_folder() -> str:
    """A folder in memory, where that can be had, that goes with the process."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="ozgate-crash-", dir=where)
    Finalize(None, shutil.rmtree, (folder, True), exitpriority=1)
    data = os.path.join(folder, "data")
    os.mkdir(data)
    return data


_killings: dict[Place, Killing] = {}
"""Those of a worker process."""


def _kill(place: Place, kill: Kill) -> Found:
    if place not in _killings:
        _killings[place] = place.killing()
    return _killings[place].kill(kill)


def run(place: Place, wanted: Sequence[Kill], jobs: int) -> Iterator[Found]:
    """Do all of them, in as many processes, each of which forks those that die."""
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs) as pool:
        yield from pool.imap_unordered(partial(_kill, place), wanted, 8)
        pool.close()
        pool.join()


def main(arguments: Sequence[str]) -> int:
    """Kill, and say what came of it; 1 when something is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.kill_sweep")
    parser.add_argument("--all", action="store_true", help="every call")
    parser.add_argument("--count", type=int, default=60, help="kills in a sample")
    parser.add_argument("--seed", type=int, default=0, help="draws order and sample")
    parser.add_argument("--jobs", type=int, default=2, help="processes that kill")
    parser.add_argument("--only", type=Kill.parse, help="one kill")
    add_part(parser)
    options = parser.parse_args(arguments)
    if reason := unavailable():
        print(reason)
        return 0
    began, place = time.monotonic(), Place(options.seed)
    random = Random(options.seed)
    killing = place.killing()
    if options.only:
        wanted = [options.only]
    elif options.all:
        wanted = options.part.take(everything(killing, random))
    else:
        wanted = sample(killing, random, options.count)
    broken = killed = doubles = 0
    for found in run(place, wanted, options.jobs):
        killed += found.killed
        doubles += found.killed == 2
        for line in found.broken:
            broken += 1
            print(f"{found.kill}: {line}", flush=True)
    seconds = time.monotonic() - began
    print(
        f"seed {options.seed}, {options.part}: {len(wanted)} kill points, {doubles} of them with another in the recovery,"
        f" {killed} processes killed, {broken} invariants broken, {seconds:.0f} s"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

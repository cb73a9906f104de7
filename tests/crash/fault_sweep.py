"""Every call to the disk fails, once or from then on, under every operation over the real providers.

::

    python -m tests.crash.fault_sweep              a sample of the calls
    python -m tests.crash.fault_sweep --all        every call, every failure
    python -m tests.crash.fault_sweep --all --part 2/8   the second of eight parts of that
    python -m tests.crash.fault_sweep --only ID    one failure, as a report names it

With the failure in force: the answer says what happened, nothing half made is seen, nothing acknowledged is lost, and
what can be read is. With it lifted the same process stores again, small and large. And what was acknowledged by then
survives a power cut: the calls that succeeded are played to a :class:`~tests.crash.disk.Disk`, on which a sync that
failed loses what it was to keep, as on Linux, so that one which is asked again and then succeeds is found out.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from random import Random
from unittest.mock import patch
from urllib.parse import unquote

from attrs import define, field, frozen
from twisted.logger import ILogObserver, globalLogBeginner
from zope.interface import provider

from ozgate.errors import StoreError
from ozgate.metadata.sqlite import connections
from ozgate.s3.failures import as_s3_error
from tests.crash import sqlitevfs
from tests.crash.asking import body
from tests.crash.disk import Disk, Folder, Image, read_tree
from tests.crash.faulty_disk import FAILURES, READING, SHORT, Fault, Faulty
from tests.crash.gate import Gate
from tests.crash.invariants import check
from tests.crash.kill_sweep import make_folder
from tests.crash.parts import add_part
from tests.crash.smallworld import small_world
from tests.crash.tapping import Call, tapped, unavailable
from tests.crash.views import View, view
from tests.crash.workload import LARGE, OPERATIONS, SMALL, fill, perform

OPEN = "open"
"""The operation that is a start of the stores, after a stop."""

READ = "read"
"""The operation that is a listing and two GETs, in a process that has just begun."""

REFUSALS = (503, 507)
"""Answers that say that surely nothing was done."""

IN_STEPS = frozenset(("expire",))
"""Operations that are more than one transaction: a failure may come after the first."""


@frozen
class Plan:
    """An operation as it goes when nothing fails."""

    calls: Sequence[Call]
    before: View
    after: View


class Failing:
    """Has disks fail under operations in a folder.

    :param folder: best in memory: it is written anew for each failure.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Folder(folder)
        self._plans: dict[str, Plan] = {}
        with small_world():
            self._filled = Gate(folder)
            self._filled.open()
            fill(self._filled)
            self._filled.close()
        self._base = read_tree(folder)

    def operations(self) -> list[str]:
        """Their names."""
        return [*OPERATIONS, OPEN, READ]

    def plan(self, operation: str) -> Plan:
        """An operation, tried out."""
        if operation not in self._plans:
            run = Run(self._gate(), Faulty(Disk(self._base)))
            with run.world():
                run.begin(operation)
                before = run.before
                run.do(operation)
                run.tap.counting = False
                self._plans[operation] = Plan(run.tap.calls, before, view(run.gate))
                run.gate.close()
        return self._plans[operation]

    def _gate(self) -> Gate:
        self._folder.known = None
        self._folder.hold(Image("base", self._base))
        gate = Gate(self._folder.path)
        gate.bodies = dict(self._filled.bodies)
        gate.loop.advance(self._filled.loop.seconds() - gate.loop.seconds())
        return gate

    def faults(self) -> Iterator[Fault]:
        """All of them."""
        for operation in self.operations():
            for at, call in enumerate(self.plan(operation).calls, 1):
                for name, kinds in FAILURES.items():
                    if call.kind not in kinds:
                        continue
                    yield Fault(operation, at, name)
                    if name != SHORT and (name == "EMFILE" or call.kind not in READING):
                        yield Fault(operation, at, name, lasting=True)

    def strike(self, fault: Fault) -> tuple[int, list[str]]:
        """Have a call fail; what was answered, and what is broken, one line each."""
        plan = self.plan(fault.operation)
        run = Run(self._gate(), Faulty(Disk(self._base)))
        with run.world():
            broken = run.strike(fault, plan)
            images = list(islice(run.tap.disk.images(), 2))
            expected = run.found
        for image in images:
            self._folder.known = None
            self._folder.hold(image)
            for line in check(self._folder.path, (expected,), days=101):
                broken.append(f"after a cut that leaves {image.kind}: {line}")
        return run.status, broken


@define
class Run:
    """One operation on a disk that fails.

    :ivar before: what was there when it began.
    :ivar found: what was there in the end.
    :ivar status: of the answer; 200 for any success.
    """

    gate: Gate
    tap: Faulty
    status: int = 200
    before: View = field(init=False)
    found: View = field(init=False)

    @contextmanager
    def world(self) -> Iterator[None]:
        """Have the gate's calls pass the tap."""
        with (
            small_world(),
            tapped(self.tap),
            patch.object(connections, "_write_something", self.tap.write_something),
        ):
            sqlitevfs.seed_randomness(1)
            yield

    def begin(self, operation: str) -> None:
        """Do what comes before the operation."""
        self.gate.open()
        self.before = view(self.gate)
        if operation in (OPEN, READ):
            self.gate.close()
        if operation == READ:
            self.gate.open()

    def do(self, operation: str) -> list[str]:
        """Do the operation, each call of which is counted.

        :return: what it should not have answered.
        :raises StoreError: it failed.
        """
        self.tap.counting = True
        if operation == OPEN:
            self.gate.open()
        elif operation == READ:
            return self._read()
        else:
            perform(self.gate, operation)
        return []

    def strike(self, fault: Fault, plan: Plan) -> list[str]:
        """Do it while calls fail, then go on when they do not."""
        self.begin(fault.operation)
        self.tap.fault = fault
        allowed = plan.before, plan.after
        broken = []
        try:
            broken += self.do(fault.operation)
            allowed = plan.after, plan.after
        except (StoreError, AssertionError) as error:
            self.status = _status(error)
            if self.status in REFUSALS and fault.operation not in IN_STEPS:
                allowed = plan.before, plan.before
            elif self.status not in (*REFUSALS, 500):
                broken.append(f"unclear: {type(error).__name__}: {error}")
            if fault.operation == OPEN:
                with suppress(StoreError):
                    self.gate.close()
        if not self.tap.struck:
            broken.append("nothing failed")
        if fault.lasting and fault.name != "EMFILE" and fault.operation != OPEN:
            broken += self._look("while it fails", allowed)
        self.tap.counting, self.tap.fault = False, None
        if fault.operation == OPEN:
            with suppress(StoreError):
                self.gate.close()
            self.gate.open()
        broken += self._look("afterwards", allowed)
        broken += self._go_on()
        self.found = view(self.gate)
        self.gate.close()
        return broken

    def _look(self, when: str, allowed: tuple[View, View]) -> list[str]:
        try:
            found = view(self.gate)
        except StoreError as error:
            return [f"{when} it cannot be read: {error}"]
        return [] if found in allowed else [f"{when} there is what must not be"]

    def _read(self) -> list[str]:
        """Each answer is whole, or says that it is none, or is cut."""
        broken = []
        bodies = self.gate.bodies
        for target in ("/plain?list-type=2", "/plain/key", "/plain/small/%C3%BC"):
            try:
                status, headers, data = self.gate.ask("GET", target)
            except IndexError:
                continue  # cut before the head had left
            if status != 200 or len(data) < int(headers.get("content-length", 0)):
                if status not in (200, 500, *REFUSALS):
                    broken.append(f"GET {target}: {status}")
                continue
            expected = bodies.get(("plain", unquote(target.removeprefix("/plain/"))))
            if expected is not None and data != expected:
                broken.append(f"GET {target}: other bytes")
            keys = [key for bucket, key in bodies if bucket == "plain"]
            if expected is None and data.count(b"<Key>") != len(keys):
                broken.append(f"a listing of {data.count(b'<Key>')} keys")
        return broken

    def _go_on(self) -> list[str]:
        """The same process stores more."""
        broken = []
        for length in (SMALL, LARGE):
            target, data = f"/plain/after-{length}", body(5000, length)
            status, _, answer = self.gate.ask("PUT", target, data)
            if status != 200:
                broken.append(f"PUT of {length} bytes afterwards: {status} {answer!r}")
                continue
            status, _, answer = self.gate.ask("GET", target)
            if (status, answer) != (200, data):
                broken.append(f"GET of {length} bytes afterwards: {status}")
        return broken


def _status(error: Exception) -> int:
    """What a client is told."""
    if isinstance(error, StoreError):
        return as_s3_error(error).status
    found = re.search(r": (\d{3}) ", str(error))
    return int(found[1]) if found else 0


_failing: list[Failing] = []
"""That of a worker process."""


def _strike(fault: Fault) -> tuple[Fault, list[str]]:
    if not _failing:
        globalLogBeginner.beginLoggingTo([forget], redirectStandardIO=False)
        _failing.append(Failing(make_folder()))
    try:
        return fault, _failing[0].strike(fault)[1]
    except Exception as error:
        # What is left of it is no ground for the next.
        _failing[0] = Failing(make_folder())
        return fault, [f"{type(error).__name__}: {error}"]


@provider(ILogObserver)
def forget(event: object) -> None:
    """Errors are what is asked for here; nobody needs to read of them."""


def run(wanted: Sequence[Fault], jobs: int) -> Iterator[tuple[Fault, list[str]]]:
    """Have all of them happen, in as many processes."""
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs) as pool:
        yield from pool.imap_unordered(_strike, wanted, 8)
        pool.close()
        pool.join()


def main(arguments: Sequence[str]) -> int:
    """Have disks fail, and say what came of it; 1 when something is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.fault_sweep")
    parser.add_argument("--all", action="store_true", help="every call, every failure")
    parser.add_argument("--count", type=int, default=60, help="failures in a sample")
    parser.add_argument("--seed", type=int, default=0, help="draws the sample")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", type=Fault.parse, help="one failure")
    add_part(parser)
    options = parser.parse_args(arguments)
    if reason := unavailable():
        print(reason)
        return 0
    began = time.monotonic()
    wanted = [options.only] if options.only else list(Failing(make_folder()).faults())
    there = len(wanted)
    wanted = options.part.take(wanted)
    if not options.all and not options.only:
        wanted = Random(options.seed).sample(wanted, options.count)
    broken = 0
    for fault, lines in run(wanted, options.jobs):
        for line in lines:
            broken += 1
            print(f"{fault}: {line}", flush=True)
    seconds = time.monotonic() - began
    print(
        f"seed {options.seed}, {options.part}: {len(wanted)} failures of {there}, {2 * len(wanted)} cuts after them,"
        f" {broken} things broken, {seconds:.0f} s"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Everything over a real cluster of Apache Ozone, in one command: ``python -m tests.engines ozone``.

Its jars are fetched by Maven, once; a cluster is started in a temporary folder and ``tests/ozone`` is run over it, without Kerberos and with it; then daemons
are killed and frozen under load. It ends with ``N passed, N failed``, and leaves nothing running, also where it is interrupted::

    python -m tests.engines ozone                              all of it
    python -m tests.engines ozone --only kerberos              one of: plain, kerberos, kills
    python -m tests.engines ozone --only plain tests.ozone.test_cluster
    python -m tests.engines ozone --wait --only kerberos       a cluster to try things with, until Ctrl-C
    python -m tests.engines hdfs                               an HDFS, and tests/hdfs over it
    python -m tests.engines postgresql                         what runs over PostgreSQL, in stages
    python -m tests.engines postgresql --only model            one of: contract, history, model, operations, clients, upgrade
    python -m tests.engines postgresql --only operations tests.operations.test_put_object
    python -m tests.engines postgresql --wait                  a server to try things with, until Ctrl-C
    python -m tests.engines patroni                            a history of three gateways over three nodes of Patroni, which are killed and frozen
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

from ozgate.cli.ozone.maven import MavenError
from tests.engines import hdfs, patroni, suites
from tests.engines.cluster import Cluster, running
from tests.engines.given import START, VARIABLE
from tests.engines.programs import fetch_programs, require_java
from tests.engines.realm import of_ozone
from tests.engines.runs import Outcome, trial
from tests.kdc import find

STAGES = ("plain", "kerberos", "kills")
ALL = "tests.ozone"
KILLS = "tests.ozone.test_kills"
LONGEST = 1800.0
"""Seconds of a stage."""


def main() -> int:
    """Do what the command line says; 0 when nothing failed."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, _interrupt)
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {text}", flush=True)

    if asked.engine == "hdfs":
        return _said(hdfs.run(asked, tell), begun)
    if asked.engine == "postgresql":
        return _said(suites.run(asked, tell), begun)
    if asked.engine == "patroni":
        return _said(patroni.run(asked, tell), begun)
    try:
        require_java()
        tell("the jars of Ozone")
        fetch_programs(_seldom(tell))
    except (SkipTest, MavenError) as error:
        print(f"{error}\n0 passed, 1 failed")
        return 1
    if asked.fetch:
        return 0
    if asked.wait:
        return _wait(asked, tell)
    outcome = Outcome()
    for stage in asked.only or STAGES:
        tell(f"stage {stage}")
        outcome += _run(stage, asked, tell)
    return _said(outcome, begun)


def _said(outcome: Outcome, begun: float) -> int:
    """Say what came of it; 0 when nothing failed."""
    print(f"{outcome.skipped} skipped, in {time.monotonic() - begun:.0f} s")
    print(f"{outcome.passed} passed, {outcome.failed} failed")
    return 0 if outcome.passed and not outcome.failed else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.engines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("engine", choices=["ozone", "hdfs", "postgresql", "patroni"])
    parser.add_argument("tests", nargs="*", help=f"modules; {ALL} if left out")
    parser.add_argument("--only", action="append", help="a stage; repeatable")
    parser.add_argument("--sync", action="store_true", help="datanodes sync chunks")
    parser.add_argument("--base", type=int, default=0, help="the first of 26 ports")
    parser.add_argument("--fetch", action="store_true", help="fetch, and no more")
    parser.add_argument("--wait", action="store_true", help="run no tests")
    # Modules may come after options.
    asked = parser.parse_intermixed_args()
    stages = STAGES if asked.engine == "ozone" else tuple(suites.STAGES)
    for stage in asked.only or ():
        if stage not in stages:
            parser.error(f"--only is one of: {', '.join(stages)}")
    return asked


def _run(stage: str, asked: Any, tell: Callable[[str], None]) -> Outcome:
    """One stage. A cluster that does not come up is a failure."""
    if stage == "kills":
        return trial(START, [KILLS], LONGEST)
    if stage == "kerberos":
        try:
            find("krb5kdc")
        except FileNotFoundError as error:
            tell(f"{error}: left out")
            return Outcome(skipped=1)
    try:
        with _cluster(stage, asked, tell) as cluster:
            tests = asked.tests or [ALL]
            return trial(str(cluster.ozone.conf), tests, LONGEST)
    except RuntimeError as error:
        tell(str(error))
        return Outcome(failed=1)


@contextlib.contextmanager
def _cluster(stage: str, asked: Any, tell: Callable[[str], None]) -> Iterator[Cluster]:
    """A cluster in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="ozgate-ozone-"))
    kdc = None
    try:
        # Daemons write there as whom the tests run as; clients of others read keytabs.
        folder.chmod(0o755)
        if stage == "kerberos":
            kdc = of_ozone(folder / "kdc")
        with running(
            Cluster(
                folder / "cluster",
                base=asked.base,
                syncs=asked.sync,
                kdc=kdc,
                has_httpfs=kdc is None,
                tell=tell,
            )
        ) as cluster:
            tell("the cluster is up")
            yield cluster
    finally:
        if kdc is not None:
            kdc.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(asked: Any, tell: Callable[[str], None]) -> int:
    """Run a cluster until somebody ends it."""
    stage = (asked.only or ["plain"])[0]
    with contextlib.suppress(KeyboardInterrupt), _cluster(stage, asked, tell) as one:
        ozone = one.ozone
        tell(f"{VARIABLE}={ozone.conf}  OM {ozone.om}, Ozone's S3 gateway {ozone.s3g}")
        if ozone.is_secure:
            tell(f"KRB5_CONFIG={ozone.krb5}, keytab {ozone.keytab}")
        tell("Ctrl-C ends it")
        signal.pause()
    return 0


def _seldom(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tell only now and then: Maven fetches some hundred files a minute."""
    told = 0.0

    def sometimes(text: str) -> None:
        nonlocal told
        if time.monotonic() - told >= 5:
            told = time.monotonic()
            tell(text)

    return sometimes


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

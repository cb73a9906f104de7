"""The same command run by Ozone's own shell and by ``ozgate sh``, and what differs by nature taken out of what both print."""

from __future__ import annotations

import atexit
import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from ozgate.cli.main import main
from tests.engines.given import Ozone, either
from tests.ozone.gateways import Gateway
from tests.running import ROOT

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_SECRET = re.compile(r"[0-9a-f]{64}")
_OWN = frozenset(("generation", "containerID", "localID"))
"""Members that no two keys have in common. What ozgate stores has its MD5 for S3 besides, which Ozone's own shell does not keep."""
_QUIET = """\
log4j.rootLogger=ERROR,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.target=System.err
log4j.appender.A.layout=org.apache.log4j.PatternLayout
"""


@frozen
class Came:
    """What came of a command."""

    code: int
    out: str
    err: str

    def compared(self, *names: str) -> tuple[int, Any, str]:
        """The same without what two runs have not in common.

        :param names: of volumes or files, which one run has in the place of the other's.
        """
        out, err = self.out, self.err
        for place, name in enumerate(names):
            out, err = out.replace(name, f"<{place}>"), err.replace(name, f"<{place}>")
        out = _SECRET.sub("<secret>", _TIME.sub("<time>", out))
        if out.startswith(("{", "[")):
            return self.code, _without_own(json.loads(out)), err
        return self.code, out, err


def _without_own(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_own(each) for each in value]
    if isinstance(value, dict):
        return {
            name: "<own>" if name in _OWN else _without_own(each)
            for name, each in value.items()
            if name != "ETag"
        }
    return value


class OzoneShell:
    """Ozone's own shell, in a process of its own.

    :param user: who runs it.
    """

    def __init__(self, ozone: Ozone, user: str = "root") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ozgate-shell-")
        conf = Path(self._folder.name)
        for path in ozone.conf.glob("*.xml"):
            Path(conf, path.name).write_bytes(path.read_bytes())
        Path(conf, "log4j.properties").write_text(_QUIET)
        environment = ozone.environment(user if ozone.is_secure else "")
        environment["PYTHONPATH"] = str(ROOT)
        if not ozone.is_secure:
            environment["HADOOP_USER_NAME"] = user
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ozone.ozoneshell", str(conf)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, line: str, shell: str = "sh") -> Came:
        """What comes of a command."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([shell, *shlex.split(line)]) + "\n")
        process.stdin.flush()
        return Came(*json.loads(process.stdout.readline()))

    def close(self) -> None:
        """End it."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.wait(30)
        process.stdout.close()
        self._folder.cleanup()


class OurShell:
    """``ozgate sh``, in this process.

    :param data: the folder of a service.
    """

    def __init__(self, data: str) -> None:
        self._data = data

    def run(self, line: str, shell: str = "sh") -> Came:
        """What comes of a command."""
        words = [shell, "--data", self._data] if shell == "sh" else [shell]
        runner = CliRunner(env={"OZGATE_DATA": self._data})
        result = runner.invoke(main, [*words, *shlex.split(line)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Came(result.exit_code, result.stdout, result.stderr)


FILES = "small", "large", "empty", "none"
"""Files that keys are stored from; the last is not there."""


class Both:
    """A service over the cluster, and both shells, run by the cluster's administrator.

    Where it is secure, the service logs in as somebody whom the cluster lets ask for others.

    :param settings: of the service, ``key=value``.
    """

    def __init__(self, ozone: Ozone, *settings: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="ozgate-both-")
        # Other users of this machine may pass through.
        os.chmod(self.folder.name, 0o755)
        self.data = data = str(Path(self.folder.name, "data"))
        more = ["ozgate.workers=1", *settings]
        if ozone.is_secure:
            more.append(f"ozone.s3g.kerberos.principal=root@{ozone.realm}")
        self.server = Gateway(data, ozone, *more)
        self.theirs = OzoneShell(ozone)
        self.server.start()
        self.ours = OurShell(data)

    def close(self) -> None:
        """End all three."""
        self.theirs.close()
        self.server.stop()
        self.folder.cleanup()


@cache
def both(ozone: Ozone, *settings: str) -> Both:
    """Both, until the tests end: each has a JVM to start."""
    found = Both(ozone, *settings)
    atexit.register(found.close)
    return found


class SideBySideCase(SynchronousTestCase):
    """The same commands, run by both.

    :cvar settings: of the service.
    """

    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Names that no other run has, of the same length for both."""
        self.ozone = self.cluster()
        self.both = both(self.ozone, *self.settings)
        self.mark = secrets.token_hex(4)
        self.addCleanup(self.clear)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "small").write_bytes(b"hello world")
        (self.folder / "large").write_bytes(os.urandom(300_000))
        (self.folder / "empty").write_bytes(b"")

    def clear(self) -> None:
        """Remove the volumes of both."""
        run = self.both.ours.run
        for whose in ("oz", "gw"):
            listed = run(f"volume list -a -p shell-{whose}-{self.mark}")
            for each in json.loads(listed.out):
                run(f"volume delete -r -y /{each['name']}")

    def cluster(self) -> Ozone:
        """The one that it is about."""
        return either()

    def filled(self, line: str, whose: str) -> str:
        """A command of a script, with the names of one of both."""
        names = {name: str(self.folder / name) for name in FILES}
        names["got"] = str(self.folder / f"got-{whose}-")
        names["v"] = names["user"] = f"shell-{whose}-{self.mark}"
        return line.format(om=self.ozone.om, **names)

    def compare(self, script: str, shell: str = "sh") -> None:
        """Run each command by both, and compare what came of it.

        :param shell: ``sh`` or ``s3``.
        """
        differs: list[str] = []
        for line in script.strip().splitlines():
            found = []
            for whose, runs in (("oz", self.both.theirs), ("gw", self.both.ours)):
                came = runs.run(self.filled(line, whose), shell)
                found.append(came.compared(f"-{whose}-"))
            if found[0] != found[1]:
                differs.append(f"{line}\n  theirs: {found[0]}\n  ours:   {found[1]}")
        self.assertEqual(differs, [], "\n" + "\n".join(differs))

    def compare_exactly(self, script: str) -> None:
        """Run commands that change nothing by both, on the same names, and compare all that they print."""
        for line in script.strip().splitlines():
            command = self.filled(line, "oz")
            theirs, ours = self.both.theirs.run(command), self.both.ours.run(command)
            self.assertEqual((theirs.code, theirs.err), (ours.code, ours.err), line)
            if theirs.out.startswith(("{", "[")):
                # Not the order of members, which each JVM has its own of.
                self.assertEqual(json.loads(theirs.out), json.loads(ours.out), line)
                self.assertEqual(len(theirs.out), len(ours.out), line)
            else:
                self.assertEqual(theirs.out, ours.out, line)

"""The same command run by Ozone's own shell and by ``ozgate sh``, and what differs by nature taken out of what both print."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from attrs import frozen
from click.testing import CliRunner

from ozgate.cli.main import main
from tests.engines.given import Ozone
from tests.running import ROOT

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
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
        out = _TIME.sub("<time>", out)
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

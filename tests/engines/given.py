"""The cluster that a run of tests is given, by the environment.

``OZGATE_TEST_OZONE=FOLDER`` names the folder of a running cluster's ``ozone-site.xml``, from which all else about it is read. ``python -m tests.engines
ozone`` starts clusters and sets it. A test module asks for :func:`insecure`, :func:`secure` or :func:`either`, and is skipped where it is not there::

    def setUp(self) -> None:
        self.ozone = insecure()

One run has one cluster: Hadoop's login and the JVM are a process' own.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SkipTest

VARIABLE = "OZGATE_TEST_OZONE"
START = "start"
"""In the place of a folder: tests that kill and freeze daemons start a cluster of their own, others are skipped."""
ENGINES = "OZGATE_ENGINES"

_SHELLS = {
    "sh": ("sh", "org.apache.hadoop.ozone.shell.OzoneShell"),
    "s3": ("sh", "org.apache.hadoop.ozone.shell.s3.S3Shell"),
    "admin": ("admin", "org.apache.hadoop.ozone.admin.OzoneAdmin"),
}
"""Commands of Ozone → whose class path has them, and the class."""
JAVA = (
    *("--add-opens", "java.base/java.nio=ALL-UNNAMED"),
    *("--add-opens", "java.base/java.lang=ALL-UNNAMED"),
    *("--add-opens", "java.base/java.lang.reflect=ALL-UNNAMED"),
    "-Dorg.apache.ratis.thirdparty.io.netty.allocator.useCacheForAllThreads=false",
    "-XX:+UseSerialGC",
)
"""Options of every JVM."""
_QUIET = """\
log4j.rootLogger=WARN,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.target=System.err
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%p %c{1} %m%n
"""


def engines() -> Path:
    """Where class paths are kept."""
    return Path(os.environ.get(ENGINES) or Path.home() / ".cache/ozgate-engines")


def classpath(name: str) -> str:
    """The jars of a program of Ozone's, ``:`` between them.

    :param name: the folder below ``ozone/``, such as ``s3g``, which has all that a client needs.
    :raises FileNotFoundError: they were not fetched.
    """
    return Path(engines(), "ozone", name, "cp.txt").read_text().strip()


class Ozone:
    """A running cluster, as its configuration has it.

    :ivar conf: the folder with ``ozone-site.xml`` and ``core-site.xml``.
    """

    def __init__(self, conf: str | Path) -> None:
        self.conf = Path(conf).absolute()

    @cached_property
    def site(self) -> Mapping[str, str]:
        """Its configuration, that of HttpFS besides."""
        found: dict[str, str] = {}
        for path in sorted(self.conf.glob("*-site.xml")):
            for each in ElementTree.parse(path).getroot().iter("property"):
                found[each.findtext("name", "")] = each.findtext("value", "")
        return found

    @property
    def om(self) -> str:
        """Host and port of the Ozone Manager."""
        return self.site["ozone.om.address"]

    @property
    def s3g(self) -> str:
        """URL of Ozone's own S3 gateway."""
        return f"http://{self.site['ozone.s3g.http-address']}"

    @property
    def httpfs(self) -> str:
        """URL of HttpFS; ``""`` where there is none."""
        port = self.site.get("httpfs.http.port")
        return f"http://127.0.0.1:{port}" if port else ""

    @property
    def is_secure(self) -> bool:
        """Whether it asks for Kerberos."""
        return self.site.get("ozone.security.enabled") == "true"

    @property
    def principal(self) -> str:
        """Who a gateway logs in as; ``""`` where nobody does."""
        return self.site.get("ozone.s3g.kerberos.principal", "")

    @property
    def realm(self) -> str:
        """The realm of Kerberos; ``""`` where there is none."""
        return self.principal.rpartition("@")[2]

    @property
    def keytab(self) -> str:
        """The keytab with the keys of the daemons, of ``root``, who administers the cluster, and of ``alice``."""
        return self.site.get("ozone.s3g.kerberos.keytab.file", "")

    @property
    def krb5(self) -> str:
        """Kerberos' configuration, which is beside the keytab; ``""`` where there is none."""
        return str(Path(self.keytab).with_name("krb5.conf")) if self.keytab else ""

    @property
    def classpath(self) -> str:
        """The jars that a gateway needs."""
        return classpath("s3g")

    @property
    def classpath_file(self) -> Path:
        """The file that has them in it."""
        return Path(engines(), "ozone", "s3g", "cp.txt")

    def settings(self, *more: str) -> tuple[str, ...]:
        """``key=value`` with which an ozgate is a gateway of this cluster.

        :param more: further ones.
        """
        found = [
            "ozgate.foreign=ozone:",
            f"ozgate.ozone.classpath=@{self.classpath_file}",
            f"ozgate.ozone.conf={self.conf}",
        ]
        if self.is_secure:
            found += [
                f"ozone.s3g.kerberos.principal={self.principal}",
                f"ozone.s3g.kerberos.keytab.file={self.keytab}",
            ]
        return (*found, *more)

    def environment(self, principal: str = "") -> dict[str, str]:
        """What puts a program into the cluster's realm.

        :param principal: of the keytab, whose ticket it gets; nobody's where it is empty.
        """
        # An ozgate refuses variables that look like its own and are not; AWS's are somebody's pair.
        found = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OZ", "AWS_"))
        }
        if self.is_secure:
            found["KRB5_CONFIG"] = self.krb5
        if principal:
            found["KRB5CCNAME"] = f"FILE:{_folder()}/{principal.replace('/', '-')}"
            subprocess.run(
                ["kinit", "-kt", self.keytab, principal],
                env=found,
                check=True,
                capture_output=True,
                timeout=60,
            )
        return found

    def run(
        self, *arguments: str, user: str = "root", said: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command of Ozone's own: ``run("sh", "volume", "list")``. It takes two seconds or three.

        :param user: who runs it; without Kerberos, who it says that it is.
        :param said: what it reads.
        :return: its exit code, and what it printed.
        """
        name, main = _SHELLS[arguments[0]]
        quiet = _folder() / "log4j.properties"
        quiet.write_text(_QUIET)
        environment = self.environment(user if self.is_secure else "")
        if not self.is_secure:
            environment["HADOOP_USER_NAME"] = user
        options = [*JAVA, "-Xmx256m", "-XX:TieredStopAtLevel=1"]
        if self.is_secure:
            options.append(f"-Djava.security.krb5.conf={self.krb5}")
        # Those of a command lack what reads and writes bytes: see ozgate.foreign.ozone.jars.
        jars = f"{classpath(name)}:{self.classpath}"
        folders = f"{quiet.parent}:{self.conf}:{jars}"
        ended = subprocess.run(
            ["java", *options, "-cp", folders, main, *arguments[1:]],
            env=environment,
            input=said,
            capture_output=True,
            timeout=120,
        )
        # Without the class path, which no failure needs to show.
        return subprocess.CompletedProcess(
            arguments, ended.returncode, ended.stdout, ended.stderr
        )

    def text(self, *arguments: str, user: str = "root") -> str:
        """What a command of Ozone's own printed.

        :raises AssertionError: it failed.
        """
        ended = self.run(*arguments, user=user)
        if ended.returncode:
            raise AssertionError(f"{arguments}: {ended.stdout!r} {ended.stderr!r}")
        return ended.stdout.decode()

    def daemon(self, name: str) -> int:
        """The process id of one of its daemons: ``scm``, ``om``, ``dn`` or ``s3g``."""
        return int(Path(self.conf.parent, "pid", name).read_text())


def either() -> Ozone:
    """The cluster of this run, with Kerberos or without; without one the test is skipped."""
    given = os.environ.get(VARIABLE)
    if not given:
        raise SkipTest(
            f"no cluster of Ozone: 'python -m tests.engines ozone' starts one, {VARIABLE} names one"
        )
    if given == START:
        raise SkipTest(f"{VARIABLE}={START} is for tests with a cluster of their own")
    _require_jpype()
    return _cluster(given)


def require_own() -> None:
    """Skip tests that need a cluster of their own where nobody asked for them: ``OZGATE_TEST_OZONE=start`` does."""
    if os.environ.get(VARIABLE) != START:
        raise SkipTest(
            f"daemons are killed: 'python -m tests.engines ozone --only kills', or {VARIABLE}={START}"
        )
    _require_jpype()


def _require_jpype() -> None:
    if find_spec("jpype") is None:
        raise SkipTest("JPype (the extra ozgate[ozone]) is missing")


def insecure() -> Ozone:
    """The cluster of this run, where it has no Kerberos."""
    found = either()
    if found.is_secure:
        raise SkipTest("the cluster has Kerberos")
    return found


def secure() -> Ozone:
    """The cluster of this run, where it has Kerberos."""
    found = either()
    if not found.is_secure:
        raise SkipTest("the cluster has no Kerberos")
    return found


@cache
def _cluster(conf: str) -> Ozone:
    return Ozone(conf)


@cache
def _folder() -> Path:
    """A folder for what commands need, gone with the process."""
    found = tempfile.TemporaryDirectory(prefix="ozgate-engines-")
    _KEPT.append(found)
    return Path(found.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []

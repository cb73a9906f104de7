"""Class paths of Ozone's programs, resolved by the operator's own Maven: its settings, mirrors and proxies count."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Timer
from xml.sax.saxutils import escape

GROUP = "org.apache.ozone"
LONGEST = 1800
"""Seconds that Maven may take."""

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8"
"""That which Maven 3.8 itself takes where none is named, so that most have it already."""
_NEVER_PUBLISHED = {"2.2.0": "2.1.0"}
"""Releases without :data:`_PARENT`, which other poms of theirs inherit from → the release whose serves. Source: Maven's central repository, November 2026."""
_PARENT = "hdds-hadoop-dependency-client"
_ABSENT = re.compile(r"(?:Could not find artifact|Failure to find) (\S+:\S+)")
_UNREACHABLE = re.compile(
    r"Could not transfer artifact|Cannot access \S+ \(\S+\) in offline"
)
_DOWNLOADED = re.compile(r"Downloaded from .*?(?P<name>[^/]+) \(")


class MavenError(Exception):
    """Maven cannot give what is asked; the message says what to do."""


def class_paths(
    version: str, artifacts: Mapping[str, str], tell: Callable[[str], None]
) -> dict[str, list[str]]:
    """The jars that programs of Ozone's need, in Maven's local repository, as that release has them.

    The release's own list of versions (``ozone-main``) is imported: without it some thirty jars are other ones, and Kerberos fails.

    :param artifacts: any name → artifact of Ozone's, such as ``ozone-s3gateway``.
    :param tell: called with how far it is.
    :raises MavenError: there is no Maven, no such release, no network.
    """
    if shutil.which("mvn") is None:
        raise MavenError(
            "there is no mvn on the PATH: install Maven (Debian: apt-get install maven), or give ozgate a distribution by OZONE_HOME"
        )
    with tempfile.TemporaryDirectory(prefix="ozgate-maven-") as name:
        folder = Path(name)
        modules = list(artifacts)
        for module, artifact in artifacts.items():
            _write(folder / module, _module(version, module, artifact))
        if version in _NEVER_PUBLISHED:
            tell("Maven: looking for what the release lacks")
            _write(folder / _PARENT, _stand_in(folder, version, tell))
            modules.append(_PARENT)
        _write(folder, _whole(modules))
        goal = f"{_PLUGIN}:build-classpath"
        _maven(
            folder,
            tell,
            version,
            goal,
            "-Dmdep.outputFile=cp.txt",
            "-DincludeScope=runtime",
        )
        return {
            each: Path(folder, each, "cp.txt").read_text().strip().split(":")
            for each in artifacts
        }


def _stand_in(folder: Path, version: str, tell: Callable[[str], None]) -> str:
    """The pom that a release lacks, from the one before. It is a project of the build, so that nothing of it stays in Maven's repository."""
    other = _NEVER_PUBLISHED[version]
    found = folder / "found"
    _maven(
        folder,
        tell,
        other,
        f"{_PLUGIN}:copy",
        f"-Dartifact={GROUP}:{_PARENT}:{other}:pom",
        f"-DoutputDirectory={found}",
    )
    text = next(found.glob("*.pom")).read_text("utf-8")
    skip = (
        "<packaging>pom</packaging><properties><mdep.skip>true</mdep.skip></properties>"
    )
    return text.replace(f"<version>{other}<", f"<version>{version}<").replace(
        "<packaging>pom</packaging>", skip
    )


def _maven(
    folder: Path, tell: Callable[[str], None], version: str, *arguments: str
) -> None:
    """Run Maven to its end."""
    begun = time.monotonic()
    lines: list[str] = []
    fetched = 0
    with subprocess.Popen(
        ["mvn", "-B", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        alarm = Timer(LONGEST, process.kill)
        alarm.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.strip())
                if downloaded := _DOWNLOADED.search(line):
                    fetched += 1
                    tell(f"Maven: {fetched} files fetched, now {downloaded['name']}")
        except BaseException:
            process.kill()
            raise
        finally:
            alarm.cancel()
    if process.returncode:
        if time.monotonic() - begun >= LONGEST:
            raise MavenError(f"Maven did not end within {LONGEST} seconds")
        raise MavenError(_why(lines, version))


def _why(lines: list[str], version: str) -> str:
    """What went wrong, of what Maven printed."""
    text = "\n".join(lines)
    absent = _ABSENT.search(text)
    if absent and not _UNREACHABLE.search(text):
        return f"Maven does not find {absent[1]}: is there a release {version} of Apache Ozone, and in the repositories of your settings.xml?"
    said = [_plain(line) for line in lines if line.startswith("[ERROR]")]
    if unreachable := [line for line in said if _UNREACHABLE.search(line)]:
        return f"Maven reaches no repository: {unreachable[0]}"
    return f"Maven failed: {said[0] if said else ' '.join(lines[-2:])}"


def _plain(line: str) -> str:
    return re.sub(r"^(\[ERROR\] *)+|, try downloading from$", "", line)


def _write(folder: Path, pom: str) -> None:
    folder.mkdir(exist_ok=True)
    Path(folder, "pom.xml").write_text(pom, "utf-8")


def _project(inner: str) -> str:
    return f'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>{inner}</project>'


def _whole(modules: list[str]) -> str:
    named = "".join(f"<module>{escape(each)}</module>" for each in modules)
    return _project(
        f"<groupId>ozgate</groupId><artifactId>class-paths</artifactId><version>1</version><packaging>pom</packaging><modules>{named}</modules>"
    )


def _module(version: str, name: str, artifact: str) -> str:
    return _project(
        f"<groupId>ozgate</groupId><artifactId>{escape(name)}</artifactId><version>1</version><packaging>pom</packaging>"
        "<dependencyManagement><dependencies>"
        + _dependency("ozone-main", version, "<type>pom</type><scope>import</scope>")
        + "</dependencies></dependencyManagement><dependencies>"
        + _dependency(artifact, version)
        + "</dependencies>"
    )


def _dependency(artifact: str, version: str, more: str = "") -> str:
    return f"<dependency><groupId>{GROUP}</groupId><artifactId>{escape(artifact)}</artifactId><version>{escape(version)}</version>{more}</dependency>"

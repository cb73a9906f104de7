"""``ozgate ozone fetch-client``: what it makes of what Maven says. The real Maven is asked in :mod:`tests.ozone`."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from ozgate.cli.main import main
from ozgate.foreign.ozone.jars import read_list

GIVES = """\
#!/bin/sh
echo "Downloaded from here: file:///a/one.jar (1 kB at 1 MB/s)"
for pom in client/pom.xml; do
    grep -q '<artifactId>ozone-s3gateway</artifactId><version>2.1.0</version>' $pom || exit 3
    grep -q '<artifactId>ozone-main</artifactId><version>2.1.0</version>' $pom || exit 4
    echo JARS > $(dirname $pom)/cp.txt
done
"""
SAYS = """\
#!/bin/sh
echo '[INFO] Scanning for projects...'
echo '[ERROR] LINE'
exit 1
"""


class FetchTests(SynchronousTestCase):
    """With a program in the place of Maven."""

    def setUp(self) -> None:
        """Two jars of one name, and where Maven is looked for."""
        self.folder = Path(self.mktemp()).absolute()
        self.jars = [self.folder / "a/x.jar", self.folder / "b/x.jar"]
        for jar in self.jars:
            jar.parent.mkdir(parents=True)
            jar.write_text(str(jar))
        self.path = f"{self.folder}/bin:{os.environ['PATH']}"
        self.to = self.folder / "to"

    def maven(self, script: str) -> None:
        """Have this be Maven."""
        program = self.folder / "bin/mvn"
        program.parent.mkdir(exist_ok=True)
        program.write_text(script)
        program.chmod(0o755)

    def fetch(self, version: str = "2.1.0") -> Result:
        """Run the command."""
        runner = CliRunner(env={"PATH": self.path})
        return runner.invoke(
            main, ["ozone", "fetch-client", version, "--to", str(self.to)]
        )

    def test_fetched(self) -> None:
        """All jars are copied, in their order, and what is printed names the list."""
        self.maven(GIVES.replace("JARS", ":".join(map(str, self.jars))))
        result = self.fetch()
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn(f"ozgate.ozone.classpath=@{self.to}/classpath", result.output)
        copies = read_list(self.to / "classpath")
        self.assertEqual(
            [Path(copy).read_text() for copy in copies], list(map(str, self.jars))
        )
        self.assertEqual({Path(copy).parent for copy in copies}, {self.to})

    def test_again(self) -> None:
        """A folder that is whole stays, without Maven; one that is not is not touched."""
        self.maven(GIVES.replace("JARS", ":".join(map(str, self.jars))))
        self.fetch()
        self.maven("#!/bin/sh\nexit 1\n")
        self.assertEqual(self.fetch().exit_code, 0)
        os.unlink(self.to / "x.jar")
        result = self.fetch()
        self.assertEqual(result.exit_code, 1)
        self.assertIn("--to", result.output)

    def test_no_maven(self) -> None:
        """It is said how to get it, and what else there is."""
        self.path = str(self.folder / "bin")
        said = self.fetch().output
        self.assertIn("no mvn on the PATH", said)
        self.assertIn("OZONE_HOME", said)

    def test_refused(self) -> None:
        """What Maven lacks is told in a line; nothing is left."""
        absent = "Non-resolvable import POM: Could not find artifact org.apache.ozone:ozone-main:pom:2.1.0 in central"
        away = "Could not transfer artifact org.apache.ozone:ozone-main:pom:2.1.0 from/to central: Unknown host"
        for line, expected in (
            (absent, "is there a release 2.1.0 of Apache Ozone"),
            (away, "reaches no repository"),
            ("No space left on device", "Maven failed: No space left"),
        ):
            self.maven(SAYS.replace("LINE", line))
            result = self.fetch()
            self.assertEqual(result.exit_code, 1)
            self.assertIn(expected, result.output)
            self.assertEqual(len(result.output.splitlines()), 1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a", "b", "bin"])

    def test_no_version(self) -> None:
        """What is no version does not get as far as Maven."""
        self.assertEqual(self.fetch("../x").exit_code, 2)

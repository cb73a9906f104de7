"""``ozgate ozone check`` and ``fetch-client``, as whoever sets a gateway up runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.engines.given import classpath, either, insecure
from tests.engines.programs import VERSION
from tests.running import program


class CheckTestCase(SynchronousTestCase):
    """Runs the commands over the cluster."""

    def setUp(self) -> None:
        """A cluster."""
        self.ozone = either()

    def check(self, *arguments: str, code: int) -> str:
        """What it prints."""
        settings = [part for each in self.ozone.settings() for part in ("-D", each)]
        return self.ozgate("check", *settings, *arguments, code=code)

    def ozgate(self, *arguments: str, code: int) -> str:
        """Run a command of the group."""
        ended = subprocess.run(
            [program("ozgate"), "ozone", *arguments],
            env=self.ozone.environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
        return ended.stdout


class CheckTests(CheckTestCase):
    """Over any cluster."""

    def test_well(self) -> None:
        """Versions are told and a key is written, read and removed, where whoever asks may; else it is told who may not."""
        is_secure = self.ozone.is_secure
        said = self.check(code=1 if is_secure else 0)
        self.assertIn(f"Ozone's client {VERSION}", said)
        self.assertIn(f"the OM at {self.ozone.om}, version {VERSION}", said)
        # The gateway of a secure cluster has no rights of its own.
        self.assertIn("PERMISSION_DENIED" if is_secure else "can be a gateway", said)

    def test_no_bucket(self) -> None:
        """A bucket that is not there is named."""
        said = self.check("--bucket", "s3v/nobody-has-this", code=1)
        self.assertIn("BUCKET_NOT_FOUND", said)

    def test_no_login(self) -> None:
        """A keytab without the principal is told as that."""
        if not self.ozone.is_secure:
            raise SkipTest("the cluster has no Kerberos")
        other = f"ozone.s3g.kerberos.principal=nobody@{self.ozone.realm}"
        self.assertIn("klist -kt", self.check("-D", other, code=1))


class ClientTests(CheckTestCase):
    """What needs no Kerberos."""

    def setUp(self) -> None:
        """A cluster without it."""
        self.ozone = insecure()

    def test_no_om(self) -> None:
        """An OM that does not answer is told as that, in a line."""
        conf = Path(self.mktemp()).absolute()
        shutil.copytree(self.ozone.conf, conf)
        site = conf / "ozone-site.xml"
        site.write_text(site.read_text().replace(self.ozone.om, "127.0.0.1:1"))
        said = self.check("-D", f"ozgate.ozone.conf={conf}", code=1)
        self.assertIn("MISS  ConnectException", said)
        self.assertIn("ozone.om.address", said)

    def test_incomplete(self) -> None:
        """A class path that lacks what writes need is told as that."""
        jars = classpath("sh")
        said = self.check("-D", f"ozgate.ozone.classpath={jars}", code=1)
        self.assertIn("NoClassDefFoundError", said)
        self.assertIn("fetch-client", said)

    def test_fetched(self) -> None:
        """The jars that Maven fetches are a whole client, also after their folder was moved."""
        if shutil.which("mvn") is None:
            raise SkipTest("there is no mvn")
        to = Path(self.mktemp()).absolute()
        said = self.ozgate("fetch-client", VERSION, "--to", str(to), code=0)
        self.assertIn(f"@{to}/classpath", said)
        moved = to.with_name("moved")
        os.rename(to, moved)
        said = self.check("-D", f"ozgate.ozone.classpath=@{moved}/classpath", code=0)
        self.assertIn("can be a gateway", said)

    def test_distribution(self) -> None:
        """The layout of a distribution serves: it is made up here of the jars that Maven has."""
        home = Path(self.mktemp()).absolute()
        library, lists = home / "share/ozone/lib", home / "share/ozone/classpath"
        for folder in (library, lists):
            folder.mkdir(parents=True)
        shutil.copytree(self.ozone.conf, home / "etc/hadoop")
        names = []
        for jar in self.ozone.classpath.split(":"):
            os.symlink(jar, library / os.path.basename(jar))
            names.append(f"$HDDS_LIB_JARS_DIR/{os.path.basename(jar)}")
        text = "classpath=" + ":".join(names)
        Path(lists, "ozone-s3gateway.classpath").write_text(text)
        found = f"ozgate.ozone.home={home}"
        said = self.ozgate("check", "-D", found, code=0)
        self.assertIn(f"{home}/etc/hadoop", said)

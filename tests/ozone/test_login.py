"""How a gateway logs in to a secure cluster, and what is said where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Unavailable
from ozgate.foreign.ozone.security import Security, log_in
from tests.engines.given import secure
from tests.ozone.secured import client_of
from tests.running import ROOT, free_port

_TRY = """
import sys
from twisted.internet.task import Clock
from ozgate.config.settings import by_key
from tests.engines.given import Ozone
from tests.ozone.secured import client_of
try:
    client_of(Ozone(sys.argv[1]))
except Exception as error:
    print(error)
else:
    print("logged in")
sys.stdout.flush()
import os
os._exit(0)
"""


class LoginTests(SynchronousTestCase):
    """Against the cluster's own KDC."""

    def setUp(self) -> None:
        """A client that is logged in."""
        self.ozone = secure()
        self.client = client_of(self.ozone)

    def refused(self, principal: str, keytab: str) -> str:
        """What is said of a login that fails; the one that there was stays."""
        java, configuration = self.client.java, self.client.configuration
        with self.assertRaises(Unavailable) as caught:
            log_in(java, configuration, Security(True, principal, keytab))
        groups = java("org.apache.hadoop.security.UserGroupInformation")
        who = str(groups.getLoginUser().getUserName())
        self.assertEqual(who, self.ozone.principal)
        return str(caught.exception)

    def test_no_key(self) -> None:
        """A principal that the keytab has no key of: it is said how to see whose it has."""
        said = self.refused(f"nobody@{self.ozone.realm}", self.ozone.keytab)
        for word in (f"nobody@{self.ozone.realm}", self.ozone.keytab, "klist -kt"):
            self.assertIn(word, said)

    def test_no_keytab(self) -> None:
        """What is no keytab is named."""
        path = os.path.abspath(self.mktemp())
        Path(path).write_bytes(b"no keytab")
        self.assertIn(path, self.refused(self.ozone.principal, path))

    def test_otherwise(self) -> None:
        """Files that Hadoop understands otherwise than we do are refused, in either direction: who would believe a name would let everybody in."""
        java = self.client.java
        made = java("org.apache.hadoop.hdds.conf.OzoneConfiguration")
        open_ = made(self.client.configuration)
        open_.set("ozone.security.enabled", "false")
        groups = java("org.apache.hadoop.security.UserGroupInformation")
        try:
            for configuration, security in (
                (self.client.configuration, Security()),
                (open_, Security(True, self.ozone.principal, self.ozone.keytab)),
            ):
                with self.assertRaises(Unavailable) as caught:
                    log_in(java, configuration, security)
                self.assertIn("otherwise", str(caught.exception))
        finally:
            groups.setConfiguration(self.client.configuration)

    def test_renewed(self) -> None:
        """Hadoop renews the ticket by itself, in a thread of its own."""
        threads = self.client.java("java.lang.Thread").getAllStackTraces().keySet()
        names = {str(each.getName()) for each in threads}
        renewing = [each for each in names if each.startswith("TGT Renewer")]
        self.assertEqual(len(renewing), 1, names)

    def test_no_kdc(self) -> None:
        """Where no KDC answers, that is said, and where it is looked for."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        krb5 = folder / "krb5.conf"
        realm = self.ozone.realm
        krb5.write_text(
            f"[libdefaults]\n default_realm = {realm}\n kdc_timeout = 1000\n max_retries = 1\n udp_preference_limit = 1\n"
            f"[realms]\n {realm} = {{\n  kdc = 127.0.0.1:{free_port()}\n }}\n"
        )
        site = folder / "conf"
        site.mkdir()
        for each in ("core-site.xml", "ozone-site.xml"):
            text = Path(self.ozone.conf, each).read_text()
            Path(site, each).write_text(
                text.replace(self.ozone.keytab, self.keytab(folder))
            )
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        ended = subprocess.run(
            [sys.executable, "-c", _TRY, str(site)],
            env=environment,
            capture_output=True,
            timeout=120,
        )
        said = ended.stdout.decode()
        self.assertIn("no KDC answers where krb5.conf says", said, ended.stderr)

    def keytab(self, folder: Path) -> str:
        """The keytab beside the krb5.conf of the test, where the tests look for that."""
        path = folder / "keytab"
        path.write_bytes(Path(self.ozone.keytab).read_bytes())
        return str(path)

"""Tests of :mod:`ozgate.foreign.ozone.security` without a JVM: what the cluster's files say, and what a failed login says."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings, by_key
from ozgate.config.sitefile import ConfigurationError
from ozgate.errors import Unavailable
from ozgate.foreign.ozone.security import (
    BELIEVED,
    Security,
    advice,
    named,
    read_security,
)
from ozgate.gateway.providers import make_foreign

KERBEROS = "hadoop.security.authentication"
ENABLED = "ozone.security.enabled"
PRINCIPAL = "ozone.s3g.kerberos.principal"
KEYTAB = "ozone.s3g.kerberos.keytab.file"


def site(properties: Mapping[str, str], more: str = "") -> str:
    """A file of Hadoop's form."""
    each = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>"
        for name, value in properties.items()
    )
    return f"<configuration>{each}{more}</configuration>"


class ClusterCase(SynchronousTestCase):
    """Files of a cluster, in a folder."""

    def setUp(self) -> None:
        """An empty folder, and a keytab."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.keytab = str(self.folder / "keytab")
        Path(self.keytab).write_bytes(b"\5\2")

    def says(self, ozone: str, core: str = "") -> None:
        """Write the files."""
        Path(self.folder, "ozone-site.xml").write_text(ozone)
        if core:
            Path(self.folder, "core-site.xml").write_text(core)

    def settings(self, **more: object) -> Settings:
        """Those of a gateway of the cluster."""
        return Settings(
            data=str(self.folder / "data"),
            foreign="ozone:",
            ozone_conf=str(self.folder),
            **more,  # type: ignore[arg-type]
        )

    def read(self, **more: object) -> Security:
        """What is understood."""
        return read_security(by_key(self.settings(**more)))

    def refused(self, *words: str, **more: object) -> None:
        """It is refused, in these words, and so is a start."""
        with self.assertRaises(Unavailable) as caught:
            self.read(**more)
        with self.assertRaises(ConfigurationError) as started:
            make_foreign(Clock(), self.settings(**more), lambda f: f())
        for word in words:
            self.assertIn(word, str(caught.exception))
            self.assertIn(word, str(started.exception))

    def secure(self) -> dict[str, str]:
        """What a secure cluster's files say."""
        self.says(
            site({ENABLED: "true", PRINCIPAL: "s3g/_HOST@R", KEYTAB: self.keytab}),
            site({KERBEROS: "kerberos"}),
        )
        return {}


class ReadTests(ClusterCase):
    """Whether a cluster is secure, and how it is entered."""

    def test_believed(self) -> None:
        """One whose files say nothing is not."""
        self.says(site({}))
        self.assertEqual(self.read(), BELIEVED)
        self.says(site({ENABLED: "false"}), site({KERBEROS: "simple"}))
        self.assertEqual(self.read(), BELIEVED)

    def test_secure(self) -> None:
        """One whose files say both is, and they may say who the gateway is; what ozgate is told stands before that."""
        self.secure()
        self.assertEqual(self.read(), Security(True, "s3g/_HOST@R", self.keytab))
        other = f"{self.keytab}2"
        Path(other).write_bytes(b"\5\2")
        found = self.read(ozone_principal="g@R", ozone_keytab=other)
        self.assertEqual(found, Security(True, "g@R", other))

    def test_order(self) -> None:
        """The later file is believed, unless the earlier one says that it is final; spaces and cases do not matter."""
        self.says(
            site({ENABLED: " TRUE ", KERBEROS: "Kerberos", KEYTAB: self.keytab}),
            site({KERBEROS: "simple"}),
        )
        self.assertTrue(self.read(ozone_principal="g@R").is_on)
        final = f"<property><name>{KERBEROS}</name><value>simple</value><final>true</final></property>"
        self.says(site({ENABLED: "true", KERBEROS: "kerberos"}), site({}, final))
        self.refused("one of them alone")

    def test_half(self) -> None:
        """One whose files say half of it is none of both."""
        self.says(site({ENABLED: "true"}))
        self.refused(ENABLED, KERBEROS, "one of them alone")
        self.says(site({}), site({KERBEROS: "kerberos"}))
        self.refused("one of them alone")

    def test_no_login(self) -> None:
        """A secure one needs a principal, and a keytab that can be read; what is missing is named."""
        self.says(site({ENABLED: "true", KERBEROS: "kerberos"}))
        self.refused(PRINCIPAL)
        self.refused(KEYTAB, ozone_principal="g@R")
        gone = f"{self.keytab}-gone"
        self.refused(KEYTAB, gone, "not there", ozone_principal="g", ozone_keytab=gone)
        if os.geteuid():
            os.chmod(self.keytab, 0)
            self.refused(
                *("cannot be read", self.keytab),
                ozone_principal="g",
                ozone_keytab=self.keytab,
            )

    def test_bad_file(self) -> None:
        """A file that is no XML is named; so is a folder without one."""
        self.refused("ozone-site.xml")
        self.says("<configuration>")
        self.refused("ozone-site.xml", "cannot be read")


class RefusedStartTests(ClusterCase):
    """A secure cluster verifies who asks, and nobody else does: what would have it otherwise does not start."""

    def start(self, **more: object) -> None:
        """Make what the service asks the cluster by."""
        found = make_foreign(Clock(), self.settings(**more), lambda f: f())
        assert found is not None
        self.assertTrue(found.system.verifies)

    def cannot(self, *words: str, **more: object) -> None:
        """It does not start, and says what to set."""
        with self.assertRaises(ConfigurationError) as caught:
            self.start(**more)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_secure(self) -> None:
        """With signatures verified, and no secrets besides, it starts, with all volumes or some."""
        self.secure()
        self.start(security_enabled=True)
        self.start(security_enabled=True, foreign_volumes=("cluster",))

    def test_security_off(self) -> None:
        """Without signatures the gateway would ask for itself, whoever asks."""
        self.secure()
        self.cannot(f"set {ENABLED} to true")
        self.cannot(ENABLED, foreign_volumes=("cluster",))

    def test_pair(self) -> None:
        """There is no administrator's pair, whose secret the cluster would have to know."""
        self.secure()
        self.cannot(
            *("ozgate.s3.access-key", "unset"),
            security_enabled=True,
            access_key="a",
            secret_key="b" * 40,
        )

    def test_issuers(self) -> None:
        """There are no web identities, whom the cluster does not know."""
        self.secure()
        issuers = (("oidc", "https://issuer.example"),)
        self.cannot("issuers", security_enabled=True, oidc_issuers=issuers)

    def test_insecure(self) -> None:
        """A cluster that believes whoever asks says nothing of who verifies."""
        self.says(site({}))
        for security in (False, True):
            settings = self.settings(security_enabled=security)
            found = make_foreign(Clock(), settings, lambda f: f())
            assert found is not None
            self.assertFalse(found.system.verifies)


class LoginTests(SynchronousTestCase):
    """What is told of a login."""

    def test_host(self) -> None:
        """``_HOST`` is the name of this machine, where it stands for a host, and nowhere else."""
        host = socket.getfqdn().lower()
        self.assertEqual(named("s3g/_HOST@R"), f"s3g/{host}@R")
        for as_it_is in ("s3g/a@R", "s3g@R", "_HOST@R", "s3g/_HOST.a@R", ""):
            self.assertEqual(named(as_it_is), as_it_is)

    def test_advice(self) -> None:
        """Why it failed is told with what to do, where that is known, and as it is where not."""
        for said, what in (
            ("LoginException: Unable to obtain password from user", "klist -kt"),
            ("KrbException: Clock skew too great (37)", "clock"),
            ("java.net.ConnectException: Connection refused", "no KDC answers"),
            ("Client not found in Kerberos database (6)", "does not know it"),
        ):
            self.assertIn(what, advice(said))
            self.assertIn(said, advice(said))
        self.assertEqual(advice("something else"), "something else")

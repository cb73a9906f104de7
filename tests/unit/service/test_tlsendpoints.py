"""Where it listens, by the configuration: addresses, policies and descriptions of TLS endpoints."""

from __future__ import annotations

import os
from typing import Any

from attrs import evolve
from twisted.internet.endpoints import _parse
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.service.endpoints import options_of
from ozgate.service.listening import descriptions, website_descriptions
from ozgate.service.tlsendpoints import TlsEndpoint, tls_endpoints
from tests.authority import Authority, put

HTTP = "tcp:9878:interface=127.0.0.1"
HTTPS = "ssl:9879:interface=127.0.0.1"


class DescriptionTests(SynchronousTestCase):
    """What ozone.http.policy comes to."""

    def refused(self, **options: Any) -> str:
        """The line with which settings are refused."""
        with self.assertRaises(ConfigurationError) as caught:
            descriptions(Settings(**options))
        return str(caught.exception)

    def test_policies(self) -> None:
        """HTTP, HTTPS or both listen."""
        for policy, expected in (
            ("HTTP_ONLY", (HTTP,)),
            ("HTTPS_ONLY", (HTTPS,)),
            ("HTTP_AND_HTTPS", (HTTP, HTTPS)),
        ):
            self.assertEqual(descriptions(Settings(http_policy=policy)), expected)

    def test_http_disabled(self) -> None:
        """ozone.s3g.http.enabled is about the plain endpoint alone."""
        both = Settings(http_policy="HTTP_AND_HTTPS", http_enabled=False)
        self.assertEqual(descriptions(both), (HTTPS,))
        self.assertIn("http.enabled", self.refused(http_enabled=False))

    def test_addresses(self) -> None:
        """The HTTPS endpoint has an address and a host to bind of its own, of either family."""
        settings = Settings(http_policy="HTTPS_ONLY", https_address="[::1]:1234")
        self.assertEqual(descriptions(settings), (r"ssl:1234:interface=\:\:1",))
        bound = evolve(settings, https_bind_host="0.0.0.0")
        self.assertEqual(descriptions(bound), ("ssl:1234:interface=0.0.0.0",))
        line = self.refused(
            http_policy="HTTPS_ONLY", https_address="no-such-host.invalid:1"
        )
        self.assertIn("ozone.s3g.https-address", line)

    def test_what_is_meant_to_be_encrypted(self) -> None:
        """What would go in clear although somebody means it to be encrypted is refused."""
        line = self.refused(http_policy="HTTPS_ONLY", listen=(HTTPS, "tcp:1"))
        self.assertIn("tcp:1", line)
        fine = Settings(http_policy="HTTPS_ONLY", listen=(HTTPS, "unix:/x"))
        self.assertEqual(descriptions(fine), fine.listen)
        for options in ({"tls_certificate": "x"}, {"tls_need_client": True}):
            self.assertIn("ozone.http.policy", self.refused(**options))
            self.assertIn("ssl:", self.refused(listen=("tcp:1",), **options))
            descriptions(Settings(listen=(HTTP, HTTPS), **options))

    def test_websites(self) -> None:
        """Websites are served where that is said, and nowhere else; of TLS the same holds for them."""
        self.assertEqual(website_descriptions(Settings()), ())
        both = Settings(website_listen=("8080", "ssl:8443"), tls_certificate="x")
        self.assertEqual(website_descriptions(both), ("tcp:8080", "ssl:8443"))
        self.assertEqual(descriptions(both), (HTTP,))
        line = self.refused(http_policy="HTTPS_ONLY", website_listen=("8080",))
        self.assertIn("will not listen on tcp:8080", line)


class EndpointTests(SynchronousTestCase):
    """What an ssl: description comes to."""

    def setUp(self) -> None:
        """Have a pair in files."""
        self.folder = os.path.abspath(self.mktemp())
        self.authority = Authority()
        certificate, key = self.authority.issue("h")
        self.certificate = put(f"{self.folder}/c.pem", certificate)
        self.key = put(f"{self.folder}/k.pem", key)
        self.both = put(f"{self.folder}/both.pem", certificate + key)

    def made(self, description: str, **options: Any) -> TlsEndpoint:
        """The endpoint."""
        made = tls_endpoints([description, HTTP], Settings(**options), Clock())
        self.assertEqual(list(made), [description])
        return made[description]

    def refused(self, description: str, **options: Any) -> str:
        """The line with which it is refused."""
        error = self.assertRaises(ConfigurationError, self.made, description, **options)
        self.assertIn(description, str(error))
        self.assertNotIn("\n", str(error))
        return str(error)

    def test_own_pair(self) -> None:
        """An endpoint's own pair, by name or by place, goes before the configuration's."""
        for description in (
            f"ssl:1:{self.key}:{self.certificate}",
            f"ssl:1:privateKey={self.key}:certKey={self.certificate}",
            f"ssl:1:privateKey={self.both}",
            f"ssl:1:certKey={self.both}",
            f"ssl:port=1:privateKey={self.both}:extraCertChain={self.certificate}",
        ):
            endpoint = self.made(description, tls_certificate="/no/such")
            self.assertEqual((endpoint.port, endpoint.interface), (1, ""))
            self.assertEqual(endpoint.backlog, 50)

    def test_configured_pair(self) -> None:
        """Without a pair of its own an endpoint has the configuration's."""
        endpoint = self.made(
            r"ssl:2:interface=\:\:1:backlog=7",
            tls_certificate=self.certificate,
            tls_key=self.key,
        )
        found = endpoint.port, endpoint.interface, endpoint.backlog
        self.assertEqual(found, (2, "::1", 7))
        self.made("ssl:2", tls_certificate=self.both)

    def test_relative_paths(self) -> None:
        """Relative paths are of the folder that it was started in, whichever it works in later."""
        relative = os.path.relpath(self.both)
        endpoint = self.made(f"ssl:1:{relative}", tls_sni=(f"h={relative}",))
        here = os.getcwd()
        os.chdir("/")
        self.addCleanup(os.chdir, here)
        self.assertIn("2 loaded", endpoint.certificates.reload())

    def test_wrong(self) -> None:
        """What is wrong is said, with the description."""
        self.assertIn("selfsigned", self.refused("ssl:1"))
        for description, word in (
            (f"ssl:x:{self.both}", "'x' is no number"),
            (f"ssl::{self.both}", "'' is no number"),
            (f"ssl:1:{self.both}:backlog=many", "'many'"),
            (f"ssl:1:{self.both}:sslmethod=TLSv1_METHOD", "sslmethod"),
            (f"ssl:1:{self.both}:port=2", "port is there twice"),
            (f"ssl:1:{self.both}:certkey=x", "certkey"),
            (f"ssl:1:{self.folder}/none", "No such file"),
        ):
            self.assertIn(word, self.refused(description))

    def test_clients_without_an_authority(self) -> None:
        """Needing certificates of clients without an authority for them would let nobody in."""
        line = self.refused(f"ssl:1:{self.both}", tls_need_client=True)
        self.assertIn("ozgate.tls.client-ca", line)
        ca = put(f"{self.folder}/ca.pem", self.authority.pem)
        self.made(f"ssl:1:{self.both}", tls_need_client=True, tls_client_ca=ca)

    def test_syntax(self) -> None:
        """Descriptions are read as Twisted reads them."""
        for text in (
            r"443:a\:b:certKey=c\=d\\e",
            "443:interface=::1".replace("::1", r"\:\:1"),
            "1:privateKey=a=b",
        ):
            placed, named = _parse(f"ssl:{text}")
            options = options_of(f"ssl:{text}")
            names = ("port", "privateKey")
            expected = dict(zip(names, placed[1:], strict=False), **named)
            self.assertEqual(options, expected)

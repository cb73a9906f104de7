"""By which names a service that trusts whoever reaches it may be called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.wire.head import valid_host
from ozgate.wire.hosts import may_be_called, of_another_site

LABELS = st.from_regex(r"[A-Za-z0-9_-]{1,9}", fullmatch=True)
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
OURS = Settings(security_enabled=False, domain_names=("S3.Example.com:9878",))


def request(
    host: str | None, origin: str = "", ip: str = "192.0.2.1", site: str = ""
) -> Any:
    """A request over plain TCP, of which only the host, and what the browser says of who sends it, matter."""
    pairs = [(b"origin", origin.encode())] if origin else []
    if site:
        pairs.append((b"sec-fetch-site", site.encode()))
    return SimpleNamespace(
        raw_host=None if host is None else host.encode(),
        over_tls=False,
        over_socket=ip == "-",
        header_pairs=lambda: pairs,
    )


class NameTests(SynchronousTestCase):
    """Names that somebody else may own."""

    @given(NAMES, st.sampled_from(["", ":80", "."]))
    def test_strangers(self, name: str, end: str) -> None:
        """A name with a dot in it is a stranger's, unless nobody can own it or the configuration has it."""
        last = name.lower().rpartition(".")[2]
        ours = last.isdigit() or last in ("internal", "localhost", "test")
        host = name + end
        self.assertTrue(valid_host(host.encode()))
        self.assertEqual(may_be_called(request(host), OURS), ours, host)
        for domain in ("s3.example.com", "S3.EXAMPLE.COM", "x.s3.example.com"):
            self.assertTrue(may_be_called(request(domain + end), OURS))
        # The end of a name is compared by labels, not by letters.
        self.assertFalse(may_be_called(request("x" + "s3.example.com" + end), OURS))

    @given(LABELS, st.sampled_from(["", ":80"]))
    def test_without_dots(self, name: str, end: str) -> None:
        """Names without dots, addresses, and no name at all are this machine's or its network's."""
        for host in (name + end, "192.0.2.7" + end, "[2001:db8::1]" + end, None):
            self.assertTrue(may_be_called(request(host), OURS), host)

    def test_who_is_not_asked(self) -> None:
        """Over TLS and UNIX sockets, with signatures verified, and where everybody may: any name will do."""
        stranger = "evil.example"
        self.assertFalse(may_be_called(request(stranger), OURS))
        self.assertTrue(may_be_called(request(stranger, ip="-"), OURS))
        for settings in (
            Settings(security_enabled=True),
            Settings(security_enabled=False, insecure_anywhere=True),
        ):
            self.assertTrue(may_be_called(request(stranger), settings))


class OriginTests(SynchronousTestCase):
    """Pages of other sites."""

    @given(NAMES, NAMES)
    def test_origin(self, host: str, other: str) -> None:
        """A page of the site itself may ask; any other, and one that will not say whose it is, is another's."""
        self.assertFalse(of_another_site(request(host)))
        self.assertFalse(of_another_site(request(host, f"http://{host.upper()}")))
        self.assertTrue(of_another_site(request(host, "null")))
        same = host.lower() == other.lower()
        self.assertNotEqual(of_another_site(request(host, f"https://{other}")), same)

    @given(NAMES, NAMES, st.sampled_from(["", ":80"]))
    def test_named(self, host: str, name: str, port: str) -> None:
        """A page of a site that is named, or below it, may ask, wherever the browser says that it is."""
        assume(host.lower() not in (name.lower(), f"b.{name.lower()}"))
        for origin in (f"https://{name}{port}", f"http://b.{name.upper()}{port}"):
            asked = request(host, origin, site="cross-site")
            self.assertFalse(of_another_site(asked, (f" {name.upper()} ",)))
            self.assertFalse(of_another_site(asked, (f"{name}{port}",)))
            self.assertTrue(of_another_site(asked, (f"{name}:81",)))
            self.assertTrue(of_another_site(asked, (f"x.{name}",)))

    @given(NAMES)
    def test_sites(self, host: str) -> None:
        """Browsers say of a request without an origin only how near its page is: what is not the service's own is another's."""
        for site in ("cross-site", "same-site", "Same-Site", "", "x"):
            self.assertEqual(of_another_site(request(host, site=site)), site != "")
        for site in ("same-origin", "none", "Same-Origin"):
            self.assertFalse(of_another_site(request(host, site=site)))

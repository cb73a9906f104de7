"""Where to listen, as people write it."""

from __future__ import annotations

import socket

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.service.endpoints import (
    AddressTaken,
    check_endpoints,
    description_of,
    try_port,
)
from ozgate.service.listening import descriptions, try_ports


class WrittenTests(SynchronousTestCase):
    """Short forms, and Twisted's."""

    def test_short(self) -> None:
        """A port, and a host with a port, as other servers take them."""
        for text, description in (
            ("9878", "tcp:9878"),
            (":9878", "tcp:9878"),
            ("*:9878", "tcp:9878"),
            ("0.0.0.0:9878", "tcp:9878:interface=0.0.0.0"),
            ("127.0.0.1:0", "tcp:0:interface=127.0.0.1"),
            ("localhost:9878", "tcp:9878:interface=127.0.0.1"),
            ("[::1]:9878", "tcp6:9878:interface=\\:\\:1"),
            ("[::]:9878", "tcp6:9878:interface=\\:\\:"),
        ):
            found = description_of(text)
            if text == "localhost:9878" and found.startswith("tcp6"):
                continue  # as this machine has it
            self.assertEqual(found, description)
            check_endpoints(reactor, [description])

    def test_twisteds(self) -> None:
        """What has a kind in front is left as it is."""
        for text in (
            "tcp:9878",
            "tcp6:9878",
            "tcp:9878:interface=0.0.0.0",
            "ssl:9879",
            "ssl:9879:privateKey=a.b/key.pem:certKey=c.pem",
            "unix:/run/s.x/9878",
            "systemd:domain=INET:index=0",
            "nonsense:9878",
        ):
            self.assertEqual(description_of(text), text)

    def test_in_settings(self) -> None:
        """The key takes what the option takes, and a policy of TLS holds for short forms."""
        settings = Settings(listen=("127.0.0.1:1", "[::1]:2"))
        self.assertEqual(
            descriptions(settings),
            ("tcp:1:interface=127.0.0.1", "tcp6:2:interface=\\:\\:1"),
        )
        secure = Settings(listen=("127.0.0.1:1",), http_policy="HTTPS_ONLY")
        self.assertRaises(ConfigurationError, descriptions, secure)

    def test_wrong(self) -> None:
        """What cannot be read is refused in a line that has what was written, and no word of Python's."""
        for text in (
            *("tcp:abc", "tcp:99999", "tcp:-1", "tcp", "tcp:", "tcp:1:2:3:4", "tcp6:x"),
            *("nonsense", "nonsense:9878", "", "tcp:1:interfce=x", "ssl:x", "unix"),
            *("tcp:interface=127.0.0.1", "99999", "127.0.0.1:99999", "ssl:99999"),
        ):
            with self.assertRaises(ConfigurationError, msg=text) as caught:
                check_endpoints(reactor, [description_of(text)])
            line = str(caught.exception)
            self.assertIn(f"cannot listen on {text}: ", line)
            self.assertNotRegex(line, "Error|invalid literal|argument")

    def test_no_such_host(self) -> None:
        """A host that has no address is named."""
        with self.assertRaises(ConfigurationError) as caught:
            description_of("no-such-host.invalid:9878")
        self.assertIn("no-such-host.invalid", str(caught.exception))


class TryTests(SynchronousTestCase):
    """A look at a port, before anything listens."""

    def test_free(self) -> None:
        """A free port is told with its host, and is free afterwards."""
        found = try_port("tcp:0:interface=127.0.0.1")
        assert found is not None
        host, port = found
        self.assertEqual(host, "127.0.0.1")
        with socket.socket() as other:
            other.bind((host, port))

    def test_taken(self) -> None:
        """A port that somebody listens on is refused, on the same host or on all."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            for text in (f"tcp:{port}", f"ssl:{port}:interface=127.0.0.1"):
                self.assertRaises(AddressTaken, try_port, text)

    def test_not_told(self) -> None:
        """Of other endpoints nothing is told."""
        self.assertIsNone(try_port("unix:/no/such/folder/s"))
        self.assertIsNone(try_port("systemd:domain=INET:index=0"))

    def test_reach(self) -> None:
        """What would be open to others while nothing is verified is refused already here."""
        for text in ("0", ":0", "0.0.0.0:0", "tcp:0"):
            settings = Settings(listen=(text,))
            with self.assertRaises(ConfigurationError) as caught:
                try_ports(descriptions(settings), settings)
            self.assertIn("open to other machines", str(caught.exception))
            secure = Settings(listen=(text,), security_enabled=True)
            try_ports(descriptions(secure), secure)

"""Behind proxies: whose requests they are, in the logs and for the limits."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from ozgate.auth.sigv4 import sign
from tests.running import REGION, free_port
from tests.service.twistd import LOOPBACK, ServiceTestCase, Twistd

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
UNKNOWN = b"PROXY UNKNOWN ::1 ::1 1 1\r\n"
"""A proxy's own connection. Without the addresses, which nobody reads, Twisted does not take it."""

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version_1(client: str) -> bytes:
    """The PROXY header of a client, as text."""
    family = "TCP6" if ":" in client else "TCP4"
    to = "::1" if ":" in client else "127.0.0.1"
    return f"PROXY {family} {client} {to} 40000 9878\r\n".encode()


def version_2(client: str) -> bytes:
    """The same in bytes; without a client it is the proxy's own connection."""
    if not client:
        return SIGNATURE + b"\x20\x00\x00\x00"
    kind = socket.AF_INET6 if ":" in client else socket.AF_INET
    to = "::1" if ":" in client else "127.0.0.1"
    addresses = socket.inet_pton(kind, client) + socket.inet_pton(kind, to)
    body = addresses + struct.pack("!HH", 40000, 9878)
    family = b"\x21" if kind == socket.AF_INET6 else b"\x11"
    return SIGNATURE + b"\x21" + family + struct.pack("!H", len(body)) + body


class ProxyTestCase(ServiceTestCase):
    """Says what proxies say."""

    def place(self, process: Twistd) -> tuple[str, int]:
        """Where the endpoint is."""
        url = urlsplit(process.urls[0])
        assert url.hostname is not None and url.port is not None
        return url.hostname, url.port

    def head(self, target: str, *extra: str, method: str = "GET") -> bytes:
        """A signed request."""
        headers = sign(
            method, f"http://localhost{target}", {}, "any", "x", REGION, time.time()
        )
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if "host" not in {name.lower() for name in headers}:
            lines.append("Host: localhost")
        return "\r\n".join(
            [f"{method} {target} HTTP/1.1", *lines, *extra, "", ""]
        ).encode()

    def status(self, process: Twistd, *pieces: bytes) -> int:
        """Status of the answer to what is said on a connection of its own; 0 without one."""
        with socket.create_connection(self.place(process), timeout=20) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(0.05)  # so that each is read by itself
                return int(connection.recv(65536)[9:12] or b"0")
            except ConnectionError:
                return 0

    def lines(self, *ends: str) -> list[str]:
        """Lines of the access log, once there is one for each of these targets."""
        path = Path(self.data, "access.log")
        for _ in range(200):
            found = path.read_text().splitlines()
            if all(any(f" /{end} " in each for each in found) for end in ends):
                break
            time.sleep(0.05)
        return [
            next(each for each in reversed(found) if f" /{end} " in each)
            for end in ends
        ]

    def audited(self) -> list[str]:
        """The addresses in the audit log."""
        [path] = Path(self.data).glob("s3g-audit-*.log")
        return re.findall(r"\| ip=(\S+) \|", path.read_text())


class ProxyProtocolTests(ProxyTestCase):
    """``haproxy:`` endpoints."""

    def begin(self, *settings: str) -> Twistd:
        """A service behind such an endpoint."""
        definitions = [part for each in settings for part in ("-D", each)]
        return self.started(
            "--listen", "haproxy:tcp:0:interface=127.0.0.1", *definitions
        )

    def test_clients(self) -> None:
        """Both logs have the client that the header names, in either version, however it comes in; and the proxy where it names none."""
        process = self.begin()
        cases = {
            "aaa": (version_1("203.0.113.7") + self.head("/aaa"),),
            "bbb": (version_1("2001:db8::7"), self.head("/bbb")),
            "ccc": (
                version_2("203.0.113.8") + self.head("/ccc")[:40],
                self.head("/ccc")[40:],
            ),
            "ddd": (version_2("2001:db8::8"), self.head("/ddd")),
            "eee": (UNKNOWN + self.head("/eee"),),
            "fff": (version_2("") + self.head("/fff"),),
            "ggg": (
                version_1("203.0.113.9"),
                self.head("/ggg", "X-Forwarded-For: 198.51.100.1"),
            ),
        }
        for pieces in cases.values():
            self.assertEqual(self.status(process, *pieces), 404)
        expected = [
            *("203.0.113.7", "2001:db8::7", "203.0.113.8", "2001:db8::8"),
            *("127.0.0.1", "127.0.0.1", "203.0.113.9"),
        ]
        found = [line.partition(" ")[0] for line in self.lines(*cases)]
        self.assertEqual(found, expected)
        self.assertCountEqual(self.audited(), expected)

    def test_no_header(self) -> None:
        """Whoever says nothing of a client, or something that is no address, is not answered."""
        process = self.begin()
        for client in ("evil", "1.2.3.4\n2026-11-22", "1.2.3.4|ip=1.1.1.1", "1.2.3"):
            said = (version_1(client).replace(b"TCP6", b"TCP4"), self.head("/zzz"))
            self.assertEqual(self.status(process, *said), 0, client)
        self.assertEqual(self.status(process, self.head("/xxx")), 0)
        self.assertEqual(
            self.status(process, version_1("203.0.113.7") + self.head("/yyy")), 404
        )

    def test_limit(self) -> None:
        """Each client has its own number of connections, and the proxy any number."""
        process = self.begin("ozgate.limit.connections-per-address=2")
        open_ones = []
        for client in ("203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.3"):
            connection = socket.create_connection(self.place(process), timeout=20)
            self.addCleanup(connection.close)
            connection.sendall(version_1(client) + self.head("/xxx"))
            self.assertIn(b" 404 ", connection.recv(65536)[:20])
            open_ones.append(connection)
        again = (version_1("203.0.113.1"), self.head("/refused"))
        self.assertEqual(self.status(process, *again), 503)
        for _ in range(3):
            self.assertEqual(self.status(process, UNKNOWN + self.head("/xxx")), 404)
        open_ones[0].close()
        for _ in range(100):
            if self.status(process, *again) == 404:
                break
            time.sleep(0.05)
        else:
            self.fail("the client's place is not free again")
        [line] = self.lines("refused")
        self.assertTrue(line.startswith("203.0.113.1 "), line)


class ForwardedTests(ProxyTestCase):
    """``X-Forwarded-For``."""

    def begin(self, trusted: str, *settings: str) -> Twistd:
        """A service that believes some proxies."""
        definitions = [
            f"ozgate.http.trusted-proxies={trusted}",
            *settings,
        ]
        return self.started(
            "-D", LOOPBACK, *(p for each in definitions for p in ("-D", each))
        )

    def test_trusted(self) -> None:
        """Each request on a connection of a proxy is its own client's."""
        process = self.begin("127.0.0.0/8")
        said = [
            ("aaa", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
            ("bbb", "203.0.113.8", "203.0.113.8"),
            ("ccc", "evil", "127.0.0.1"),
        ]
        with socket.create_connection(self.place(process), timeout=20) as connection:
            for target, value, _ in said:
                head = self.head(f"/{target}", f"X-Forwarded-For: {value}")
                connection.sendall(head)
                self.assertIn(b" 404 ", connection.recv(65536)[:20])
        found = [each.partition(" ")[0] for each in self.lines("aaa", "bbb", "ccc")]
        self.assertEqual(found, [client for _, _, client in said])
        self.assertEqual(self.audited(), [client for _, _, client in said])

    def test_spoofed(self) -> None:
        """Where the proxies are elsewhere, it is what anybody could have written."""
        process = self.begin("10.0.0.0/8")
        head = self.head("/xxx", "X-Forwarded-For: 203.0.113.7, 10.0.0.1")
        self.assertEqual(self.status(process, head), 404)
        [line] = self.lines("xxx")
        self.assertTrue(line.startswith("127.0.0.1 "), line)

    def test_limit(self) -> None:
        """A proxy has any number of connections; a client, as many requests under way as others have connections."""
        process = self.begin("127.0.0.1", "ozgate.limit.connections-per-address=2")
        self.assertEqual(self.ask(f"{process.urls[0]}/bucket", "PUT")[0], 200)
        begun = []
        for client in ("203.0.113.1", "203.0.113.1", "203.0.113.2"):
            connection = socket.create_connection(self.place(process), timeout=20)
            self.addCleanup(connection.close)
            extra = f"X-Forwarded-For: {client}"
            lines = (extra, "Content-Length: 100000", "Expect: 100-continue")
            connection.sendall(self.head("/bucket/key", *lines, method="PUT"))
            self.assertIn(b" 100 ", connection.recv(65536)[:20])
            begun.append(connection)
        refused = self.head("/bucket", "X-Forwarded-For: 203.0.113.1")
        self.assertEqual(self.status(process, refused), 503)
        other = self.head("/bucket", "X-Forwarded-For: 203.0.113.3")
        self.assertEqual(self.status(process, other), 200)
        # One ends as it should, and one is cut.
        begun[0].sendall(bytes(100000))
        self.assertIn(b" 200 ", begun[0].recv(65536)[:20])
        self.assertEqual(self.status(process, refused), 200)
        begun[1].close()
        for _ in range(3):
            self.assertEqual(self.status(process, refused), 200)

    def test_reload(self) -> None:
        """The list is taken up while the service runs."""
        site = Path(self.folder, "site.xml")

        def write(trusted: str) -> None:
            site.write_text(
                "<configuration><property><name>ozgate.http.trusted-proxies</name>"
                f"<value>{trusted}</value></property></configuration>"
            )

        write("")
        process = self.started("--config", str(site), "-D", LOOPBACK)
        write("127.0.0.1")
        self.assertEqual(self.answer_to_reload(process), 200)
        head = self.head("/xxx", "X-Forwarded-For: 203.0.113.7")
        self.assertEqual(self.status(process, head), 404)
        [line] = self.lines("xxx")
        self.assertTrue(line.startswith("203.0.113.7 "), line)

    def answer_to_reload(self, process: Twistd) -> int:
        """Have it reload."""
        return self.ask(f"{process.admin_url}/reload", "POST", b"", None)[0]

    def test_nginx(self) -> None:
        """nginx in front, over TCP and over a UNIX socket, with what its manual says: the logs have its clients."""
        if not os.path.exists(NGINX):
            self.skipTest("needs nginx")
        sock = self.socket_path()
        process = self.started(
            *("-D", "ozgate.http.trusted-proxies=127.0.0.1,unix"),
            *("--listen", "tcp:0:interface=127.0.0.1", "--listen", f"unix:{sock}"),
        )
        url = re.findall(r"http://127\.0\.0\.1:\d+", process.output())[0]
        for number, upstream in enumerate((url, f"http://unix:{sock}:")):
            port = self.serve_nginx(number, upstream)
            with socket.create_connection(
                ("127.0.0.1", port), 20, ("127.0.0.9", 0)
            ) as connection:
                lines = ("X-Forwarded-For: 1.1.1.1", "Connection: close")
                connection.sendall(self.head(f"/nginx{number}", *lines))
                self.assertIn(b" 404 ", connection.recv(65536)[:20])
            [line] = self.lines(f"nginx{number}")
            self.assertTrue(line.startswith("127.0.0.9 "), line)

    def serve_nginx(self, number: int, upstream: str) -> int:
        """nginx before a service; returns its port."""
        folder = os.path.join(self.folder, f"nginx{number}")
        os.makedirs(folder)
        port = free_port()
        Path(folder, "nginx.conf").write_text(
            f"user root; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events {} http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;"
            " uwsgi_temp_path u; scgi_temp_path s;\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; proxy_set_header Host $http_host;\n"
            ' proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; proxy_buffering off;\n'
            " client_max_body_size 0;\n"
            " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } } }\n"
        )
        nginx = subprocess.Popen(
            [NGINX, "-p", folder, "-c", "nginx.conf", "-e", f"{folder}/error.log"],
            stdin=subprocess.DEVNULL,
        )
        self.addCleanup(nginx.wait, 20)
        self.addCleanup(nginx.terminate)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=20).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        return port

"""The recipes of ``etc/`` for what stands before several gateways, by the real thing."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.forking import die_with_parent
from tests.gateways.fleet import FleetCase
from tests.running import ROOT, Server, free_port

_PATH = f"{os.environ['PATH']}:/usr/sbin"


class ProxyCase(FleetCase):
    """Three gateways with a proxy before them, which is a server to whoever asks."""

    settings = ("ozgate.http.trusted-proxies=127.0.0.1",)

    def serve(self, recipe: str, *command: str) -> Server:
        """Run a program on a recipe, with the ports of this test's gateways.

        :param command: with ``{}`` for the path of the configuration.
        """
        found = shutil.which(command[0], path=_PATH)
        if found is None:
            self.skipTest(f"needs {command[0]}")
        text, port = Path(ROOT, "etc", recipe).read_text(), free_port()
        places = [(9000, port)]
        places += zip((9878, 9888, 9898), (g.port for g in self.gateways), strict=True)
        for told, here in places:
            self.assertEqual(text.count(f"127.0.0.1:{told}"), 1)
            text = text.replace(f"127.0.0.1:{told}", f"127.0.0.1:{here}")
        folder = Path(self.fleet.folder, "proxy")
        folder.mkdir()
        path = folder / recipe
        path.write_text(self.whole(text, folder))
        process = subprocess.Popen(
            [found, *(each.format(path, folder=folder) for each in command[1:])],
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        self.await_port(port)
        return Server(str(folder / "data"), port=port)

    def whole(self, text: str, folder: Path) -> str:
        """The whole file that a recipe is a part of."""
        return text

    def await_port(self, port: int) -> None:
        """Wait until something listens."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=20).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        self.fail("nobody listens")

    def ask_through(self, proxy: Server) -> None:
        """Everything gets through as it is: keys, metadata, large bodies, ranges; the logs have the client."""
        body = os.urandom(3_000_000)
        metadata = {"x-amz-meta-under_score": "yes"}
        for key in ("a//b", "%C3%BC", "plus%2B%20space", "dots/%2E%2E/x", "~*'()"):
            status, _, said = proxy.request("PUT", f"/bucket/{key}", metadata, body)
            self.assertEqual(status, 200, said)
            for gateway in (proxy, *self.gateways):
                status, headers, found = gateway.request("GET", f"/bucket/{key}")
                self.assertEqual((status, found), (200, body))
                self.assertEqual(headers["x-amz-meta-under_score"], "yes")
        part = proxy.request("GET", "/bucket/a//b", {"range": "bytes=5-9"})
        self.assertEqual((part[0], part[2]), (206, body[5:10]))
        status, _, said = proxy.request("GET", "/bucket/nothing")
        self.assertEqual(status, 404)
        self.assertIn(b"NoSuchKey", said)

    def kill_behind(self, proxy: Server) -> None:
        """A gateway is killed behind it: clients that repeat what failed see nothing of it, and when it is back it is given requests."""
        failed, dead = 0, self.gateways[1]
        dead.kill()
        for number in range(60):
            target = f"/bucket/meanwhile{number}"
            while proxy.request("PUT", target, {}, b"x")[0] != 200:
                failed += 1
                self.assertLess(failed, 20)
            self.assertEqual(self.gateways[0].request("GET", target)[2], b"x")
        dead.start()
        log = Path(dead.data, "access.log")
        before = log.read_text().count("/again")
        deadline = time.monotonic() + 30
        while log.read_text().count("/again") == before:
            self.assertLess(time.monotonic(), deadline)
            proxy.request("GET", "/bucket/again")


class HAProxyTests(ProxyCase):
    """etc/haproxy.cfg."""

    def test_recipe(self) -> None:
        """It works as it stands."""
        proxy = self.serve("haproxy.cfg", "haproxy", "-db", "-f", "{}")
        self.await_gateways(proxy)
        self.ask_through(proxy)
        self.kill_behind(proxy)

    def await_gateways(self, proxy: Server) -> None:
        """Wait until it knows of one that serves."""
        deadline = time.monotonic() + 20
        while proxy.request("GET", "/bucket/x")[0] == 503:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


class NginxTests(ProxyCase):
    """etc/nginx.conf."""

    def whole(self, text: str, folder: Path) -> str:
        """A server of its own around it."""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{each}_temp_path {folder}/{each};" for each in kinds)
        return (
            f"user root; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{}} http {{ access_log off; {paths}\n{text}\n}}\n"
        )

    def test_recipe(self) -> None:
        """It works as it stands."""
        command = ("nginx", "-p", "{folder}", "-c", "{}", "-e", "{folder}/error.log")
        proxy = self.serve("nginx.conf", *command)
        self.ask_through(proxy)
        self.kill_behind(proxy)
        self.assertEqual(re.findall(r"\[(?:crit|alert|emerg)\].*", self.said()), [])

    def said(self) -> str:
        """Its log."""
        return Path(self.fleet.folder, "proxy", "error.log").read_text()

"""A real Kerberos realm for tests: MIT's KDC on loopback, with everything of its own in one folder."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from twisted.trial.unittest import SkipTest

from tests.forking import die_with_parent
from tests.running import free_port

REALM = "EXAMPLE.COM"
LIFETIME = "1h"

USER = "testuser/scm@EXAMPLE.COM"
SERVICE = "HTTP/localhost@EXAMPLE.COM"
OTHER_SERVICE = "HTTP/other.example.com@EXAMPLE.COM"
NOT_HTTP = "host/localhost@EXAMPLE.COM"

_KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    default_ccache_name = FILE:{folder}/no-cache
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
"""
# No UDP: a port that is free for TCP need not be so there.
_KDC_CONF = """\
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        kdc_listen = ""
        kdc_tcp_listen = 127.0.0.1:{port}
        max_life = {lifetime}
        supported_enctypes = aes256-cts-hmac-sha1-96:normal
    }}
"""


def find(name: str) -> str:
    """The path of one of Kerberos' programs, wherever the distribution has it."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def require_kerberos() -> None:
    """Skip the test where the KDC or the extra is not installed; in continuous integration fail it."""
    try:
        for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "curl"):
            find(name)
        if find_spec("gssapi") is None:
            raise FileNotFoundError("gssapi (the extra ozgate[kerberos]) is missing")
    except FileNotFoundError as error:
        if os.environ.get("CI") == "true":
            raise
        raise SkipTest(str(error)) from None


class Kdc:
    """The realm :data:`REALM`.

    :param folder: where its files go; it must exist.
    """

    realm = REALM

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path(folder, "log")
        for name, text in (("krb5.conf", _KRB5_CONF), ("kdc.conf", _KDC_CONF)):
            Path(folder, name).write_text(
                text.format(
                    realm=REALM, folder=folder, port=self._port, lifetime=LIFETIME
                )
            )

    @property
    def environment(self) -> dict[str, str]:
        """What puts a program into this realm, without a ticket."""
        return {
            "KRB5_CONFIG": f"{self.folder}/krb5.conf",
            "KRB5_KDC_PROFILE": f"{self.folder}/kdc.conf",
            "KRB5CCNAME": f"FILE:{self.folder}/no-cache",
            "KRB5_KTNAME": f"FILE:{self.folder}/no-keytab",
            "KRB5_CLIENT_KTNAME": f"FILE:{self.folder}/no-keytab",
            "KRB5RCACHEDIR": self.folder,
        }

    def start(self) -> None:
        """Make the database and start the KDC; returns when it answers, after 20 seconds at most."""
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "of tests only")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [find("krb5kdc"), "-n", "-r", REALM, "-P", f"{self.folder}/pid"],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port)),
            ):
                return
            time.sleep(0.02)
        raise RuntimeError("krb5kdc does not answer: " + self._log.read_text())

    def stop(self) -> None:
        """End the KDC."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def administer(self, *commands: str) -> str:
        """Commands of kadmin.local, run in order; returns what it said."""
        return self._run("kadmin.local", "-r", REALM, text="\n".join(commands) + "\n")

    def keytab(self, name: str, *principals: str, lifetime: str = LIFETIME) -> str:
        """Make principals with random keys and a keytab of them; returns its path."""
        path = os.path.join(self.folder, name)
        said = self.administer(
            *(f'addprinc -randkey -maxlife "{lifetime}" {each}' for each in principals),
            *(f"ktadd -norandkey -k {path} {each}" for each in principals),
        )
        if not os.path.exists(path):
            raise RuntimeError(said)
        return path

    def kinit(self, principal: str, keytab: str, *options: str) -> dict[str, str]:
        """The environment of somebody with a fresh ticket."""
        caches = tempfile.mkdtemp(dir=self.folder)
        environment = {**self.environment, "KRB5CCNAME": f"FILE:{caches}/cache"}
        self._run("kinit", *options, "-kt", keytab, principal, environment=environment)
        return environment

    def set_clock(self, environment: Mapping[str, str], seconds: int) -> None:
        """Have a client believe that its clock differs from the KDC's by so much.

        That is what the header of its cache is for (MIT's "FILE ccache format", version 4, tag 1).
        """
        path = Path(environment["KRB5CCNAME"].removeprefix("FILE:"))
        cache = path.read_bytes()
        header = struct.pack(">HHHii", 12, 1, 8, seconds, 0)
        rest = 4 + int.from_bytes(cache[2:4], "big")
        path.write_bytes(cache[:2] + header + cache[rest:])

    def fetch(self, environment: Mapping[str, str], principal: str) -> None:
        """Have a client get a ticket for a service beforehand."""
        self._run("kvno", principal, environment=environment)

    def _run(
        self,
        name: str,
        *arguments: str,
        text: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> str:
        ended = subprocess.run(
            [find(name), *arguments],
            env={**os.environ, **(environment or self.environment)},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if ended.returncode:
            raise RuntimeError(f"{name} {arguments}: {ended.stdout}{ended.stderr}")
        return ended.stdout + ended.stderr


@cache
def shared_kdc() -> Kdc:
    """One realm for all tests of this process; it ends with the process."""
    require_kerberos()
    folder = tempfile.TemporaryDirectory(prefix="ozgate-kdc-")
    kdc = Kdc(folder.name)
    atexit.register(folder.cleanup)
    atexit.register(kdc.stop)
    kdc.start()
    return kdc


class InRealm:
    """For test cases: a realm with a user, and three services whose keys are in one keytab."""

    addCleanup: Callable[..., None]

    def join(self) -> None:
        """Put this process into the realm, as the user, with a fresh ticket."""
        self.kdc = shared_kdc()
        self.keytab = os.path.join(self.kdc.folder, "services.keytab")
        self.user_keytab = os.path.join(self.kdc.folder, "testuser.keytab")
        if not os.path.exists(self.keytab):
            self.kdc.keytab("services.keytab", SERVICE, OTHER_SERVICE, NOT_HTTP)
            self.kdc.keytab("testuser.keytab", USER)
        self.become(self.kdc.kinit(USER, self.user_keytab))

    def become(self, environment: Mapping[str, str]) -> None:
        """Use other variables for Kerberos in this process, until the test ends."""
        for name, value in environment.items():
            before = os.environ.get(name)
            os.environ[name] = value
            if before is None:
                self.addCleanup(os.environ.pop, name, None)
            else:
                self.addCleanup(os.environ.__setitem__, name, before)

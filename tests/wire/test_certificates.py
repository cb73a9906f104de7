"""Which certificate is shown to whom, how new ones are taken up, and what is said of those that cannot be."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from twisted.internet import reactor
from twisted.internet import ssl as twisted_ssl
from twisted.internet.endpoints import SSL4ClientEndpoint, connectProtocol
from twisted.internet.task import Clock

from ozgate.background.certificates import CertificateWatch
from ozgate.cli.tls import make_pair
from ozgate.wire.certificates import CertificateError, Pair
from ozgate.wire.tls import Certificates, TlsFiles
from tests.authority import Authority, new_key
from tests.wire.handshakes import HandshakeTestCase, client
from tests.wire.support import Peer


class ChainTests(HandshakeTestCase):
    """Certificates whose issuer is not the one that clients trust."""

    def setUp(self) -> None:
        """Have a certificate two steps below the authority."""
        super().setUp()
        self.first = Authority("first", self.authority)
        self.second = Authority("second", self.first)
        self.leaf, self.key = self.second.issue("h")

    async def test_in_one_file(self) -> None:
        """A file of several certificates is shown as a chain; the key may be in it."""
        path = self.put(
            "all.pem", self.leaf + self.second.pem + self.key + self.first.pem
        )
        self.begin(Pair(path, path))
        self.assertEqual((await self.visited()).names, ("h",))

    async def test_in_two_files(self) -> None:
        """The rest of the chain may be a file of its own."""
        self.begin(
            Pair(
                self.put("h.crt", self.leaf),
                self.put("h.key", self.key),
                self.put("chain.pem", self.second.pem + self.first.pem),
            )
        )
        self.assertEqual((await self.visited()).names, ("h",))

    async def test_incomplete(self) -> None:
        """Without the chain a client cannot know the certificate."""
        self.begin(Pair(self.put("h.crt", self.leaf), self.put("h.key", self.key)))
        told = await self.refused(client(self.authority.pem))
        self.assertIn("unable to get local issuer certificate", told)


class NameTests(HandshakeTestCase):
    """Certificates by the name that a client asks for (SNI, RFC 6066)."""

    async def check(self, *expected: tuple[str | None, str]) -> None:
        """The first name of the certificate for each name asked."""
        for asked, first in expected:
            seen = await self.visited(asked)
            self.assertEqual(seen.names[0], first, asked)

    async def test_list(self) -> None:
        """Names are given one by one; wildcards are for one label; whatever else gets the default."""
        one, wild, exact = map(self.pair, ("one", "wild", "exact"))
        self.begin(
            self.pair("default"),
            named=[
                f"S3.example.com={one.certificate}:{one.key}",
                f"*.s3.example.com={wild.certificate}:{wild.key}",
                f"its.s3.example.com={exact.certificate}:{exact.key}",
            ],
        )
        await self.check(
            (None, "default"),
            ("s3.example.com", "one"),
            ("S3.EXAMPLE.COM", "one"),
            ("bucket.s3.example.com", "wild"),
            ("its.s3.example.com", "exact"),
            ("a.b.s3.example.com", "default"),
            ("example.com", "default"),
            ("localhost", "default"),
        )

    async def test_folder(self) -> None:
        """A folder's certificates say themselves what they are for, in the layouts that people have."""
        names = "sni/beside", "sni/acme/fullchain", "sni/kube/tls"
        for stem in names:
            host = stem.split("/")[1] + ".example.com"
            self.pair(host, f"*.{host}", stem=stem)
        folder = os.path.join(self.folder, "sni")
        acme = os.path.join(folder, "acme")
        os.rename(f"{acme}/fullchain.crt", f"{acme}/fullchain.pem")
        os.rename(f"{acme}/fullchain.key", f"{acme}/privkey.pem")
        certificate, key = self.authority.issue(
            "inside.example.com", "*.inside.example.com"
        )
        self.put("sni/inside.crt", certificate + key)
        self.put("sni/README", b"not a certificate")
        os.mkdir(f"{folder}/empty")
        self.begin(self.pair("default"), named=[f"{folder}/kube", folder])
        for host in ("beside", "inside", "acme", "kube"):
            host += ".example.com"
            await self.check((host, host), (f"bucket.{host}", host))
        await self.check(("other.example.com", "default"))

    async def test_new_in_folder(self) -> None:
        """A certificate that comes into the folder, or goes, is noticed."""
        os.makedirs(os.path.join(self.folder, "sni"))
        certificates = self.begin(
            self.pair("default"), named=[os.path.join(self.folder, "sni")]
        )
        await self.check(("late.example.com", "default"))
        self.pair("late.example.com", stem="sni/late")
        certificates.poll()
        certificates.poll()
        await self.check(("late.example.com", "late.example.com"))
        shutil.rmtree(os.path.join(self.folder, "sni"))
        os.mkdir(os.path.join(self.folder, "sni"))
        certificates.poll()
        certificates.poll()
        await self.check(("late.example.com", "default"))


class ReloadTests(HandshakeTestCase):
    """Files that change while the service runs."""

    async def connect(self) -> Peer:
        """A new client, which believes any certificate."""
        endpoint = SSL4ClientEndpoint(
            reactor, "127.0.0.1", self.port, twisted_ssl.CertificateOptions()
        )
        peer = await connectProtocol(endpoint, Peer())
        self._peers.append(peer)
        return peer

    async def test_open_connections_go_on(self) -> None:
        """After a reload new connections see the new certificate; one that is open neither sees nor feels it."""
        certificates = self.begin(self.pair("old", stem="pair"))
        peer = await self.connect()
        peer.send(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
        await peer.until(rb"/1$")
        self.pair("new", stem="pair")
        self.assertIn("1 loaded, valid until 2", certificates.reload())
        self.assertEqual((await self.visited()).names, ("new",))
        peer.send(b"PUT /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
        peer.send(b"y" * 100_000)
        await peer.until(rb"y{100000}$")

    async def test_broken_pair(self) -> None:
        """What cannot be used changes nothing and is said once, in one line; the next that can is taken up."""
        pair = self.pair("old", stem="pair")
        certificates = self.begin(pair)
        self.put("pair.key", b"nonsense")
        for _ in range(5):
            certificates.poll()
        [line] = self.lines("error")
        self.assertEqual(self.lines(), [line])
        self.assertIn(pair.key, line)
        self.assertIn("of before stay", line)
        self.assertNotIn("\n", line)
        self.assertEqual((await self.visited()).names, ("old",))
        self.assertIn("failed, those of before stay", certificates.reload())
        self.pair("new", stem="pair")
        certificates.poll()
        certificates.poll()
        self.assertEqual((await self.visited()).names, ("new",))

    async def test_one_file_after_the_other(self) -> None:
        """Between the replacing of a certificate and of its key nothing is read, and nothing said."""
        certificates = self.begin(self.pair("old", stem="pair"))
        certificate, key = self.authority.issue("new")
        certificates.poll()
        self.put("pair.crt", certificate)
        certificates.poll()
        self.put("pair.key", key)
        certificates.poll()
        self.assertEqual(self.lines(), [])
        self.assertEqual((await self.visited()).names, ("old",))
        certificates.poll()
        self.assertEqual((await self.visited()).names, ("new",))
        self.assertEqual(len(self.lines()), 1)

    async def test_link(self) -> None:
        """A symbolic link that points elsewhere is a change, too: so ACME clients and Kubernetes replace files."""
        old, new = self.pair("old"), self.pair("new")
        links = [os.path.join(self.folder, each) for each in ("c", "k")]
        for link, path in zip(links, (old.certificate, old.key), strict=True):
            os.symlink(path, link)
        certificates = self.begin(Pair(*links))
        for link, path in zip(links, (new.certificate, new.key), strict=True):
            os.symlink(path, f"{link}.new")
            os.replace(f"{link}.new", link)
        certificates.poll()
        certificates.poll()
        self.assertEqual((await self.visited()).names, ("new",))

    async def test_authority_of_clients(self) -> None:
        """The authority for clients is read anew with the rest."""
        before, after = Authority("before"), Authority("after")
        ca = self.put("clients.pem", before.pem)
        certificates = self.begin(self.pair("h"), client_ca=ca, need_client=True)
        context = client(self.authority.pem)
        context.load_cert_chain(self.put("c.pem", b"".join(before.issue("c"))))
        await self.visited_with(context)
        self.put("clients.pem", after.pem)
        certificates.reload()
        await self.refused(context)

    def test_unchanged(self) -> None:
        """Files that stay are not read again."""
        certificates = Certificates(TlsFiles(self.pair("h")), Clock())
        self.logged.clear()
        for _ in range(5):
            certificates.poll()
        self.assertEqual(self.lines(), [])

    async def test_watch(self) -> None:
        """The service that looks takes its time from the clock that it is given."""
        certificates = self.begin(self.pair("old", stem="pair"))
        watch = CertificateWatch([certificates], self.clock, 10)
        watch.startService()
        self.pair("new", stem="pair")
        self.clock.advance(10)
        self.assertEqual((await self.visited()).names, ("old",))
        self.clock.advance(10)
        self.assertEqual((await self.visited()).names, ("new",))
        await watch.stopService()


class FileTests(HandshakeTestCase):
    """What is wrong with files is said in one line that names them."""

    def failed(self, pair: Pair, **options: Any) -> str:
        """The line."""
        with self.assertRaises(CertificateError) as caught:
            Certificates(TlsFiles(pair, **options), Clock())
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line

    def test_files(self) -> None:
        """Files that are not there, or hold something else."""
        good = self.pair("good")
        other = self.pair("other")
        junk = self.put("junk", b"junk")
        broken = self.put(
            "broken",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        missing = os.path.join(self.folder, "missing")
        for pair, *words in (
            (Pair(missing, good.key), missing, "No such file"),
            (Pair(good.certificate, missing), missing, "No such file"),
            (Pair(good.certificate, self.folder), self.folder, "directory"),
            (Pair(junk, good.key), junk, "no certificate"),
            (Pair(broken, good.key), broken, "damaged"),
            (Pair(good.key, good.key), good.key, "no certificate"),
            (Pair(good.certificate, junk), junk, "no private key"),
            (Pair(good.certificate, good.certificate), "no private key"),
            (Pair(good.certificate, other.key), other.key, "is not that of"),
            (Pair(good.certificate, good.key, junk), junk, "no certificate"),
        ):
            line = self.failed(pair)
            for word in words:
                self.assertIn(word, line)
        self.assertIn(junk, self.failed(good, client_ca=junk))
        self.assertIn(junk, self.failed(good, dh_parameters=junk))
        self.assertIn(missing, self.failed(good, dh_parameters=missing))

    def test_encrypted_key(self) -> None:
        """Nobody is there to ask for a passphrase."""
        key = new_key()
        certificate, _ = self.authority.issue("h", key=key)
        secret = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
        )
        pair = Pair(self.put("c", certificate), self.put("k", secret))
        self.assertIn("encrypted", self.failed(pair))

    def test_to_trust(self) -> None:
        """Whether clients must be told to trust the certificate is known: where it signs itself."""
        issued = Certificates(TlsFiles(self.pair("h")), Clock())
        self.assertEqual(issued.to_trust, "")
        key, certificate = make_pair(["h"], datetime.now(UTC), 1)
        path = self.put("own.pem", key + certificate)
        own = Certificates(TlsFiles(Pair(path, path)), Clock())
        self.assertEqual(own.to_trust, path)

    def test_weak_key(self) -> None:
        """OpenSSL refuses keys that are too short, and is quoted."""
        pair = self.pair("h", key=new_key(1024))
        line = self.failed(pair)
        self.assertIn(pair.certificate, line)
        self.assertIn("key too small", line)

    def test_names(self) -> None:
        """Items that are neither a name with files nor a folder, and certificates without a name."""
        good, nameless = self.pair("good"), self.pair(stem="nameless")
        for item in (
            "nonsense",
            f"={good.certificate}",
            f"a={good.certificate}:",
            "a=",
        ):
            self.assertIn(item, self.failed(good, named=[item]))
        folder = os.path.join(self.folder, "f")
        os.mkdir(folder)
        for path in (nameless.certificate, nameless.key):
            shutil.copy(path, folder)
        self.assertIn("names no DNS host", self.failed(good, named=[folder]))

    def test_ending_soon(self) -> None:
        """A certificate that ends within two weeks is warned of whenever it is loaded."""
        now = Clock()
        now.advance(datetime.now(UTC).timestamp())
        for days, lines in ((13, 1), (15, 0), (-0.5, 1)):
            pair = self.pair("h", days=days)
            self.logged.clear()
            Certificates(TlsFiles(pair), now)
            warned = self.lines("warn")
            self.assertEqual(len(warned), lines, days)
            self.assertTrue(all(pair.certificate in line for line in warned))

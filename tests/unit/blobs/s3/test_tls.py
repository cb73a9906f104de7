"""An engine over TLS: it is asked when its certificate is one that may be trusted, and told nothing when it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.ssl import PrivateCertificate
from twisted.trial.unittest import TestCase

from ozgate.blobs.s3.store import S3BlobStore
from ozgate.errors import Unavailable
from tests.authority import Authority
from tests.contract.s3engine import store_over
from tests.unit.blobs.s3.badengine import BadEngine, failure_of


class SecretEngine(BadEngine):
    """An engine with a certificate."""

    def __init__(self, pem: bytes) -> None:
        self.pem = pem
        super().__init__()

    def listen_on(self, port: int) -> Any:
        certificate = PrivateCertificate.loadPEM(self.pem)
        options = certificate.options()
        return reactor.listenSSL(port, self.site, options, interface="127.0.0.1")


class TLSTests(TestCase):
    """Certificates of engines."""

    def setUp(self) -> None:
        self.authority = Authority()
        self.engine = SecretEngine(b"".join(self.authority.issue("localhost")))
        self.addCleanup(self.engine.stop)

    def store(self, host: str, authority: Authority | None) -> S3BlobStore:
        """A store that trusts an authority."""
        path = Path(self.mktemp())
        if authority is not None:
            path.write_bytes(authority.pem)
        made = store_over(
            f"{host}:{self.engine.number}",
            "bucket/in",
            scheme="https",
            ca="" if authority is None else str(path),
            deadline=2.0,
        )
        self.addCleanup(made.close_store)
        return made

    async def test_trusted(self) -> None:
        """A certificate of the authority that is trusted, for the host that is asked."""
        store = self.store("localhost", self.authority)
        await store.prepare_store()
        await store.open_store()
        sink = store.create(None)
        sink.write(b"some")
        blob = await sink.commit()
        self.assertEqual(await store.verify(blob.id), 4)

    async def test_not_trusted(self) -> None:
        """One of another authority, of none that the system trusts, or for another host: nothing is sent."""
        for host, authority in (
            ("localhost", Authority("other")),
            ("localhost", None),
            ("127.0.0.1", self.authority),
        ):
            error = await failure_of(self.store(host, authority).prepare_store())
            self.assertIsInstance(error, Unavailable)
            self.assertIn("certificate", str(error))
        self.assertEqual(self.engine.asked, [])

    def test_no_certificates(self) -> None:
        """A file without certificates, or none, is refused before anything is asked."""
        path = Path(self.mktemp())
        for content in (None, b"", b"-----BEGIN CERTIFICATE-----\nno\n"):
            if content is not None:
                path.write_bytes(content)
            self.assertRaises(
                Unavailable, store_over, "h", "bucket", scheme="https", ca=str(path)
            )

"""The committed corpus, replayed without atheris: what once broke a promise, or reached what nothing else did, still keeps them."""

from __future__ import annotations

from importlib import import_module

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.running import CORPUS, TARGETS


class CorpusTests(SynchronousTestCase):
    """Each target, with its seeds and its part of the corpus."""

    def replay(self, name: str) -> None:
        """Give a target all its inputs."""
        target = import_module(f"tests.fuzz.{name}")
        inputs = [(f"seed {number}", seed) for number, seed in enumerate(target.SEEDS)]
        inputs += [(each.name, each.read_bytes()) for each in (CORPUS / name).iterdir()]
        self.assertGreater(len(inputs), len(target.SEEDS), "there is no corpus")
        for origin, data in inputs:
            try:
                target.one_input(data)
            except Exception as error:
                raise AssertionError(f"{name}: {origin} {data!r}") from error

    def test_every_target(self) -> None:
        """Each folder of the corpus has a target, and each target a folder and a test here."""
        self.assertEqual({each.name for each in CORPUS.iterdir()}, set(TARGETS))
        for name in TARGETS:
            self.assertTrue(hasattr(self, f"test_{name}"), name)

    def test_head(self) -> None:
        """Heads of requests."""
        self.replay("head")

    def test_framing(self) -> None:
        """Bytes on a connection."""
        self.replay("framing")

    def test_address(self) -> None:
        """Targets and hosts."""
        self.replay("address")

    def test_claims(self) -> None:
        """Headers and queries that authenticate."""
        self.replay("claims")

    def test_awschunked(self) -> None:
        """Bodies in chunks."""
        self.replay("awschunked")

    def test_values(self) -> None:
        """Single values."""
        self.replay("values")

    def test_headers(self) -> None:
        """Headers of objects."""
        self.replay("headers")

    def test_documents(self) -> None:
        """XML documents."""
        self.replay("documents")

    def test_policies(self) -> None:
        """Policies."""
        self.replay("policies")

    def test_config(self) -> None:
        """Configuration files and what overrides them."""
        self.replay("config")

    def test_blobs(self) -> None:
        """Changed files of blobs."""
        self.replay("blobs")

    def test_request(self) -> None:
        """Bytes to the S3 site."""
        self.replay("request")

    def test_operation(self) -> None:
        """Requests past the gate."""
        self.replay("operation")

    def test_admin(self) -> None:
        """Requests to the admin listener."""
        self.replay("admin")

"""The command line of the suite."""

from __future__ import annotations

import contextlib
import io
import os
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.measure import GIB
from benchmarks.suite.options import Wanted, is_loopback, read

KEYS = ("--access-key", "a", "--secret-key", "s")


def wanted(*arguments: str) -> Wanted:
    """What is read, without anything in the environment."""
    with patch.dict(os.environ, clear=True):
        return read(arguments, "")


class OptionTests(SynchronousTestCase):
    """What is asked for."""

    def refused(self, *arguments: str) -> str:
        """What is said of a command line that is refused."""
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            self.assertRaises(SystemExit, wanted, *arguments)
        return told.getvalue()

    def test_servers(self) -> None:
        """What stands after a server speaks of that one."""
        given = wanted(
            *("--endpoint", "http://127.0.0.1:1/", *KEYS),
            *("--against", "http://[::1]:2", "--access-key", "b"),
            *("--secret-key", "t", "--name", "peer", "--pid", "5", "--pid", "6"),
            *("--durability", "some", "--durable", "--tls", "https://localhost:3"),
            *("--against", "http://127.0.0.1:4", *KEYS),
        )
        first, (peer, last) = given.endpoint, given.peers
        assert first is not None
        self.assertEqual(
            (first.name, first.url, first.access_key, first.secret_key),
            ("ozgate", "http://127.0.0.1:1", "a", "s"),
        )
        self.assertEqual((peer.access_key, peer.secret_key), ("b", "t"))
        self.assertEqual((peer.name, peer.pids, peer.durable), ("peer", (5, 6), True))
        self.assertEqual((peer.durability, peer.tls), ("some", "https://localhost:3"))
        self.assertEqual((last.name, last.pids), ("127.0.0.1:4", ()))
        self.assertFalse(last.durable)

    def test_keys_of_the_environment(self) -> None:
        """Keys need not be on the command line, where others on the machine see them; and no repr has a secret."""
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hidden"}
        with patch.dict(os.environ, keys, clear=True):
            given = read(["--endpoint", "http://127.0.0.1:1"], "")
        assert given.endpoint is not None
        self.assertEqual(given.endpoint.secret_key, "hidden")
        self.assertNotIn("hidden", repr(given))

    def test_refused(self) -> None:
        """What makes no sense is refused: other machines, unless they are meant, servers without keys or with one name, what speaks of nobody."""
        for arguments, said in (
            (("--endpoint", "http://192.0.2.1:1", *KEYS), "--remote"),
            (
                ("--endpoint", "http://127.0.0.1:1", *KEYS, "--tls", "https://a.b"),
                "--remote",
            ),
            (("--endpoint", "http://127.0.0.1:1"), "--secret-key"),
            (("--endpoint", "127.0.0.1:1", *KEYS), "no URL"),
            (KEYS, "after the server"),
            (
                ("--endpoint", "http://127.0.0.1:1", "--endpoint", "http://[::1]:1"),
                "one --endpoint",
            ),
            (
                (
                    *("--endpoint", "http://127.0.0.1:1", *KEYS),
                    *("--against", "http://127.0.0.1:2", *KEYS, "--name", "ozgate"),
                ),
                "a --name of its own",
            ),
            (("--rounds", "0"), "rounds"),
        ):
            self.assertIn(said, self.refused(*arguments), arguments)
        given = wanted("--endpoint", "http://192.0.2.1:1", *KEYS, "--remote")
        self.assertIsNotNone(given.endpoint)

    def test_scales(self) -> None:
        """A look is smaller than what is done if nothing is said, all is more; and single figures can be given."""
        scales = [wanted(*each).scale for each in (["--quick"], [], ["--full"])]
        for name in ("seconds", "rounds", "deep", "parts", "keys", "space"):
            figures = [getattr(each, name) for each in scales]
            self.assertEqual(figures, sorted(figures), name)
        given = wanted("--quick", "--rounds", "4", "--seconds", "9", "--space", "0.5")
        scale = given.scale
        self.assertEqual((scale.rounds, scale.seconds, scale.space), (4, 9, GIB // 2))

    def test_rows(self) -> None:
        """Rows are chosen by patterns of their names, or of their group's; without any, all are."""
        given = wanted("--rows", "lists", "GET 4 KiB*")
        self.assertTrue(given.chosen("lists", "LIST all"))
        self.assertTrue(given.chosen("requests", "GET 4 KiB, c=1"))
        self.assertFalse(given.chosen("requests", "GET 64 KiB, c=1"))
        self.assertTrue(wanted().chosen("requests", "GET 64 KiB, c=1"))

    def test_loopback(self) -> None:
        """This machine is known by any of its own addresses."""
        for url in ("http://127.0.0.1:1", "https://[::1]", "http://localhost:5"):
            self.assertTrue(is_loopback(url), url)
        for url in ("http://10.0.0.1", "http://localhost.example.com", "http://[::]"):
            self.assertFalse(is_loopback(url), url)

"""Tests of :mod:`ozgate.auth.sealing`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.sealing import MasterKey
from ozgate.errors import Absent, Damaged, Unavailable

WHO = "testuser/scm@EXAMPLE.COM"
SECRET = "c261b6ecabf7d37d5f9ded654b1c724a"


class KeyFileTests(SynchronousTestCase):
    """The file that the key is kept in."""

    def setUp(self) -> None:
        """A folder for it."""
        folder = os.path.abspath(self.mktemp())
        os.makedirs(folder)
        self.path = os.path.join(folder, "master.key")

    def refused(self, check: bytes | None = None) -> str:
        """The one line with which the key is refused."""
        with self.assertRaises(Unavailable) as caught:
            MasterKey.load_or_make(self.path, check)
        line = str(caught.exception)
        self.assertIn(self.path, line)
        self.assertNotIn("\n", line)
        return line

    def test_made_once(self) -> None:
        """The first start makes the key, for its owner alone; the next one finds it."""
        key = MasterKey.load_or_make(self.path)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertEqual(len(Path(self.path).read_text()), 65)
        again = MasterKey.load_or_make(self.path, key.check())
        self.assertEqual(again.open(WHO, key.seal(WHO, SECRET)), SECRET)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["master.key"])

    def test_two_keys_differ(self) -> None:
        """No key is like another, and none is in a representation."""
        MasterKey.make(self.path)
        text = Path(self.path).read_text().strip()
        self.assertNotIn(text, repr(MasterKey.load(self.path)))
        os.unlink(self.path)
        MasterKey.make(self.path)
        self.assertNotEqual(Path(self.path).read_text().strip(), text)

    def test_never_overwritten(self) -> None:
        """A key that is there is not made anew."""
        MasterKey.make(self.path)
        before = Path(self.path).read_bytes()
        self.assertRaises(Unavailable, MasterKey.make, self.path)
        self.assertEqual(Path(self.path).read_bytes(), before)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["master.key"])

    def test_missing(self) -> None:
        """A key that is missing although something was sealed is not replaced by another."""
        check = MasterKey.make(self.path).check()
        os.unlink(self.path)
        self.assertIn("is missing", self.refused(check))
        self.assertFalse(os.path.exists(self.path))
        self.assertRaises(Absent, MasterKey.load, self.path)

    def test_another(self) -> None:
        """A key that is not the one used before is refused."""
        check = MasterKey.make(self.path).check()
        os.unlink(self.path)
        MasterKey.make(self.path)
        self.assertIn("is not the one", self.refused(check))

    def test_open_to_others(self) -> None:
        """A key that others may read is refused."""
        MasterKey.make(self.path)
        for mode in (0o640, 0o604, 0o660):
            os.chmod(self.path, mode)
            self.assertIn(f"{mode:03o}", self.refused())

    def test_no_key(self) -> None:
        """A file of something else, of half a key or of nothing is refused."""
        for text in ("", "0" * 63, "0" * 66, "x" * 64, "\xe9" * 64):
            Path(self.path).write_text(text, encoding="latin-1")
            os.chmod(self.path, 0o600)
            self.assertIn("64 hex digits", self.refused())

    def test_cannot_be_made(self) -> None:
        """A place that is not there is named."""
        self.path = os.path.join(self.path, "deeper")
        self.assertIn("ozgate.master-key", self.refused())


class SealTests(SynchronousTestCase):
    """What is sealed."""

    def setUp(self) -> None:
        """Two keys."""
        self.key, self.other = MasterKey(b"k" * 32), MasterKey(b"o" * 32)

    def test_round(self) -> None:
        """What was sealed opens again, and is different each time it is sealed."""
        for secret in (SECRET, "", "ünïcødé " * 100):
            one, two = self.key.seal(WHO, secret), self.key.seal(WHO, secret)
            self.assertNotEqual(one, two)
            self.assertEqual(self.key.open(WHO, one), secret)
            self.assertEqual(self.key.open(WHO, two), secret)
        self.assertNotIn(SECRET.encode(), self.key.seal(WHO, SECRET))

    def test_bound(self) -> None:
        """It opens neither for another access id, nor under another key, nor changed in any byte."""
        sealed = self.key.seal(WHO, SECRET)
        self.assertRaises(Damaged, self.key.open, "other", sealed)
        self.assertRaises(Damaged, self.other.open, WHO, sealed)
        for index in range(len(sealed)):
            changed = bytearray(sealed)
            changed[index] ^= 1
            self.assertRaises(Damaged, self.key.open, WHO, bytes(changed))
            self.assertRaises(Damaged, self.key.open, WHO, sealed[:index])

    def test_check(self) -> None:
        """A check value tells one key from another."""
        self.assertTrue(self.key.fits(self.key.check()))
        self.assertFalse(self.other.fits(self.key.check()))
        self.assertFalse(self.key.fits(b""))

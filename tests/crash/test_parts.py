"""Parts of a sweep."""

from __future__ import annotations

from argparse import ArgumentTypeError

from twisted.trial.unittest import SynchronousTestCase

from tests.crash.parts import Part
from tests.crash.sequences import sequences


class PartTests(SynchronousTestCase):
    """What is run in parts is run as a whole."""

    def test_whole(self) -> None:
        """Each thing is in one of the parts, which are of about one size, and the same each time; the whole is in order."""
        whole = sequences()
        self.assertEqual(Part().take(whole), whole)
        for of in (2, 7, 40):
            parts = [Part(number, of).take(whole) for number in range(1, of + 1)]
            self.assertEqual(
                sorted(each for part in parts for each in part), sorted(whole)
            )
            self.assertLessEqual(len(parts[0]) - len(parts[-1]), 1)
            self.assertEqual(Part(1, of).take(whole), parts[0])

    def test_every_operation(self) -> None:
        """A part has every operation at every place of a sequence."""
        whole, part = sequences(), Part(1, 40).take(sequences())
        for place in (0, 1, 2):
            there, found = (
                {each.split("+")[place] for each in some if each.count("+") == 2}
                for some in (whole, part)
            )
            self.assertEqual(found, there)

    def test_text(self) -> None:
        """It is read as it is written, and nothing else is."""
        self.assertEqual(Part.parse("2/8"), Part(2, 8))
        self.assertEqual(str(Part.parse("2/8")), "part 2/8")
        for text in ("", "2", "0/8", "9/8", "-1/8", "1/8/2", "a/b"):
            with self.assertRaises(ArgumentTypeError, msg=text):
                Part.parse(text)

"""Frozen values: what attrs promises of them, and what only the type checker does."""

import copy
import os
import pickle

import attrs
from attrs import evolve, field
from mypy import api
from twisted.trial.unittest import SynchronousTestCase

from ozgate.immutable import frozen
from tests.running import ROOT

ASSIGNMENT = """
from ozgate.immutable import frozen
@frozen
class One:
    one: int
One(1).one = 2
"""


class Members:
    """What both classes below have; ``one`` and ``two`` are of any type."""

    one: object
    two: object = 2
    hidden: str = field(default="secret", repr=False)
    masked: str = field(default="secret", repr=lambda value: "***")


def made(decorator, **options):
    """A class with these members."""
    names = {"__annotations__": Members.__annotations__, "__module__": __name__}
    names |= {n: v for n, v in vars(Members).items() if not n.startswith("__")}
    return decorator(**options)(type("Shown", (), {**names, "__qualname__": "Shown"}))


Shown = made(frozen)
"""One that pickle finds by its name."""


@frozen(kw_only=True)
class Named:
    """Its members are given by name."""

    two: int
    one: int


@frozen
class Single:
    """It has one member."""

    one: object


class FrozenTests(SynchronousTestCase):
    """A class made by ours, beside one made by attrs."""

    def test_shown(self) -> None:
        """An instance is shown as attrs shows it: a secret is not."""
        theirs = made(attrs.frozen)
        for arguments in ((1,), ("a", [Shown(1)])):
            self.assertEqual(repr(Shown(*arguments)), repr(theirs(*arguments)))
        self.assertNotIn("secret", repr(Shown(1)))

    def test_own_repr(self) -> None:
        """A class that shows itself in its own way does."""

        @frozen
        class Own:
            one: int

            def __repr__(self) -> str:
                return "own"

        self.assertEqual(repr(Own(1)), "own")

    def test_value(self) -> None:
        """Instances are compared, hashed, copied and pickled by value, and have no room for anything else."""
        self.assertEqual(Shown(1), Shown(1))
        self.assertNotEqual(Shown(1), Shown(2))
        self.assertEqual(hash(Shown(1)), hash(Shown(1)))
        self.assertEqual(evolve(Shown(1), two=3), Shown(1, 3))
        for shown in (Shown(1), Shown([Shown(2)], 3, "h", "m")):
            self.assertEqual(pickle.loads(pickle.dumps(shown)), shown)
            self.assertEqual(copy.deepcopy(shown), shown)
        with self.assertRaises(AttributeError):
            Shown(1).three = 3

    def test_pickled_otherwise(self) -> None:
        """One that is not made of its members in order, or has but one, is pickled all the same."""
        for each in (Named(one=1, two=2), Single((3,))):
            again = pickle.loads(pickle.dumps(each))
            self.assertEqual(again, each)
            self.assertEqual(copy.copy(each), each)

    def test_identity(self) -> None:
        """Without comparing by value, an instance is equal to itself, and hashed so."""
        thing = made(frozen, eq=False)
        first, second = thing(1), thing(1)
        self.assertNotEqual(first, second)
        self.assertEqual(len({first, second, first}), 2)

    def test_assignment(self) -> None:
        """The type checker refuses an assignment, wherever one is written in ozgate."""
        self.patch(os, "environ", {**os.environ, "MYPYPATH": str(ROOT)})
        told, _, status = api.run(["--config-file", "", "--strict", "-c", ASSIGNMENT])
        self.assertIn('Property "one" defined in "One" is read-only', told)
        self.assertEqual(status, 1)

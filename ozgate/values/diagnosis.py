"""What an operator is told of an installation."""

from __future__ import annotations

from enum import StrEnum

from ..immutable import frozen


class Verdict(StrEnum):
    """What something that was looked at means to an operator."""

    WELL = "well"
    """It is as it should be."""

    NOTE = "note"
    """It is to be known, or could not be found out."""

    RISK = "risk"
    """It works, and something that may happen would lose data, lock everybody out, or let somebody in."""

    WRONG = "wrong"
    """It does not work, or something is lost already."""


@frozen
class Diagnosis:
    """One thing that was looked at.

    :ivar what: what was found, a sentence without its full stop.
    :ivar remedy: what to do; ``""`` where nothing is to be done.
    """

    verdict: Verdict
    what: str
    remedy: str = ""


def well(what: str) -> Diagnosis:
    """Something as it should be."""
    return Diagnosis(Verdict.WELL, what)


def note(what: str, remedy: str = "") -> Diagnosis:
    """Something to be known."""
    return Diagnosis(Verdict.NOTE, what, remedy)


def risk(what: str, remedy: str) -> Diagnosis:
    """Something that may do harm."""
    return Diagnosis(Verdict.RISK, what, remedy)


def wrong(what: str, remedy: str) -> Diagnosis:
    """Something that does harm now."""
    return Diagnosis(Verdict.WRONG, what, remedy)

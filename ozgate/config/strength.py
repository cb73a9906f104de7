"""Which secrets may be chosen. Those that we make have 64 hex digits; what people choose may be guessed.

Who sees one signature over plain HTTP can try secrets at home, as fast as his machines hash. Imports nothing of ozgate.
"""

from __future__ import annotations

SHORTEST, LONGEST = 8, 1024
"""Characters of a secret. The former is Ozone's rule."""

STRONG = 16
"""Characters below which a secret is warned of."""


def refusal(secret: str) -> str:
    """Why a chosen secret is refused, in a line; ``""`` when it is not."""
    if len(secret) < SHORTEST:
        # Ozone's words.
        return f"Secret key length should be at least {SHORTEST} characters"
    if len(secret) > LONGEST or not secret.isprintable():
        return f"Secret key should be at most {LONGEST} characters, none of them a control character"
    if secret[0].isspace() or secret[-1].isspace():
        return "Secret key should neither begin nor end with a blank, which gets lost on the way"
    if len(set(secret)) == 1:
        return "Secret key should be more than one character repeated"
    return ""


def warning(secret: str) -> str:
    """What is to be said of a chosen secret that is not refused, in a line; ``""`` when nothing is."""
    if len(secret) >= STRONG:
        return ""
    return (
        f"a secret of fewer than {STRONG} characters can be guessed by whoever sees one signature over plain HTTP: "
        f"choose {STRONG} or more, or let getsecret make one"
    )

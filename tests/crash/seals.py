"""Whether the gateways of crash tests seal what they store: ``CRASH_SEALED=1`` in the environment has them do it, in processes begun from here too."""

from __future__ import annotations

import os
from random import Random

from ozgate.content.sealing import Sealing
from ozgate.testing.xorseal import XorSealing

SWITCH = "CRASH_SEALED"


def sealing() -> Sealing | None:
    """What seals. The same is drawn each time: the same operations store the same bytes."""
    return XorSealing(Random(SWITCH).randbytes) if os.environ.get(SWITCH) else None

"""``twistd``, for histories of many parts: a gateway that takes parts as small as the model's."""

from __future__ import annotations

from twisted.scripts.twistd import run

from ozgate.s3.perform import completing
from tests.crash.model import MIN_PART

if __name__ == "__main__":
    completing.MIN_PART = MIN_PART
    run()

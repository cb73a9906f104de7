"""A gateway in a second process, over the stores that a service has prepared: ``python -m tests.service.beside DATA``.

It says ``open`` once it has opened them. Then each line that it reads is a list of requests in JSON, each a method, a target and the size of a body. They are
under way together; it answers with a line of JSON, a status and the SHA-256 of a body for each. It ends with its input.
"""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256

from twisted.internet.defer import DeferredList

from ozgate.config.settings import Settings
from tests.crash.disksite import DiskSite, Turns

Asked = tuple[str, str, int]
Answered = tuple[int, str]


def body_of(target: str, size: int) -> bytes:
    """The bytes that a target is given."""
    return (sha256(f"{target} {size}".encode()).digest() * (size // 32 + 1))[:size]


def answer(site: DiskSite, asked: list[Asked]) -> list[Answered]:
    """Have requests answered."""
    site.clock.advance(max(time.time() - site.clock.seconds(), 0))
    asking = [
        site.client.begin(method, target, body=body_of(target, size))
        for method, target, size in asked
    ]
    outcomes = site.clock.until(DeferredList(asking, fireOnOneErrback=True))
    return [(said.status, sha256(said.body).hexdigest()) for _, said in outcomes]


def main(folder: str) -> None:
    """Answer until there is nothing more to read."""
    clock = Turns()
    clock.advance(time.time())
    site = DiskSite(clock, folder)
    site.join()
    # Whose the bucket is, is no concern of these tests.
    administrators = Settings(administrators=(site.client.access_id,))
    site.gateway.administrators.take_up(administrators)
    print("open", flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(site, json.loads(line))), flush=True)
    site.close()


if __name__ == "__main__":
    main(sys.argv[1])

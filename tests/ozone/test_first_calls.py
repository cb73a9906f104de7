"""Gateways whose first requests come all at once: what Python has to find out of Java then, one thread at a time finds out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from twisted.trial.unittest import SynchronousTestCase

from tests.clients.botos import make_client
from tests.engines.given import insecure
from tests.ozone.gateways import Gateway, wait_for

STARTS = 4
AT_ONCE = 48
BUCKET = f"first-calls-{uuid4().hex[:8]}"


def ask(client: Any, number: int) -> int:
    """One of four requests; the HTTP status of its answer."""
    key, kind = f"key-{number}", number % 4
    asks = (
        lambda: client.list_objects_v2(Bucket=BUCKET),
        lambda: client.put_object(Bucket=BUCKET, Key=key, Body=bytes(1000 * number)),
        lambda: client.head_object(Bucket=BUCKET, Key="not-there"),
        lambda: client.get_object_tagging(Bucket=BUCKET, Key="not-there"),
    )
    try:
        answer = asks[kind]()
    except ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


class FirstCallTests(SynchronousTestCase):
    """A gateway that has just started."""

    def test_at_once(self) -> None:
        """Many clients are the first to ask, all at once: each has its answer, and the process goes on."""
        ozone = insecure()
        for number in range(STARTS):
            gateway = Gateway(os.path.abspath(self.mktemp()), ozone)
            gateway.start()
            try:
                client = make_client(gateway.url, max_pool_connections=AT_ONCE)
                if not number:
                    wait_for(client)
                    client.create_bucket(Bucket=BUCKET)
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    found = list(pool.map(partial(ask, client), range(AT_ONCE)))
                self.assertEqual([200, 200, 404, 404] * (AT_ONCE // 4), found)
            finally:
                gateway.stop()

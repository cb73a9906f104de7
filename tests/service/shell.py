"""What the tests of ``ozgate sh`` stand on: a service, the command, boto3, and a count of what is used."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.forking import run
from tests.running import ROOT
from tests.service.commanding import SecretCase
from tests.service.twistd import Twistd

PAIR = ("root-key", "a secret of thirty-two characters")
STATIC = {"AWS_ACCESS_KEY_ID": PAIR[0], "AWS_SECRET_ACCESS_KEY": PAIR[1]}
MIB = 1 << 20

RECOUNT = """
import sys
from ozgate.cli.offline import Stores
from ozgate.admin.commands.lookup import buckets_of

def count(tx):
    for volume in tx.volumes("", "", 1000):
        found = list(buckets_of(tx, volume.name))
        real = [each for each in found if each.source is None]
        assert volume.used_names == len(found), volume
        assert volume.used_bytes == sum(each.used_bytes for each in real), volume
        for each in real:
            assert (each.used_bytes, each.used_names) == tx.recount(each), each
            print(volume.name, each.name, each.used_bytes, each.used_names)

async def look(context, caller):
    await context.gateway.metadata.read(count)

with Stores(sys.argv[1], None) as stores:
    stores.perform(look)
"""
"""Counts what is used, and compares it with what the store says is used."""


class ShellCase(SecretCase):
    """A service, the command, and boto3."""

    def sh(self, *arguments: str, said: str = "") -> str:
        """What ``ozgate sh …`` prints, which must succeed."""
        code, out, error = self.ozgate("sh", *arguments, said=said)
        self.assertEqual((code, error), (0, ""), out)
        return out

    def script(self, *commands: str) -> str:
        """What several commands print, run by one process."""
        return self.sh(*(part for each in commands for part in ("--execute", each)))

    def shown(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.sh(*arguments))

    def refused_by(self, line: str, *arguments: str) -> None:
        """Assert that a command prints nothing but one line on standard error, and ends with 255."""
        self.assertEqual(self.ozgate("sh", *arguments), (255, "", line + "\n"))

    def as_root(self, process: Twistd) -> Any:
        """boto3 with the static pair."""
        return self.client(process, PAIR)

    def user(self, process: Twistd, name: str) -> Any:
        """boto3 with a secret of a user."""
        return self.client(process, self.pair("-u", name))

    def fails(self, code: str, call: Callable[..., Any], **arguments: Any) -> int:
        """Assert that a call of boto3 fails with a code; returns the status."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Code"], code)
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    def recount(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Bytes and names of each bucket of a service that is down, counted and compared."""
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        ended = run("-c", RECOUNT, self.data, env=env, cwd="/")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        rows = [line.split() for line in ended.stdout.splitlines()]
        return {(v, b): (int(size), int(names)) for v, b, size, names in rows}

    def blobs(self) -> int:
        """Bytes that the blob files of the service take."""
        root = Path(self.data, "blobs")
        return sum(p.stat().st_size for p in root.rglob("*") if p.is_file())

"""A service with a million keys on SQLite becomes one on PostgreSQL, by ``ozgate admin copy-metadata``: ``python -m tests.engines postgresql --only upgrade``.

No part of a test run, for it takes minutes. ``OZGATE_TEST_KEYS`` says how many keys there are.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from tests.crash.asking import digested
from tests.engines.postgresql import shared
from tests.gateways.million import USERS
from tests.running import ROOT
from tests.service.upkeep import MIB, UpkeepCase

KEYS = int(os.environ.get("OZGATE_TEST_KEYS", "1000000"))
SAMPLES = 2000
_ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
_LISTS = {
    "plain": ("?", "marker", "", "NextMarker", ""),
    "versioned": (
        *("?versions&", "key-marker", "version-id-marker"),
        *("NextKeyMarker", "NextVersionIdMarker"),
    ),
    "uploads": (
        *("?uploads&", "key-marker", "upload-id-marker"),
        *("NextKeyMarker", "NextUploadIdMarker"),
    ),
}
"""How each bucket is listed: the query, and the names of its markers, as they are sent and as they come."""
_OF_TODAY = frozenset(("date", "x-amz-request-id", "x-amz-id-2"))


class UpgradeTests(UpkeepCase):
    """The command, on a great many rows."""

    def must(self, method: str, target: str, body: bytes = b"") -> bytes:
        """What a request that succeeds is answered."""
        headers = digested(body.decode()) if target.endswith("?versioning") else None
        status, _, said = self.server.request(method, target, headers, body)
        self.assertIn(status, (200, 204), (target, said))
        return said

    def pages(self, bucket: str) -> Iterator[bytes]:
        """Every page of a list of all that is in a bucket."""
        query, *names = _LISTS[bucket]
        asked = ""
        while True:
            page = self.must("GET", f"/{bucket}{query}max-keys=1000{asked}")
            yield page
            root = ElementTree.fromstring(page)
            space = root.tag.partition("}")[0] + "}"
            if root.findtext(f"{space}IsTruncated") != "true":
                return
            asked = ""
            for sent, found in zip(names[:2], names[2:], strict=True):
                last = root.findtext(space + found) if found else None
                if found == "NextMarker" and last is None:
                    last = root.findall(f"{space}Contents/{space}Key")[-1].text
                if sent:
                    asked += f"&{sent}={quote(last or '', safe='')}"

    def shown(self) -> dict[str, str]:
        """Digests of all that the service shows: each page of each list, and samples of objects, by what was asked."""
        found: dict[str, str] = {}
        for bucket in _LISTS:
            for number, page in enumerate(self.pages(bucket)):
                found[f"{bucket} {number}"] = hashlib.sha256(page).hexdigest()
        chance = random.Random(KEYS)
        for _ in range(SAMPLES):
            number = chance.randrange(KEYS)
            bucket = "plain" if number % 10 < 7 else "versioned"
            key = quote(f"dir{number // 1000:04d}/ü{number:07d}")
            for query in ("", "?tagging"):
                target = f"/{bucket}/{key}{query}"
                status, headers, body = self.server.request("GET", target)
                kept = {n: v for n, v in headers.items() if n not in _OF_TODAY}
                # An error has the id of its request in it.
                shown = body if status == 200 else b""
                said = repr((status, sorted(kept.items()), shown)).encode()
                found[target] = hashlib.sha256(said).hexdigest()
        for bucket in (*_LISTS, "bucket"):
            code, said, errors = self.typed("sh", "bucket", "info", f"/s3v/{bucket}")
            self.assertEqual(code, 0, errors)
            found[f"info {bucket}"] = said
        for secret in self.command("list_secrets"):
            found[f"secret {secret['accessId']}"] = str({**secret, "age": None})
        return found

    def run_for_long(self, *arguments: str) -> str:
        """Run a module, which may take half an hour."""
        ended = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**self.server.environment(), "OZGATE_DATA": self.data},
            capture_output=True,
            text=True,
            timeout=1800,
        )
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout

    def tell(self, what: str) -> None:
        """Say how far it is."""
        now = time.monotonic()
        print(f"  {now - self.began:5.0f} s  {what}", flush=True)
        self.began = now

    def test_million(self) -> None:
        """All that is shown before is shown afterwards, byte for byte: every page of every list, samples of objects, tags, usage and keys; and it goes on."""
        url = shared().database()
        self.began = time.monotonic()
        for bucket in _LISTS:
            self.must("PUT", f"/{bucket}")
        self.must("PUT", "/versioned?versioning", _ENABLED.encode())
        for number in range(20):
            self.put(f"large{number}", MIB + number)
        for number in range(50):
            self.command("get_secret", user=f"someone{number}")
        self.server.stop()
        path = str(Path(self.data, "metadata.db"))
        self.run_for_long("tests.gateways.million", path, str(KEYS))
        self.tell(f"to fill in {KEYS} keys")
        self.server.start()
        before = self.shown()
        self.assertGreater(len(before), KEYS // 1000)
        self.server.stop()
        self.tell(f"to show all of it: {len(before)} answers")
        command = ("ozgate", "admin", "copy-metadata", "sqlite:metadata.db", url)
        said = self.run_for_long(*command)
        self.assertIn("versions: ", said)
        self.tell(f"to copy it: {' '.join(said.split()[-30:])}")
        self.server.settings = (*self.settings, f"ozgate.metadata={url}")
        self.server.start()
        after = self.shown()
        self.tell("to show all of it again")
        self.assertEqual(after.keys(), before.keys())
        other = [asked for asked in before if after[asked] != before[asked]]
        self.assertEqual(other, [])
        self.assertEqual(self.served(self.client), self.stored)
        database = url.partition("?")[0].rpartition("/")[2]
        users = shared().execute("SELECT count(*) FROM users", database)
        self.assertEqual(users, [(USERS,)])
        self.put("later", 2 * MIB)
        self.assertEqual(self.served(self.client), self.stored)

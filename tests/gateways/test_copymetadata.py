"""``ozgate admin copy-metadata``: a service on SQLite becomes one on PostgreSQL, with all that it had."""

from __future__ import annotations

import itertools
import os
from functools import partial
from typing import Any

from ozgate.metadata.declared.tables import CHECKED
from tests.engines.postgresql import shared
from tests.service.upkeep import MIB, UpkeepCase

ALL = (
    *(table.name for table in CHECKED),
    "doomed",
    "settings",
    "usage",
    "current_versions",
)
TABLES = ("volumes", "buckets", "versions", "secrets", "settings", "doomed", "usage")


class CopyCase(UpkeepCase):
    """A service on SQLite, with something of each kind, and an empty database."""

    def setUp(self) -> None:
        """Fill it."""
        self.postgresql = shared()
        super().setUp()
        self.url = self.postgresql.database()
        self.database = self.url.partition("?")[0].rpartition("/")[2]
        for number in range(30):
            self.put(f"dir{number % 3}/key{number}", 100 + number)
        self.put("large", 3 * MIB)
        self.put("ümläut \U0001f600", 70_000)

    def copied(self, *more: str) -> tuple[int, str, str]:
        """What the command comes to."""
        return self.ozgate("copy-metadata", "sqlite:metadata.db", self.url, *more)

    def held(self) -> int:
        """Rows of the database, of some tables."""
        found = [
            self.postgresql.execute(f"SELECT COUNT(*) FROM {table}", self.database)
            for table in TABLES
        ]
        return sum(int(rows[0][0]) for rows in found)

    def start_there(self) -> None:
        """Have the service start on the database."""
        self.server.settings = (*self.settings, f"ozgate.metadata={self.url}")
        self.server.start()


class CopyTests(CopyCase):
    """The command."""

    def versions(self) -> list[Any]:
        """Versions and markers of a bucket, as they are listed."""
        said = self.client.list_object_versions(Bucket="versions")
        return [
            (each["Key"], each["VersionId"], each["IsLatest"], each.get("ETag"))
            for kind in ("Versions", "DeleteMarkers")
            for each in said.get(kind, ())
        ]

    def test_everything(self) -> None:
        """Objects, versions, tags, policies, uploads under way, users and keys are there, quotas are counted on, and all of it goes on."""
        client = self.client
        client.create_bucket(Bucket="versions")
        enabled = {"Status": "Enabled"}
        client.put_object(Bucket="versions", Key="null", Body=b"null")
        client.put_bucket_versioning(Bucket="versions", VersioningConfiguration=enabled)
        for turn in range(3):
            body = b"turn %d" % turn
            client.put_object(Bucket="versions", Key="key", Body=body, Tagging="a=b")
            client.put_object(Bucket="versions", Key="null", Body=body)
        client.delete_object(Bucket="versions", Key="key")
        upload = client.create_multipart_upload(Bucket="bucket", Key="parts")
        named = {"Bucket": "bucket", "Key": "parts", "UploadId": upload["UploadId"]}
        part = client.upload_part(**named, PartNumber=1, Body=b"p" * 100_000)
        pair = self.command("get_secret", user="somebody")
        versions = self.versions()
        usage = self.typed("sh", "bucket", "info", "/s3v/bucket")[1]
        self.server.stop()
        code, said, errors = self.copied()
        self.assertEqual((code, errors), (0, ""), said)
        self.assertIn("versions: ", said)
        self.start_there()
        self.assertEqual(self.served(client), self.stored)
        self.assertEqual(self.versions(), versions)
        tags = client.get_object_tagging(
            Bucket="versions", Key="key", VersionId=versions[0][1]
        )
        self.assertEqual(tags["TagSet"], [{"Key": "a", "Value": "b"}])
        self.assertEqual(self.typed("sh", "bucket", "info", "/s3v/bucket")[1], usage)
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
        self.stored["parts"] = b"p" * 100_000
        self.put("later", 2 * MIB)
        self.assertEqual(self.served(client), self.stored)
        client.put_object(Bucket="versions", Key="key", Body=b"later")
        [latest] = [v[1] for v in self.versions() if v[0] == "key" and v[2]]
        self.assertNotIn(latest, [each[1] for each in versions])
        self.assertIn("somebody", str(self.command("list_secrets")))
        self.assertIn("somebody", str(pair))
        code, said, errors = self.ozgate("fsck")
        self.assertEqual((code, errors), (0, ""), said)

    def test_refused(self) -> None:
        """A service that runs, a database that has something, URLs the other way round and a database that is not there are one line each, and nothing is changed."""
        code, _, said = self.copied("--data", self.data)
        self.assertEqual(code, 255)
        self.assertIn("is in use by process", said)
        self.server.stop()
        self.assertEqual(self.copied()[0], 0)
        held = self.held()
        code, _, said = self.copied()
        self.assertEqual(code, 255)
        self.assertIn("has something in", said)
        self.assertEqual(self.held(), held)
        for source, target in (
            (self.url, "sqlite:metadata.db"),
            ("sqlite:nothing.db", self.url),
            ("sqlite:metadata.db", self.url.replace(self.database, "nothing")),
            ("sqlite:metadata.db", "postgresql://u:hidden@127.0.0.1/x"),
        ):
            code, _, said = self.ozgate("copy-metadata", source, target)
            self.assertEqual((code, said.count("\n")), (255, 1), said)
            self.assertNotIn("hidden", said)

    def test_damaged(self) -> None:
        """A row that does not agree with its check is named, and nothing is copied."""
        self.server.stop()
        with self.rows() as connection:
            connection.execute(
                "UPDATE versions SET size = size + 1 WHERE key = 'large'"
            )
        code, _, said = self.copied()
        self.assertEqual(code, 255)
        self.assertIn("1 rows of versions are damaged", said)
        self.assertIn("fsck", said)
        self.assertEqual(self.held(), 0)

    def test_stopped(self) -> None:
        """Cut off wherever it tells how far it is, it leaves nothing; begun anew, it copies everything."""
        from ozgate.metadata.postgresql.connections import Address
        from ozgate.metadata.postgresql.filling import fill

        self.server.stop()
        self.assertEqual(self.copied()[0], 0)
        held = self.held()
        # The tables are there by now.
        self.postgresql.execute(f"TRUNCATE {', '.join(ALL)}", self.database)
        path, told = os.path.join(self.data, "metadata.db"), list[str]()
        for most in itertools.count(1):
            told.clear()
            try:
                fill(Address(self.url), path, partial(_tell, told, most))
            except _Stopped:
                if told[-1] == "statistics":
                    break
                self.assertEqual(self.held(), 0, told)
        self.assertGreater(most, 10)
        self.assertEqual(self.held(), held)


class _Stopped(Exception):
    """Somebody wants no more of it."""


def _tell(told: list[str], most: int, what: str, done: int, total: int) -> None:
    told.append(what)
    if len(told) == most:
        raise _Stopped

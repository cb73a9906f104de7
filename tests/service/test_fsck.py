"""``ozgate admin fsck`` on a real service: what does not fit together is named, and put right when that is asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ozgate.cli import client
from tests.service.upkeep import UpkeepCase, flip

WELL = ": all is well\n"


class FsckCase(UpkeepCase):
    """Runs fsck."""

    def found(self, *options: str) -> list[dict[str, Any]]:
        """What it finds; its exit status says whether it found something."""
        code, out, error = self.ozgate("fsck", "--json", *options)
        *findings, last = (json.loads(line) for line in out.splitlines())
        self.assertEqual((code, error), (int(bool(findings)), ""))
        self.assertEqual(last.keys(), {"summary", "findings", "repaired"})
        repaired = sum(bool(each["done"]) for each in findings)
        self.assertEqual(
            (last["findings"], last["repaired"]), (len(findings), repaired)
        )
        return findings

    def one(self, kind: str, *options: str) -> dict[str, Any]:
        """The one thing that it finds."""
        findings = self.found(*options)
        self.assertEqual([each["kind"] for each in findings], [kind], findings)
        return findings[0]


class WellTests(FsckCase):
    """Nothing is found where all is well."""

    def test_well(self) -> None:
        """A store in which all kinds of things were done is well, while the service runs and while it is down."""
        self.settle_in()
        code, out, error = self.ozgate("fsck")
        self.assertEqual((code, error), (0, ""), out)
        counted = re.fullmatch(
            r"\d+ rows, 4 versions, 1 parts, (\d+) blobs: all is well\n", out
        )
        assert counted, out
        self.assertEqual(self.found(), [])
        code, out, error = self.ozgate("fsck", "--json")
        [last] = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(last["summary"]["versions"], 4)
        # Those of two keys and a part, and what the sweep has not removed yet.
        self.assertGreaterEqual(int(counted[1]), 3)
        self.server.stop()
        code, out, error = self.ozgate("fsck", "--repair")
        self.assertEqual((code, error), (0, ""), out)
        self.assertTrue(out.endswith(WELL), out)

    def settle_in(self) -> None:
        """Small and large keys, one of them overwritten, one deleted, a copy, a multipart object, an open upload."""
        client = self.client
        for key, size in (("small", 100), ("large", 100_000), ("gone", 100_000)):
            self.put(key, size)
        self.put("large", 120_000)
        client.delete_object(Bucket="bucket", Key="gone")
        source = {"Bucket": "bucket", "Key": "large"}
        client.copy_object(Bucket="bucket", Key="copy", CopySource=source)
        for key in ("whole", "open"):
            upload = client.create_multipart_upload(Bucket="bucket", Key=key)
            place = {"Bucket": "bucket", "Key": key, "UploadId": upload["UploadId"]}
            part = client.upload_part(**place, PartNumber=1, Body=b"x" * 50_000)
            parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            if key == "whole":
                client.complete_multipart_upload(**place, MultipartUpload=parts)

    def test_empty(self) -> None:
        """So is a store with nothing in it."""
        self.client.delete_bucket(Bucket="bucket")
        self.assertEqual(self.found(), [])


class BlobTests(FsckCase):
    """Rows against blobs."""

    def test_deleted_file(self) -> None:
        """A key whose file is gone is named; only --remove-damaged removes it, and nothing else; then all is well."""
        self.put("key", 100_000)
        self.put("other", 100_000)
        blob = self.blob_of("key")
        blob.unlink()
        finding = self.one("bytes")
        self.assertEqual(finding["where"], "/s3v/bucket/key")
        self.assertEqual(finding["what"], f"blob {blob.name}: its file is not there")
        self.assertIn("--remove-damaged", finding["repair"])
        self.assertEqual(self.one("bytes", "--repair")["done"], "")
        with self.assertRaises(ClientError):
            self.client.get_object(Bucket="bucket", Key="key")
        self.assertEqual(self.one("bytes", "--remove-damaged")["done"], "removed")
        self.assertEqual(self.found(), [])
        del self.stored["key"]
        self.assertEqual(self.served(self.client), self.stored)

    def test_file_of_another_length(self) -> None:
        """A file that was cut, and one that is another blob's, are no longer what their rows say."""
        for key in ("cut", "other", "well"):
            self.put(key, 100_000 + len(key))
        cut, other, well = map(self.blob_of, ("cut", "other", "well"))
        os.truncate(cut, 50_000)
        shutil.copy(well, other)
        findings = {each["where"]: each["what"] for each in self.found()}
        self.assertEqual(set(findings), {"/s3v/bucket/cut", "/s3v/bucket/other"})
        self.assertIn(other.name, findings["/s3v/bucket/other"])

    def test_part_of_an_upload(self) -> None:
        """A part of an open upload whose file is gone is named; --remove-damaged aborts the upload."""
        place = {"Bucket": "bucket", "Key": "key"}
        upload = self.client.create_multipart_upload(**place)["UploadId"]
        for number in (1, 2):
            body = bytes([number]) * 50_000
            self.client.upload_part(
                **place, UploadId=upload, PartNumber=number, Body=body
            )
        list(self.blobs().values())[1].unlink()
        finding = self.one("part")
        expected = f"/s3v/bucket/key (part 2 of upload {upload})"
        self.assertEqual(finding["where"], expected)
        self.one("part", "--remove-damaged")
        self.assertEqual(self.found(), [])
        self.assertNotIn("Uploads", self.client.list_multipart_uploads(Bucket="bucket"))

    def test_orphans(self) -> None:
        """A file that nothing names is found once it is older than what may be under way; --repair has it removed."""
        self.put("key", 100_000)
        # While this goes through all blobs so does the sweep at the start, which began before and would get there first.
        self.assertEqual(self.found(), [])
        blob = self.blob_of("key")
        old = Path(blob.parent, "0" * 12 + blob.name[12:])
        new = Path(blob.parent, blob.name[:12] + "f" * 10 + blob.name[-2:])
        shutil.copy(blob, old)
        shutil.copy(blob, new)
        self.assertEqual(self.one("orphan")["where"], f"blob {old.name}")
        self.assertEqual(self.one("orphan", "--repair")["done"], "it will be removed")
        self.assertEqual(self.found(), [])
        self.server.stop()
        self.assertEqual(self.one("orphan")["where"], f"blob {new.name}")
        with self.rows() as connection:
            doomed = connection.execute("SELECT blob FROM doomed").fetchall()
        self.assertEqual(doomed, [(old.name,)])

    def test_unreachable_store(self) -> None:
        """What is to be removed from a blob store that is not there is on the list forever, unless --repair takes it off."""
        with self.rows() as connection:
            connection.execute("INSERT INTO doomed VALUES ('elsewhere', 'x', 1)")
        self.one("doomed")
        self.one("doomed", "--repair")
        self.assertEqual(self.found(), [])


class RowTests(FsckCase):
    """Rows against rows, and against counters."""

    def test_counters(self) -> None:
        """Counters that are off are named with what they are off by, and set right while others write."""
        self.put("key", 100)
        with self.rows() as connection:
            connection.execute("UPDATE buckets SET used_bytes = 7, used_names = 3")
            connection.execute("UPDATE volumes SET used_bytes = 200")
        findings = self.found()
        self.assertEqual(
            [(each["kind"], each["where"]) for each in findings],
            [("usage", "/s3v/bucket"), ("usage", "/s3v")],
        )
        said = "it is said to hold -93 bytes and +2 names more than it does"
        self.assertEqual(findings[0]["what"], said)
        self.put("later", 11)
        self.assertEqual(len(self.found("--repair")), 2)
        self.assertEqual(self.found(), [])
        with self.rows() as connection:
            row = "SELECT used_bytes, used_names FROM "
            self.assertEqual(connection.execute(row + "buckets").fetchone(), (111, 2))
            self.assertEqual(connection.execute(row + "volumes").fetchone(), (111, 1))

    def test_latest(self) -> None:
        """A key whose only version is not its latest is in no list and cannot be read; --repair brings it back."""
        self.put("key", 100)
        with self.rows() as connection:
            connection.execute("UPDATE versions SET is_latest = 0")
        self.assertEqual(self.served(self.client), {})
        flag, unreadable = self.found()
        self.assertEqual((flag["kind"], flag["done"]), ("flag", ""))
        self.assertEqual(unreadable["where"], "/s3v/bucket/key")
        self.one("flag", "--repair")
        self.assertEqual(self.found(), [])
        self.assertEqual(self.served(self.client), self.stored)

    def test_damaged_row(self) -> None:
        """A row that is not what was written is named, and the key that cannot be read; --remove-damaged removes both,
        and corrects what they counted for."""
        self.put("key", 100)
        self.put("other", 100)
        with self.rows() as connection:
            connection.execute("UPDATE versions SET etag = 'x' WHERE key = 'key'")
        findings = self.found("--repair")
        self.assertEqual([each["kind"] for each in findings], ["row", "bytes"])
        self.assertIn("'key'", findings[0]["what"])
        self.assertEqual(findings[1]["where"], "/s3v/bucket/key")
        self.assertEqual([each["done"] for each in findings], ["", ""])
        findings = self.found("--remove-damaged")
        self.assertEqual([each["kind"] for each in findings], ["row", "usage", "usage"])
        self.assertTrue(all(each["done"] for each in findings), findings)
        self.assertEqual(self.found(), [])
        del self.stored["key"]
        self.assertEqual(self.served(self.client), self.stored)

    def test_lost_policy(self) -> None:
        """A bucket whose policy is damaged, or gone, is closed, for nobody knows whom that denies what; so is one where requesters pay. No repair
        opens it; its owner does."""
        client, bucket = self.client, {"Bucket": "bucket"}
        self.put("key", 100)
        denial = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::bucket/*",
            },
        }
        for change in (
            "UPDATE configurations SET checked = 1",
            "DELETE FROM configurations",
        ):
            client.put_bucket_policy(**bucket, Policy=json.dumps(denial))
            payment = {"Payer": "Requester"}
            client.put_bucket_request_payment(
                **bucket, RequestPaymentConfiguration=payment
            )
            self.assertEqual(self.refusal("key"), "AccessDenied")
            with self.rows() as connection:
                connection.execute(change)
            for _ in range(2):
                findings = self.found("--remove-damaged")
                self.assertEqual({each["done"] for each in findings}, {""}, findings)
                for finding in findings:
                    self.assertIn("have its owner", finding["repair"])
                self.assertEqual(self.refusal("key"), "InternalError")
            client.delete_bucket_policy(**bucket)
            payment = {"Payer": "BucketOwner"}
            client.put_bucket_request_payment(
                **bucket, RequestPaymentConfiguration=payment
            )
            self.assertEqual(self.found(), [])
            self.assertEqual(self.served(client), self.stored)

    def refusal(self, key: str) -> str:
        """The code that a GET of a key is refused with."""
        with self.assertRaises(ClientError) as caught:
            self.client.get_object(Bucket="bucket", Key=key)
        code: str = caught.exception.response["Error"]["Code"]
        return code

    def test_missing_rows(self) -> None:
        """A version whose runs of bytes are gone is named, and so are runs without a version."""
        self.put("key", 100_000)
        with self.rows() as connection:
            connection.execute("UPDATE extents SET owner = owner + 1")
        findings = self.found()
        kinds = [each["kind"] for each in findings]
        self.assertEqual(set(kinds), {"structure", "row", "bytes"}, findings)
        self.assertIn("extents belong to no version", findings[0]["what"])

    def test_structure(self) -> None:
        """A damaged page of the database is found by SQLite's own check, and does not end fsck."""
        for n in range(300):
            self.client.put_object(Bucket="bucket", Key=f"key{n:03}", Body=b"x" * 900)
        with self.rows() as connection:
            [(root,)] = connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'current_versions'"
            ).fetchall()
            [(size,)] = connection.execute("PRAGMA page_size").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.server.stop()
        flip(Path(self.data, "metadata.db"), (root - 1) * size + 3)
        code, out, _ = self.ozgate("fsck")
        self.assertEqual(code, 1, out)
        self.assertRegex(
            out, r"(?m)^structure metadata: .+\[no repair: restore a backup\]$"
        )

    def test_one_repairs(self) -> None:
        """While one check repairs, another may look, but not repair."""
        page = self.command("check_store", repair=True)
        self.command("check_store", place=page["place"], repair=True)
        code, out, error = self.ozgate("fsck", "--repair")
        self.assertEqual((code, out), (255, ""))
        self.assertIn("another fsck repairs at the moment", error)
        self.assertEqual(self.found(), [])

    def test_interrupted(self) -> None:
        """Ctrl-C, raised here in place of a page, ends a check: it says so, and the next one may repair at once."""
        asked, pages = client.call, [*range(3)]

        def call(name: str, **arguments: Any) -> Any:
            if name == "check_store" and not pages:
                raise KeyboardInterrupt
            del pages[:1]
            return asked(name, **arguments)

        self.patch(client, "call", call)
        code, out, error = self.ozgate("fsck", "--repair")
        self.assertEqual((code, out), (130, ""))
        self.assertEqual(error, "stopped before everything was looked at\n")
        self.patch(client, "call", asked)
        self.assertEqual(self.found("--repair"), [])

    def test_readable(self) -> None:
        """For people a finding is a line that says what --repair would do, or what was done, and the sum comes last."""
        with self.rows() as connection:
            connection.execute("UPDATE buckets SET used_names = 1")
        _, out, _ = self.ozgate("fsck")
        line, last = out.splitlines()
        self.assertEqual(
            line,
            "usage /s3v/bucket: it is said to hold +0 bytes and +1 names more than it does [repair: its counters are set right]",
        )
        self.assertTrue(last.endswith(": 1 finding, 0 repaired"), last)
        _, out, _ = self.ozgate("fsck", "--repair")
        self.assertIn("[done: corrected]\n", out)
        self.assertIn(": 1 finding, 1 repaired\n", out)

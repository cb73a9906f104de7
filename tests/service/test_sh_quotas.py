"""Quotas that ``ozgate sh`` sets, as S3 enforces them on a real service, and the count of what is used."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.service.commanding import SECURE
from tests.service.shell import MIB, STATIC, ShellCase


class QuotaTests(ShellCase):
    """Quotas, set by the command and enforced by S3."""

    def test_refused_before_a_byte(self) -> None:
        """What goes over a quota is 403 QuotaExceeded: of a bucket, through a link, in parts, by copies, of a volume."""
        process = self.started(*SECURE, environment=STATIC)
        self.script(
            "volume create /vol1 --space-quota 3MB --namespace-quota 3",
            "bucket create /vol1/bucket --space-quota 2MB --namespace-quota 2",
            "bucket link /vol1/bucket /vol1/link",
            "bucket link /vol1/link /s3v/shown",
        )
        client = self.as_root(process)
        where = {"Bucket": "shown"}

        def over(call: Callable[..., Any], **arguments: Any) -> None:
            self.assertEqual(self.fails("QuotaExceeded", call, **arguments), 403)

        before = self.blobs()
        over(client.put_object, **where, Key="one", Body=bytes(2 * MIB + 1))
        self.assertEqual(self.blobs(), before)
        client.put_object(**where, Key="one", Body=bytes(MIB))
        source = {"Bucket": "shown", "Key": "one"}
        client.copy_object(**where, Key="two", CopySource=source)
        over(client.put_object, **where, Key="three", Body=b"")
        over(client.put_object, **where, Key="two", Body=bytes(MIB + 1))
        client.put_object(**where, Key="two", Body=bytes(MIB))
        begun = client.create_multipart_upload(**where, Key="one")["UploadId"]
        part = {**where, "Key": "one", "UploadId": begun, "PartNumber": 1}
        over(client.upload_part, **part, Body=b"x")
        over(client.upload_part_copy, **part, CopySource=source)
        client.delete_object(**where, Key="two")
        client.upload_part(**part, Body=b"x" * 9)
        shown = self.shown("bucket", "info", "/vol1/bucket")
        self.assertEqual((shown["usedBytes"], shown["usedNamespace"]), (MIB + 9, 1))
        said = "QUOTA_EXCEEDED The namespace quota of volume vol1 is 3 buckets."
        self.sh("bucket", "link", "/vol1/bucket", "/vol1/third")
        self.refused_by(said, "bucket", "link", "/vol1/bucket", "/vol1/fourth")
        self.script(
            "bucket clrquota /vol1/bucket --namespace-quota",
            "volume clrquota /vol1 --space-quota --namespace-quota",
            "bucket setquota /vol1/bucket --quota 1EB",
            "volume setquota /vol1 --space-quota 2EB",
        )
        client.put_object(**where, Key="two", Body=bytes(3 * MIB))
        process.stop()
        self.assertEqual(self.recount(), {("vol1", "bucket"): (4 * MIB + 9, 2)})

    def test_count_after_a_history(self) -> None:
        """After any history, what is used is what a recount finds, though the service was killed in between."""
        rng = random.Random(20260607)
        process = self.started(*SECURE, environment=STATIC)
        self.script(
            "volume create /vol1",
            "bucket create /vol1/one",
            "bucket create /s3v/two",
            "bucket link /vol1/one /s3v/link",
        )
        for turn in range(2):
            client = self.as_root(process)
            for _ in range(60):
                self.step(client, rng)
            process.process.kill()
            process.wait()
            counted = self.recount()
            self.assertEqual(set(counted), {("vol1", "one"), ("s3v", "two")})
            if turn == 0:
                process = self.started(*SECURE, environment=STATIC)

    def step(self, client: Any, rng: random.Random) -> None:
        """One operation or other."""
        bucket, other = rng.sample(("link", "two"), 2)
        key, source = (f"key{rng.randrange(6)}" for _ in range(2))
        where = {"Bucket": bucket, "Key": key}
        kind = rng.randrange(6)
        try:
            if kind < 2:
                size = rng.choice((0, 10, 5_000, 200_000))
                client.put_object(**where, Body=rng.randbytes(size))
            elif kind == 2:
                client.delete_object(**where)
            elif kind == 3:
                copied = {"Bucket": other, "Key": source}
                client.copy_object(**where, CopySource=copied)
            else:
                self.send_parts(client, where, rng)
        except ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], "NoSuchKey")

    def send_parts(
        self, client: Any, where: dict[str, str], rng: random.Random
    ) -> None:
        """An upload in parts, one sent twice, one left out, that is completed, aborted or left."""
        begun = client.create_multipart_upload(**where)["UploadId"]
        part = {**where, "UploadId": begun}
        tags = {
            number: client.upload_part(
                **part, PartNumber=number, Body=rng.randbytes(1 + rng.randrange(9_000))
            )["ETag"]
            for number in (2, 1, 2)
        }
        end = rng.randrange(3)
        if end == 0:
            client.abort_multipart_upload(**part)
        elif end == 1:
            listed = [{"PartNumber": 2, "ETag": tags[2]}]
            client.complete_multipart_upload(**part, MultipartUpload={"Parts": listed})

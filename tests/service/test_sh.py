"""``ozgate sh`` on a real service: the seed page's "Expose any volume", line by line, its command line, and what it does while the service is down."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from tests.service.commanding import SECURE
from tests.service.shell import MIB, STATIC, ShellCase
from tests.service.twistd import LOOPBACK


class SeedPageTests(ShellCase):
    """The seed page's section "Expose any volume", with ``ozgate`` for ``ozone``."""

    def test_expose_any_volume(self) -> None:
        """Its commands work line by line, and S3 then works through the link; s3v is there already."""
        process = self.started(*SECURE, environment=STATIC)
        taken = "VOLUME_ALREADY_EXISTS Volume already exists"
        self.refused_by(taken, *shlex.split("volume create /s3v"))
        for line in (
            "volume create /vol1",
            "bucket create /vol1/bucket1",
            "bucket link /vol1/bucket1 /s3v/common-bucket",
        ):
            self.assertEqual(self.ozgate("sh", *shlex.split(line)), (0, "", ""), line)
        client = self.as_root(process)
        found = client.list_buckets()["Buckets"]
        self.assertEqual([each["Name"] for each in found], ["common-bucket"])
        self.use(client, "common-bucket")
        shown = self.shown("bucket", "info", "o3://localhost:9862/vol1/bucket1")
        self.assertEqual(shown["usedNamespace"], 3)
        self.assertEqual(shown["usedBytes"], 5 + 5 + 6 * MIB)
        client.delete_bucket(Bucket="common-bucket")
        self.assertEqual(client.list_buckets()["Buckets"], [])
        keys = self.shown("key", "list", "vol1/bucket1")
        names = [each["name"] for each in keys]
        self.assertEqual(names, ["a/b", "copy", "large"])
        self.sh("bucket", "link", "/vol1/bucket1", "/s3v/another")
        client.delete_objects(
            Bucket="another", Delete={"Objects": [{"Key": key} for key in names]}
        )
        done = self.script("bucket delete vol1/bucket1", "volume delete /vol1")
        self.assertEqual(done, "Bucket bucket1 is deleted\nVolume vol1 is deleted\n")

    def use(self, client: Any, bucket: str) -> None:
        """Put, get, list, copy, send in parts and delete."""
        where = {"Bucket": bucket}
        client.head_bucket(**where)
        client.put_object(**where, Key="a/b", Body=b"bytes")
        self.assertEqual(client.get_object(**where, Key="a/b")["Body"].read(), b"bytes")
        source = {"Bucket": bucket, "Key": "a/b"}
        client.copy_object(**where, Key="copy", CopySource=source)
        path = os.path.join(self.folder, "large")
        Path(path).write_bytes(os.urandom(MIB) * 6)
        parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        client.upload_file(path, bucket, "large", Config=parts)
        found = client.head_object(**where, Key="large")
        self.assertTrue(found["ETag"].endswith('-2"'), found)
        self.assertEqual(
            client.get_object(**where, Key="large")["Body"].read(),
            Path(path).read_bytes(),
        )
        tags = {"TagSet": [{"Key": "k", "Value": "v"}]}
        client.put_object_tagging(**where, Key="copy", Tagging=tags)
        tagged = client.get_object_tagging(**where, Key="copy")
        self.assertEqual(tagged["TagSet"], tags["TagSet"])
        client.put_object(**where, Key="gone", Body=b"x")
        client.delete_object(**where, Key="gone")
        listed = client.list_objects_v2(**where, Delimiter="/")
        self.assertEqual([x["Key"] for x in listed["Contents"]], ["copy", "large"])
        self.assertEqual([x["Prefix"] for x in listed["CommonPrefixes"]], ["a/"])


class OfflineTests(ShellCase):
    """The same commands while the service is down."""

    def test_without_the_service(self) -> None:
        """Commands open the stores themselves, and the service then finds what they did."""
        process = self.started(*SECURE, environment=STATIC)
        self.sh("bucket", "create", "/s3v/bucket")
        self.as_root(process).put_object(Bucket="bucket", Key="key", Body=b"x" * MIB)
        process.stop()
        out = os.path.join(self.folder, "out")
        printed = self.script(
            "volume create /vol1",
            "bucket link /s3v/bucket /s3v/link",
            "bucket addacl -a user:bob:r /s3v/link",
            f"key put /s3v/link/large {sys.executable}",
            f"key put /s3v/link/small {__file__}",
            f"key get /s3v/bucket/key {out}",
            f"key get /s3v/bucket/small {out}.small",
            "volume delete /vol1",
        )
        said = "ACL user:bob:r[ACCESS] added successfully.\nVolume vol1 is deleted\n"
        self.assertEqual(printed, said)
        self.assertEqual(Path(out).read_bytes(), b"x" * MIB)
        self.assertEqual(Path(f"{out}.small").read_bytes(), Path(__file__).read_bytes())
        missing = "KEY_NOT_FOUND The specified key does not exist."
        self.refused_by(missing, "key", "rm", "/s3v/bucket/absent")
        self.refused_by(missing, "key", "get", "/s3v/bucket/absent", f"{out}.absent")
        process = self.started(*SECURE, environment=STATIC)
        client = self.as_root(process)
        found = client.get_object(Bucket="link", Key="large")["Body"].read()
        self.assertEqual(found, Path(sys.executable).read_bytes())
        process.stop()
        self.recount()

    def test_no_service_and_no_data(self) -> None:
        """Where nothing is, it says so."""
        code, _, error = self.ozgate("sh", "volume", "list")
        self.assertEqual(code, 255)
        self.assertTrue(error.startswith("SERVICE_NOT_FOUND "), error)
        self.assertEqual(len(error.splitlines()), 1)


class CommandLineTests(ShellCase):
    """The command line itself."""

    def test_forms(self) -> None:
        """Lists and their pages, recursive deletion that asks, a session of many commands, what is said of mistakes."""
        self.started("-D", LOOPBACK)
        for usage in (
            ("volume",),
            ("volume", "create"),
            ("volume", "create", "/"),
            ("volume", "create", "/vol1/bucket"),
            ("bucket", "create", "/vol1"),
            ("volume", "make", "/v"),
            (),
        ):
            self.assertEqual(self.ozgate("sh", *usage)[0], 2, usage)
        for line, *arguments in (
            (
                "1.5GB is invalid. The quota value should be a positive integer with byte numeration(B, KB, MB, GB and TB)",
                *("volume", "create", "/vol1", "--quota", "1.5GB"),
            ),
            (
                "At least one of the quota set flag is required.",
                *("volume", "setquota", "/s3v"),
            ),
            (
                "At least one of the quota clear flag is required.",
                *("bucket", "clrquota", "/s3v/b"),
            ),
            ("VOLUME_NOT_FOUND Volume vol9 is not found", "volume", "info", "vol9"),
        ):
            self.refused_by(line, *arguments)
        made = self.shown("--verbose", "volume", "create", "/vol1")
        self.assertEqual(made["name"], "vol1")
        said = "".join(f"bucket create /vol1/bucket{n}\n" for n in range(5))
        code, out, error = self.ozgate(
            "sh",
            "--interactive",
            said=f"{said}\nnonsense '\nvolume info /v9\nexit\nls\n",
        )
        self.assertEqual((code, out), (0, ""))
        [_, last] = error.splitlines()
        self.assertEqual(last, "VOLUME_NOT_FOUND Volume v9 is not found")
        self.lists()
        asks = ("volume", "delete", "-r", "/vol1")
        for answer in ("no\n", ""):
            code, printed, _ = self.ozgate("sh", *asks, said=answer)
            self.assertEqual(code, 1)
            self.assertTrue(printed.endswith("Enter 'yes' to proceed: "), printed)
        self.sh("key", "put", "/vol1/bucket0/key", __file__)
        refused = "VOLUME_NOT_EMPTY Volume is not empty."
        self.refused_by(refused, "volume", "delete", "/vol1")
        refused = "BUCKET_NOT_EMPTY Bucket is not empty"
        self.refused_by(refused, "bucket", "delete", "/vol1/bucket0")
        printed = self.sh(*asks, said="yes\n")
        self.assertTrue(printed.endswith("Volume vol1 is deleted\n"), printed)

    def lists(self) -> None:
        """The options of lists."""

        def names(*arguments: str) -> list[str]:
            found: list[Mapping[str, str]] = self.shown("bucket", "ls", *arguments)
            return [each["name"] for each in found]

        every = [f"bucket{n}" for n in range(5)]
        self.assertEqual(names("/vol1"), every)
        self.assertEqual(names("vol1", "-l", "2"), every[:2])
        self.assertEqual(names("vol1", "-s", "bucket3"), every[4:])
        self.assertEqual(names("vol1", "-p", "bucket3", "-a"), every[3:4])
        self.assertEqual(names("vol1", "-u", "nobody"), [])
        self.assertEqual(names("vol1", "--has-snapshot"), [])

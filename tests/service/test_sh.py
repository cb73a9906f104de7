"""``ozgate sh`` and what S3 makes of it, on a real service: the seed page's "Expose any volume", line by line, and more."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.running import ROOT
from tests.service.commanding import SECURE, SecretCase
from tests.service.twistd import LOOPBACK, Twistd

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
        ended = subprocess.run(
            [sys.executable, "-c", RECOUNT, self.data],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        rows = [line.split() for line in ended.stdout.splitlines()]
        return {(v, b): (int(size), int(names)) for v, b, size, names in rows}

    def blobs(self) -> int:
        """Bytes that the blob files of the service take."""
        root = Path(self.data, "blobs")
        return sum(p.stat().st_size for p in root.rglob("*") if p.is_file())


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


class LinkTests(ShellCase):
    """Links as S3 sees them."""

    def test_nowhere(self) -> None:
        """Through dangling links and loops each operation answers 404 NoSuchBucket, and ListBuckets shows them."""
        process = self.started(*SECURE, environment=STATIC)
        self.script(
            "bucket create /s3v/real",
            "bucket link /vol9/absent /s3v/dangling",
            "bucket link /s3v/loop2 /s3v/loop1",
            "bucket link /s3v/loop1 /s3v/loop2",
            "bucket link /s3v/myself /s3v/myself",
            "bucket link /s3v/loop1 /s3v/to-a-loop",
        )
        client = self.as_root(process)
        client.put_object(Bucket="real", Key="key", Body=b"x" * 10)
        names = ["dangling", "loop1", "loop2", "myself", "real", "to-a-loop"]
        found = client.list_buckets()["Buckets"]
        self.assertEqual([each["Name"] for each in found], names)
        names.remove("real")
        for name in names:
            for call, arguments in self.calls(client, name):
                code = "404" if call.__name__.startswith("head_") else "NoSuchBucket"
                self.assertEqual(self.fails(code, call, **arguments), 404, call)
            self.fails("BucketAlreadyExists", client.create_bucket, Bucket=name)
            client.delete_bucket(Bucket=name)
        found = client.list_buckets()["Buckets"]
        self.assertEqual([each["Name"] for each in found], ["real"])

    def calls(
        self, client: Any, name: str
    ) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
        """Every operation on a bucket or its objects that is built, but for making and removing the bucket."""
        bucket = {"Bucket": name}
        key = {**bucket, "Key": "key"}
        part = {**key, "UploadId": "x", "PartNumber": 1}
        copied = {"Bucket": "real", "Key": "key"}
        tags = {"TagSet": [{"Key": "k", "Value": "v"}]}
        finished = {"Parts": [{"PartNumber": 1, "ETag": '"x"'}]}
        doomed = {"Objects": [{"Key": "key"}]}
        c = client
        return [
            *((call, bucket) for call in (c.head_bucket, c.get_bucket_location)),
            *((call, bucket) for call in (c.list_objects, c.list_objects_v2)),
            (c.list_object_versions, bucket),
            (c.list_multipart_uploads, bucket),
            (c.get_bucket_versioning, bucket),
            (c.get_bucket_acl, bucket),
            (c.delete_objects, {**bucket, "Delete": doomed}),
            (c.put_object, {**key, "Body": b"x"}),
            (c.put_object, {**key, "Body": b"x" * MIB}),
            (c.copy_object, {**key, "CopySource": copied}),
            (c.copy_object, {**copied, "CopySource": key}),
            *((call, key) for call in (c.get_object, c.head_object)),
            (c.get_object_attributes, {**key, "ObjectAttributes": ["ETag"]}),
            (c.delete_object, key),
            (c.get_object_tagging, key),
            (c.put_object_tagging, {**key, "Tagging": tags}),
            (c.delete_object_tagging, key),
            (c.create_multipart_upload, key),
            (c.upload_part, {**part, "Body": b"x"}),
            (c.upload_part_copy, {**part, "CopySource": copied}),
            (c.list_parts, {**key, "UploadId": "x"}),
            (
                c.complete_multipart_upload,
                {**key, "UploadId": "x", "MultipartUpload": finished},
            ),
            (c.abort_multipart_upload, {**key, "UploadId": "x"}),
        ]

    def test_chain(self) -> None:
        """A chain of 16 links leads to the bucket, whose data stays when links go; one more leads nowhere."""
        process = self.started(*SECURE, environment=STATIC)
        links = [f"bucket link /s3v/link{n} /s3v/link{n + 1}" for n in range(16)]
        self.script(
            "volume create /vol1",
            "bucket create /vol1/bucket",
            "bucket link /vol1/bucket /s3v/link0",
            *links,
        )
        client = self.as_root(process)
        client.put_object(Bucket="link15", Key="key", Body=b"bytes")
        self.fails("NoSuchBucket", client.get_object, Bucket="link16", Key="key")
        found = client.get_object(Bucket="link3", Key="key")["Body"].read()
        self.assertEqual(found, b"bytes")
        client.delete_bucket(Bucket="link7")
        self.fails("NoSuchBucket", client.get_object, Bucket="link15", Key="key")
        client.get_object(Bucket="link6", Key="key")
        self.sh("bucket", "delete", "-r", "-y", "/s3v/link0")
        self.assertEqual(self.shown("key", "info", "/vol1/bucket/key")["dataSize"], 5)


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


class AccessTests(ShellCase):
    """What lists open to others, and to whom."""

    def test_second_user(self) -> None:
        """Each right opens what it should, no more, to whom it names, and removing it closes that again."""
        process = self.started(*SECURE, environment=STATIC)
        alice, bob, eve = (self.user(process, x) for x in ("alice", "bob", "eve"))
        alice.create_bucket(Bucket="hers")
        alice.put_object(Bucket="hers", Key="key", Body=b"bytes")
        bucket, key = {"Bucket": "hers"}, {"Bucket": "hers", "Key": "key"}
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "r": ("get_object", key),
            "l": ("list_objects_v2", bucket),
            "w": ("put_object", {**key, "Body": b"more"}),
            "d": ("delete_object", {**bucket, "Key": "absent"}),
        }
        for granted in (*calls, "rl", "a"):
            done = self.sh("bucket", "addacl", "-a", f"user:bob:{granted}", "s3v/hers")
            said = f"ACL user:bob:{granted}[ACCESS] added successfully.\n"
            self.assertEqual(done, said)
            for right, (name, arguments) in calls.items():
                if right in granted or granted == "a":
                    getattr(bob, name)(**arguments)
                else:
                    self.fails("AccessDenied", getattr(bob, name), **arguments)
                self.fails("AccessDenied", getattr(eve, name), **arguments)
            done = self.sh(
                "bucket", "removeacl", "-a", f"user:bob:{granted}", "/s3v/hers"
            )
            self.assertIn("removed successfully.\n", done)
        for name, arguments in calls.values():
            self.fails("AccessDenied", getattr(bob, name), **arguments)
        listed = bob.list_buckets()["Buckets"]
        self.assertEqual(listed, [])

    def test_through_links(self) -> None:
        """A link opens nothing by itself; what is granted through it is granted on its source."""
        process = self.started(*SECURE, environment=STATIC)
        bob = self.user(process, "bob")
        self.script(
            "volume create /vol1",
            "bucket create /vol1/bucket",
            "bucket link /vol1/bucket /s3v/link",
        )
        self.as_root(process).put_object(Bucket="link", Key="key", Body=b"x")
        self.fails("AccessDenied", bob.get_object, Bucket="link", Key="key")
        self.sh("bucket", "addacl", "--acl", "user:bob:r", "/s3v/link")
        bob.get_object(Bucket="link", Key="key")
        self.fails("AccessDenied", bob.put_object, Bucket="link", Key="key")
        found = self.shown("bucket", "getacl", "/vol1/bucket")
        self.assertEqual(self.shown("bucket", "getacl", "--source", "s3v/link"), found)
        self.assertEqual(found[-1]["name"], "bob")
        self.assertNotIn("bob", self.sh("bucket", "getacl", "/s3v/link"))
        self.fails("AccessDenied", bob.delete_bucket, Bucket="link")

    def test_other_local_users(self) -> None:
        """Over the socket the operating system says who asks: others make buckets where they may, and no volumes."""
        self.other_users()
        self.started(*SECURE, "-D", "ozgate.admin.socket.mode=666", environment=STATIC)
        uid = 4_000_001
        denied = f"PERMISSION_DENIED {uid} is no administrator\n"
        found = self.ozgate("sh", "volume", "create", "/vol1", uid=uid)
        self.assertEqual(found, (255, "", denied))
        found = self.ozgate("sh", "bucket", "create", "/s3v/theirs", uid=uid)
        self.assertEqual(found, (0, "", ""))
        self.assertEqual(self.shown("bucket", "info", "s3v/theirs")["owner"], str(uid))
        found = self.ozgate("sh", "bucket", "delete", "/s3v/theirs", uid=uid + 1)
        self.assertEqual(found[0], 255)
        self.assertIn("PERMISSION_DENIED", found[2])


class KeyTests(ShellCase):
    """Bytes of keys."""

    def file(self, name: str, size: int) -> str:
        """A file of random bytes in the test's folder."""
        path = os.path.join(self.folder, name)
        Path(path).write_bytes(os.urandom(size))
        return path

    def test_put_and_get(self) -> None:
        """What is put is what is got, by the command and by S3, with S3's ETag, whatever its size."""
        process = self.started(*SECURE, environment=STATIC)
        self.sh("bucket", "create", "/s3v/bucket")
        client = self.as_root(process)
        for size in (0, 1, 100_000, 3 * MIB + 7):
            path, key = self.file("in", size), f"/s3v/bucket/a//{size} ü+%"
            self.assertEqual(self.sh("key", "put", key, path), "")
            out = os.path.join(self.folder, f"out{size}")
            self.assertEqual(self.sh("key", "get", key, out), "")
            self.assertEqual(Path(out).read_bytes(), Path(path).read_bytes())
            found = client.get_object(Bucket="bucket", Key=f"a//{size} ü+%")
            self.assertEqual(found["Body"].read(), Path(path).read_bytes())
            shown = self.shown("key", "info", key)
            self.assertEqual(shown["dataSize"], size)
            self.assertEqual(f'"{shown["metadata"]["ETag"]}"', found["ETag"])

    def test_files(self) -> None:
        """A file that is there is not overwritten unasked; a folder gets the name; what fails leaves no file."""
        self.started(*SECURE, environment=STATIC)
        path = self.file("in", 10)
        self.script("bucket create /s3v/bucket", f"key put /s3v/bucket/a/name {path}")
        before = Path(path).read_bytes()
        there = self.file("there", 20)
        said = f"{there} exists. Download would overwrite an existing file. Aborting."
        self.refused_by(said, "key", "get", "/s3v/bucket/a/name", there)
        self.sh("key", "get", "--force", "/s3v/bucket/a/name", there)
        self.assertEqual(Path(there).read_bytes(), before)
        self.sh("key", "get", "/s3v/bucket/a/name", self.folder)
        self.assertEqual(Path(self.folder, "name").read_bytes(), before)
        missing = os.path.join(self.folder, "missing")
        said = "KEY_NOT_FOUND The specified key does not exist."
        self.refused_by(said, "key", "get", "/s3v/bucket/absent", missing)
        self.assertFalse(os.path.exists(missing))
        said = f"{missing}: No such file or directory"
        self.refused_by(said, "key", "put", "/s3v/bucket/k", missing)
        said = f"{self.folder}: Is a directory"
        self.refused_by(said, "key", "put", "/s3v/bucket/k", self.folder)
        self.assertEqual(self.sh("key", "rm", "/s3v/bucket/a/name"), "")
        self.assertEqual(self.sh("key", "ls", "/s3v/bucket"), "[ ]\n")

    def test_bounded_memory(self) -> None:
        """Neither the command nor the service holds a large key in memory."""
        process = self.started(*SECURE, environment=STATIC)
        self.sh("bucket", "create", "/s3v/bucket")
        path, out = (os.path.join(self.folder, name) for name in ("in", "out"))
        size = 256 * MIB
        with open(path, "wb") as file:
            file.truncate(size)
        before = memory(process)
        for arguments in (
            ("put", "/s3v/bucket/key", path),
            ("get", "/s3v/bucket/key", out),
        ):
            peak = self.peak("sh", "key", *arguments)
            self.assertLess(peak, 150 * MIB)
        self.assertEqual(os.path.getsize(out), size)
        self.assertLess(memory(process) - before, 64 * MIB)

    def peak(self, *arguments: str) -> int:
        """Bytes of memory that a command took at most."""
        script = (
            "import resource, subprocess, sys;"
            "subprocess.run(sys.argv[1:], check=True);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script, sys.executable, "-m", "ozgate", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "OZGATE_DATA": self.data,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return int(ended.stdout) << 10

    def test_refused_early(self) -> None:
        """What will not be kept is refused with the reason, over the socket and over TCP, however large it is."""
        process = self.started("-D", LOOPBACK)
        self.script("volume create /vol1", "bucket create /vol1/bucket --quota 1MB")
        path = os.path.join(self.folder, "in")
        with open(path, "wb") as file:
            file.truncate(200 * MIB)
        said = "QUOTA_EXCEEDED The space quota of bucket bucket is 1048576 bytes."
        self.refused_by(said, "key", "put", "/vol1/bucket/key", path)
        by_url = ("--admin-url", process.admin_url)
        self.refused_by(said, "key", "put", *by_url, "/vol1/bucket/key", path)
        missing = "BUCKET_NOT_FOUND Bucket not found: absent"
        self.refused_by(missing, "key", "put", *by_url, "/vol1/absent/key", path)
        self.sh("key", "put", *by_url, "/vol1/bucket/key", __file__)
        out = os.path.join(self.folder, "out")
        self.sh("key", "get", *by_url, "/vol1/bucket/key", out)
        self.assertEqual(Path(out).read_bytes(), Path(__file__).read_bytes())


def memory(process: Twistd) -> int:
    """Bytes of memory that a service has taken at most so far."""
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    [peak] = re.findall(r"^VmHWM:\s*(\d+) kB$", status, re.M)
    return int(peak) << 10


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
        for usage in (("volume",), ("volume", "create"), ("volume", "make", "/v"), ()):
            self.assertEqual(self.ozgate("sh", *usage)[0], 2, usage)
        for line, *arguments in (
            ("Volume name is missing", "volume", "create", "/"),
            ("Bucket name is missing", "bucket", "create", "/vol1"),
            ("1.5GB is invalid", "volume", "create", "/vol1", "--quota", "1.5GB"),
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

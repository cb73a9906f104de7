"""A small backup with something of everything, and what its service said of that, for the tests of later versions.

``python -m tests.service.oldbackup tests/service/backup_vN.tar.xz`` makes one with the code of this checkout, N being its schema. It is
kept when a schema is released, and never made again: those that are there are from the code of their versions.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.forking import run
from tests.running import ACCESS_KEY, REGION, ROOT, SECRET_KEY, Server

BUCKETS = "bucket", "linked"
"""The second one is a link to another volume."""

LARGE = b"0123456789abcdef" * 5000
"""More than is kept in a row."""

MADE = (
    "volume create /vol1",
    "bucket create /vol1/data",
    "bucket setquota /vol1/data --space-quota 1GB --namespace-quota 20",
    "volume setquota /vol1 --space-quota 5GB",
    "bucket addacl /vol1/data --acl user:alice:rl",
    "bucket link /vol1/data /s3v/linked",
    "bucket addacl /s3v/linked --acl user:alice:r[ACCESS],group:staff:a[DEFAULT]",
)
SHOWN = (
    "volume info /vol1",
    "bucket info /vol1/data",
    "bucket info /s3v/linked",
    "bucket getacl /vol1/data",
    "bucket getacl /s3v/linked",
)


def ozgate(data: str, *arguments: str) -> str:
    """What ``ozgate …`` prints, which must succeed."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OZGATE_DATA": data}
    ended = run("-m", "ozgate", *arguments, env=env, cwd="/")
    if ended.returncode:
        raise AssertionError(f"{arguments}: {ended.stdout}{ended.stderr}")
    return ended.stdout


def client_of(server: Server, pair: tuple[str, str] = (ACCESS_KEY, SECRET_KEY)) -> Any:
    """boto3 for a service."""
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=pair[0],
        aws_secret_access_key=pair[1],
        config=Config(retries={"total_max_attempts": 1}),
    )


def fill(client: Any, data: str) -> dict[str, Any]:
    """Something of everything; gives what only who made it knows: alice's pair, the open upload and its part."""
    client.create_bucket(Bucket="bucket")
    for command in MADE:
        ozgate(data, "sh", *command.split())
    place = {"Bucket": "bucket"}
    client.put_object(**place, Key="empty", Body=b"")
    client.put_object(
        **place,
        Key="dir/ümläut \x01?&=+",
        Body=b"small",
        ContentType="text/plain",
        Metadata={"color": "blue"},
        Tagging="a=b&c=d",
        ChecksumAlgorithm="SHA256",
    )
    client.put_object(**place, Key="large", Body=LARGE, StorageClass="STANDARD_IA")
    client.copy_object(Bucket="linked", Key="copy", CopySource="bucket/large")
    _, done = begin(client, "multi", 2)
    client.complete_multipart_upload(**done)
    upload, open_ = begin(client, "open", 1)
    pair = [line.partition("=")[2] for line in _secret(data).splitlines()]
    return {"pair": pair, "upload": upload, "complete": open_}


def begin(client: Any, key: str, parts: int) -> tuple[str, dict[str, Any]]:
    """An upload with parts, the first of which are another object; its id, and what completes it."""
    place = {"Bucket": "bucket", "Key": key}
    client.put_object(Bucket="linked", Key="source", Body=LARGE * 66)
    upload = client.create_multipart_upload(**place, Metadata={"m": "n"})["UploadId"]
    place["UploadId"] = upload
    tags = []
    for number in range(1, parts):
        copied = client.upload_part_copy(
            **place, PartNumber=number, CopySource="linked/source"
        )
        tags.append(copied["CopyPartResult"]["ETag"])
    tags.append(client.upload_part(**place, PartNumber=parts, Body=LARGE)["ETag"])
    listed = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
    return upload, {**place, "MultipartUpload": {"Parts": listed}}


def _secret(data: str) -> str:
    return ozgate(data, "s3", "getsecret", "-u", "alice")


def seen(client: Any, data: str) -> dict[str, Any]:
    """What a service says of it."""
    found: dict[str, Any] = {
        command: ozgate(data, "sh", *command.split()) for command in SHOWN
    }
    found["buckets"] = _plain(client.list_buckets())
    for bucket in BUCKETS:
        place = {"Bucket": bucket}
        listed = client.list_objects_v2(**place)
        found[bucket] = [
            _plain(listed),
            _plain(client.list_objects_v2(**place, Delimiter="/")),
            _plain(client.list_multipart_uploads(**place)),
        ]
        for each in listed["Contents"]:
            key = {**place, "Key": each["Key"]}
            whole = client.get_object(**key, ChecksumMode="ENABLED")
            body = whole["Body"].read()
            attributes = ["ETag", "Checksum", "ObjectParts", "StorageClass"]
            found[f"{bucket}/{each['Key']}"] = [
                _plain(whole),
                sha256(body).hexdigest(),
                _plain(client.get_object_tagging(**key)),
                _plain(
                    client.get_object_attributes(**key, ObjectAttributes=attributes)
                ),
            ]
    return found


def _plain(answer: dict[str, Any]) -> dict[str, str]:
    """An answer of boto3 that says the same each time."""
    left_out = ("ResponseMetadata", "Body")
    return {name: str(each) for name, each in answer.items() if name not in left_out}


def main(path: str) -> None:
    """Write a backup, and what was said of it, to a file."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(f"{folder}/data")
        server.start()
        try:
            client = client_of(server)
            known = fill(client, server.data)
            known["seen"] = seen(client, server.data)
            target = f"{folder}/backup"
            ozgate(server.data, "admin", "backup", "--with-master-key", target)
        finally:
            server.stop()
        Path(target, "known.json").write_text(json.dumps(known, indent=1))
        with tarfile.open(path, "w:xz") as archive:
            archive.add(target, "backup")


if __name__ == "__main__":
    main(*sys.argv[1:])

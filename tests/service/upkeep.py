"""What the tests of scrub, fsck and backup stand on: a service, boto3, and what is on its disk."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.localsocket import connect_local
from ozgate.cli.main import main
from tests.forking import run
from tests.running import ACCESS_KEY, REGION, ROOT, SECRET_KEY, Server

MIB = 1 << 20


class UpkeepCase(SynchronousTestCase):
    """A service of its own for each test.

    :cvar settings: further ``key=value`` of the service.
    :ivar stored: what boto3 stored, by key.
    """

    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Start it, with a bucket."""
        self.folder = tempfile.mkdtemp(prefix="ozgate-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.random = random.Random(4)
        self.stored: dict[str, bytes] = {}
        self.server = self.serve("data")
        self.client = self.client_of(self.server)
        self.client.create_bucket(Bucket="bucket")

    def serve(self, name: str) -> Server:
        """Start a service on a folder; it ends with the test."""
        server = Server(os.path.join(self.folder, name), *self.settings)
        server.start()
        self.addCleanup(server.stop)
        return server

    @property
    def data(self) -> str:
        """The data folder."""
        return self.server.data

    def client_of(self, server: Server) -> Any:
        """boto3 for a service."""
        client = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.addCleanup(client.close)
        return client

    def put(self, key: str, size: int) -> None:
        """Store a key with bytes of its own."""
        self.stored[key] = self.random.randbytes(size)
        self.client.put_object(Bucket="bucket", Key=key, Body=self.stored[key])

    def served(self, client: Any) -> dict[str, bytes]:
        """Every key of the bucket, with its bytes."""
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="bucket")
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return {
            key: client.get_object(Bucket="bucket", Key=key)["Body"].read()
            for key in keys
        }

    def ozgate(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of ``ozgate admin …``."""
        return self.typed("admin", *arguments)

    def typed(self, group: str, *arguments: str) -> tuple[int, str, str]:
        """The same of a command of any group.

        What asks the service is run in this process, which is quicker; what does without, in one of its own.
        """
        running = self.server.process is not None and self.server.process.poll() is None
        if running and arguments[0] != "restore" and "--data" not in arguments:
            runner = CliRunner(env={"OZGATE_DATA": self.data})
            result = runner.invoke(main, [group, *arguments], prog_name="ozgate")
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result.exit_code, result.stdout, result.stderr
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "OZGATE_DATA": self.data,
        }
        command = ["-m", "ozgate", group, *arguments]
        ended = run(*command, env=environment, cwd=self.folder)
        return ended.returncode, ended.stdout, ended.stderr

    def command(self, name: str, **arguments: Any) -> Any:
        """A command over the admin socket, which must succeed."""
        answer = self.ask("POST", f"/ozgate/v1/{name}", json.dumps(arguments))
        return json.loads(answer)

    def metrics(self) -> str:
        """What Prometheus would read."""
        return self.ask("GET", "/metrics").decode()

    def ask(self, method: str, path: str, body: str = "") -> bytes:
        """What the admin socket answers, which must be a success."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = connect_local(self.data)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
            self.assertEqual(response.status, 200, answer)
            return answer
        finally:
            connection.close()

    @contextmanager
    def rows(self) -> Iterator[sqlite3.Connection]:
        """The metadata, to be changed behind the service's back."""
        path = os.path.join(self.data, "metadata.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield connection

    def blobs(self) -> dict[str, Path]:
        """The files of blobs, by their ids."""
        found = Path(self.data, "blobs", "data").glob("*/*")
        return {path.name: path for path in sorted(found, key=lambda each: each.name)}

    def blob_of(self, key: str) -> Path:
        """The file of a key that has one blob."""
        with self.rows() as connection:
            [(blob,)] = connection.execute(
                "SELECT blob FROM extents JOIN versions ON sequence = owner WHERE key = ?",
                (key,),
            ).fetchall()
        return self.blobs()[blob]


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        [byte] = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))

"""Copies of 4 GiB on a real server, whose clients go: how much of them is read all the same; see :mod:`tests.attack.test_hashing`."""

from __future__ import annotations

import os
import select
import socket
import struct
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server, shared_server


def read_by(server: Server) -> int:
    """Bytes that a server, and any workers of it, have read so far."""
    assert server.process is not None
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(
        int(dict(line.split(": ") for line in lines)["rchar"])
        for each in (pid, *children)
        for lines in [Path(f"/proc/{each}/io").read_text().splitlines()]
    )


class ServiceTests(SynchronousTestCase):
    """A real server, and an object of 4 GiB, which takes 64 MiB of the disk."""

    def test_gone(self) -> None:
        """Copies whose clients have gone, by FIN or RST, are not read to their end, and their connections do not stay."""
        server = shared_server(purpose="hashing")
        target = make_large(server)
        head = server.head(
            "PUT", target, {"x-amz-copy-source": "/bucket/large", "content-length": "0"}
        )
        for linger in (None, struct.pack("ii", 1, 0)):
            before = read_by(server)
            clients = [server.connect() for _ in range(4)]
            for client in clients:
                client.sendall(head)
            while read_by(server) < before + (64 << 20):
                answered, _, _ = select.select(clients, [], [], 0.01)
                self.assertEqual(answered, [])
            for client in clients:
                if linger is None:
                    client.shutdown(socket.SHUT_WR)
                else:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    client.close()
            if linger is None:
                # Each hears the end of its connection, and no answer.
                self.assertEqual([client.recv(1) for client in clients], [b""] * 4)
                for client in clients:
                    client.close()
            status, _, _ = server.request("PUT", "/bucket/after", {}, b"x")
            self.assertEqual(status, 200)
            last = read_by(server)
            self.assertLess(last - before, 2 << 30)
            server.request("GET", "/bucket/after")
            self.assertLess(read_by(server) - last, 32 << 20)


def make_large(server: Server) -> str:
    """Make ``/bucket/large``, of 64 times a blob; the target of a part to copy it to."""
    server.request("PUT", "/bucket")
    server.request("PUT", "/bucket/blob", {}, os.urandom(64 << 20))

    def begin(key: str) -> str:
        _, _, body = server.request("POST", f"{key}?uploads=")
        return body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()

    upload_id, listed = begin("/bucket/large"), ""
    for number in range(1, 65):
        target = f"/bucket/large?partNumber={number}&uploadId={upload_id}"
        headers = {"x-amz-copy-source": "/bucket/blob"}
        _, _, body = server.request("PUT", target, headers)
        etag = body.partition(b"<ETag>")[2].partition(b"<")[0].decode()
        listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    status, _, body = server.request(
        "POST", f"/bucket/large?uploadId={upload_id}", {}, document.encode()
    )
    assert status == 200, body
    return f"/bucket/target?partNumber=1&uploadId={begin('/bucket/target')}"

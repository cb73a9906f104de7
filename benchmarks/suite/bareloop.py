"""Receive, MD5, write, fsync, and nothing else: what a PUT of many bytes costs at least. A process for each connection."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys

MIB = 1 << 20


def serve(connection: socket.socket, path: str) -> None:
    """Take bodies until the client goes; each is removed once it was durable."""
    buffer = bytearray(MIB)
    view = memoryview(buffer)
    while head := connection.recv(65536, socket.MSG_PEEK):
        length = head.find(b"\r\n\r\n") + 4
        found = re.search(rb"content-length: (\d+)", head[:length], re.I)
        if length < 4 or not found:
            continue
        connection.recv(length)
        digest, left = hashlib.md5(), int(found[1])
        with open(path, "wb", buffering=0) as file:
            while left:
                count = connection.recv_into(buffer, min(left, MIB))
                if not count:
                    return
                digest.update(view[:count])
                file.write(view[:count])
                left -= count
            os.fsync(file.fileno())
        os.unlink(path)
        answer = f'HTTP/1.1 200 OK\r\nETag: "{digest.hexdigest()}"\r\nContent-Length: 0\r\n\r\n'
        connection.sendall(answer.encode())


def main(port: int, folder: str) -> None:
    """Listen on loopback until this is ended."""
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            # Those that ended are nobody's to wait for but their parent's.
            while _reaped():
                pass
            if os.fork() == 0:
                with connection:
                    serve(connection, os.path.join(folder, f"bare-{os.getpid()}"))
                os._exit(0)
            connection.close()


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

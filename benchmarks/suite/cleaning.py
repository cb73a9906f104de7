"""The bucket that a server is measured in: made before, and removed with all that is in it after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

from benchmarks.suite.server import Server, said

_VERSION = re.compile(
    rb"<(?:Version|DeleteMarker)>.*?<Key>(.*?)</Key>.*?<VersionId>(.*?)</VersionId>",
    re.S,
)
_KEY = re.compile(rb"<Contents>.*?<Key>(.*?)</Key>", re.S)
_UPLOAD = re.compile(rb"<Upload>.*?<Key>(.*?)</Key>.*?<UploadId>(.*?)</UploadId>", re.S)


def make(server: Server) -> None:
    """Make the bucket."""
    server.must("PUT", server.target())


def delete(server: Server, named: list[bytes]) -> None:
    """One DeleteObjects.

    :param named: what names each object, as XML.
    :raises RuntimeError: it does not delete all.
    """
    objects = b"".join(b"<Object>%s</Object>" % each for each in named)
    body = b"<Delete><Quiet>true</Quiet>%s</Delete>" % objects
    answer = server.must("POST", server.target(query="delete="), body)
    if b"<Error>" in answer:
        raise RuntimeError(f"not all were deleted: {said(answer)}")


def _pages(server: Server, query: str) -> Iterator[bytes]:
    """First pages of what is deleted meanwhile, until one has nothing."""
    seen = b""
    while True:
        status, _, answer = server.request("GET", server.target(query=query))
        # Who has no versions may have no listing of them.
        if status != 200 or answer == seen:
            return
        yield answer
        seen = answer


def empty(server: Server) -> None:
    """Remove all that is in the bucket: versions, objects, unfinished uploads."""
    for answer in _pages(server, "versions="):
        found = [
            b"<Key>%s</Key><VersionId>%s</VersionId>" % each
            for each in _VERSION.findall(answer)
        ]
        if not found:
            break
        delete(server, found)
    for answer in _pages(server, "list-type=2"):
        found = [b"<Key>%s</Key>" % key for key in _KEY.findall(answer)]
        if not found:
            break
        delete(server, found)
    status, _, answer = server.request("GET", server.target(query="uploads="))
    if status == 200:
        for key, upload_id in _UPLOAD.findall(answer):
            which = f"uploadId={quote(unescape(upload_id.decode()), safe='')}"
            server.request("DELETE", server.target(unescape(key.decode()), which))


def remove(server: Server) -> None:
    """Remove the bucket and all that is in it, if it is there.

    :raises RuntimeError: it cannot be.
    """
    status, _, _ = server.request("HEAD", server.target())
    if status != 404:
        empty(server)
        server.must("DELETE", server.target())

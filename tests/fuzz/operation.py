"""Requests past the gate: what comes is framed and signed, so that all of an input goes to the operations.

An input is a few requests with ``---`` between them, each a line of method and target, header lines, an empty line, a
body; lines end in LF. ``UPLOAD`` in a request stands for the upload that an answer named last, ``AUTO`` as the value of
``content-md5`` or ``x-amz-checksum-crc32`` for that of the body.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from zlib import crc32

from ozgate.wire.head import CONTROLS, TOKEN, VISIBLE

from .judging import check_answer
from .running import fuzz
from .sites import DATE, World

SEEDS = (
    b"PUT /bucket/k?x-id=PutObject\nx-amz-meta-a: b\ncontent-md5: AUTO\n\n---\nGET /bucket/k\n\n",
    b'GET /bucket/key?response-content-type=a%2Fb&partNumber=1\nif-none-match: "0"\n\n---\nHEAD /bucket/key\nrange: bytes=2-3\n\n',
    b"POST /bucket/big?uploads\nx-amz-checksum-algorithm: CRC32\n\n---\nPUT /bucket/big?partNumber=1&uploadId=UPLOAD\nx-amz-checksum-crc32: AUTO\n\nabc\n---\n"
    b"POST /bucket/big?uploadId=UPLOAD\n\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
    b"<ETag>900150983cd24fb0d6963f7d28e17f72</ETag><ChecksumCRC32>NSRBwg==</ChecksumCRC32></Part></CompleteMultipartUpload>",
    b"POST /bucket/big?uploads\n\n---\nPUT /bucket/big?partNumber=2&uploadId=UPLOAD\nx-amz-copy-source: /bucket/key\n"
    b"x-amz-copy-source-range: bytes=1-2\n\n---\nGET /bucket/big?uploadId=UPLOAD&max-parts=1\n\n---\nGET /bucket?uploads&delimiter=/\n\n---\n"
    b"DELETE /bucket/big?uploadId=UPLOAD\n\n",
    b"GET /bucket?list-type=2&prefix=k&delimiter=/&max-keys=1&encoding-type=url&start-after=a\n\n---\nGET /bucket?marker=a\n\n---\n"
    b"GET /bucket?versions&key-marker=a\n\n",
    b"POST /bucket?delete\nx-amz-checksum-crc32: AUTO\n\n<Delete><Object><Key>key</Key></Object></Delete>",
    b"PUT /bucket/key?tagging\ncontent-md5: AUTO\n\n<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>\n---\n"
    b"GET /bucket/key?tagging\n\n---\nDELETE /bucket/key?tagging\n\n",
    b"PUT /other\n\n<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>\n---\n"
    b"GET /?max-buckets=1&prefix=b\n\n---\nGET /other?location\n\n---\nDELETE /other\n\n",
    b"PUT /bucket/copy\nx-amz-copy-source: bucket/key\nx-amz-metadata-directive: REPLACE\nx-amz-tagging-directive: REPLACE\n"
    b"x-amz-tagging: a=b\n\n---\nGET /bucket/copy?attributes\nx-amz-object-attributes: ETag,ObjectSize,Checksum\n\n",
    b"PUT /bucket/k\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 3\n"
    b"x-amz-trailer: x-amz-checksum-crc32\n\n3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n",
    b"GET /bucket?acl\n\n---\nGET /bucket?policy\n\n---\nPUT /bucket?cors\n\n---\nOPTIONS /bucket/key\norigin: x\n\n",
)
WORDS = (
    *(b"\n---\n", b"GET /bucket", b"PUT /bucket", b"DELETE /bucket", b"POST /bucket"),
    *(b"/key", b"?uploads", b"uploadId=UPLOAD", b"partNumber=", b"?list-type=2", b"&"),
    *(b"continuation-token=", b"max-keys=", b"encoding-type=url", b"delimiter=", b"%"),
    *(b"versionId=null", b"?tagging", b"?delete", b"?attributes", b"response-expires="),
    *(b"x-amz-copy-source: ", b"x-amz-meta-a: ", b"x-amz-tagging: ", b"range: bytes="),
    *(b"x-amz-content-sha256: ", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"if-match: "),
    *(b"x-amz-checksum-mode: ENABLED\n", b"x-amz-object-attributes: ", b"expect: "),
    *(
        b"content-md5: AUTO\n",
        b"x-amz-checksum-crc32: AUTO\n",
        b"x-amz-storage-class: ",
        b"x-amz-mp-object-size: ",
        b"x-amz-checksum-type: ",
    ),
)
MOST = 8
"""Requests of one input."""

WORLD = World(secure=False)
_UPLOAD = re.compile(rb"<UploadId>([A-Za-z0-9_-]+)</UploadId>")


def one_input(data: bytes) -> None:
    """Make the requests one after the other, each on a connection of its own."""
    upload = b"none"
    for asked in data.split(b"\n---\n")[:MOST]:
        for answer in WORLD.ask(WORLD.s3, [framed(asked.replace(b"UPLOAD", upload))]):
            check_answer(answer)
            found = _UPLOAD.search(answer.body)
            upload = found[1] if found else upload
    WORLD.renew()


def framed(asked: bytes) -> bytes:
    """A request with what frames and signs it; nobody looks at the signature, only at its form."""
    head, _, body = asked.partition(b"\n\n")
    line, *lines = head.split(b"\n")
    method, _, target = line.partition(b" ")
    names, kept = [], []
    for each in lines:
        name, colon, value = each.partition(b":")
        name = name.lower()
        if colon and name and not name.translate(None, TOKEN) and name not in _OURS:
            value = value.translate(None, CONTROLS + b"\r").strip(b" ")
            if value == b"AUTO" and name in _COMPUTED:
                value = b64encode(_COMPUTED[name](body))
            kept.append(b"%b: %b" % (name, value))
            names.append(name)
    if b"x-amz-content-sha256" not in names:
        kept.append(b"x-amz-content-sha256: UNSIGNED-PAYLOAD")
    method = bytes(byte for byte in method if byte in TOKEN)[:32] or b"GET"
    target = b"/" + bytes(byte for byte in target if byte in VISIBLE).lstrip(b"/")
    kept += [
        b"host: localhost",
        b"x-amz-date: " + DATE.encode(),
        b"content-length: %d" % len(body),
        b"authorization: AWS4-HMAC-SHA256 Credential=testuser/%b/us-east-1/s3/aws4_request, SignedHeaders=%b, Signature=%b"
        % (DATE[:8].encode(), b";".join([*names, *_SIGNED]), b"0" * 64),
    ]
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, target), *kept, b"", body])


_COMPUTED: dict[bytes, Callable[[bytes], bytes]] = {
    b"content-md5": lambda body: md5(body, usedforsecurity=False).digest(),
    b"x-amz-checksum-crc32": lambda body: crc32(body).to_bytes(4, "big"),
}
_SIGNED = (b"host", b"x-amz-date", b"x-amz-content-sha256")
_OURS = (
    b"host",
    b"x-amz-date",
    b"content-length",
    b"authorization",
    b"transfer-encoding",
)


if __name__ == "__main__":
    fuzz("operation")

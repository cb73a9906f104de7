"""Requests past the gate: what comes is framed and signed, so that all of an input goes to the operations.

An input is a few requests with ``---`` between them, each a line of method and target, header lines, an empty line, a
body; lines end in LF. ``UPLOAD`` and ``TOKEN`` in a request stand for the upload and the continuation token that an answer
named last, ``AUTO`` as the value of ``content-md5`` or ``x-amz-checksum-crc32`` for that of the body. An input that begins
with the line ``alice`` is from a guest who signs, where signatures are verified.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from zlib import crc32

from ozgate.auth.sigv4 import sign
from ozgate.wire.head import CONTROLS, TOKEN
from tests.fuzz.address import VISIBLE
from tests.fuzz.judging import check_answer
from tests.fuzz.running import fuzz
from tests.fuzz.sites import DATE, GUEST, NOW, SECRETS, World

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
    b"GET /bucket/parts?partNumber=2\nx-amz-checksum-mode: ENABLED\n\n---\nGET /bucket/parts?attributes\nx-amz-object-attributes: ETag\n"
    b"x-amz-object-attributes: Checksum,ObjectParts,StorageClass,ObjectSize\nx-amz-max-parts: 1\nx-amz-part-number-marker: 1\n\n",
    b'GET /link/key\nrange: bytes=-3\nif-range: "781e5e245d69b566979b86e28d23f2c7"\nif-modified-since: Sun, 22 Nov 2020 10:00:00 GMT\n\n---\n'
    b"HEAD /bucket/key?response-cache-control=x\nif-unmodified-since: Sun, 22 Nov 2020 10:00:00 GMT\n\n",
    b"PUT /bucket/blob\nx-amz-checksum-algorithm: SHA256\ncontent-type: a/b\n\nmore than what stays in a row\n---\n"
    b"PUT /bucket/again\nx-amz-copy-source: /bucket/blob\nx-amz-checksum-algorithm: SHA256\nx-amz-copy-source-if-match: 0\n\n---\n"
    b"GET /bucket/blob\nrange: bytes=3-20\n\n---\nPUT /bucket/blob\nx-amz-copy-source: link/blob?versionId=null\nx-amz-storage-class: GLACIER\n\n",
    b'DELETE /bucket/key?versionId=null\nif-match: "781e5e245d69b566979b86e28d23f2c7"\nx-amz-if-match-size: 10\n'
    b"x-amz-if-match-last-modified-time: Wed, 18 Nov 2026 11:06:40 GMT\n\n---\nPUT /bucket/key\nif-none-match: *\n\nx",
    b"POST /bucket?delete\ncontent-md5: AUTO\nx-amz-bypass-governance-retention: false\n\n<Delete><Quiet>true</Quiet><Object><Key>key</Key>"
    b"<ETag>0</ETag><Size>1</Size></Object><Object><Key>no</Key><VersionId>null</VersionId></Object><Object><Key>k</Key><VersionId>x</VersionId>"
    b"</Object></Delete>",
    b"GET /bucket?list-type=2&max-keys=1&fetch-owner=true\n\n---\nGET /bucket?list-type=2&continuation-token=TOKEN\n\n---\n"
    b"GET /bucket?max-keys=1&marker=key&delimiter=e&encoding-type=url\n\n---\nGET /bucket?versions&key-marker=key&version-id-marker=null&prefix=k\n\n",
    b"POST /bucket/a?uploads\n\n---\nPOST /bucket/b?uploads\n\n---\nGET /bucket?uploads&max-uploads=1&key-marker=a&upload-id-marker=UPLOAD\n\n---\n"
    b"GET /bucket/b?uploadId=UPLOAD&part-number-marker=1\n\n---\nPOST /bucket/b?uploadId=UPLOAD\nx-amz-mp-object-size: 3\n"
    b"x-amz-checksum-type: FULL_OBJECT\nx-amz-checksum-crc64nvme: AAAAAAAAAAA=\n\n<CompleteMultipartUpload/>",
    b"PUT /new\nx-amz-acl: public-read\n\n---\nPUT /new\nx-amz-bucket-object-lock-enabled: true\n\n---\nPUT /new\nx-amz-object-ownership: ObjectWriter\n\n---\n"
    b"PUT /new\nx-amz-grant-read: id=1\n\n---\nGET /?bucket-region=us-east-1&continuation-token=TOKEN\n\n---\nHEAD /link\n\n",
    b"GET /bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=testuser%%2F%b%%2Fus-east-1%%2Fs3%%2Faws4_request&X-Amz-Date=%b"
    b"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0&x-amz-checksum-mode=ENABLED\n\n---\n"
    b"PUT /bucket/p?AWSAccessKeyId=a&Signature=b&Expires=1795000001&x-amz-meta-a=b\n\nx"
    % (DATE[:8].encode(), DATE.encode()),
    b"alice\nGET /bucket/key\n\n---\nPUT /bucket/key\n\nx\n---\nGET /bucket?list-type=2\n\n---\nGET /\n\n---\nDELETE /bucket\n\n---\nPUT /hers\n\n"
    b"---\nPUT /hers/copy\nx-amz-copy-source: /bucket/key\n\n---\nGET /link/key\n\n",
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

WORLD, SECURE = World(secure=False), World(secure=True)
_UPLOAD = re.compile(rb"<UploadId>([A-Za-z0-9_-]+)</UploadId>")
_TOKEN = re.compile(rb"ContinuationToken>([A-Za-z0-9_=-]+)</")


def one_input(data: bytes) -> None:
    """Make the requests one after the other, each on a connection of its own."""
    as_guest = data.startswith(b"alice\n")
    world = SECURE if as_guest else WORLD
    known = {b"UPLOAD": b"none", b"TOKEN": b"none"}
    for asked in data[6 * as_guest :].split(b"\n---\n")[:MOST]:
        for name, value in known.items():
            asked = asked.replace(name, value)
        said = signed(asked) if as_guest else framed(asked)
        for answer in world.ask(world.s3, [said]):
            check_answer(answer)
            for name, pattern in ((b"UPLOAD", _UPLOAD), (b"TOKEN", _TOKEN)):
                if found := pattern.search(answer.body):
                    known[name] = found[1]
    world.renew()


def signed(asked: bytes) -> bytes:
    """A request that the guest signs. One whose target is no URL stays as it is: it has no address either."""
    said = framed(asked)
    head, _, body = said.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    method, target, _ = line.decode("ascii").split(" ")
    pairs = [each.decode("latin-1").partition(": ")[::2] for each in lines]
    sent = {name: value for name, value in pairs if name not in _ADDED}
    if not all(value.isascii() for value in sent.values()) or "%" in target:
        return said
    payload = sent.pop("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    sent = sign(
        method,
        f"http://localhost{target}",
        sent,
        GUEST,
        SECRETS[GUEST],
        "us-east-1",
        NOW,
        payload,
    )
    lines = [f"{name}: {value}".encode("latin-1") for name, value in sent.items()]
    lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([line, *lines, b"", body])


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
    method = bytes(byte for byte in method if byte in TOKEN)[:32] or b"GET"
    target = b"/" + bytes(byte for byte in target if byte in VISIBLE).lstrip(b"/")
    kept += [b"host: localhost", b"content-length: %d" % len(body)]
    if b"Signature=" not in target:
        if b"x-amz-content-sha256" not in names:
            kept.append(b"x-amz-content-sha256: UNSIGNED-PAYLOAD")
        covered = dict.fromkeys([*names, *_SIGNED])
        kept += [
            b"x-amz-date: " + DATE.encode(),
            b"authorization: AWS4-HMAC-SHA256 Credential=testuser/%b/us-east-1/s3/aws4_request, SignedHeaders=%b, Signature=%b"
            % (DATE[:8].encode(), b";".join(covered), b"0" * 64),
        ]
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, target), *kept, b"", body])


_COMPUTED: dict[bytes, Callable[[bytes], bytes]] = {
    b"content-md5": lambda body: md5(body, usedforsecurity=False).digest(),
    b"x-amz-checksum-crc32": lambda body: crc32(body).to_bytes(4, "big"),
}
_ADDED = ("authorization", "x-amz-date", "content-length")
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

"""Who signed a request, by its Authorization header or its query: a principal or one of S3's errors, security on and off."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.auth.sigv4 import authenticate
from ozgate.errors import S3Error
from ozgate.s3.gate import with_presigned
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.wire.head import TOKEN
from ozgate.wire.headers import Headers
from ozgate.wire.target import Query, parse_address
from tests.fuzz.judging import check_error, text
from tests.fuzz.running import fuzz

NOW = 1_795_000_000.0
_SCOPE = b"testuser/20261118/us-east-1/s3/aws4_request"
SEEDS = (
    b"/b/k\nauthorization: AWS4-HMAC-SHA256 Credential=%b, SignedHeaders=host;x-amz-date, Signature=%b\n"
    b"host: localhost\nx-amz-date: 20261118T110640Z\nx-amz-content-sha256: UNSIGNED-PAYLOAD"
    % (_SCOPE, b"0" * 64),
    b"/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%b&X-Amz-Date=20261118T110640Z&X-Amz-Expires=300"
    b"&X-Amz-SignedHeaders=host&X-Amz-Signature=%b\nhost: localhost"
    % (_SCOPE, b"0" * 64),
    b"/b/k?AWSAccessKeyId=testuser&Expires=1795000100&Signature=abc%3D&acl&response-expires=x\nhost: localhost",
    b"/b\nauthorization: AWS4-HMAC-SHA256 Credential=%b,SignedHeaders=host,Signature=0\nhost: localhost\n"
    b"date: Wed, 18 Nov 2026 11:06:40 GMT\nx-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    % _SCOPE,
)
WORDS = (
    *(b"AWS4-HMAC-SHA256 ", b"Credential=", b"SignedHeaders=", b"Signature=", b", "),
    *(b"authorization: ", b"host: ", b"x-amz-date: ", b"date: ", b"\n", b"host;"),
    *(b"x-amz-content-sha256: ", b"UNSIGNED-PAYLOAD", _SCOPE, b"20261118T110640Z"),
    *(b"STREAMING-UNSIGNED-PAYLOAD-TRAILER", b"content-md5: ", b"x-amz-meta-a: "),
    *(b"X-Amz-Algorithm=", b"X-Amz-Credential=", b"X-Amz-Date=", b"X-Amz-Expires="),
    *(b"X-Amz-SignedHeaders=", b"X-Amz-Signature=", b"AWSAccessKeyId=", b"Expires="),
    *(b"GMT", b"+0000", b"Nov", b"9999", b"%0D%0A", b"AWS4-ECDSA-P256-SHA256", b"AWS "),
)


_STORE = MemoryMetadataStore(Clock())
_STORE.open()
SECRETS = StaticSecrets(
    {"testuser": "secret of testuser"},
    MetadataSecretStore(_STORE, MasterKey(b"k" * 32)),
)


def one_input(data: bytes) -> None:
    """Authenticate: a target, then header lines."""
    target, *lines = data.split(b"\n")
    values: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon and name and not name.translate(None, TOKEN):
            values[name.decode("ascii").lower()] = text(value.strip(b" \t"))
    headers = Headers(values)
    try:
        address = parse_address(target, b"localhost", ())
    except S3Error:
        return
    for secrets in (None, SECRETS):
        for sigv2 in (False, True):
            outcome: list[object] = []
            begun = Deferred.fromCoroutine(
                authenticate("GET", address, headers, secrets, NOW, sigv2)
            )
            begun.addBoth(outcome.append)
            [found] = outcome
            error = getattr(found, "value", None)
            if isinstance(error, S3Error):
                check_error(error)
            elif error is not None:
                raise error
            else:
                assert secrets is None, "nobody here can sign"
                _check_hoisted(headers, address.query)


def _check_hoisted(headers: Headers, query: Query) -> None:
    try:
        with_presigned(headers, query)
    except S3Error as error:
        check_error(error)


if __name__ == "__main__":
    fuzz("claims")

"""Who asks, over a real gateway before a secure cluster: the OM verifies, and its access control lists decide."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ozgate.auth.canonical import signing_key
from ozgate.auth.sigv4 import sign
from tests.chunked import ChunkSigner
from tests.engines.given import secure
from tests.ozone.gateways import GatewayCase, Pair
from tests.ozone.secured import administer, client_of
from tests.running import REGION

CHUNK = 64 << 10


class CallersTests(GatewayCase):
    """Requests of several."""

    def setUp(self) -> None:
        """A bucket of somebody's."""
        secure()
        super().setUp()

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        """Send a request as it is: status and body."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=60
        )
        try:
            connection.request(method, target, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def signed(
        self,
        who: Pair,
        method: str,
        key: str,
        payload: str = "UNSIGNED-PAYLOAD",
        **headers: str,
    ) -> dict[str, str]:
        """Headers with a signature."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return sign(
            *(method, f"{self.server.url}/{self.bucket}/{key}", named),
            *(who.access_id, who.secret, REGION, time.time(), payload),
        )

    def owner_of(self, key: str) -> str:
        """Whose a key is, as Ozone's own commands have it."""
        said = self.ozone.text("sh", "key", "info", f"/s3v/{self.bucket}/{key}")
        return str(json.loads(said)["owner"])

    def test_owner(self) -> None:
        """Whoever puts an object owns it, by the name that the cluster has for him."""
        self.s3.put_object(Bucket=self.bucket, Key="a", Body=b"x")
        self.assertEqual(self.owner_of("a"), self.me.user)

    def test_refused(self) -> None:
        """A wrong secret and an unknown access key are told alike; whoever has no right is denied, until he has it."""
        url, other = self.server.url, self.somebody()
        wrong = Pair("", self.me.access_id, "0" * 64)
        unknown = Pair("", f"nobody@{self.ozone.realm}", self.me.secret)
        self.s3.put_object(Bucket=self.bucket, Key="a", Body=b"x")
        asks = {"Bucket": self.bucket, "Key": "a"}
        for who in (wrong, unknown):
            ask = who.client(url).get_object
            self.assertEqual(self.code_of(ask, **asks), "SignatureDoesNotMatch")
        theirs = other.client(url)
        self.assertEqual(self.code_of(theirs.get_object, **asks), "AccessDenied")
        self.assertEqual(
            self.code_of(theirs.put_object, **asks, Body=b"y"), "AccessDenied"
        )
        # What is in a bucket has the rights of its own that it was made with.
        self.acl(True, other.user, f"/s3v/{self.bucket}")
        theirs.put_object(Bucket=self.bucket, Key="b", Body=b"y")
        self.assertEqual(self.owner_of("b"), other.user)
        self.assertEqual(self.s3.get_object(**asks)["Body"].read(), b"x")

    def test_nobody(self) -> None:
        """Whoever did not sign gets nothing."""
        self.s3.put_object(Bucket=self.bucket, Key="a", Body=b"x")
        for method, target in (
            *(("GET", f"/{self.bucket}/a"), ("PUT", f"/{self.bucket}/b")),
            *(
                ("DELETE", f"/{self.bucket}/a"),
                ("GET", f"/{self.bucket}"),
                ("GET", "/"),
            ),
        ):
            status, said = self.ask(method, target)
            self.assertEqual(status, 403, (method, target, said))
            self.assertIn(b"<Code>AccessDenied</Code>", said)
        self.assertEqual(self.s3.list_objects_v2(Bucket=self.bucket)["KeyCount"], 1)

    def test_revoked(self) -> None:
        """A secret that was revoked is refused by the very next request."""
        other = self.somebody()
        theirs = other.client(self.server.url)
        theirs.list_buckets()
        self.revoke(other.access_id)
        self.assertEqual(self.code_of(theirs.list_buckets), "SignatureDoesNotMatch")

    def test_revoked_under_way(self) -> None:
        """A secret that is revoked while a body comes is none when it is here, and nothing of it is kept."""
        other = self.somebody()
        self.acl(True, other.user, f"/s3v/{self.bucket}")
        for size in (10, 200_000):
            headers = self.signed(other, "PUT", f"late{size}")
            headers["content-length"] = str(size)
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.server.port, timeout=60
            )
            connection.putrequest("PUT", f"/{self.bucket}/late{size}", True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(b"x" * (size // 2))
            # So that it is admitted, and has taken its time.
            time.sleep(1.5)
            self.revoke(other.access_id)
            connection.send(b"x" * (size - size // 2))
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            self.assertEqual(answer.status, 403, said)
            asks = {"Bucket": self.bucket, "Key": f"late{size}"}
            self.assertEqual(self.code_of(self.s3.head_object, **asks), "404")
            other = self.again(other)

    def again(self, who: Pair) -> Pair:
        """Give somebody another secret."""
        client = client_of(self.ozone)
        found = administer(client, self.ozone, lambda s: s.getS3Secret(who.access_id))
        return Pair(who.user, who.access_id, str(found.getAwsSecret()))

    def test_presigned(self) -> None:
        """A presigned URL works as long as it says, for what it says; one of version 2 is not built."""
        self.s3.put_object(Bucket=self.bucket, Key="a", Body=b"x")
        asks = {"Bucket": self.bucket, "Key": "a"}
        for version, expected in (("s3v4", 200), ("s3", 501)):
            client = self.me.client(self.server.url, signature_version=version)
            url = client.generate_presigned_url("get_object", asks, ExpiresIn=60)
            self.assertEqual(self.use(url)[0], expected)
            if expected == 200:
                self.assertEqual(self.use(url.replace("/a?", "/b?"))[0], 403)
                longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
                self.assertEqual(self.use(longer)[0], 403)
        client = self.me.client(self.server.url, signature_version="s3v4")
        url = client.generate_presigned_url("get_object", asks, ExpiresIn=1)
        time.sleep(2)
        self.assertIn(b"Request has expired", self.use(url)[2])

    def test_forms(self) -> None:
        """A browser's form, whose policy an OM cannot verify, is not built, and nothing is kept."""
        post = self.s3.generate_presigned_post(self.bucket, "form")
        lines = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in post["fields"].items()
        ]
        lines.append(
            '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nbytes\r\n--x--\r\n'
        )
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        path = urlsplit(post["url"]).path
        status, said = self.ask("POST", path, kind, "".join(lines).encode())
        self.assertEqual(status, 501, said)
        self.assertEqual(self.s3.list_objects_v2(Bucket=self.bucket)["KeyCount"], 0)

    def test_tokens(self) -> None:
        """A session's token is refused, for the cluster makes none; and nobody makes one here."""
        headers = self.signed(self.me, "GET", "a", x_amz_security_token="x")
        status, said = self.ask("GET", f"/{self.bucket}/a", headers)
        self.assertEqual((status, b"InvalidToken" in said), (400, True), said)
        form = b"Action=GetSessionToken&Version=2011-06-15"
        digest = hashlib.sha256(form).hexdigest()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        headers = sign(
            *("POST", f"{self.server.url}/", kind, self.me.access_id),
            *(self.me.secret, REGION, time.time(), digest),
        )
        status, said = self.ask("POST", "/", headers, form)
        self.assertGreaterEqual(status, 400, said)

    def chunked(
        self, who: Pair, key: str, chunks: list[bytes], tampered: int = -1
    ) -> tuple[int, bytes]:
        """Put an object whose chunks are signed.

        :param tampered: the chunk of which a bit is changed on the way.
        """
        payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        headers = self.signed(
            *(who, "PUT", key, payload),
            content_encoding="aws-chunked",
            x_amz_decoded_content_length=str(sum(map(len, chunks))),
        )
        signer = ChunkSigner(headers)
        signer.key = signing_key(who.secret, signer.timestamp[:8], REGION)
        sent = []
        for number, chunk in enumerate([*chunks, b""]):
            made = signer.chunk(chunk)
            if number == tampered:
                made = made[:-3] + bytes((made[-3] ^ 1,)) + made[-2:]
            sent.append(made)
        body = b"".join([*sent, b"\r\n"])
        return self.ask("PUT", f"/{self.bucket}/{key}", headers, body)

    def test_chunks(self) -> None:
        """A body signed in chunks is taken where the OM finds each of them right, small or large; one bit changed in one of many, and nothing is there."""
        for count in (1, 40):
            chunks = [bytes((number,)) * CHUNK for number in range(count)]
            status, said = self.chunked(self.me, f"right{count}", chunks)
            self.assertEqual(status, 200, said)
            got = self.s3.get_object(Bucket=self.bucket, Key=f"right{count}")
            self.assertEqual(got["Body"].read(), b"".join(chunks))
            for tampered in {0, count // 2, count - 1}:
                key = f"wrong{count}-{tampered}"
                status, said = self.chunked(self.me, key, chunks, tampered)
                self.assertEqual(status, 403, said)
                self.assertIn(b"SignatureDoesNotMatch", said)
                asks = {"Bucket": self.bucket, "Key": key}
                self.assertEqual(self.code_of(self.s3.head_object, **asks), "404")

    def test_nothing_in_logs(self) -> None:
        """Neither a secret nor a signature is in what the gateway logs, however it went."""
        headers = self.signed(self.me, "GET", "a")
        sent = headers["authorization"].rpartition("=")[2]
        wrong = self.signed(Pair("", self.me.access_id, "0" * 64), "GET", "a")
        for each in (headers, wrong):
            self.ask("GET", f"/{self.bucket}/a", each)
        client = self.me.client(self.server.url, signature_version="s3v4")
        asks = {"Bucket": self.bucket, "Key": "a"}
        url = client.generate_presigned_url("get_object", asks)
        self.use(url)
        self.use(url.replace("/a?", "/b?"))
        self.chunked(self.me, "c", [b"x" * CHUNK], 0)
        logged = ""
        # The logs of requests are written a moment later.
        while f"PUT /{self.bucket}/c " not in logged:
            time.sleep(0.1)
            logged = self.server.output()
            for path in Path(self.server.data).rglob("*.log"):
                logged += path.read_text(errors="replace")
        for hidden in (
            *(self.me.secret, sent, wrong["authorization"].rpartition("=")[2]),
            url.rpartition("X-Amz-Signature=")[2][:64],
        ):
            self.assertNotIn(hidden, logged)

"""Browsers' forms, and who sends them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from ozgate.auth.canonical import signature, signing_key
from tests.operations.past import PastTestCase
from tests.operations.support import REGION, SECRETS, Response

BOUNDARY = "----a-boundary"
Fields = Sequence[tuple[str, str]]


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """One part of a form."""
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'Content-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return f"--{BOUNDARY}\r\n".encode() + head.encode() + value + b"\r\n"


def form(
    fields: Fields,
    file: bytes | None = b"content",
    filename: str | None = "a.txt",
    after: Fields = (),
    field_names: bool = False,
) -> bytes:
    """A form.

    :param after: fields behind the file.
    :param field_names: whether fields come with an empty filename, as some libraries send them.
    """
    named = "" if field_names else None
    body = b"".join(part(name, value.encode(), named) for name, value in fields)
    if file is not None:
        body += part("file", file, filename)
    body += b"".join(part(name, value.encode()) for name, value in after)
    return body + f"--{BOUNDARY}--\r\n".encode()


class FormTestCase(PastTestCase):
    """Sends forms, as browsers do."""

    async def post(
        self, body: bytes, path: str = "/bucket", **headers: str
    ) -> Response:
        """Send a form, as a browser does."""
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        sent = {"content-type": kind} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.client.request("POST", path, sent, body, signed=False)

    def signed(
        self,
        fields: Fields,
        conditions: Sequence[Any] | None = None,
        user: str = "testuser",
        seconds: int = 600,
        secret: str = "",
        bucket: str = "bucket",
    ) -> list[tuple[str, str]]:
        """Fields with a policy and its signature.

        :param conditions: those of the policy besides that on the bucket; ``None``: each field has to be as it is.
        """
        now = self.clock.seconds()
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        date = stamp[:8]
        standing = [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", f"{user}/{date}/{REGION}/s3/aws4_request"),
            ("x-amz-date", stamp),
        ]
        given = [dict([pair]) for pair in fields] if conditions is None else conditions
        expires = datetime.fromtimestamp(now + seconds, UTC)
        policy = {
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": [
                {"bucket": bucket},
                *given,
                *(dict([pair]) for pair in standing),
            ],
        }
        text = b64encode(json.dumps(policy).encode()).decode()
        key = signing_key(secret or SECRETS[user], date, REGION)
        return [
            *fields,
            *standing,
            ("policy", text),
            ("x-amz-signature", signature(key, text)),
        ]

    async def content(self, target: str = "/bucket/key") -> bytes:
        """What is stored."""
        response = await self.client.request("GET", target)
        self.assertEqual(response.status, 200, response.body)
        return response.body

    async def stored(self, body: bytes, file: bytes = b"content") -> Response:
        """Assert that a form stores its file."""
        response = await self.post(body)
        self.assertEqual(response.status, 204, response.body)
        self.assertEqual(response.headers["etag"], f'"{md5(file).hexdigest()}"')
        self.assertEqual(await self.content(), file)
        return response

    async def nothing_stored(self, body: bytes, status: int, code: str) -> Response:
        """Assert that a form is refused, and that nothing is stored."""
        response = await self.refused(self.post(body), status, code)
        listed = await self.client.request("GET", "/bucket")
        self.assertEqual(listed.texts("Contents/Key"), [])
        return response

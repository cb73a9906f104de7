"""URLs that botocore presigns with version 2: shared by the tests of :mod:`ozgate.auth`."""

from __future__ import annotations

from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.unit.auth.signed import ACCESS_ID, SECRET, Sent

HOST = "localhost:9878"
DOMAIN = "s3.localhost"
LIFE = 300
"""Seconds that URLs live from when they are used."""


def presigned(
    method: str,
    path: str,
    query: str = "",
    headers: dict[str, str] | None = None,
    virtual_bucket: str = "",
    access_id: str = ACCESS_ID,
) -> Sent:
    """What whoever holds a URL of botocore sends: of the headers only those that no URL can carry."""
    auth_path = f"/{virtual_bucket}{path}" if virtual_bucket else path
    if auth_path.count("/") == 1 and auth_path != "/":
        auth_path += "/"  # As boto3 has it: S3 takes no other.
    host = f"{virtual_bucket}.{DOMAIN}" if virtual_bucket else HOST
    request = AWSRequest(
        method=method,
        url=f"http://{host}{path}" + (f"?{query}" if query else ""),
        headers=headers or {},
        auth_path=auth_path,
    )
    HmacV1QueryAuth(Credentials(access_id, SECRET), LIFE).add_auth(request)
    parts = urlsplit(str(request.url))
    sent = {
        name.lower(): value.strip(" ")
        for name, value in (headers or {}).items()
        if not name.lower().startswith("x-amz-")
    }
    expires = parts.query.rpartition("&Expires=")[2]
    return Sent(
        method,
        f"{parts.path}?{parts.query}".encode(),
        {"host": host, **sent},
        float(int(expires) - LIFE),
    )

"""Requests as the gate sees them, signed by botocore or by hand: shared by the tests of :mod:`ozgate.auth`."""

from __future__ import annotations

import calendar
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from attrs import evolve, frozen
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ozgate.auth.sigv4 import Verified, authenticate
from ozgate.interfaces import ISecretStore
from ozgate.values import Credential, Secret
from ozgate.wire.headers import Headers
from ozgate.wire.target import parse_address

ACCESS_ID = "testuser/scm@EXAMPLE.COM"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DOCUMENTED = "AKIAIOSFODNN7EXAMPLE"
"""The access id of AWS's documented examples, which use the same secret."""
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@implementer(ISecretStore)
class Secrets:
    """A store of known secrets.

    :param known: by access id.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    def secret(self, access_id: str) -> Deferred[Credential | None]:
        """The secret of a known access id."""
        secret = self.known.get(access_id)
        return succeed(None if secret is None else Credential(secret, access_id))

    def issue(
        self, user: str, key: str = "", ttl: float | None = None
    ) -> Deferred[tuple[str, str]]:
        """Not asked for here."""
        raise NotImplementedError

    def set(self, access_id: str, secret: str) -> Deferred[None]:
        """Not asked for here."""
        raise NotImplementedError

    def revoke(self, access_id: str) -> Deferred[None]:
        """Not asked for here."""
        raise NotImplementedError

    def listed(self, after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """Not asked for here."""
        raise NotImplementedError


KNOWN = Secrets({ACCESS_ID: SECRET, DOCUMENTED: SECRET})


@frozen
class Sent:
    """A request on the wire."""

    method: str
    target: bytes
    headers: dict[str, str]
    now: float

    def verify(
        self,
        secrets: ISecretStore | None = KNOWN,
        domains: tuple[str, ...] = (),
        sigv2: bool = False,
    ) -> Deferred[Verified]:
        """What the gate says."""
        address = parse_address(self.target, self.headers["host"].encode(), domains)
        return Deferred.fromCoroutine(
            authenticate(
                self.method,
                address,
                Headers(dict(self.headers)),
                secrets,
                self.now,
                sigv2,
            )
        )

    def having(self, **headers: str | None) -> Sent:
        """The same with headers changed; ``_`` stands for ``-``, ``None`` removes."""
        changed = dict(self.headers)
        for name, value in headers.items():
            changed.pop(name.replace("_", "-"), None)
            if value is not None:
                changed[name.replace("_", "-")] = value
        return evolve(self, headers=changed)

    def replacing(self, old: str, new: str) -> Sent:
        """The same with text changed in Authorization and target."""
        headers = dict(self.headers)
        if "authorization" in headers:
            headers["authorization"] = headers["authorization"].replace(old, new)
        target = self.target.replace(old.encode(), new.encode())
        return evolve(self, headers=headers, target=target)


def seconds(timestamp: str) -> float:
    """``yyyyMMddTHHmmssZ`` in seconds since the epoch."""
    return calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))


def signed_by_botocore(
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    data: bytes = b"",
    access_id: str = ACCESS_ID,
    region: str = "eu-central-1",
) -> Sent:
    """A request with an Authorization header."""
    request = AWSRequest(method=method, url=url, data=data, headers=headers or {})
    S3SigV4Auth(Credentials(access_id, SECRET), "s3", region).add_auth(request)
    return _sent(request)


def presigned_by_botocore(
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    expires: int = 300,
    access_id: str = ACCESS_ID,
) -> Sent:
    """A request with its signature in the query."""
    request = AWSRequest(method=method, url=url, headers=headers or {})
    S3SigV4QueryAuth(
        Credentials(access_id, SECRET), "s3", "eu-central-1", expires
    ).add_auth(request)
    return _sent(request)


def _sent(request: AWSRequest) -> Sent:
    parts = urlsplit(request.url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    headers = {
        name.lower(): value.strip(" \t") for name, value in request.headers.items()
    }
    headers.setdefault("host", parts.netloc)
    return Sent(
        request.method,
        target.encode(),
        headers,
        seconds(request.context["timestamp"]),
    )

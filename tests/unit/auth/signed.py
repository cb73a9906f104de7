"""Requests as the gate sees them, signed by botocore or by hand: shared by the tests of :mod:`ozgate.auth`."""

from __future__ import annotations

import calendar
import hmac
import time
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import evolve, frozen
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from twisted.internet.defer import Deferred, execute
from zope.interface import implementer

from ozgate.auth.canonical import signature, signing_key
from ozgate.auth.signatory import signatory_of
from ozgate.auth.sigv4 import Verified, authenticate
from ozgate.interfaces import IVerifier
from ozgate.values import Credential, Presented, Signatory
from ozgate.wire.headers import Headers
from ozgate.wire.target import parse_address

ACCESS_ID = "testuser/scm@EXAMPLE.COM"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DOCUMENTED = "AKIAIOSFODNN7EXAMPLE"
"""The access id of AWS's documented examples, which use the same secret."""
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
URL = "http://localhost:9878"


@implementer(IVerifier)
class Secrets:
    """Verifies with known secrets.

    :param known: by access id.
    :param tells: whether it gives signing keys away.
    """

    def __init__(self, known: Mapping[str, str], *, tells: bool = True) -> None:
        self._known = {
            access_id: Credential(secret, access_id)
            for access_id, secret in known.items()
        }
        self.tells = tells

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`~ozgate.interfaces.IVerifier`."""
        credential = self._known.get(presented.access_id)
        found = execute(signatory_of, presented, credential)
        return found if self.tells else found.addCallback(_without_key)


def _without_key(signatory: Signatory | None) -> Signatory | None:
    return None if signatory is None else evolve(signatory, signing_key=None)


def presented(access_id: str, secret: str, *, version_2: bool = False) -> Presented:
    """A signature that is made with a secret."""
    text = "what is signed"
    if version_2:
        digest = hmac.digest(secret.encode(), text.encode(), "sha1")
        return Presented(access_id, text, b64encode(digest).decode())
    date, region = "20261130", "eu-central-1"
    sent = signature(signing_key(secret, date, region), text)
    return Presented(access_id, text, sent, date, region)


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
        secrets: IVerifier | None = KNOWN,
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

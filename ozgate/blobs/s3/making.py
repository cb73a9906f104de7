"""A store as settings say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.web.client import BrowserLikePolicyForHTTPS

from ...batches import RunInThread
from ...errors import Unavailable
from .connections import Limits
from .engine import Engine
from .location import read_location
from .store import S3BlobStore

SignAs = Callable[..., Mapping[str, str]]
"""``sign(method, url, headers, access_id, secret, region, now)``: the headers to send."""

_BEGIN = "-----BEGIN CERTIFICATE-----"


def make_store(
    reactor: Any,
    scheme: str,
    location: str,
    settings: Mapping[str, Any],
    run_in_thread: RunInThread,
    name: str,
    sign: SignAs,
    secret: str,
) -> S3BlobStore:
    """A store that is not open yet.

    :param scheme: ``http`` or ``https``.
    :param location: what follows the scheme in its URL.
    :param settings: every knob, by key.
    :param secret: the secret key.
    :raises Unavailable: they do not say where it is, or as whom to ask it; the message says so in one line.
    """
    place = read_location(scheme, location)
    access_key = settings["ozgate.blobs.s3.access-key"]
    if not access_key or not secret:
        raise Unavailable(
            "the engine is asked with a key pair: set ozgate.blobs.s3.access-key, and ozgate.blobs.s3.secret-key-file or OZGATE_BLOBS_S3_SECRET_KEY"
        )
    region = settings["ozgate.blobs.s3.region"]
    authorities = settings["ozgate.blobs.s3.ca"]

    def signed(
        method: str, url: str, headers: Mapping[str, str], now: float
    ) -> Mapping[str, str]:
        return sign(method, url, headers, access_key, secret, region, now)

    limits = Limits(
        settings["ozgate.blobs.s3.connections"],
        settings["ozgate.blobs.s3.timeout"],
        settings["ozgate.blobs.s3.deadline"],
    )
    trust = trustRootFromCertificates(_read(authorities)) if authorities else None
    policy = BrowserLikePolicyForHTTPS(trustRoot=trust)
    return S3BlobStore(
        Engine(reactor, place, signed, policy, limits, (access_key, secret)),
        name,
        reactor,
        run_in_thread,
        settings["ozgate.blobs.inline-below"],
        settings["ozgate.blobs.s3.memory"],
    )


def _read(path: str) -> list[Certificate]:
    """The certificates of a PEM file.

    :raises Unavailable: it cannot be read, or has none in it.
    """
    try:
        text = Path(path).read_text("ascii")
        found = [
            Certificate.loadPEM((_BEGIN + each).encode())
            for each in text.split(_BEGIN)[1:]
        ]
    except (OSError, ValueError) as error:
        raise Unavailable(f"ozgate.blobs.s3.ca: {path}: {error}") from None
    except Exception:
        # OpenSSL's own.
        found = []
    if not found:
        raise Unavailable(f"ozgate.blobs.s3.ca: {path} has no certificate in it")
    return found

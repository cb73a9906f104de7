"""Certificates for tests: an authority, those that it issues, and files of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)


def new_key(rsa_bits: int = 0) -> Any:
    """A key: on P-256, or of RSA."""
    if rsa_bits:
        return rsa.generate_private_key(65537, rsa_bits)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Any) -> bytes:
    """A key as PEM, in clear."""
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


class Authority:
    """Issues certificates; signs its own unless another issued it.

    :ivar pem: its certificate.
    """

    def __init__(self, name: str = "root", parent: Authority | None = None) -> None:
        self._key = new_key()
        self._name = _name(name)
        issuer = parent or self
        certificate = issuer.sign(self._name, self._key.public_key(), [], True)
        self.pem = certificate.public_bytes(Encoding.PEM)

    def sign(
        self,
        subject: x509.Name,
        public: Any,
        names: list[str],
        ca: bool,
        days: float = 1,
    ) -> x509.Certificate:
        """A certificate that this one issues."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(self._name, subject, public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca, None), True)
        )
        if names:
            alternative = x509.SubjectAlternativeName(list(map(_general, names)))
            builder = builder.add_extension(alternative, False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(
        self, *names: str, key: Any = None, days: float = 1
    ) -> tuple[bytes, bytes]:
        """A certificate for hosts and its key, as PEM. The first name is the common name, too."""
        key = key or new_key()
        certificate = self.sign(
            _name(names[0] if names else "nobody"),
            key.public_key(),
            list(names),
            False,
            days,
        )
        return certificate.public_bytes(Encoding.PEM), key_pem(key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def put(path: str, data: bytes) -> str:
    """Put a file in a path's place as whole; returns the path."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    new = f"{path}.new"
    with open(new, "wb") as file:
        file.write(data)
    os.replace(new, path)
    return path

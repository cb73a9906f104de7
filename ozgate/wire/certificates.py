"""Certificates and keys as they lie in files: read whole, checked, with the names they are for.

Everything is PEM (RFC 7468). What is wrong with a file is a :class:`CertificateError` of one line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..immutable import frozen

_SUFFIXES = (".crt", ".pem", ".cert")
_TOGETHER = (("fullchain.pem", "privkey.pem"), ("tls.crt", "tls.key"))
"""How ACME clients and Kubernetes call a chain and its key in a folder of their own."""


class CertificateError(Exception):
    """Certificates cannot be used. Its text is one line for people."""


@frozen
class Pair:
    """Where a certificate and its key are.

    :ivar certificate: path of the certificate, with those that lead to its issuer after it.
    :ivar key: path of its private key, which may be the same file.
    :ivar chain: path of further certificates of the chain; empty for none.
    :ivar name: the name to serve it for; empty for those in the certificate.
    """

    certificate: str
    key: str
    chain: str = ""
    name: str = ""

    def paths(self) -> list[str]:
        """The files it is read from."""
        return [path for path in (self.certificate, self.key, self.chain) if path]


@frozen(eq=False)
class Identity:
    """A certificate that was read, its chain and its key.

    :ivar names: DNS names it is served for, in lower case; a leftmost label may be ``*``.
    """

    pair: Pair
    certificate: x509.Certificate
    chain: Sequence[x509.Certificate]
    key: Any
    names: Sequence[str]

    @property
    def ends(self) -> datetime:
        """When the certificate stops being valid."""
        return self.certificate.not_valid_after_utc


def read(path: str) -> bytes:
    """A file's bytes; raises :class:`CertificateError`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read {path}: {error.strerror}") from None


def read_certificates(path: str) -> list[x509.Certificate]:
    """The certificates of a file, in its order.

    :raises CertificateError: it cannot be read, or has none.
    """
    data = read(path)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise CertificateError(
            f"{path} has no certificate in PEM form, or a damaged one"
        ) from None


def read_identity(pair: Pair) -> Identity:
    """Read a certificate with all that goes with it.

    :raises CertificateError: a file cannot be read or used, or the key is not the certificate's.
    """
    first, *chain = read_certificates(pair.certificate)
    if pair.chain:
        chain += read_certificates(pair.chain)
    key = _read_key(pair.key)
    if key.public_key() != first.public_key():
        raise CertificateError(
            f"the key in {pair.key} is not that of the first certificate in {pair.certificate}"
        )
    names = [pair.name] if pair.name else _names(first)
    return Identity(pair, first, chain, key, [name.lower() for name in names])


def _read_key(path: str) -> Any:
    data = read(path)
    try:
        return load_pem_private_key(data, None)
    except TypeError:
        raise CertificateError(
            f"the key in {path} is encrypted: decrypt it, such as with 'openssl pkey', and keep the file private"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(
            f"{path} has no private key in PEM form, or a damaged one"
        ) from None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)


def named_pairs(items: Sequence[str]) -> list[Pair]:
    """The pairs for names of virtual hosts.

    :param items: ``NAME=CERTIFICATE:KEY`` each, or a folder. A folder holds ``X.crt``, ``X.pem`` or ``X.cert`` with its
        ``X.key`` (or the key inside), and folders with ``fullchain.pem`` and ``privkey.pem``, or ``tls.crt`` and
        ``tls.key``; or it is one of the latter itself. Whatever else it holds is none of ours.
    :raises CertificateError: an item is neither.
    """
    pairs: list[Pair] = []
    for item in items:
        name, equals, files = item.partition("=")
        certificate, colon, key = files.partition(":")
        if equals and name and certificate:
            if colon and not key:
                raise CertificateError(f"{item}: say NAME=CERTIFICATE:KEY")
            pairs.append(Pair(certificate, key or certificate, name=name.strip()))
        elif os.path.isdir(item):
            pairs += _in_folder(item)
        else:
            raise CertificateError(
                f"{item} is neither NAME=CERTIFICATE:KEY nor a folder"
            )
    return pairs


def _in_folder(folder: str) -> Iterator[Pair]:
    whole = list(_together(folder))
    yield from whole
    for each in [] if whole else sorted(os.listdir(folder)):
        path = os.path.join(folder, each)
        stem, suffix = os.path.splitext(path)
        if os.path.isdir(path):
            yield from _together(path)
        elif suffix in _SUFFIXES:
            key = f"{stem}.key"
            yield Pair(path, key if os.path.exists(key) else path)


def _together(folder: str) -> Iterator[Pair]:
    """The one pair of a folder that is for one."""
    for certificate, key in _TOGETHER:
        pair = Pair(os.path.join(folder, certificate), os.path.join(folder, key))
        if all(map(os.path.exists, pair.paths())):
            yield pair


def fingerprint(paths: Sequence[str]) -> tuple[object, ...]:
    """What changes whenever one of these files is written anew or replaced, symbolic links followed."""
    return tuple(map(_state, paths))


def _state(path: str) -> tuple[object, ...]:
    try:
        found = os.stat(path)
    except OSError as error:
        return path, error.errno
    return path, found.st_mtime_ns, found.st_ino, found.st_dev, found.st_size

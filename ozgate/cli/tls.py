"""``ozgate tls …``: a certificate to try TLS with."""

from __future__ import annotations

import os
import re
import shlex
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..service.welcome import program

LOCAL = ("localhost", "127.0.0.1", "::1")
CERTIFICATE, KEY = "cert.pem", "key.pem"

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


@click.group()
def tls() -> None:
    """Certificates of the HTTPS endpoint."""


@tls.command("selfsigned")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME|ADDRESS",
    help="A further host that clients will call it by, such as s3.example.com, '*.s3.example.com' or 192.0.2.1. Repeatable.",
)
@click.option(
    "--out",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False),
    help=f"Folder to make {CERTIFICATE} and {KEY} in.",
)
@click.option(
    "--days",
    default=365,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="Days that it is valid for; some clients take no more than 825.",
)
def selfsigned(hosts: tuple[str, ...], out: str, days: int) -> None:
    """Make a certificate that signs itself, and its key. It is for localhost and this machine's name."""
    machine = [socket.gethostname()] if is_host(socket.gethostname()) else []
    names = list(dict.fromkeys([*LOCAL, *machine, *hosts]))
    key_path, path = os.path.join(out, KEY), os.path.join(out, CERTIFICATE)
    for each in hosts:
        if not is_host(each):
            raise click.UsageError(
                f"--host {each}: neither a host name, such as s3.example.com, nor an address"
            )
    key, certificate = make_pair(names, datetime.now(UTC), days)
    try:
        os.makedirs(out, exist_ok=True)
        for each in (key_path, path):
            if os.path.lexists(each):
                raise FileExistsError(0, "it is there already, and stays", each)
        _write(key_path, key, 0o600)
        _write(path, certificate, 0o644)
    except OSError as error:
        raise click.ClickException(
            f"cannot make {error.filename}: {error.strerror}; choose another folder with --out"
        ) from None
    click.echo(_told(names, os.path.abspath(path), os.path.abspath(key_path), days))


def make_pair(names: list[str], now: datetime, days: int) -> tuple[bytes, bytes]:
    """A new key and a certificate that it signed itself, as PEM.

    Of the kind that every TLS library takes both from a server and as its only trusted certificate: ECDSA on P-256,
    of an end entity (not of an authority), for servers.

    :param names: DNS names and IP addresses; the first is the common name.
    :param now: the certificate is valid from an hour before, for clocks that differ.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    builder = (
        x509.CertificateBuilder(name, name, public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_signs_only(), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(identifier, False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )


def _signs_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def is_host(text: str) -> bool:
    """Whether a text is an IP address, or a DNS name whose leftmost label may be ``*``."""
    if _address(text) is not None:
        return True
    labels = text.removeprefix("*.").split(".")
    return len(text) < 254 and all(map(_LABEL.fullmatch, labels))


def _address(text: str) -> x509.IPAddress | None:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    return _address(name) or x509.DNSName(name)


def _write(path: str, data: bytes, mode: int) -> None:
    # Made with its mode, so that a key is never readable for others, not even for a moment.
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(fd, "wb") as file:
        file.write(data)


def _told(names: list[str], path: str, key_path: str, days: int) -> str:
    """What was made, and what to paste next."""
    certificate, key = shlex.quote(path), shlex.quote(key_path)
    return "\n".join(
        (
            f"{path}: the certificate, valid for {days} days, for {', '.join(names)}",
            f"{key_path}: its private key, for your eyes only",
            "",
            "Start the server with it:",
            "",
            f"  {program('twistd')} -n ozgate -D ozone.http.policy=HTTPS_ONLY \\",
            f"    -D ozgate.tls.certificate={certificate} -D ozgate.tls.key={key}",
            "",
            "Clients must be told to trust it. The AWS CLI and boto3 by the environment, or the CLI by an option:",
            "",
            f"  export AWS_ENDPOINT_URL=https://127.0.0.1:9879 AWS_CA_BUNDLE={certificate}",
            "  aws s3 ls",
            f"  aws --ca-bundle {certificate} --endpoint-url https://127.0.0.1:9879 s3 ls",
            "",
            "and curl:",
            "",
            f"  curl --cacert {certificate} https://127.0.0.1:9879/",
        )
    )

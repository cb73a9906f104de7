"""TLS on our side: what is spoken, which certificate is shown to whom, and how new ones are taken up.

Twisted's TLS asks :class:`Certificates` for each connection's beginning, so that new certificates are new
connections' alone. Versions and ciphers are those of Mozilla's "intermediate" recommendation, 5.7: TLS 1.2 and 1.3,
forward secrecy and authenticated encryption only, the client's order of preference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from ..immutable import frozen
from .certificates import (
    CertificateError,
    Identity,
    Pair,
    fingerprint,
    named_pairs,
    read_certificates,
    read_identity,
)

if TYPE_CHECKING:
    from twisted.protocols.tls import TLSMemoryBIOProtocol

_log = Logger()

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    b"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
)
"""Of TLS 1.2. Those of DHE are offered only where Diffie-Hellman parameters are given."""

CIPHERS_13 = (
    b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
)
"""Of TLS 1.3."""

PROTOCOL = b"http/1.1"
"""What is negotiated (ALPN, RFC 7301)."""

PARTIAL_WRITE = 1
"""OpenSSL's ``SSL_MODE_ENABLE_PARTIAL_WRITE``, which pyOpenSSL sets and does not name: one record is written at a time."""

SOON = 14 * 86400.0
"""Seconds before its end from which on a certificate is warned of when it is loaded."""


@frozen
class TlsFiles:
    """Where everything is that an endpoint's TLS is made of.

    :ivar default: what is shown to clients that name no host, or one that nothing else is for.
    :ivar named: see :func:`~ozgate.wire.certificates.named_pairs`.
    :ivar client_ca: path of the certificates that issue those of clients; empty: clients are not asked for one.
    :ivar need_client: a client without a certificate is refused.
    :ivar dh_parameters: path of Diffie-Hellman parameters; empty for none.
    """

    default: Pair
    named: Sequence[str] = ()
    client_ca: str = ""
    need_client: bool = False
    dh_parameters: str = ""


@frozen(eq=False)
class _Loaded:
    """What connections begin with, and what it was made of."""

    context: SSL.Context
    state: tuple[object, ...]
    identities: Sequence[Identity]


class _Connection(SSL.Connection):
    """A connection whose end is its end, whatever brought it.

    Twisted keeps other errors of reading than a proper end in the frame in which it met them, which the error has: a circle that
    OpenSSL's memory of each client that just goes away would be in. Nobody asks which error it was: HTTP tells whether anything is
    missing, and OpenSSL has its alert for the client written by then.
    """

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Read what was received and decrypted."""
        try:
            return super().recv(bufsiz, flags)
        except (SSL.WantReadError, SSL.ZeroReturnError):
            raise
        except SSL.Error:
            raise SSL.ZeroReturnError() from None


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """The certificates of an endpoint, for as long as it listens.

    :param files: where they are; all paths absolute, for a daemon changes its folder.
    :param clock: what the time is taken from, to warn of certificates that end.
    :ivar files: the same.
    :raises CertificateError: they cannot be used.
    """

    def __init__(self, files: TlsFiles, clock: IReactorTime) -> None:
        self.files = files
        self._clock = clock
        self._loaded = _load(files)
        self._tried = self._seen = self._loaded.state
        self._warn()

    @property
    def to_trust(self) -> str:
        """Path of the default certificate if it signs itself, so that clients must be told to trust it; else empty."""
        shown = self._loaded.identities[0]
        itself = shown.certificate.issuer == shown.certificate.subject
        return shown.pair.certificate if itself else ""

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Begin a connection with the certificates of now."""
        return _Connection(self._loaded.context, None)

    def reload(self) -> str:
        """Read the files anew, whether they changed or not. Open connections go on as they are.

        :return: what came of it, one line; when the files cannot be used, those loaded before stay.
        """
        try:
            return self._take_up()
        except CertificateError as error:
            return f"failed, those of before stay: {error}"

    def poll(self) -> None:
        """Take up the files if they are not those that were read last, and log it.

        They are read when two calls find them the same: who replaces a certificate and its key does one after the
        other. Files that could not be used are not tried again until they change.
        """
        state = _state(self.files)
        settled, self._seen = state == self._seen, state
        if not settled or state == self._tried:
            return
        try:
            _log.info("certificates: {said}", said=self._take_up())
        except CertificateError as error:
            _log.error("certificates: those of before stay: {error}", error=error)

    def _take_up(self) -> str:
        """Read the files and use them; raises :class:`CertificateError`."""
        self._tried = self._seen = _state(self.files)
        self._loaded = _load(self.files)
        self._tried = self._seen = self._loaded.state
        self._warn()
        identities = self._loaded.identities
        ends = min(each.ends for each in identities)
        return f"{len(identities)} loaded, valid until {ends:%Y-%m-%d %H:%M} UTC"

    def _warn(self) -> None:
        now = self._clock.seconds()
        for each in self._loaded.identities:
            if each.ends.timestamp() - now < SOON:
                _log.warn(
                    "the certificate in {path} is valid until {ends} only: clients refuse it from then on",
                    path=each.pair.certificate,
                    ends=f"{each.ends:%Y-%m-%d %H:%M} UTC",
                )


def _state(files: TlsFiles) -> tuple[object, ...]:
    """What tells whether there is anything to read anew."""
    try:
        pairs = [files.default, *named_pairs(files.named)]
    except (CertificateError, OSError) as error:
        return (str(error),)
    paths = [path for pair in pairs for path in pair.paths()]
    return fingerprint([*paths, *filter(None, (files.client_ca, files.dh_parameters))])


def _load(files: TlsFiles) -> _Loaded:
    """Read and check everything; raises :class:`CertificateError`."""
    state = _state(
        files
    )  # before reading: what changes meanwhile is found at the next poll
    try:
        pairs = [files.default, *named_pairs(files.named)]
    except OSError as error:
        raise CertificateError(
            f"cannot read {error.filename}: {error.strerror}"
        ) from None
    authorities = read_certificates(files.client_ca) if files.client_ca else []
    default, *others = identities = [read_identity(pair) for pair in pairs]
    named: dict[bytes, SSL.Context] = {}
    context = _context(default, authorities, files, named)
    for each in others:
        if not each.names:
            raise CertificateError(
                f"the certificate in {each.pair.certificate} names no DNS host: give it one as NAME=CERTIFICATE:KEY"
            )
        other = _context(each, authorities, files, {})
        # OpenSSL may still call into the first context, whose callbacks Python must not free meanwhile.
        other.set_app_data(context)
        for name in each.names:
            named.setdefault(name.encode(), other)
    return _Loaded(context, state, identities)


def _context(
    identity: Identity,
    authorities: Sequence[x509.Certificate],
    files: TlsFiles,
    named: Mapping[bytes, SSL.Context],
) -> SSL.Context:
    """What OpenSSL needs to speak as ``identity``.

    :param named: name → the context to go on with for clients that ask for it; may be filled later.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # No tickets: their key, which lives as long as the process, would undo the forward secrecy of TLS 1.2.
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"ozgate")
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.clear_mode(PARTIAL_WRITE)
    path = identity.pair.certificate
    shown: list[Any] = [identity.certificate, *identity.chain]
    try:
        leaf, *chain = shown
        context.use_certificate(leaf)
        for each in chain:
            context.add_extra_chain_cert(each)
        context.use_privatekey(identity.key)
        context.check_privatekey()
        path = files.client_ca
        trusted: Any = context.get_cert_store()
        for each in authorities:
            trusted.add_cert(X509.from_cryptography(each))
            context.add_client_ca(each)
        path = files.dh_parameters
        if path:
            context.load_tmp_dh(path)
    except (SSL.Error, ValueError, TypeError) as error:
        raise CertificateError(f"{path} cannot be used: {_reason(error)}") from None
    if authorities:
        need = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if files.need_client else 0
        context.set_verify(SSL.VERIFY_PEER | need)
    context.set_alpn_select_callback(_select)
    context.set_tlsext_servername_callback(
        lambda connection: _switch(connection, named)
    )
    context.set_tls13_ciphersuites(CIPHERS_13)
    context.set_cipher_list(CIPHERS)
    return context


def _select(connection: SSL.Connection, offered: Sequence[bytes]) -> bytes:
    """Agree on HTTP/1.1; a client that offers only other protocols is refused, as RFC 7301 (3.2) wants it."""
    return PROTOCOL if PROTOCOL in offered else b""


def _switch(connection: SSL.Connection, named: Mapping[bytes, SSL.Context]) -> None:
    """Go on with the certificate for the name that the client asks for, or one for all names beside it."""
    asked = (connection.get_servername() or b"").lower().removesuffix(b".")
    found = named.get(asked) or named.get(b"*." + asked.partition(b".")[2])
    if found is not None:
        connection.set_context(found)


def spoken_version(transport: Any) -> str:
    """The version of TLS that a connection speaks, such as ``1.3``; ``""`` where it cannot be told.

    :param transport: of TLS, its handshake done.
    """
    name = getattr(transport.getHandle(), "get_protocol_version_name", None)
    return "" if name is None else str(name()).removeprefix("TLSv")


def _reason(error: Exception) -> str:
    """The last words of OpenSSL, which come as (library, function, reason)."""
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return str(error.args[0][-1][-1])
    return " ".join(str(error).split())

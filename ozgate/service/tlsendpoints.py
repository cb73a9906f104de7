"""``ssl:`` endpoint descriptions: Twisted's syntax, our certificates.

Twisted's own parser reads the files once, before there is anything to reload them by, and leaves versions, ciphers
and names to its defaults. The options are the same, and may be left out: the configuration's ``ozgate.tls.…`` stand in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import IProtocolFactory, IReactorTime

from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..immutable import frozen
from ..wire.certificates import CertificateError, Pair
from ..wire.tls import Certificates, TlsFiles
from ..wire.tlsprotocol import TlsFactory
from .endpoints import TLS, options_of

PREFIX = f"{TLS}:"


@frozen
class TlsEndpoint:
    """Where to listen with TLS, and with what."""

    port: int
    interface: str
    backlog: int
    certificates: Certificates

    def listen(self, reactor: Any, factory: IProtocolFactory) -> Deferred[Any]:
        """Listen.

        :return: fires with the ``IListeningPort``.
        """
        return execute(
            reactor.listenTCP,
            self.port,
            TlsFactory(self.certificates, False, factory, reactor),
            backlog=self.backlog,
            interface=self.interface,
        )


def tls_endpoints(
    described: Iterable[str], settings: Settings, clock: IReactorTime
) -> dict[str, TlsEndpoint]:
    """The endpoints of those descriptions that are of TLS, with their certificates loaded.

    :raises ConfigurationError: a description is wrong, or what it names cannot be used.
    """
    found = {}
    for each in described:
        if each.startswith(PREFIX):
            try:
                found[each] = _endpoint(options_of(each), settings, clock)
            except (CertificateError, ValueError) as error:
                raise ConfigurationError(f"cannot listen on {each}: {error}") from None
    return found


def _endpoint(
    options: Mapping[str, str], settings: Settings, clock: IReactorTime
) -> TlsEndpoint:
    if "sslmethod" in options:
        raise ValueError(
            "leave sslmethod out: TLS 1.2 and 1.3 are spoken, nothing else"
        )
    port, backlog = options.get("port", ""), options.get("backlog", "50")
    for number in (port, backlog):
        if not (number.isascii() and number.isdigit()):
            raise ValueError(f"{number!r} is no number")
    files = TlsFiles(
        _pair(options, settings),
        tuple(map(_absolute_item, settings.tls_sni)),
        _absolute(settings.tls_client_ca),
        settings.tls_need_client,
        _absolute(options.get("dhParameters", "")),
    )
    for path in files.default.paths():
        if not os.path.exists(path):
            raise ValueError(
                f"cannot read {path}: No such file or directory; 'ozgate tls selfsigned' makes a certificate and its key"
            )
    if files.need_client and not files.client_ca:
        raise ValueError(
            "ozone.https.client.need-auth is true: name the certificates that issue those of clients in ozgate.tls.client-ca"
        )
    certificates = Certificates(files, clock)
    return TlsEndpoint(
        int(port), options.get("interface", ""), int(backlog), certificates
    )


def _pair(options: Mapping[str, str], settings: Settings) -> Pair:
    """The default pair: the endpoint's own, else the configuration's."""
    certificate = options.get("certKey") or options.get("privateKey")
    key = options.get("privateKey") or certificate
    if not certificate or not key:
        certificate = settings.tls_certificate
        key = settings.tls_key or certificate
    if not certificate:
        raise ValueError(
            "no certificate: set ozgate.tls.certificate and ozgate.tls.key; 'ozgate tls selfsigned' makes a pair"
        )
    chain = options.get("extraCertChain", "")
    return Pair(_absolute(certificate), _absolute(key), _absolute(chain))


def _absolute(path: str) -> str:
    # A daemon changes its working folder, and reads the files again later.
    return os.path.abspath(path) if path else ""


def _absolute_item(item: str) -> str:
    """An item of ``ozgate.tls.sni`` with absolute paths."""
    name, equals, files = item.partition("=")
    if not equals:
        return _absolute(item)
    return f"{name}={':'.join(map(_absolute, files.split(':')))}"

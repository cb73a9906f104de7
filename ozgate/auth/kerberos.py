"""Kerberos over HTTP: SPNEGO, as RFC 4559 has it, for the admin listener and for our own command.

:mod:`gssapi` is an extra of the package and is imported only where Kerberos is asked for.
"""

from __future__ import annotations

import base64
import binascii
import os
import socket
from collections.abc import Callable
from types import ModuleType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.http import UNAUTHORIZED
from twisted.web.iweb import IRequest

from ..config.parsers import host_and_port
from ..config.settings import Settings
from ..immutable import frozen

_log = Logger()

KERBEROS_5 = "1.2.840.113554.1.2.2"
SPNEGO = "1.3.6.1.5.5.2"

ANY = "*"
"""In place of a principal: any ``HTTP/…`` of the keytab, as Hadoop has it."""

_SCHEME = "Negotiate"


class KerberosError(Exception):
    """Kerberos cannot be used. Its text is one line that says what to do about it."""


class Refused(Exception):
    """A client did not prove who it is. Its text is for the log."""


def service_principal(principal: str, address: str) -> str:
    """The service's own name, with ``_HOST`` replaced as Hadoop does.

    :param address: ``host:port`` where the service listens; where its host is no name but an address, this
        machine's full name is taken.
    """
    if "_HOST" not in principal:
        return principal
    host = host_and_port(address)[0]
    if ":" in host or not host.strip("0123456789."):
        host = socket.getfqdn()
    return principal.replace("_HOST", host.lower())


class Spnego:
    """Finds out who sends a request, by the Kerberos ticket in it.

    One round: a ticket in the request's ``Authorization: Negotiate``, and in the answer what proves to
    the client that it speaks to the service it meant.

    :param settings: its ``ozone.s3g.http.auth.kerberos`` keys are used.
    :param run_in_thread: as providers get it: checking a ticket writes to the cache of tickets seen.
    :raises KerberosError: the extra is not installed or the keytab is of no use.
    """

    def __init__(
        self, settings: Settings, run_in_thread: Callable[..., Deferred[Any]]
    ) -> None:
        self._run_in_thread = run_in_thread
        self._gssapi = gssapi = _library()
        self.principal = service_principal(
            settings.spnego_principal, settings.admin_address
        )
        keytab = settings.spnego_keytab
        _check_readable(keytab)
        name = None
        if self.principal != ANY:
            name = gssapi.Name(self.principal, gssapi.NameType.kerberos_principal)
        try:
            # What is in the keytab is read anew for each ticket: keys may be renewed while we run.
            self._credentials = gssapi.Credentials(
                name=name,
                usage="accept",
                mechs=[_oid(gssapi, KERBEROS_5), _oid(gssapi, SPNEGO)],
                store={"keytab": f"FILE:{keytab}"},
            )
        except gssapi.exceptions.GSSError as error:
            raise KerberosError(
                f"ozone.s3g.http.auth.kerberos.keytab: {keytab} has no key of {self.principal}: {_text(error)}"
            ) from None

    async def authenticate(self, request: IRequest) -> str | None:
        """The principal that sends a request, in full, such as ``testuser/scm@EXAMPLE.COM``.

        :return: ``None`` where that is not known: the request's status is then 401, with the challenge
            that makes clients try, and the caller writes the body.
        """
        try:
            token = _token(request)
            if token is not None:
                principal, proof = await self._run_in_thread(self.accept, token)
                _answer(request, f"{_SCHEME} {base64.b64encode(proof).decode()}")
                return str(principal)
        except Refused as refusal:
            _log.info("Kerberos: refused: {why}", why=str(refusal))
        request.setResponseCode(UNAUTHORIZED)
        _answer(request, _SCHEME)
        return None

    def accept(self, token: bytes) -> tuple[str, bytes]:
        """Check a client's token; blocks.

        :return: its principal, and the token for the answer.
        :raises Refused: it proves nothing.
        """
        gssapi = self._gssapi
        try:
            context = gssapi.SecurityContext(creds=self._credentials, usage="accept")
            proof = context.step(token)
            # Raises what was wrong with the step where that left a token for the answer.
            if not context.complete:
                raise Refused("the client wants to negotiate about something else")
            self._check(context)
            return str(context.initiator_name), proof or b""
        except gssapi.exceptions.GSSError as error:
            raise Refused(_text(error)) from None
        except UnicodeDecodeError:
            raise Refused("a principal that is no UTF-8") from None

    def _check(self, context: Any) -> None:
        """Refuse what is a success for GSSAPI but not for us."""
        if context.mech.dotted_form != KERBEROS_5:
            raise Refused(f"mechanism {context.mech.dotted_form} is not Kerberos")
        if context.actual_flags & self._gssapi.RequirementFlag.anonymity:
            raise Refused("an anonymous ticket")
        if self.principal == ANY and not str(context.target_name).startswith("HTTP/"):
            raise Refused(f"a ticket for {context.target_name}, not for HTTP")


def make_spnego(
    settings: Settings, run_in_thread: Callable[..., Deferred[Any]]
) -> Spnego | None:
    """What the settings ask for on the admin listener's TCP port; ``None`` where nothing asks for Kerberos.

    :raises KerberosError: see :class:`Spnego`; and where secrets could be had without proving who one is.
    """
    secrets = settings.secret_http_enabled
    if not settings.admin_enabled:
        return None
    if secrets and settings.secret_auth_type != "kerberos":
        raise KerberosError(
            "ozone.s3g.secret.http.auth.type: nobody can prove who they are without kerberos, or set ozone.s3g.secret.http.enabled to false"
        )
    if secrets or settings.http_auth_type == "kerberos":
        return Spnego(settings, run_in_thread)
    return None


@frozen
class Negotiation:
    """The client's side of one request.

    :ivar token: what follows ``Authorization: Negotiate``.
    """

    token: str
    _context: Any

    def verify(self, challenge: str | None) -> None:
        """Check by the answer's ``WWW-Authenticate`` that the service is the one that was meant.

        :raises KerberosError: it did not prove it.
        """
        scheme, _, proof = (challenge or "").partition(" ")
        proven = False
        try:
            if scheme.lower() == _SCHEME.lower() and proof.strip():
                self._context.step(base64.b64decode(proof, validate=True))
                # Raises what was wrong with the step.
                proven = self._context.complete
        except (binascii.Error, _library().exceptions.GSSError) as error:
            raise KerberosError(
                f"the service is not the one it should be: {_text(error)}"
            ) from None
        if not proven:
            raise KerberosError("the service did not prove who it is")


def negotiate(host: str) -> Negotiation:
    """Prove to the HTTP service on a host who we are; may ask the KDC, and blocks.

    :param host: as in the URL; its principal is ``HTTP/host``, where ``krb5.conf`` does not map it.
    :raises KerberosError: there is no ticket, or none to be had for that host.
    """
    gssapi = _library()
    try:
        context = gssapi.SecurityContext(
            name=gssapi.Name(f"HTTP@{host}", gssapi.NameType.hostbased_service),
            mech=_oid(gssapi, SPNEGO),
            flags=[gssapi.RequirementFlag.mutual_authentication],
            usage="initiate",
        )
        token = context.step()
    except gssapi.exceptions.GSSError as error:
        raise KerberosError(
            f"no Kerberos ticket for HTTP/{host}: run kinit first, or see klist: {_text(error)}"
        ) from None
    return Negotiation(base64.b64encode(token).decode(), context)


def _library() -> ModuleType:
    """gssapi.

    :raises KerberosError: it cannot be imported.
    """
    try:
        import gssapi
    except (ImportError, OSError) as error:
        raise KerberosError(
            f"Kerberos needs the extra: pip install 'ozgate[kerberos]', with MIT Kerberos' libraries ({error})"
        ) from None
    return gssapi


def _oid(gssapi: ModuleType, dotted: str) -> Any:
    return gssapi.OID.from_int_seq(dotted)


def _check_readable(keytab: str) -> None:
    """Libraries say of a keytab that cannot be read only that there is no key."""
    try:
        with open(keytab, "rb") as file:
            os.fstat(file.fileno())
    except OSError as error:
        raise KerberosError(
            f"ozone.s3g.http.auth.kerberos.keytab: cannot read {keytab}: {error.strerror}"
        ) from None


def _text(error: Exception) -> str:
    """What a GSSAPI error says, in one line."""
    return " ".join(str(error).split())


def _token(request: IRequest) -> bytes | None:
    """The token that a request brings, or ``None`` where it brings nothing.

    :raises Refused: it brings something else.
    """
    values = request.requestHeaders.getRawHeaders(b"authorization", [])
    if not values:
        return None
    scheme, _, text = values[0].strip().partition(b" ")
    if len(values) > 1 or scheme.lower() != _SCHEME.lower().encode():
        raise Refused("another scheme than Negotiate")
    try:
        token = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise Refused("a token that is no base64") from None
    if token.startswith(b"NTLMSSP\0"):
        raise Refused("NTLM inside Negotiate")
    return token


def _answer(request: IRequest, challenge: str) -> None:
    request.responseHeaders.setRawHeaders(b"www-authenticate", [challenge.encode()])

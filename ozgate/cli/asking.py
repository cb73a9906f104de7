"""What a command asks of the service, over HTTP or, while the service is down, of its stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Protocol

from ..admin.errors import AdminError
from ..immutable import frozen

if TYPE_CHECKING:
    from .offline import Stores


ABOUT_SECRETS = frozenset(
    (
        "get_secret",
        "set_secret",
        "revoke_secret",
        "list_secrets",
        "create_access_key",
        "rotate_access_key",
    )
)
"""Commands that a service where nobody proves who they are has not: it is one with security off, or an impostor."""


class Request(Protocol):
    """Something to ask, whichever way the service is reached."""

    def send(
        self, connection: HTTPConnection, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """Send it, perhaps for the second time, and give the head of the answer."""

    def read(self, response: HTTPResponse) -> Any:
        """Read an answer of success."""

    def run(self, stores: Stores) -> Any:
        """Do it on the stores, while the service is down."""


@frozen
class Command:
    """A command of :data:`ozgate.admin.commands.table.COMMANDS`; see :class:`Request`."""

    name: str
    arguments: Mapping[str, object]

    def send(
        self, connection: HTTPConnection, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """Send the arguments."""
        body = json.dumps(self.arguments).encode()
        sent = {"Content-Type": "application/json", **headers}
        connection.request("POST", f"/ozgate/v1/{self.name}", body, sent)
        return connection.getresponse()

    def read(self, response: HTTPResponse) -> Any:
        """What the command returned."""
        return json.loads(response.read())

    def run(self, stores: Stores) -> Any:
        """What the command returned."""
        return stores.run(self.name, self.arguments)


def exchange(
    connection: HTTPConnection, where: str, host: str | None, request: Request
) -> Any:
    """Ask, with a ticket if the service wants one, and read the answer.

    :param where: what was asked, for messages.
    :param host: whom a ticket is for; ``None``: the operating system tells who asks.
    :raises AdminError: it was refused, or there is no answer.
    """
    response: HTTPResponse | None = None
    try:
        if host is not None and _wants_ticket(connection, host, request):
            response = _send_with_ticket(connection, host, request)
        else:
            response = request.send(connection, {})
        return _read(response, request)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AdminError(
            "SERVICE_NOT_FOUND", f"no answer from {where}: {reason}"
        ) from None
    except (ValueError, KeyError, TypeError):
        said = f"{response.status} {response.reason}" if response else "nonsense"
        raise AdminError(
            "INTERNAL_ERROR",
            f"{where} answered {said}, as no admin listener of ozgate does: is that the port of ozone.s3g.webadmin.http-address?",
        ) from None
    finally:
        connection.close()


def _wants_ticket(connection: HTTPConnection, host: str, request: Request) -> bool:
    """Find out whether the service wants a ticket; if so, have it prove on this connection who it is.

    Before it is told anything: what is asked for may have a secret in it.

    :raises AdminError: it did not prove it; it is about secrets, and nobody has to prove anything; who asks is not known.
    """
    who = Command("whoami", {})
    response = who.send(connection, {})
    if response.status == 401:
        response.read()
        _read(_send_with_ticket(connection, host, who), who)
        # Whoever answers on a further connection has proved nothing.
        connection.auto_open = 0
        return True
    _read(response, who)
    if isinstance(request, Command) and request.name in ABOUT_SECRETS:
        raise AdminError(
            "SECURITY_DISABLED", f"the service at {host} does not ask who one is"
        )
    return False


def _read(response: HTTPResponse, request: Request) -> Any:
    if response.status == 200:
        return request.read(response)
    answer = json.loads(response.read())
    remedy = str(answer.get("remedy", ""))
    raise AdminError(answer["code"], answer["message"], response.status, remedy)


def _send_with_ticket(
    connection: HTTPConnection, host: str, request: Request
) -> HTTPResponse:
    """Prove who we are, and have the service prove that it is the one meant.

    :raises AdminError: either did not work.
    """
    # Imported only here: most commands do without Kerberos.
    from ..auth.kerberos import KerberosError, negotiate

    try:
        ticket = negotiate(host)
        headers = {"Authorization": f"Negotiate {ticket.token}"}
        response = request.send(connection, headers)
        if response.status != 401:
            ticket.verify(response.getheader("WWW-Authenticate"))
    except KerberosError as error:
        raise AdminError("UNAUTHENTICATED", str(error)) from None
    return response

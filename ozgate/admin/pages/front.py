"""The front page of the admin listener: what else is there, for who opens it in a browser."""

from __future__ import annotations

from klein import Klein

from ...wire.request import GatewayRequest
from ..answers import answer
from .page import add_page

TEXT = b"""\
This is the admin listener of ozgate; S3 is served on another port.

/healthz  anybody         whether the service lives
/readyz   anybody         whether it can serve, and why not
/metrics  administrators  for Prometheus
/conf     administrators  every key, its value and where that came from
/reload   administrators  POST: reads configuration, certificates and log files anew
/secret   see the manual  PUT, DELETE: keys of users

The commands 'ozgate s3' and 'ozgate sh' come here, too.
"""


def add_front(app: Klein) -> None:
    """Add ``/`` to an app."""

    async def page(request: GatewayRequest) -> bytes:
        return answer(request, 200, TEXT)

    add_page(app, ["/"], page)

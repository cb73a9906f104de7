"""What else is served on S3's port, by the same pipeline: counted, logged and answered like S3, with documents of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..errors import S3Error
    from ..gateway.gateway import Gateway
    from ..interfaces import IVerifier
    from ..wire.headers import Headers
    from ..wire.request import GatewayRequest
    from ..wire.target import Address
    from .reply import Reply


class Neighbor(Protocol):
    """A service beside S3. :mod:`ozgate.iam` is one."""

    def takes(self, address: Address, headers: Headers) -> bool:
        """Whether a POST is its own: by what it looks like alone, which no signature is needed for."""

    async def perform(
        self,
        gateway: Gateway,
        verifier: IVerifier | None,
        request: GatewayRequest,
        address: Address,
        headers: Headers,
    ) -> Reply:
        """Admit, authorize and perform a request; the logs are told who and what by its notes, as by S3's pipeline, and its ``parameters`` besides.

        :raises S3Error: it is refused.
        """

    def refusal(
        self, error: S3Error, request: GatewayRequest
    ) -> tuple[list[tuple[str, str]], bytes]:
        """The headers and the document of an error."""

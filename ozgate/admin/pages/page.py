"""Pages of the admin listener for people and for monitoring: how they are added to its app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from klein import Klein

from ...errors import StoreError
from ...wire.request import GatewayRequest
from ..answers import answer
from ..caller import caller_of, require_admin
from ..context import AdminContext
from ..errors import AdminError, as_admin_error

Page = Callable[[GatewayRequest], Awaitable[bytes]]
"""Request → body, prepared by :func:`~ozgate.admin.answers.answer`; may raise AdminError, StoreError."""

READ = ("GET", "HEAD")


def add_page(
    app: Klein, paths: Iterable[str], page: Page, methods: Iterable[str] = READ
) -> None:
    """Serve a page, under several paths if need be; what is refused is said as text."""

    async def serve(request: GatewayRequest) -> bytes:
        try:
            return await page(request)
        except AdminError as error:
            refusal = error
        except StoreError as error:
            refusal = as_admin_error(error)
        text = f"{refusal.code} {refusal.message}\n".encode()
        return answer(request, refusal.status, text, headers=refusal.headers)

    for path in paths:
        app.route(path, methods=list(methods), endpoint=path)(serve)


def for_administrators(context: AdminContext, page: Page) -> Page:
    """A page that only administrators see; all, while security is off."""

    async def guarded(request: GatewayRequest) -> bytes:
        require_admin(await caller_of(request, context))
        return await page(request)

    return guarded

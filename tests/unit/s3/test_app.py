"""Klein's map of the S3 endpoint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.app import make_app
from ozgate.wire.target import Scope


class RouteTests(SynchronousTestCase):
    """The three routes."""

    def test_paths(self) -> None:
        """The map leads a path of each scope to the route that is called by that scope's name."""
        pipeline: Any = None
        urls = make_app(pipeline).url_map.bind("localhost")
        for path, scope in (
            ("/", Scope.SERVICE),
            ("/bucket", Scope.BUCKET),
            ("/bucket/key", Scope.OBJECT),
            ("/bucket/folder/key", Scope.OBJECT),
        ):
            self.assertEqual(urls.match(path)[0], scope.value)

    def test_called_by_name(self) -> None:
        """Each route serves a request at the address that was found for it."""
        served: list[object] = []

        async def serve(request: object, address: object) -> None:
            served.append((request, address))

        pipeline: Any = SimpleNamespace(serve=serve)
        request: Any = SimpleNamespace(
            answered_by=lambda work: self.successResultOf(ensureDeferred(work))
        )
        app = make_app(pipeline)
        for scope in Scope:
            app.execute_endpoint(scope.value, request, "an address")
        self.assertEqual(served, [(request, "an address")] * len(Scope))

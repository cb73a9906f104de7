"""What a plugin promises that makes providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import Attribute, Interface

__all__ = ["IProviderMaker"]


class IProviderMaker(Interface):
    """A plugin that makes providers of one URL scheme; found with ``twisted.plugin.getPlugins``."""

    scheme = Attribute(
        "The scheme of the URL that names the provider, such as ``sqlite``."
    )
    provides = Attribute("The interface that what is made provides.")

    def make(
        reactor: IReactorTime,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make a provider, not yet opened.

        :param location: what follows ``scheme:`` in the URL.
        :param settings: every declared knob, by key.
        :param run_in_thread: ``run_in_thread(f, *args)`` → a Deferred of what ``f`` returns, from a
            thread of the service's own pool.
        :param name: what each BlobRef is to call a blob store; of no meaning for other providers.
        """

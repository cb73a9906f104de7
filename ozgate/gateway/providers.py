"""Providers by URL: the maker that a scheme names, found among Twisted's plugins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.plugin import getPlugins
from zope.interface.exceptions import Invalid
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyObject

from ..config.settings import Settings, by_key
from ..config.sitefile import ConfigurationError
from ..interfaces import IProviderMaker


def make_provider(
    interface: InterfaceClass,
    key: str,
    reactor: IReactorTime,
    settings: Settings,
    run_in_thread: Callable[..., Any],
) -> Any:
    """The provider of an interface that a key names by URL, not yet opened.

    :param key: the key whose value is the URL.
    :raises ConfigurationError: nothing makes such a provider, or what was made is none.
    """
    values = by_key(settings)
    scheme, _, location = values[key].partition(":")
    makers = {
        maker.scheme: maker
        for maker in getPlugins(IProviderMaker)
        if maker.provides is interface
    }
    if scheme not in makers:
        known = ", ".join(f"{each}:" for each in sorted(makers)) or "none"
        raise ConfigurationError(
            f"{key}: nothing installed makes {scheme}: (installed: {known})"
        )
    made = makers[scheme].make(reactor, location, values, run_in_thread)
    try:
        verifyObject(interface, made)
    except Invalid as error:
        raise ConfigurationError(
            f"{key}: what {scheme}: makes is no {interface.__name__}: {' '.join(str(error).split())}"
        ) from None
    return made

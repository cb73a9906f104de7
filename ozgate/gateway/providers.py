"""Providers by URL: the maker that a scheme names, found among Twisted's plugins."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.plugin import getPlugins
from zope.interface.exceptions import Invalid
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyObject

from ..config.parsers import store_and_url
from ..config.rootpair import ACCESS_KEY, SECRET_KEY, SECURITY
from ..config.settings import Settings, by_key
from ..config.sitefile import ConfigurationError
from ..content.stores import BlobStores
from ..errors.stores import Unavailable
from ..interfaces import IBlobStore, IFiles, IForeignSystem, IProviderMaker
from .foreign import Foreign

_DEFAULT, _MORE = "ozgate.blobs", "ozgate.blobs.more"


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
    url = by_key(settings)[key]
    return _made(interface, key, "", url, reactor, settings, run_in_thread)


def make_blob_stores(
    reactor: IReactorTime, settings: Settings, run_in_thread: Callable[..., Any]
) -> BlobStores:
    """The blob stores that ``ozgate.blobs`` and ``ozgate.blobs.more`` name, not yet opened.

    :raises ConfigurationError: as :func:`make_provider`; two of them are one folder.
    """
    asked = [(_DEFAULT, settings.blob_provider)]
    asked += [(_MORE, each) for each in settings.more_blob_providers]
    made: list[Any] = []
    folders: dict[str, str] = {}
    for key, text in asked:
        name, url = store_and_url(text)
        store = _made(IBlobStore, key, name, url, reactor, settings, run_in_thread)
        if IFiles.providedBy(store):
            folder = os.path.realpath(store.folder)
            if folder in folders:
                raise ConfigurationError(
                    f"{key}: {text} is the folder of the store {folders[folder]!r}: a folder is one store"
                )
            folders[folder] = name
        made.append(store)
    return BlobStores(made[0], made[1:])


def make_foreign(
    reactor: IReactorTime, settings: Settings, run_in_thread: Callable[..., Any]
) -> Foreign | None:
    """The other system that ``ozgate.foreign`` names, not yet started; ``None`` where it names none.

    :raises ConfigurationError: as :func:`make_provider`; it cannot be asked as the settings say, or who asks would be found out by nobody.
    """
    if not settings.foreign:
        return None
    made_of = reactor, settings, run_in_thread
    system = make_provider(IForeignSystem, "ozgate.foreign", *made_of)
    if system.verifies:
        _check_verified(settings)
    names = settings.foreign_volumes
    return Foreign(system, None if "*" in names else frozenset(names))


def _check_verified(settings: Settings) -> None:
    """Where the other system verifies what is signed, nobody else does: it has the secrets of all users, and does what they may.

    Without their signatures the gateway would ask it for itself, whoever asks.

    :raises ConfigurationError: signatures are not verified, or others are to be believed besides.
    """
    if not settings.security_enabled:
        raise ConfigurationError(
            f"{SECURITY} is false, and ozgate.foreign is a secure cluster, which verifies who asks: set {SECURITY} to true"
        )
    if settings.access_key:
        origin = settings.origins.get(ACCESS_KEY, "the configuration")
        raise ConfigurationError(
            f"{ACCESS_KEY}, from {origin}: ozgate.foreign is a secure cluster, which has the secrets of all users, and knows no pair besides: unset it and {SECRET_KEY}"
        )
    if settings.oidc_issuers:
        raise ConfigurationError(
            "ozgate.oidc.issuers: ozgate.foreign is a secure cluster, which verifies who asks and knows no web identities: unset it"
        )


def _how_named(interface: InterfaceClass, known: str) -> str:
    """What else may be meant where a scheme is not known: the name of a store."""
    first = known.partition(",")[0]
    return f"; a store that has a name is NAME={first}…" * (interface is IBlobStore)


def _made(
    interface: InterfaceClass,
    key: str,
    name: str,
    url: str,
    reactor: IReactorTime,
    settings: Settings,
    run_in_thread: Callable[..., Any],
) -> Any:
    scheme, _, location = url.partition(":")
    makers = {
        maker.scheme: maker
        for maker in getPlugins(IProviderMaker)
        if maker.provides is interface
    }
    if scheme not in makers:
        known = ", ".join(f"{each}:" for each in sorted(makers)) or "none"
        raise ConfigurationError(
            f"{key}: nothing installed makes {scheme}: (installed: {known}){_how_named(interface, known)}"
        )
    values = by_key(settings)
    try:
        made = makers[scheme].make(reactor, location, values, run_in_thread, name)
    except Unavailable as error:
        raise ConfigurationError(f"{key}: {error}") from None
    try:
        verifyObject(interface, made)
    except Invalid as error:
        raise ConfigurationError(
            f"{key}: what {scheme}: makes is no {interface.__name__}: {' '.join(str(error).split())}"
        ) from None
    return made

"""Who is an administrator: by name, by short name, or by a group of the operating system.

Imports config only.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from ..config.authtolocal import Rule, local_realm, parse_rules, short_name
from ..config.settings import Settings
from ..immutable import frozen
from .accounts import Accounts, local_user

EVERYONE = "*"

_MOST_KEPT = 10_000


@frozen
class Identity:
    """What is known of a user who has proved to be one.

    :ivar is_admin: may do everything: ``ozone.administrators``.
    :ivar is_s3_admin: may manage the secrets of others: ``ozone.s3.administrators``.
    :ivar short_name: see :meth:`ShortNames.known_as`.
    :ivar groups: of the operating system; not asked for where the user may do everything anyway.
    """

    is_admin: bool
    is_s3_admin: bool
    short_name: str
    groups: frozenset[str] = frozenset()


@frozen
class ShortNames:
    """How users are known by short names: a value, which interactions may be given.

    :ivar rules: those of ``hadoop.security.auth_to_local``.
    :ivar realm: the default realm.
    :ivar own: the local user that the service runs as.
    :ivar access_key: the access id of the static pair.
    """

    rules: tuple[Rule, ...] = ()
    realm: str = ""
    own: str = ""
    access_key: str = ""

    def short_name(self, user: str) -> str:
        """The short name of a user."""
        return short_name(user, self.rules, self.realm)

    def local(self, user: str) -> str:
        """The name by which the operating system may know a user: no principal is the service's own."""
        short = self.short_name(user)
        return user if short == self.own else short

    def known_as(self, user: str) -> str:
        """The short name by which owners and access control lists mean a user besides, and which owns what the user makes.

        The user itself where that would be the service's own or the operator's key, for these are somebody else.
        """
        local = self.local(user)
        return user if local == self.access_key else local


@frozen
class _Named:
    """Users and groups that a configuration names."""

    users: Collection[str]
    groups: frozenset[str]


class Administrators:
    """The administrators that a configuration names.

    An entry means a user by the whole name or by the short one. The local user that the service runs as always is an
    administrator, by that very name: a principal ``root/host@REALM`` is somebody else. The static pair is one by its access id, which the pipeline sees to: another user may bear that name.

    :param accounts: tell the groups of a short name.
    :param realm: the default realm; ``None``: this machine's.
    :ivar names: short names; another configuration replaces them.
    :raises ValueError: ``hadoop.security.auth_to_local`` is malformed.
    """

    def __init__(
        self, settings: Settings, accounts: Accounts, realm: str | None = None
    ) -> None:
        self._realm = local_realm() if realm is None else realm
        self._accounts = accounts
        self.take_up(settings)

    def take_up(self, settings: Settings) -> None:
        """Go by another configuration from now on.

        :raises ValueError: ``hadoop.security.auth_to_local`` is malformed.
        """
        self.names = ShortNames(
            parse_rules(settings.auth_to_local),
            self._realm,
            local_user(os.geteuid()),
            settings.access_key,
        )
        self._all = self._s3 = _Named(
            frozenset(settings.administrators), frozenset(settings.administrator_groups)
        )
        if settings.s3_administrators or settings.s3_administrator_groups:
            self._s3 = _Named(
                frozenset(settings.s3_administrators),
                frozenset(settings.s3_administrator_groups),
            )
        self._known: dict[str, str] = {}
        self._kept: dict[str, tuple[str | None, Identity]] = {}
        self._accounts.forget()

    def known_as(self, user: str) -> str:
        """See :meth:`ShortNames.known_as`."""
        found = self._known.get(user)
        if found is None:
            while len(self._known) >= _MOST_KEPT:
                del self._known[next(iter(self._known))]
            found = self._known[user] = self.names.known_as(user)
        return found

    async def identify(self, user: str) -> Identity:
        """What is known of a user. Waits where the operating system is asked, as :mod:`ozgate.auth.accounts` does."""
        all_kept = self._kept
        kept = all_kept.get(user)
        local = self._asked_about(user) if kept is None else kept[0]
        groups: frozenset[str] = frozenset()
        if local is not None:
            groups = await self._accounts.groups_of(local)
            if self._kept is not all_kept:
                # Another configuration, by which this may be the name of somebody else.
                return await self.identify(user)
        # While the groups are the very same, so is the rest.
        if kept is not None and kept[1].groups is groups:
            return kept[1]
        identity = Identity(
            self._is_among(user, groups, self._all),
            self._is_among(user, groups, self._s3),
            self.known_as(user),
            groups,
        )
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[user] = (local, identity)
        return identity

    async def local_name(self, uid: int) -> str:
        """The name of a user of this machine.

        :raises Unavailable: the operating system does not say.
        """
        return await self._accounts.name_of(uid)

    def _asked_about(self, user: str) -> str | None:
        """Whose groups matter; ``None`` where a user may do everything by name."""
        if self._is_named(user, self._all) and self._is_named(user, self._s3):
            return None
        return self.names.local(user)

    def _is_named(self, user: str, named: _Named) -> bool:
        """Whether a user is meant by name."""
        if not user:
            return False
        users = named.users
        return (
            user == self.names.own
            or EVERYONE in users
            or user in users
            or self.names.short_name(user) in users
        )

    def _is_among(self, user: str, groups: frozenset[str], named: _Named) -> bool:
        return user != "" and (
            self._is_named(user, named) or not named.groups.isdisjoint(groups)
        )

"""Who is an administrator: by name, by short name, or by a group of the operating system.

Imports config only.
"""

from __future__ import annotations

import grp
import os
import pwd
import time
from collections.abc import Callable

from ..config import Settings
from .names import local_realm, parse_rules, short_name

EVERYONE = "*"

GROUPS_KEPT = 300.0
"""Seconds that an answer about groups is kept. Hadoop's ``hadoop.security.groups.cache.secs``."""

_MOST_KEPT = 10_000


def local_user(uid: int) -> str:
    """The name of a user of this machine; the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def groups_of(name: str) -> frozenset[str]:
    """The groups of a user of this machine; none where there is no such user."""
    try:
        numbers = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    except (KeyError, ValueError):
        return frozenset()
    found = set()
    for number in numbers:
        try:
            found.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return frozenset(found)


class Administrators:
    """The administrators that a configuration names.

    An entry means a user by the whole name or by the short one. The local user that the service runs as always is an
    administrator, by that very name: a principal ``root/host@REALM`` is somebody else. The static pair is one by its access id, which the pipeline sees to: another user may bear that name.

    :param realm: the default realm; ``None``: this machine's.
    :param groups: the groups of a short name.
    :raises ValueError: ``hadoop.security.auth_to_local`` is malformed.
    """

    def __init__(
        self,
        settings: Settings,
        realm: str | None = None,
        groups: Callable[[str], frozenset[str]] = groups_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._realm = local_realm() if realm is None else realm
        self._groups = groups
        self._clock = clock
        self.take_up(settings)

    def take_up(self, settings: Settings) -> None:
        """Go by another configuration from now on.

        :raises ValueError: ``hadoop.security.auth_to_local`` is malformed.
        """
        self._rules = parse_rules(settings.auth_to_local)
        self._own = local_user(os.geteuid())
        self._access_key = settings.access_key
        users, grouped = settings.administrators, settings.administrator_groups
        self._all = (set(users), frozenset(grouped))
        if settings.s3_administrators or settings.s3_administrator_groups:
            users = settings.s3_administrators
            grouped = settings.s3_administrator_groups
        self._s3 = (set(users), frozenset(grouped))
        self._kept: dict[str, tuple[float, bool, bool, str]] = {}
        self._groups_kept: dict[str, tuple[float, frozenset[str]]] = {}

    def short_name(self, user: str) -> str:
        """The short name of a user."""
        return short_name(user, self._rules, self._realm)

    def known_as(self, user: str) -> str:
        """The short name by which owners and access control lists mean a user besides.

        The user itself where that would be the service's own or the operator's key, for these are somebody else.
        """
        return self._answer(user)[3]

    def is_admin(self, user: str) -> bool:
        """Whether a user may do everything: ``ozone.administrators``."""
        return self._answer(user)[1]

    def is_s3_admin(self, user: str) -> bool:
        """Whether a user may manage the secrets of others: ``ozone.s3.administrators``."""
        return self._answer(user)[2]

    def groups_of(self, user: str) -> frozenset[str]:
        """The groups of a user, by the short name. May be called in any thread."""
        now = self._clock()
        kept = self._groups_kept.get(user)
        if kept is None or kept[0] <= now:
            if len(self._groups_kept) >= _MOST_KEPT:
                self._groups_kept = {}
            kept = (now + GROUPS_KEPT, self._groups(self._local(user)))
            self._groups_kept[user] = kept
        return kept[1]

    def _local(self, user: str) -> str:
        """The name by which the operating system may know a user: no principal is the service's own."""
        short = self.short_name(user)
        return user if short == self._own else short

    def _answer(self, user: str) -> tuple[float, bool, bool, str]:
        """(until when it holds, administrator, administrator of S3, short name as in :meth:`known_as`)."""
        now = self._clock()
        kept = self._kept.get(user)
        if kept is None or kept[0] <= now:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            among = self._is_among(user)
            local = self._local(user)
            kept = (
                now + GROUPS_KEPT,
                among(self._all),
                among(self._s3),
                user if local == self._access_key else local,
            )
            self._kept[user] = kept
        return kept

    def _is_among(self, user: str) -> Callable[[tuple[set[str], frozenset[str]]], bool]:
        short = self.short_name(user)

        def among(named: tuple[set[str], frozenset[str]]) -> bool:
            users, groups = named
            if not user:
                return False
            if user == self._own or EVERYONE in users:
                return True
            if user in users or short in users:
                return True
            local = self._local(user)
            return bool(groups) and not groups.isdisjoint(self._groups(local))

        return among

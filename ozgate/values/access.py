"""Who asks, what their signature is checked with, and what an access control list says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field

from ..immutable import frozen

__all__ = [
    "ANONYMOUS",
    "NO_GRANTS",
    "RIGHTS",
    "Acl",
    "Credential",
    "Grants",
    "Presented",
    "Principal",
    "Secret",
    "Session",
    "Signatory",
    "Standing",
]

RIGHTS = {
    "r": "READ",
    "w": "WRITE",
    "c": "CREATE",
    "l": "LIST",
    "d": "DELETE",
    "x": "READ_ACL",
    "y": "WRITE_ACL",
    "a": "ALL",
    "n": "NONE",
}
"""Ozone's rights by their letters, in the order in which Ozone shows them."""

_ACL = re.compile(r"([a-z]+):([^:]*):([a-z]+)(?:\[(ACCESS|DEFAULT)\])?", re.IGNORECASE)


@frozen
class Principal:
    """Who asks.

    :ivar access_id: the access key id as it was sent; a Kerberos principal such
        as ``testuser/scm@EXAMPLE.COM`` is one.
    :ivar user: who owns things and is granted things; the access id unless told otherwise. ``""`` for :data:`ANONYMOUS`.
    :ivar is_admin: an administrator, who passes every check.
    :ivar short_name: what ``hadoop.security.auth_to_local`` makes of the user: owners and entries of access control
        lists may be named so as well, and what the user makes is.
    :ivar groups: of the operating system and of ozgate, as they were when the gate asked.
    :ivar policies: the documents of the policies of the user and of the groups, as JSON: each may allow or deny.
    :ivar limits: documents of policies, as JSON, each of which has to allow what is asked, whoever the user is: those of a session,
        or of a key that is narrowed.
    :ivar issued: when the token of the session was made that signed, in milliseconds since the epoch; 0: none did.
    :ivar session: what that session is called; ``""`` where it has no name.
    """

    access_id: str
    user: str = ""
    is_admin: bool = False
    short_name: str = ""
    groups: frozenset[str] = frozenset()
    policies: tuple[bytes, ...] = ()
    limits: tuple[bytes, ...] = ()
    issued: int = 0
    session: str = ""

    def __attrs_post_init__(self) -> None:
        """A key of its own is its user's first."""
        if not self.user:
            object.__setattr__(self, "user", self.access_id)
        if not self.short_name:
            object.__setattr__(self, "short_name", self.user)

    @property
    def signed_as(self) -> str:
        """How logs name who signed: by the access id, after its user where that does not say whose it is, as a session's does not."""
        user, access_id = self.user, self.access_id
        if access_id == user or access_id.startswith(f"{user}~"):
            return access_id
        return f"{user}~{access_id}"

    def is_called(self, name: str) -> bool:
        """Whether a name, by which something is owned or granted, means this user. No name means whoever did not sign."""
        return name != "" and name in (self.user, self.short_name)


ANONYMOUS = Principal("")
"""Whoever did not sign."""


@frozen
class Credential:
    """What a signature is checked with, and whom it speaks for."""

    secret: str = field(repr=False)
    user: str


@frozen
class Presented:
    """A signature as a request brings it, not yet believed, and what it is said to be one of.

    :ivar string_to_sign: as whoever got the request put it together.
    :ivar signature: 64 hex digits in version 4, base64 in version 2, if it is in good form.
    :ivar date: ``yyyyMMdd``, for which version 4 makes a key of the secret.
    :ivar region: for which it does; ``""``: the signature is of version 2.
    :ivar service: for which it does, such as ``s3``.
    :ivar token: of a session; ``""`` where none came.
    """

    access_id: str
    string_to_sign: str
    signature: str = field(repr=False)
    date: str = ""
    region: str = ""
    service: str = "s3"
    token: str = field(default="", repr=False)


@frozen
class Session:
    """What a session's token says, once it is believed. Times are milliseconds since the epoch.

    :ivar access_id: the session's own, which begins with ``ASIA``.
    :ivar secret: the session's own.
    :ivar parent: the access id that it was made with, and is good no longer than; ``""`` where a web identity made it.
    :ivar bond: tells whether that is still the same secret.
    :ivar user: whom it speaks for.
    :ivar kind: the action of STS that made it.
    :ivar name: what its maker calls it; ``""`` where that has no name.
    :ivar limits: documents of policies, each of which has to allow what is asked.
    :ivar policies: names of the policies that a web identity has.
    """

    access_id: str
    secret: str = field(repr=False)
    parent: str
    bond: bytes = field(repr=False)
    user: str
    kind: str
    name: str
    issued: int
    expires: int
    limits: tuple[bytes, ...] = ()
    policies: tuple[str, ...] = ()


@frozen
class Grants:
    """What is known of whoever signed besides his name, when the secret was looked up. The members are those of :class:`Principal`."""

    groups: frozenset[str] = frozenset()
    policies: tuple[bytes, ...] = ()
    limits: tuple[bytes, ...] = ()


NO_GRANTS = Grants()
"""What most have."""


@frozen
class Signatory:
    """Who signed.

    :ivar user: whom the access id speaks for.
    :ivar signing_key: of version 4, for signatures of chunks; ``None`` where there is none, or it is not given away.
    :ivar grants: what the user and the key are granted by rows.
    :ivar session: the session that signed; ``None`` where a key of its own did.
    """

    user: str
    signing_key: bytes | None = field(default=None, repr=False)
    grants: Grants = NO_GRANTS
    session: Session | None = None


@frozen
class Standing:
    """What an access id is by now: what its sessions stand and fall with.

    :ivar user: whom it speaks for.
    :ivar bond: another one where its secret is another; tells nothing of it that would be worth knowing.
    :ivar now: milliseconds since the epoch, when it was looked up.
    :ivar grants: what the user and the key are granted by rows.
    """

    user: str
    bond: bytes = field(repr=False)
    now: int
    grants: Grants = NO_GRANTS


@frozen
class Secret:
    """The stored row of an access id.

    :ivar sealed: the secret as the secret store encrypted it; ``b""`` in a listing.
    :ivar created: when it was issued.
    :ivar expires: from when on it is refused; ``None``: never.
    :ivar is_managed: its user has a row, without which it opens nothing: one that is not found is lost.
    :ivar is_disabled: it opens nothing for now.
    :ivar limits: documents of policies, as JSON, each of which has to allow what is asked, whoever the user is.
    :ivar description: what people say of it.
    :ivar created_by: who made it, where that was somebody else than its user.
    """

    access_id: str
    user: str
    sealed: bytes = field(repr=False)
    created: int
    expires: int | None = None
    is_managed: bool = False
    is_disabled: bool = False
    limits: tuple[str, ...] = ()
    description: str = ""
    created_by: str = ""


@frozen
class Acl:
    """One entry of an Ozone access control list.

    :ivar kind: ``user``, ``group``, ``world`` or ``anonymous``.
    :ivar name: of the user or group; ``WORLD`` and ``ANONYMOUS`` name themselves, as in Ozone.
    :ivar rights: values of :data:`RIGHTS`.
    :ivar scope: ``ACCESS``, or ``DEFAULT`` for what is made inside later.
    """

    kind: str
    name: str
    rights: frozenset[str]
    scope: str = "ACCESS"

    @classmethod
    def parse(cls, text: str) -> Acl:
        """Read the form of Ozone's commands, such as ``user:alice:rw[ACCESS]`` or ``world::r``.

        :raises ValueError: it has another form.
        """
        match = _ACL.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is not of the form type:name:rights[scope], such as user:alice:rl"
            )
        kind, name, letters, scope = match.groups()
        unknown = set(letters.lower()) - set(RIGHTS)
        if unknown:
            raise ValueError(
                f"{text!r}: there is no right {min(unknown)!r}, but {', '.join(RIGHTS)}"
            )
        rights = frozenset(RIGHTS[letter] for letter in letters.lower())
        return cls._checked(kind.lower(), name, rights, (scope or "ACCESS").upper())

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Acl:
        """Read the form that :meth:`to_json` gives.

        :raises ValueError: it has another form.
        """
        try:
            kind, rights = members["type"].lower(), frozenset(members["aclList"])
            scope, name = members.get("aclScope", "ACCESS"), members.get("name", "")
        except (KeyError, TypeError, AttributeError):
            raise ValueError(f"{members!r} is not an access control entry") from None
        if not rights <= set(RIGHTS.values()) or scope not in ("ACCESS", "DEFAULT"):
            raise ValueError(f"{members!r} has an unknown right or scope")
        if not isinstance(name, str):
            raise ValueError(f"{members!r} has a name that is no text")
        return cls._checked(kind, name, rights, scope)

    @classmethod
    def _checked(cls, kind: str, name: str, rights: Iterable[str], scope: str) -> Acl:
        if kind in ("world", "anonymous"):
            if name not in ("", kind.upper()):
                raise ValueError(f"{kind} takes no name, not {name!r}")
            name = kind.upper()
        elif kind not in ("user", "group"):
            raise ValueError(
                f"there is no type {kind!r}: user, group, world, anonymous"
            )
        elif not name:
            raise ValueError(f"a {kind} needs a name")
        return cls(kind, name, frozenset(rights), scope)

    def __str__(self) -> str:
        """The form that :meth:`parse` reads."""
        letters = "".join(
            letter for letter, right in RIGHTS.items() if right in self.rights
        )
        return f"{self.kind}:{self.name}:{letters}[{self.scope}]"

    def to_json(self) -> dict[str, Any]:
        """The form in which Ozone's commands show it."""
        return {
            "type": self.kind.upper(),
            "name": self.name,
            "aclScope": self.scope,
            "aclList": [right for right in RIGHTS.values() if right in self.rights],
        }

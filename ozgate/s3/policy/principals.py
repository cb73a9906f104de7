"""Who a policy speaks of: its elements ``Principal`` and ``NotPrincipal``.

Principals are named in one form, without the account, whose number says nothing here: ``user/alice``, ``role/reader``,
``assumed-role/reader/session``, ``canonical-user/<64 hex digits>``, ``service/cloudtrail.amazonaws.com``, ``federated/<provider>``. What follows the first
slash is the name, slashes and ``@`` of Kerberos included: there are no paths.

Sources: IAM User Guide, "AWS JSON policy elements: Principal", "NotPrincipal"; S3 User Guide, "Principals for bucket policies".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from ...immutable import frozen
from ..owners import canonical_id
from .malformed import Malformed

__all__ = [
    "PRINCIPAL_ARN",
    "Principals",
    "Who",
    "read_principals",
    "who",
    "without_account",
]

PRINCIPAL_ARN = "aws:principalarn"
"""The condition key that has the caller's name."""

INVALID = "Invalid principal in policy"

_ACCOUNT = re.compile(r"(?:arn:aws:iam::)?[0-9]{12}(?::root)?|arn:aws:iam:::root")
_IAM = re.compile(r"arn:aws:iam::(?:[0-9]{12})?:((?:user|role)/.+)", re.DOTALL)
_STS = re.compile(
    r"arn:aws:sts::(?:[0-9]{12})?:(assumed-role/.+/.+|federated-user/.+)", re.DOTALL
)
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_NUMBERED = re.compile(r"(arn:aws:(?:iam|sts)::)[0-9]{12}(?=:)")
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


@frozen
class Who:
    """Who asks, as policies name principals.

    :ivar names: every name that means the caller, in this module's form; none for whoever did not sign.
    :ivar is_root: speaks for the account: an administrator, or the bucket's owner. A grant to an account reaches nobody else
        in it: those need a policy of their own. A denial reaches everybody in it.
    """

    names: frozenset[str] = frozenset()
    is_root: bool = False


@lru_cache(maxsize=4096)
def who(
    users: tuple[str, ...], others: tuple[str, ...] = (), is_root: bool = False
) -> Who:
    """A caller by the names of the user.

    :param users: each name the user is called by: none for whoever did not sign.
    :param others: further names in this module's form, such as ``assumed-role/reader/session``.
    """
    names = {f"user/{name}" for name in users}
    names |= {f"canonical-user/{canonical_id(name)}" for name in users}
    return Who(frozenset(names | set(others)), is_root)


@frozen
class Principals:
    """Those an element names.

    :ivar everyone: ``*``: whoever did not sign, too.
    :ivar account: an account as a whole.
    :ivar named: in this module's form.
    """

    everyone: bool
    account: bool
    named: frozenset[str]

    def name(self, caller: Who) -> bool:
        """Whether somebody is meant, by name or as the account itself: whom a grant reaches, whom ``NotPrincipal`` spares."""
        if self.everyone or not self.named.isdisjoint(caller.names):
            return True
        return self.account and caller.is_root

    def reach(self, caller: Who) -> bool:
        """Whether a denial reaches somebody: besides those meant, everybody in an account that is."""
        return self.name(caller) or (self.account and bool(caller.names))


def read_principals(written: object) -> Principals:
    """Read the element.

    :param written: ``"*"``, or an object of ``AWS``, ``CanonicalUser``, ``Service``, ``Federated``, each a name or a list.
    :raises Malformed: it names nobody.
    """
    if written == "*":
        return Principals(True, False, frozenset())
    if not isinstance(written, Mapping) or not written:
        raise Malformed(INVALID)
    everyone = account = False
    named = set()
    for kind, listed in written.items():
        read = _KINDS.get(kind)
        if read is None:
            raise Malformed(INVALID)
        for name in _names(listed):
            if kind == "AWS" and name == "*":
                everyone = True
            elif kind == "AWS" and _ACCOUNT.fullmatch(name):
                account = True
            else:
                named.add(read(name))
    return Principals(everyone, account, frozenset(named))


def without_account(arn: str) -> str:
    """The name of a principal, be it a pattern, without the number of its account, as any number means the same."""
    return _NUMBERED.sub(r"\1", arn, count=1)


def _names(listed: object) -> Iterable[str]:
    names: list[object] = listed if isinstance(listed, list) else [listed]
    texts = [name for name in names if type(name) is str]
    if not names or len(texts) != len(names):
        raise Malformed(INVALID)
    return texts


def _aws(name: str) -> str:
    match = _IAM.fullmatch(name) or _STS.fullmatch(name)
    # "You can't use a wildcard to match part of a principal name or ARN."
    if match is None or "*" in name or "?" in name:
        raise Malformed(INVALID)
    return match[1]


def _canonical(name: str) -> str:
    if not _CANONICAL.fullmatch(name):
        raise Malformed(INVALID)
    return f"canonical-user/{name}"


def _service(name: str) -> str:
    if not _SERVICE.fullmatch(name):
        raise Malformed(INVALID)
    return f"service/{name}"


def _federated(name: str) -> str:
    if not name or "*" in name:
        raise Malformed(INVALID)
    return f"federated/{name}"


_KINDS: Mapping[str, Callable[[str], str]] = {
    "AWS": _aws,
    "CanonicalUser": _canonical,
    "Service": _service,
    "Federated": _federated,
}

"""Short names of Kerberos principals: the rules of ``hadoop.security.auth_to_local``.

Source: Hadoop's ``KerberosName``, as documented in "Hadoop in Secure Mode", Mapping from Kerberos principals to OS user
accounts. ``DEFAULT`` takes what stands before ``/`` and ``@`` where the realm is the default one;
``RULE:[n:format](pattern)s/from/to/g/L`` speaks of principals of n components. The first rule that fits decides.

Imports nothing of ozgate.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from ..immutable import frozen

_PRINCIPAL = re.compile(r"([^/@]+)(?:/([^/@]+))?(?:@([^/@]+))?")
_RULE = re.compile(
    r"\s*(?:(DEFAULT)|RULE:\[(\d+):([^\]]*)\](?:\(([^)]*)\))?(?:s/([^/]*)/([^/]*)/(g)?)?)/?(L)?(?:\s+|$)"
)
_PARAMETER = re.compile(r"\$(\d)")
_SIMPLE = re.compile(r"[^/@]+")


@frozen
class Rule:
    """One rule.

    :ivar components: how many a principal must have, its host included; 0 is ``DEFAULT``.
    :ivar format: of what is matched; ``$0`` is the realm, ``$1`` and ``$2`` the components.
    :ivar pattern: what all of that must match; ``None``: anything.
    :ivar replace: (what, by what) to change in it, or ``None``.
    :ivar everywhere: whether all that matches is replaced, or the first only.
    :ivar lower: whether the outcome is put in lower case.
    """

    components: int = 0
    format: str = ""
    pattern: re.Pattern[str] | None = None
    replace: tuple[re.Pattern[str], str] | None = None
    everywhere: bool = False
    lower: bool = False


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Rules from the value of ``hadoop.security.auth_to_local``.

    :raises ValueError: it is malformed.
    """
    rules = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = _RULE.match(text, position)
        if match is None:
            raise ValueError(f"{text[position:]!r} is no rule such as DEFAULT")
        position = match.end()
        default, number, form, pattern, old, new, everywhere, lower = match.groups()
        if default:
            rules.append(Rule(lower=bool(lower)))
            continue
        if int(number) not in (1, 2):
            raise ValueError(f"{match[0].strip()!r}: a principal has 1 or 2 components")
        try:
            replace = old is not None and (re.compile(old), _replacement(new))
            matched = re.compile(pattern) if pattern is not None else None
        except re.error as error:
            raise ValueError(f"{match[0].strip()!r}: {error}") from None
        rules.append(
            Rule(
                int(number),
                form,
                matched,
                replace or None,
                bool(everywhere),
                bool(lower),
            )
        )
    return tuple(rules)


def short_name(principal: str, rules: Iterable[Rule], realm: str = "") -> str:
    """The short name of a principal; a name without realm and host is its own.

    :param realm: the default realm, which ``DEFAULT`` is about.
    :return: the principal itself where no rule fits, or one makes what still has a realm or host of it.
    """
    match = _PRINCIPAL.fullmatch(principal)
    if match is None:
        return principal
    name, host, its_realm = match.groups()
    if host is None and its_realm is None:
        return principal
    parameters = [its_realm or "", name, *([host] if host else [])]
    for rule in rules:
        found = _apply(rule, parameters, realm)
        if found is not None:
            if not _SIMPLE.fullmatch(found):
                return principal
            return found.lower() if rule.lower else found
    return principal


def default_realm(environment: Mapping[str, str]) -> str:
    """``default_realm`` of ``[libdefaults]`` in krb5.conf; ``""`` where it is not said."""
    for path in (environment.get("KRB5_CONFIG") or "/etc/krb5.conf").split(":"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found = _realm_in(file)
        except OSError:
            continue
        if found:
            return found
    return ""


def _realm_in(lines: Iterable[str]) -> str:
    section = ""
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped
        name, _, value = stripped.partition("=")
        if section == "[libdefaults]" and name.strip() == "default_realm":
            return value.strip()
    return ""


def _apply(rule: Rule, parameters: list[str], realm: str) -> str | None:
    """What a rule makes of a principal; ``None`` where it does not fit."""
    if not rule.components:
        return parameters[1] if realm and parameters[0] == realm else None
    if rule.components != len(parameters) - 1:
        return None
    numbers = {str(number): value for number, value in enumerate(parameters)}
    base = _PARAMETER.sub(lambda match: numbers.get(match[1], ""), rule.format)
    if rule.pattern is not None and not rule.pattern.fullmatch(base):
        return None
    if rule.replace is None:
        return base
    old, new = rule.replace
    return old.sub(new, base, count=0 if rule.everywhere else 1)


def _replacement(java: str) -> str:
    """Java's ``$1`` in a replacement, as Python writes it."""
    return re.sub(r"\$(\d)", r"\\g<\1>", java.replace("\\", r"\\"))


def local_realm() -> str:
    """The default realm of this machine."""
    return default_realm(os.environ)

"""Whether a cluster is secure, and how the gateway logs in to it: by Kerberos, with a keytab.

A cluster is secure where its files say ``ozone.security.enabled=true`` and ``hadoop.security.authentication=kerberos``: then its OM holds what callers sign against
secrets of its own. That has to be known before there is a JVM, for it decides who verifies; the client makes sure that Hadoop reads the files alike, and that the
OM does what they say. Source: ``Gateway.loginS3GUser`` of Ozone's S3 gateway 2.2.0.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ...errors.stores import Unavailable
from ...immutable import frozen
from .jars import find_conf

PRINCIPAL = "ozone.s3g.kerberos.principal"
KEYTAB = "ozone.s3g.kerberos.keytab.file"

_ENABLED = "ozone.security.enabled"
_AUTHENTICATION = "hadoop.security.authentication"
_SITES = ("core-site.xml", "ozone-site.xml")

_SECURE = {
    # A ticket is renewed in time, by a thread of Hadoop's, and not only once a connection was refused.
    "hadoop.kerberos.keytab.login.autorenewal.enabled": "true",
    # A server that asks for no ticket verifies no signature: whoever poses as the OM, or an OM that is not secure, would let everybody in.
    "ipc.client.fallback-to-simple-auth-allowed": "false",
}
"""What has to hold of a client of a secure cluster, whatever the cluster's files say for others."""

_ADVICE = (
    ("Unable to obtain password", "the keytab has no key of it: see 'klist -kt'"),
    (
        "Client not found in Kerberos database",
        "the KDC does not know it: make it there, and a keytab of it",
    ),
    ("Checksum failed", "the keytab is older than its key in the KDC: make it anew"),
    (
        "Pre-authentication information was invalid",
        "the keytab is older than its key in the KDC: make it anew",
    ),
    ("Clock skew too great", "this machine's clock and the KDC's differ: set them"),
    (
        "Cannot locate default realm",
        "krb5.conf says no default_realm: where it is not /etc/krb5.conf, set KRB5_CONFIG",
    ),
    ("Cannot find KDC", "krb5.conf names no KDC of its realm"),
    ("Cannot locate KDC", "krb5.conf names no KDC of its realm"),
    ("Connection refused", "no KDC answers where krb5.conf says"),
    ("timed out", "no KDC answers where krb5.conf says"),
    ("Unreachable", "no KDC answers where krb5.conf says"),
    ("UnknownHost", "the KDC's name in krb5.conf is not known"),
)
"""Part of what Java says of a login that failed → what to do."""


@frozen
class Security:
    """How a cluster is entered.

    :ivar is_on: whether by Kerberos; else whoever asks is believed.
    :ivar principal: whom the gateway logs in as; ``_HOST`` in it stands for the name of this machine.
    :ivar keytab: the file with its key.
    """

    is_on: bool = False
    principal: str = ""
    keytab: str = ""


BELIEVED = Security()
"""By whoever says a name."""


def read_security(settings: Mapping[str, Any]) -> Security:
    """How the cluster is entered, by its files. Nothing is asked of it.

    :param settings: by key; principal and keytab are taken from the cluster's files where they are not set.
    :raises Unavailable: the files cannot be read, or say half of it; it is secure, and there is no principal or keytab. It says what to do.
    """
    folder = find_conf(settings)
    found = _properties(folder)
    enabled = found.get(_ENABLED, "").strip().lower() == "true"
    kerberos = found.get(_AUTHENTICATION, "").strip().lower() == "kerberos"
    if enabled != kerberos:
        raise Unavailable(
            f"{folder}: a cluster is secure where {_ENABLED} is true and {_AUTHENTICATION} is kerberos, and one of them alone is set"
        )
    if not enabled:
        return BELIEVED
    principal = settings[PRINCIPAL] or found.get(PRINCIPAL, "").strip()
    keytab = settings[KEYTAB] or found.get(KEYTAB, "").strip()
    for key, value in ((PRINCIPAL, principal), (KEYTAB, keytab)):
        if not value:
            raise Unavailable(
                f"the cluster is secure: set {key}, with which the gateway logs in"
            )
    if not os.access(keytab, os.R_OK):
        why = "cannot be read" if os.path.exists(keytab) else "is not there"
        raise Unavailable(f"{KEYTAB}: {keytab} {why} by the user that ozgate runs as")
    return Security(True, principal, keytab)


def log_in(java: Any, configuration: Any, security: Security) -> None:
    """Log in to a secure cluster, or make sure that it is none. Runs in a thread, before anything is asked of the cluster.

    Hadoop renews the ticket from then on.

    :param java: finds a Java class by its name.
    :param configuration: Hadoop's, of the cluster.
    :raises Unavailable: it fails; it says what to do. Hadoop understands the cluster's files otherwise than :func:`read_security`.
    """
    groups = java("org.apache.hadoop.security.UserGroupInformation")
    for key, value in _SECURE.items():
        configuration.set(key, value)
    try:
        groups.setConfiguration(configuration)
        is_on = java("org.apache.hadoop.ozone.OzoneSecurityUtil").isSecurityEnabled(
            configuration
        )
        if {bool(is_on), bool(groups.isSecurityEnabled())} != {security.is_on}:
            raise Unavailable(
                f"Hadoop reads {_ENABLED} and {_AUTHENTICATION} out of the cluster's files otherwise than ozgate: say them there without variables and included files"
            )
        if security.is_on:
            groups.loginUserFromKeytab(named(security.principal), security.keytab)
    except Unavailable:
        raise
    except Exception as error:
        raise Unavailable(
            f"cannot log in as {security.principal or 'anybody'} with {security.keytab or 'no keytab'}: {advice(_said(error))}"
        ) from None


def named(principal: str) -> str:
    """A principal with the name of this machine for ``_HOST``. Source: ``SecurityUtil.getServerPrincipal`` of Hadoop, which JPype cannot look at without ZooKeeper's jar."""
    service, slash, rest = principal.partition("/")
    host, at, realm = rest.partition("@")
    if host != "_HOST":
        return principal
    return f"{service}{slash}{socket.getfqdn().lower()}{at}{realm}"


def advice(said: str) -> str:
    """What to do where Java says why a login has failed, with what it says."""
    for part, what in _ADVICE:
        if part.lower() in said.lower():
            return f"{what} ({said})"
    return said


def _said(error: Any) -> str:
    """What an exception of Java says, with what led to it, in a line."""
    said: list[str] = []
    while error is not None and len(said) < 8:
        text = " ".join(str(error).split())
        if not any(text in each for each in said):
            said.append(text)
        cause = getattr(error, "getCause", None)
        error = cause() if cause else None
    return "; ".join(said)


def _properties(folder: str) -> Mapping[str, str]:
    """What the cluster's files say, the later one before the earlier."""
    found: dict[str, str] = {}
    final: set[str] = set()
    for name in _SITES:
        path = Path(folder, name)
        if not path.exists():
            continue
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            raise Unavailable(f"{path} cannot be read: {error}") from None
        for each in root.iter("property"):
            key = each.findtext("name", "").strip()
            if key in final:
                continue
            found[key] = each.findtext("value", "")
            if each.findtext("final", "").strip().lower() == "true":
                final.add(key)
    return found

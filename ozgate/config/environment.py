"""Keys as variables of the environment: ``OZGATE_<KEY>``, and ``OZONE-SITE.XML_<key>`` as in Ozone's images.

``ozgate.region`` is ``OZGATE_REGION``, ``ozone.security.enabled`` is ``OZGATE_OZONE_SECURITY_ENABLED``: capitals, dots and
dashes as underscores, ``OZGATE_`` at the front once. Such names shells export and systemd sets, which Ozone's form is not made
for. They speak to ozgate alone, so an unknown one stops the start.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from .settings import knobs
from .sitefile import ConfigurationError, Setting

PREFIX = "OZGATE_"

CONFIG = "OZGATE_CONFIG"
"""The file of ``--config``, for the service as for the command ``ozgate``."""

OTHERS = frozenset((CONFIG, "OZGATE_ADMIN_URL"))
"""Variables of the command ``ozgate`` that are no keys."""

_OZONES = re.compile(r"ozone-site[._]xml_(?P<key>.+)", re.IGNORECASE | re.DOTALL)

_KUBERNETES = re.compile(
    r"OZGATE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""What Kubernetes sets in each container beside a Service called ``ozgate`` or ``ozgate-…``. Source: its manual, "Service", "Environment variables"."""

_KUBERNETES_PORT = re.compile(r"OZGATE_(\w+_)?PORT=\w+://.*")
"""One more, which is told by its value: whoever means a port of ours writes a number."""


def variable_of(key: str) -> str:
    """The variable that sets a key."""
    folded = re.sub(r"[-.]", "_", key).upper()
    return folded if folded.startswith(PREFIX) else PREFIX + folded


def from_environment(environment: Mapping[str, str]) -> list[Setting]:
    """What the environment sets, Ozone's form first, so that the other wins. One of ours without a value says nothing.

    :raises ConfigurationError: a variable that begins as ours do is none.
    """
    keys = {variable_of(each.metadata["key"]): each.metadata["key"] for each in knobs()}
    found = []
    ours = []
    for name in sorted(environment):
        text = environment[name]
        ozones = _OZONES.fullmatch(name)
        if ozones:
            found.append(Setting(ozones["key"].strip(), text, "the environment"))
        elif name.startswith(PREFIX) and name not in OTHERS:
            if name in keys:
                if text:
                    ours.append(Setting(keys[name], text, name, direct=True))
            elif not _is_of_kubernetes(name, text):
                raise ConfigurationError(_unknown(name, keys))
    return found + ours


def _is_of_kubernetes(name: str, text: str) -> bool:
    return bool(
        _KUBERNETES.fullmatch(name) or _KUBERNETES_PORT.fullmatch(f"{name}={text}")
    )


def _unknown(name: str, keys: Mapping[str, str]) -> str:
    # What all have in common says nothing of which one was meant.
    rests = [each.removeprefix(PREFIX) for each in keys]
    meant = name.removeprefix(PREFIX).removeprefix(PREFIX)
    close = difflib.get_close_matches(meant, rests, 1, 0.7)
    hint = (
        f"did you mean {PREFIX}{close[0]}?"
        if close
        else "'ozgate config reference' lists all keys; in a variable their dots and dashes are underscores"
    )
    return f"{name!r} in the environment is no key of ozgate: {hint}"

"""Where the values of :class:`~ozgate.config.settings.Settings` come from.

The later one wins: the declared default, the configuration file, the environment (:mod:`ozgate.config.environment`),
``-D key=value`` and the options of the plugin. What the administrator's key pair is, :mod:`ozgate.config.rootpair` decides.
Whatever is wrong is a :class:`~ozgate.config.sitefile.ConfigurationError` of one line that says what to do about it.

What is done about a key that is not one of ours:

- In the gateway's own name spaces (``ozgate.``, ``ozone.s3g.``) it stops the start, unless Ozone's
  gateway has it.
- One that differs from one of ours by one character, or only in case and punctuation, stops the
  start whatever its name space.
- Others of Ozone and Hadoop are accepted and noted, since Ozone's services share one file. With
  ``-D``, which speaks to nobody but ozgate, they stop the start.
- Anything else stops the start.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import Attribute

from ..immutable import frozen
from .authtolocal import parse_rules
from .environment import from_environment, variable_of
from .foreign import OTHER_SERVICES, WITHOUT_EFFECT
from .knob import MASKED
from .parsers import store_and_url
from .rootpair import ACCESS_KEY, MINIO, SECRET_KEY, SECURITY, choose_pair
from .settings import Settings, knobs
from .sitefile import ConfigurationError, Setting, read_site_file
from .strength import refusal

_STRICT = ("ozgate.", "ozone.s3g.")

BUCKETS = "ozgate.s3.buckets"
CONF = "ozgate.ozone.conf"

_STAND_INS = {
    BUCKETS: "S3_BUCKET",
    "ozgate.ozone.home": "OZONE_HOME",
    CONF: "OZONE_CONF_DIR",
}
"""Keys → variables of others that count where ours are not set: those of images, and those of Ozone's own programs."""


@frozen
class Loaded:
    """Settings, and what should be said about how they came about.

    :ivar notes: lines for the log.
    """

    settings: Settings
    notes: tuple[str, ...]


def load(
    config_file: str | None,
    environment: Mapping[str, str],
    overrides: Iterable[Setting] = (),
) -> Loaded:
    """Settings from all their sources.

    :param config_file: an ``ozone-site.xml``, or ``None``.
    :param overrides: what the command line says, see :func:`override`.
    :raises ConfigurationError: a file cannot be read, a key or a value is wrong.
    """
    read = read_site_file(config_file) if config_file is not None else []
    chosen = _choose([*read, *from_environment(environment), *overrides])
    _fall_back(chosen, environment, config_file)
    pair = choose_pair(chosen, environment)
    declared = {each.metadata["key"]: each for each in knobs()}
    unused = [key for key in chosen if key not in declared]
    for key in unused:
        _check_unused(chosen[key], declared)
    values = {
        declared[key].name: _parsed(declared[key], setting)
        for key, setting in chosen.items()
        if key in declared
    }
    origins = {
        key: setting.origin for key, setting in chosen.items() if key in declared
    }
    settings = Settings(
        **values, origins=origins, secured_by=pair.by, remarks=pair.remarks
    )
    _check_pair(settings)
    _check_rules(settings)
    _check_stores(settings)
    unused += [name for name in environment if _is_of_minio(name)]
    notes = list(pair.remarks)
    if pair.by:
        notes.append(
            f"signatures are verified, because {' and '.join(pair.by)} are set"
        )
    if unused:
        notes.append(f"no effect in ozgate: {', '.join(sorted(unused))}")
    return Loaded(settings, tuple(notes))


def override(text: str) -> Setting:
    """What ``-D key=value`` says.

    :raises ConfigurationError: it is not of that form.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigurationError(
            f"-D {text}: say -D key=value, such as -D ozgate.region=eu-west-1"
        )
    return Setting(key.strip(), value, "-D", direct=True)


def _choose(settings: Iterable[Setting]) -> dict[str, Setting]:
    """The setting of each key that counts: the last, unless an earlier one is final."""
    chosen: dict[str, Setting] = {}
    for setting in settings:
        if not setting.key.isprintable():
            raise ConfigurationError(f"{setting.key!r} in {setting.origin} is no key")
        earlier = chosen.get(setting.key)
        if earlier is not None and earlier.final:
            raise ConfigurationError(
                f"{setting.key} is final in {earlier.origin}: take it out of {setting.origin}, or <final> out of the file"
            )
        chosen[setting.key] = setting
    return chosen


def _fall_back(
    chosen: dict[str, Setting], environment: Mapping[str, str], file: str | None
) -> None:
    """Take what stands in for keys of ours that are not set; an ``ozone-site.xml`` of ours may be a cluster's."""
    for key, name in _STAND_INS.items():
        if key not in chosen and environment.get(name):
            chosen[key] = Setting(key, environment[name], name)
    if file is not None and CONF not in chosen:
        folder, name = os.path.split(os.path.abspath(file))
        if name == "ozone-site.xml":
            chosen[CONF] = Setting(CONF, folder, file)


def _is_of_minio(name: str) -> bool:
    """Whether a variable is one of MinIO's that means nothing here."""
    taken = (*MINIO, *(f"{each}_FILE" for each in MINIO))
    return name.startswith("MINIO_") and name not in taken


def _parsed(declared: Attribute[Any], setting: Setting) -> Any:
    secret = declared.metadata["secret"]
    if "${" in setting.text and not secret:
        raise ConfigurationError(
            f"{setting.key} in {setting.origin}: ozgate does not substitute ${{…}}, write the value out"
        )
    try:
        return declared.metadata["parse"](setting.text.strip())
    except ValueError as error:
        shown = MASKED if secret else str(error)
        raise ConfigurationError(
            f"{setting.key} in {setting.origin}: {shown}"
        ) from None


def _check_unused(setting: Setting, declared: Mapping[str, object]) -> None:
    """Refuse a key that is not ours, unless Ozone's services share the place where it was set."""
    key = setting.key
    where = f"{key} in {setting.origin}"
    known = key in WITHOUT_EFFECT
    near = _near_miss(key, declared)
    if near is not None and not known:
        raise ConfigurationError(f"{where} is not known: did you mean {near}?")
    strict = setting.direct or key.startswith(_STRICT)
    if known or (key.startswith(OTHER_SERVICES) and not strict):
        if setting.direct:
            raise ConfigurationError(f"{where} has no effect in ozgate: leave it out")
        return
    close = difflib.get_close_matches(key, declared, 1, 0.75)
    hint = (
        f"did you mean {close[0]}?" if close else "'ozgate config reference' lists all"
    )
    raise ConfigurationError(f"{where} is not known: {hint}")


def _near_miss(key: str, declared: Iterable[str]) -> str | None:
    """A key of ours that this one surely was meant to be."""
    plain = re.sub(r"[-_.]", "", key).lower()
    for ours in declared:
        if plain == re.sub(r"[-_.]", "", ours).lower() or _one_edit(key, ours):
            return ours
    return None


def _one_edit(one: str, other: str) -> bool:
    """Whether one character too many, too few, wrong, or two swapped, is all the difference."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, others = one[start:], other[start:]
    return (
        rest[1:] == others[1:]
        or rest[1:] == others
        or rest == others[1:]
        or (rest[:2] == others[1::-1] and rest[2:] == others[2:])
    )


def _check_rules(settings: Settings) -> None:
    """The rules of short names can be read.

    :raises ConfigurationError: they cannot.
    """
    try:
        parse_rules(settings.auth_to_local)
    except ValueError as error:
        raise ConfigurationError(f"hadoop.security.auth_to_local: {error}") from None


def _check_stores(settings: Settings) -> None:
    """The default blob store has another name than the further ones.

    :raises ConfigurationError: it has not.
    """
    name, _ = store_and_url(settings.blob_provider)
    for each in settings.more_blob_providers:
        if store_and_url(each)[0] == name:
            raise ConfigurationError(
                f"ozgate.blobs and ozgate.blobs.more both name a store {name!r}: call the new one otherwise, such as ozgate.blobs=disk2=files:/mnt/disk2/blobs"
            )


def _check_pair(settings: Settings) -> None:
    """The static pair is whole, and good for something where signatures are verified, or there is none.

    :raises ConfigurationError: half of it is missing, or whoever tries can guess the secret.
    """
    halves = {ACCESS_KEY: settings.access_key, SECRET_KEY: settings.secret_key}
    for key, other in ((ACCESS_KEY, SECRET_KEY), (SECRET_KEY, ACCESS_KEY)):
        if halves[other] and not halves[key]:
            raise ConfigurationError(
                f"{key} is not set but {other} is, and together they are the administrator's key pair: set both or neither (in the environment it is {variable_of(key)})"
            )
    refused = refusal(settings.secret_key) if settings.secret_key else ""
    if settings.security_enabled and refused:
        raise ConfigurationError(
            f"{SECRET_KEY}, from {settings.origins.get(SECRET_KEY, 'the configuration')}: {refused}; choose another; "
            f"or unset the pair, and 'ozgate s3 getsecret' makes keys while {SECURITY} is true; or set that to false, and any key is accepted"
        )

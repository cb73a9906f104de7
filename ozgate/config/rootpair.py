"""The administrator's key pair: which one is taken of those that are given, and that it switches security on.

Whoever gives the service a pair means that others are kept out. So a pair turns signatures on by itself, unless
``ozone.security.enabled`` is set in so many words. ozgate's own two keys come first, then ``MINIO_ROOT_USER`` and
``MINIO_ROOT_PASSWORD``, which only a server is given, then ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, which a
shell may have for a client. Both halves come from one place.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from ..immutable import frozen
from .sitefile import ConfigurationError, Setting

ACCESS_KEY = "ozgate.s3.access-key"
SECRET_KEY = "ozgate.s3.secret-key"
SECURITY = "ozone.security.enabled"

MINIO = ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD")
AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

ANY = "any"
"""What ozgate tells clients to have for either half while it verifies nothing: no pair of anybody."""

TOKENS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
"""What is set beside a pair of AWS that is good for some hours."""

FILE = "_FILE"
"""What the name of a variable ends in that names a file."""

SECRETS = "/run/secrets"
"""Where Docker and Podman put what a container is to know; ``…_FILE`` may name a file of it."""


@frozen
class Chosen:
    """What came of it.

    :ivar by: the two variables or keys whose pair switched security on by itself; empty where none did.
    :ivar remarks: lines for people, about what is given and not taken.
    """

    by: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def choose_pair(
    chosen: MutableMapping[str, Setting], environment: Mapping[str, str]
) -> Chosen:
    """Put the pair, and what follows for security, among what was set.

    :param chosen: settings by key, from all their sources; added to.
    :raises ConfigurationError: half of a pair is missing, or a file of one cannot be read.
    """
    said = chosen.get(SECURITY)
    remarks: list[str] = []
    if not any(_is_set(chosen.get(key)) for key in (ACCESS_KEY, SECRET_KEY)):
        given = _of_minio(environment) or _of_aws(environment, said, remarks)
        chosen.update((each.key, each) for each in given)
    elif any(environment.get(_given(environment, name)) for name in MINIO):
        remarks.append(f"{_both(MINIO)} have no effect, for {ACCESS_KEY} is set")
    pair = [chosen.get(key) for key in (ACCESS_KEY, SECRET_KEY)]
    by = tuple(_named(half) for half in pair if half is not None and half.text.strip())
    if len(by) == 2 and said is None:
        chosen[SECURITY] = Setting(SECURITY, "true", _both(by))
        return Chosen(by, tuple(remarks))
    if len(by) == 2 and _is_off(said):
        remarks.append(
            f"The key pair of {_both(by)} has no effect, for {SECURITY} is set to false ({said.origin if said else ''})"
        )
    return Chosen((), tuple(remarks))


def _is_set(half: Setting | None) -> bool:
    """A file that lists every key with its default sets none; one that is final forbids to set it."""
    return half is not None and (bool(half.text.strip()) or half.final)


def _is_off(said: Setting | None) -> bool:
    return said is not None and said.text.strip().lower() == "false"


def _of_minio(environment: Mapping[str, str]) -> list[Setting]:
    """The pair that MinIO's variables have, or files that they name; nothing where there is none.

    :raises ConfigurationError: half of it is missing, or a file cannot be read.
    """
    user, password = (_given(environment, name) for name in MINIO)
    values = [_value(environment, name) for name in (user, password)]
    return _whole((user, password), values)


def _of_aws(
    environment: Mapping[str, str], said: Setting | None, remarks: list[str]
) -> list[Setting]:
    """The pair that AWS's variables have, unless they surely are a client's; nothing where there is none.

    :param said: whether signatures are verified, if that was set.
    :param remarks: added to.
    :raises ConfigurationError: half of it is missing.
    """
    values = [environment.get(name, "") for name in AWS]
    token = next((name for name in TOKENS if environment.get(name)), None)
    if any(values) and token is not None:
        remarks.append(
            f"{_both(AWS)} are not taken as the administrator's pair: {token} is set beside them, so they are a temporary one of AWS"
        )
        return []
    if said is None and values == [ANY, ANY]:
        remarks.append(
            f"{_both(AWS)} are '{ANY}', as ozgate has it for its clients while it verifies nothing: they are not taken as a pair"
        )
        return []
    if _is_off(said) and not all(values):
        return []
    return _whole(AWS, values)


def _whole(names: tuple[str, str], values: list[str]) -> list[Setting]:
    """Both halves, or neither.

    :raises ConfigurationError: one of them is missing.
    """
    for name, value, other in zip(names, values, reversed(names), strict=True):
        if not value and any(values):
            raise ConfigurationError(
                f"{name} is not set but {other} is, and together they are the administrator's key pair: set both or neither"
            )
    return [
        Setting(key, value, name)
        for key, value, name in zip(
            (ACCESS_KEY, SECRET_KEY), values, names, strict=True
        )
        if value
    ]


def _given(environment: Mapping[str, str], name: str) -> str:
    """The variable itself, or ``NAME_FILE`` where that stands in for it."""
    in_file = f"{name}{FILE}"
    return in_file if environment.get(in_file) and not environment.get(name) else name


def _value(environment: Mapping[str, str], name: str) -> str:
    """A variable's value, or what is in the file that ``NAME_FILE`` names.

    :raises ConfigurationError: it cannot be read, or nothing is in it.
    """
    text = environment.get(name, "")
    if not name.endswith(FILE):
        return text
    path = Path(SECRETS, text)
    try:
        # Ends of lines come from editors.
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(f"{name}: cannot read {path}: {reason}") from None
    if not value:
        # Taken for no pair, it would leave the service open to anybody.
        raise ConfigurationError(f"{name}: nothing is in {path}")
    return value


def _named(setting: Setting) -> str:
    """What a half was set by: a variable, or the key and its place."""
    is_variable = setting.origin.isupper() and setting.origin.isidentifier()
    return setting.origin if is_variable else f"{setting.key} ({setting.origin})"


def _both(names: tuple[str, ...]) -> str:
    return " and ".join(names)

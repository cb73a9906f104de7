"""Secrets of engines, each in a file of its own, as service managers and orchestrators hand them over."""

from __future__ import annotations

import os
import stat

from .sitefile import ConfigurationError

MOST = 4096
"""Bytes of a secret, at most."""


def secret_in(key: str, path: str, data: str) -> str:
    """The secret that a file holds: its one line, without the end of that.

    :param key: the setting that names the file, for messages.
    :param path: of the file; a relative one is inside ``data``.
    :param data: the data folder.
    :raises ConfigurationError: it cannot be read, is no file, or has not one line of text in it. What it has in it is never said.
    """
    where = os.path.join(data, path)
    try:
        # As with the master key: a link is followed, for what is mounted comes as one, and nothing is waited for.
        fd = os.open(where, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
            found = file.read(MOST + 1) if is_file else b""
    except OSError as error:
        raise ConfigurationError(
            f"{key}: {where} cannot be read ({error.strerror}): give it a file that this user may read"
        ) from None
    try:
        lines = found.decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 1 or not lines[0].strip() or len(found) > MOST:
        raise ConfigurationError(
            f"{key}: {where} does not have one line of text in it: write the secret into it, and nothing else"
        )
    return lines[0].strip()

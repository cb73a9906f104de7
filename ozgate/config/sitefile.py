"""Reads Hadoop's configuration format, ``ozone-site.xml``.

Source: Hadoop's ``Configuration``: ``<configuration>`` of ``<property>`` of ``<name>``, ``<value>``,
``<final>``, ``<description>``, ``<tag>``, ``<source>``. ``${…}`` is not substituted and ``xi:include``
not followed. Imports nothing of ozgate.
"""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from ..immutable import frozen

_MEMBERS = frozenset(("name", "value", "final", "description", "tag", "source"))


class ConfigurationError(Exception):
    """A key or value is wrong. Its text is one line for people, whatever is cited in it."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.splitlines()))


@frozen
class Setting:
    """One key as it was set somewhere.

    :ivar origin: where, for people: ``FILE line 12``, ``the environment``, ``-D``, ``--data``.
    :ivar direct: it was said to ozgate alone, not in something that Ozone's services share.
    """

    key: str
    text: str
    origin: str
    final: bool = False
    direct: bool = False


def read_site_file(path: str) -> list[Setting]:
    """The properties of a file, in its order; without ``<value>`` a property says nothing.

    :raises ConfigurationError: it cannot be read or is no such file.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {path}: {error.strerror}; give --config a readable ozone-site.xml"
        ) from None
    return _SiteFile(path).read(data)


class _SiteFile:
    """Reads one file; expat tells the lines."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._open: list[str] = []
        self._members: dict[str, str] = {}
        self._line = 0
        self._settings: list[Setting] = []

    def read(self, data: bytes) -> list[Setting]:
        """All properties; raises ``ConfigurationError``."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise ConfigurationError(
                f"{self._path} line {error.lineno} is not well-formed XML ({reason}): correct it there"
            ) from None
        return self._settings

    def _refuse(self, what: str) -> ConfigurationError:
        line = self._parser.CurrentLineNumber
        return ConfigurationError(f"{self._path} line {line}: {what}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        place = "/".join(self._open)
        if place == "configuration/property":
            self._members = {}
            self._line = self._parser.CurrentLineNumber
        elif len(self._open) == 3 and name in _MEMBERS:
            if name in self._members and name != "tag":
                raise self._refuse(f"a second <{name}> in one <property>: keep one")
            self._members[name] = ""
        elif place != "configuration":
            raise self._refuse(
                f"<{name}> is not expected here: a file is <configuration> with <property> of <name> and <value> in it"
            )

    def _text(self, data: str) -> None:
        if len(self._open) == 3:
            self._members[self._open[-1]] += data
        elif data.strip():
            # Which text is not said: it may have been meant as the value of a secret.
            raise self._refuse("text outside <name> and <value>: put it into one")

    def _end(self, name: str) -> None:
        self._open.pop()
        if len(self._open) != 1:
            return
        members = self._members
        key = members.get("name", "").strip()
        if not key:
            raise self._refuse("a <property> without <name>: give it one")
        final = members.get("final", "false").strip().lower()
        if final not in ("true", "false"):
            raise self._refuse(f"<final> of {key} is neither true nor false")
        if "value" in members:
            origin = f"{self._path} line {self._line}"
            self._settings.append(
                Setting(key, members["value"], origin, final == "true")
            )

"""Configuration files and what overrides them: settings, or one line that says what is wrong."""

from __future__ import annotations

from xml.etree import ElementTree

from ozgate.config.loading import load, override
from ozgate.config.settings import by_key
from ozgate.config.sitefile import ConfigurationError, _SiteFile
from tests.fuzz.judging import text
from tests.fuzz.running import fuzz

SEEDS = (
    b"<configuration><property><name>ozgate.data</name><value>/srv/o</value></property></configuration>",
    b'<?xml version="1.0"?><configuration><property><name>ozone.s3g.http-address</name><value>[::1]:1</value>'
    b"<final>true</final><description>d</description><tag>t</tag></property></configuration>",
    b"<configuration><property><name>hdds.x</name><value>${y}</value></property></configuration>\0ozgate.threads=3",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><configuration>&b;</configuration>",
    b"\0ozgate.region=eu-west-1\0ozone.s3g.domain.name=a,b",
)
WORDS = (
    *(b"<configuration>", b"</configuration>", b"<property>", b"</property>"),
    *(b"<name>", b"</name>", b"<value>", b"</value>", b"<final>true</final>", b"\0"),
    *(b"ozgate.", b"ozone.s3g.", b"ozgate.progress-window", b"ozgate.disk.reserve"),
    *(b"hadoop.security.auth_to_local", b"hadoop.http.idle_timeout.ms", b"5s", b"64KB"),
    *(b"ozgate.s3.access-key", b"ozgate.s3.secret-key", b"ozone.security.enabled"),
    *(b"<!DOCTYPE", b"<!ENTITY", b"&", b";", b"${", b"}", b"true", b"false"),
)


def one_input(data: bytes) -> None:
    """Load: a file, then overrides, each after a NUL."""
    file, *lines = data.split(b"\0")
    overrides, environment = [], {}
    for number, line in enumerate(lines):
        said = text(line)
        name, equals, value = said.partition("=")
        if number % 2 and equals:
            environment[f"OZONE-SITE.XML_{name}"] = value
            continue
        try:
            overrides.append(override(said))
        except ConfigurationError as error:
            _check(error)
    read = []
    if file:
        try:
            read = _SiteFile("FILE").read(file)
        except ConfigurationError as error:
            _check(error)
        else:
            names = _names(file)
            assert names is None or [each.key for each in read] == names
    try:
        loaded = load(None, environment, [*read, *overrides])
    except ConfigurationError as error:
        _check(error)
        return
    assert by_key(loaded.settings) and repr(loaded.settings)
    for note in loaded.notes:
        assert len(note.splitlines()) == 1, note


def _names(file: bytes) -> list[str] | None:
    """The names of the properties that have a value, as another parser reads them; ``None`` where it minds namespaces."""
    try:
        root = ElementTree.fromstring(file)
    except ElementTree.ParseError:
        return None
    valued = [each for each in root if each.find("value") is not None]
    return [each.findtext("name", "").strip() for each in valued]


def _check(error: ConfigurationError) -> None:
    assert len(str(error).splitlines()) == 1, str(error)


if __name__ == "__main__":
    fuzz("config")

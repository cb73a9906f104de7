"""Keys as variables that any shell can export."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping

from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.environment import OTHERS, from_environment, variable_of
from ozgate.config.loading import load
from ozgate.config.reference import written
from ozgate.config.settings import Settings, by_key, knobs
from ozgate.config.sitefile import ConfigurationError

KEYS = [each.metadata["key"] for each in knobs()]


class VariableTestCase(SynchronousTestCase):
    """Refusals."""

    def refused(self, environment: Mapping[str, str]) -> str:
        """The line that an environment is refused with."""
        with self.assertRaises(ConfigurationError) as caught:
            load(None, environment)
        return str(caught.exception)


class NameTests(VariableTestCase):
    """Which variable sets which key."""

    def test_names(self) -> None:
        """Dots and dashes are underscores, letters capitals, and the prefix is there once."""
        for key, name in (
            ("ozgate.region", "OZGATE_REGION"),
            ("ozgate.s3.access-key", "OZGATE_S3_ACCESS_KEY"),
            ("ozone.security.enabled", "OZGATE_OZONE_SECURITY_ENABLED"),
            ("hadoop.http.idle_timeout.ms", "OZGATE_HADOOP_HTTP_IDLE_TIMEOUT_MS"),
        ):
            self.assertEqual(variable_of(key), name)

    def test_all_names(self) -> None:
        """Each key has a variable of its own, which shells can export and which is none of the others'."""
        names = [variable_of(key) for key in KEYS]
        self.assertEqual(len(set(names)), len(KEYS))
        for name in names:
            self.assertTrue(re.fullmatch(r"OZGATE_[A-Z0-9_]+", name), name)
        self.assertFalse(OTHERS & set(names))

    def example(self, parse: Callable[[str], object]) -> str:
        """Some text that a key without a default takes."""
        for text in ("text", "10.0.0.0/8", "disk2=files:blobs", "https://login.test"):
            with contextlib.suppress(ValueError):
                parse(text)
                return text
        raise AssertionError(f"give an example of {parse}")

    def test_all_values(self) -> None:
        """Each key can be set by its variable, which is where it then comes from."""
        for each in knobs():
            key, parse = each.metadata["key"], each.metadata["parse"]
            text = written(each.default, parse) or self.example(parse)
            environment = {variable_of(key): text}
            if "s3.access-key" in key or "s3.secret-key" in key:
                environment |= {
                    "OZGATE_S3_ACCESS_KEY": "text",
                    "OZGATE_S3_SECRET_KEY": "some text",
                }
                text = environment[variable_of(key)]
            settings = load(None, environment).settings
            self.assertEqual(by_key(settings)[key], parse(text), key)
            self.assertEqual(settings.origins[key], variable_of(key))


class ValueTests(VariableTestCase):
    """What such a variable does."""

    def test_precedence(self) -> None:
        """It comes before Ozone's form, wherever either stands."""
        environment = {
            "OZGATE_REGION": "ours",
            "OZONE-SITE.XML_ozgate.region": "ozones",
            "ozone-site.xml_ozgate.region": "ozones",
        }
        self.assertEqual(load(None, environment).settings.region, "ours")

    def test_empty(self) -> None:
        """Without a value it says nothing, as such variables do elsewhere."""
        names = {variable_of(key): "" for key in KEYS}
        found = load(None, names)
        self.assertEqual(found.settings, Settings())
        self.assertEqual(found.settings.origins, {})

    def test_wrong_value(self) -> None:
        """A value that is none of its kind is refused, with key and variable."""
        line = self.refused({"OZGATE_OZONE_SECURITY_ENABLED": "yes"})
        self.assertIn("ozone.security.enabled in OZGATE_OZONE_SECURITY_ENABLED", line)

    def test_unknown(self) -> None:
        """One that is no key is refused, with the nearest name."""
        for name, hint in (
            ("OZGATE_REGOIN", "OZGATE_REGION?"),
            ("OZGATE_OZGATE_REGION", "OZGATE_REGION?"),
            ("OZGATE_SECURITY_ENABLED", "OZGATE_OZONE_SECURITY_ENABLED?"),
            ("OZGATE_ACCESS_KEY", "OZGATE_S3_ACCESS_KEY?"),
            ("OZGATE_HTTP_ADDRESS", "OZGATE_OZONE_S3G_HTTP_ADDRESS?"),
            ("OZGATE_PORT", "config reference"),
            ("OZGATE_OZONE_OM_ADDRESS", "OZGATE_"),
            ("OZGATE_a b\n", "config reference"),
            ("OZGATE_", "config reference"),
        ):
            line = self.refused({name: "9878"})
            self.assertIn(repr(name), line)
            self.assertIn(hint, line)

    def test_of_the_command(self) -> None:
        """What the command ``ozgate`` reads is no key, and no harm."""
        self.assertEqual(from_environment(dict.fromkeys(OTHERS, "x")), [])

    def test_of_kubernetes(self) -> None:
        """What Kubernetes sets beside a Service of this name stops no start."""
        for service in ("OZGATE", "OZGATE_ADMIN_HTTP"):
            environment = {
                f"{service}_SERVICE_HOST": "10.0.0.11",
                f"{service}_SERVICE_PORT": "9878",
                f"{service}_SERVICE_PORT_HTTP": "9878",
                f"{service}_PORT": "tcp://10.0.0.11:9878",
                f"{service}_PORT_9878_TCP": "tcp://10.0.0.11:9878",
                f"{service}_PORT_9878_TCP_PROTO": "tcp",
                f"{service}_PORT_9878_TCP_PORT": "9878",
                f"{service}_PORT_9878_TCP_ADDR": "10.0.0.11",
            }
            self.assertEqual(from_environment(environment), [])

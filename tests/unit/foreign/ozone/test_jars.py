"""Where Ozone's client is looked for. The distribution is made up, in the layout of a real one."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors.stores import Unavailable
from ozgate.foreign.ozone.jars import LIBRARY, LIST, find_conf, find_jars


class JarsTestCase(SynchronousTestCase):
    """Has a folder."""

    def setUp(self) -> None:
        """The folder, and settings that say nothing."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.settings = dict.fromkeys(
            ("ozgate.ozone.classpath", "ozgate.ozone.home", "ozgate.ozone.conf"), ""
        )

    def write(self, path: str, text: str = "") -> str:
        """Make a file."""
        made = self.folder / path
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(text)
        return str(made)

    def refused(self) -> str:
        """What is said where the jars are not there."""
        with self.assertRaises(Unavailable) as caught:
            find_jars(self.settings)
        return str(caught.exception)


class JarsTests(JarsTestCase):
    """The class path."""

    def test_distribution(self) -> None:
        """That of Ozone's own gateway is taken, in its order, as the distribution's file has it."""
        jars = [self.write(f"{LIBRARY}/{name}.jar") for name in "ba"]
        lines = ":".join(f"$HDDS_LIB_JARS_DIR/{Path(jar).name}" for jar in jars)
        self.write(LIST, f"classpath={lines}\n")
        self.settings["ozgate.ozone.home"] = str(self.folder)
        self.assertEqual(find_jars(self.settings), jars)

    def test_file(self) -> None:
        """A file of ours or of Maven has paths; relative ones are beside it, so that the folder can be moved."""
        jars = [self.write("jars/a.jar"), self.write("elsewhere/b.jar")]
        listed = self.write("jars/classpath", f"a.jar:{jars[1]}\n")
        self.settings["ozgate.ozone.classpath"] = f"@{listed}"
        self.assertEqual(find_jars(self.settings), jars)

    def test_classpath_goes_before_home(self) -> None:
        """What is said in full counts."""
        jar = self.write("a.jar")
        self.settings["ozgate.ozone.classpath"] = jar
        self.settings["ozgate.ozone.home"] = "/nowhere"
        self.assertEqual(find_jars(self.settings), [jar])

    def test_nothing_set(self) -> None:
        """It is said what to set, and what gets the jars."""
        said = self.refused()
        self.assertIn("OZONE_HOME", said)
        self.assertIn("ozgate ozone fetch-client", said)

    def test_missing(self) -> None:
        """A jar that is gone, a list that is not there or names nothing, is named."""
        self.settings["ozgate.ozone.classpath"] = f"{self.folder}/gone.jar"
        self.assertIn("gone.jar", self.refused())
        self.settings["ozgate.ozone.classpath"] = f"@{self.folder}/list"
        self.assertIn("No such file", self.refused())
        self.write("list", "\n")
        self.assertIn("names no jar", self.refused())

    def test_no_distribution(self) -> None:
        """A home that is none is named with what was looked for in it."""
        self.settings["ozgate.ozone.home"] = str(self.folder)
        self.assertIn(LIST, self.refused())


class ConfTests(JarsTestCase):
    """The cluster's configuration."""

    def test_set(self) -> None:
        """The folder that is named counts, else that of the distribution."""
        self.write("etc/hadoop/ozone-site.xml")
        self.settings["ozgate.ozone.home"] = str(self.folder)
        self.assertEqual(find_conf(self.settings), f"{self.folder}/etc/hadoop")
        self.write("conf/ozone-site.xml")
        self.settings["ozgate.ozone.conf"] = f"{self.folder}/conf"
        self.assertEqual(find_conf(self.settings), f"{self.folder}/conf")

    def test_none(self) -> None:
        """A folder without the file, and none at all, are told with what to set."""
        with self.assertRaisesRegex(Unavailable, "OZONE_CONF_DIR"):
            find_conf(self.settings)
        self.settings["ozgate.ozone.conf"] = str(self.folder)
        with self.assertRaisesRegex(Unavailable, r"has no ozone-site\.xml"):
            find_conf(self.settings)

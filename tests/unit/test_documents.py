"""The documents' links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.running import ROOT

LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def anchors(document: Path) -> set[str]:
    """What the headings are called in links, as GitHub has it."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings
    }


class LinkTests(SynchronousTestCase):
    """The README, what is beside it, and the documents."""

    def test_lead_somewhere(self) -> None:
        """Each link inside of the project names a file that is there, and a heading that it has."""
        documents = sorted([*ROOT.glob("*.md"), *Path(ROOT, "docs").glob("*.md")])
        for document in documents:
            for link in LINK.finditer(document.read_text()):
                path = document.parent / link["path"] if link["path"] else document
                where = f"{document.name}: {link[0]}"
                self.assertTrue(path.exists(), where)
                if link["anchor"]:
                    self.assertIn(link["anchor"], anchors(path), where)


MODULE = re.compile(r"[\w/]+\.py\b")
NAME = re.compile(r"`([A-Za-z_][\w.]*)(?:\([^`]*\))?`")
"""A name in the code, alone or called."""

DOCUMENTS = ("CONTRIBUTING.md", "docs/architecture.md")
ELLIPSES = ("metadata_*.py", "memory_*.py")
"""What stands for several modules."""


class CodeTests(SynchronousTestCase):
    """What is said of where something is, for those who change it."""

    def setUp(self) -> None:
        """The modules that there are."""
        folders = "ozgate", "twisted", "tests", "benchmarks"
        found = [path for each in folders for path in Path(ROOT, each).rglob("*.py")]
        self.modules = [*found, *ROOT.glob("*.py")]

    def test_modules(self) -> None:
        """Each module that is named is in the tree, so that whoever looks for it finds it."""
        paths = [f"/{path.relative_to(ROOT)}" for path in self.modules]
        for name in DOCUMENTS:
            text = Path(ROOT, name).read_text()
            for each in ELLIPSES:
                text = text.replace(each, "")
            named = MODULE.findall(text)
            self.assertTrue(named, name)
            for module in named:
                there = any(path.endswith(f"/{module}") for path in paths)
                self.assertTrue(there, f"{name}: {module}")

    def test_names(self) -> None:
        """Each class, function and member that the architecture names is in the code."""
        code = "\n".join(path.read_text("utf-8") for path in self.modules)
        words = set(re.findall(r"\w+", code))
        named = NAME.findall(Path(ROOT, "docs/architecture.md").read_text())
        self.assertTrue(named)
        missing = [name for name in named if not words.issuperset(name.split("."))]
        self.assertEqual(missing, [])

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
ELLIPSES = ("metadata_*.py", "memory_*.py")
"""What stands for several modules."""


class ModuleTests(SynchronousTestCase):
    """What is said of where something is, for those who change it."""

    def test_are_there(self) -> None:
        """Each module that they name is in the tree, so that whoever looks for it finds it."""
        folders = "ozgate", "twisted", "tests", "benchmarks"
        found = [path for each in folders for path in Path(ROOT, each).rglob("*.py")]
        paths = [f"/{path.relative_to(ROOT)}" for path in (*found, *ROOT.glob("*.py"))]
        for name in ("CONTRIBUTING.md", "docs/architecture.md"):
            text = Path(ROOT, name).read_text()
            for each in ELLIPSES:
                text = text.replace(each, "")
            named = MODULE.findall(text)
            self.assertTrue(named, name)
            for module in named:
                there = any(path.endswith(f"/{module}") for path in paths)
                self.assertTrue(there, f"{name}: {module}")

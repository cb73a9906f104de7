"""The house style of CONTRIBUTING.md, as far as it can be counted."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.running import ROOT
from tests.unit.test_imports import modules

LONGEST = 50
"""Lines of a function."""

MOST = 400
"""Lines of a module."""

TABLES = {"ozgate/config/settings.py": "a knob for each configuration key"}
"""Modules that are longer, since they list something, and what that is."""

SAY_NOTHING = ("Manager", "Handler", "Helper", "Utils")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Named = Function | ast.ClassDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function of a module, wherever it is."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public(node: ast.Module | ast.ClassDef) -> Iterator[Named]:
    """What others may call of a module or class, and of its classes. A property's setter is one with it."""
    for each in node.body:
        if not isinstance(each, Named) or each.name.startswith("_"):
            continue
        setter = f"{each.name}.setter"
        if setter not in map(ast.unparse, each.decorator_list):
            yield each
        if isinstance(each, ast.ClassDef):
            yield from public(each)


class StyleTests(SynchronousTestCase):
    """Of everything that is shipped."""

    def test_functions_fit_a_screen(self) -> None:
        """No function has more than 50 lines."""
        long = [
            f"{module}: {each.name}"
            for module, tree, _ in modules()
            for each in functions(tree)
            if (each.end_lineno or 0) - each.lineno >= LONGEST
        ]
        self.assertEqual(long, [])

    def test_docstrings(self) -> None:
        """Modules, and what is public in them, say what they are."""
        silent = [
            module for module, tree, _ in modules() if not ast.get_docstring(tree)
        ]
        silent += [
            f"{module}: {each.name}"
            for module, tree, _ in modules()
            for each in public(tree)
            if not ast.get_docstring(each)
        ]
        self.assertEqual(silent, [])

    def test_no_name_of_the_standard_library(self) -> None:
        """No module has the name of one of Python's own, which a reader would take it for."""
        last = {module: module.rpartition(".")[2] for module, _, _ in modules()}
        taken = [
            module for module, name in last.items() if name in sys.stdlib_module_names
        ]
        self.assertEqual(taken, [])

    def test_words_that_say_nothing(self) -> None:
        """Nothing is called Manager, Handler, Helper or Utils."""
        names = [
            each.name
            for _, tree, _ in modules()
            for each in ast.walk(tree)
            if isinstance(each, Named)
        ]
        names += [module.title() for module, _, _ in modules()]
        said = [name for name in names if name.endswith(SAY_NOTHING)]
        self.assertEqual(said, [])


class LengthTests(SynchronousTestCase):
    """Of everything that is written: the package, its benchmarks and its tests."""

    def test_modules_are_short(self) -> None:
        """No module has more than 400 lines, but the tables, and these all have."""
        long = [
            path.relative_to(ROOT).as_posix()
            for folder in ("ozgate", "benchmarks", "tests")
            for path in sorted(Path(ROOT, folder).rglob("*.py"))
            if len(path.read_text("utf-8").splitlines()) > MOST
        ]
        self.assertEqual(long, sorted(TABLES))

"""Who may import whom: the picture in docs/architecture.md, held against the syntax trees."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import ozgate

PACKAGE = Path(ozgate.__file__).parent

STORES = {"values", "errors", "interfaces", "batches", "immutable", "filesystems"}
GROUND = STORES | {"config", "secondlook"}

PICTURE: dict[str, set[str]] = {
    "immutable": set(),
    "values": {"immutable"},
    "errors": set(),
    "batches": set(),
    "filesystems": {"values"},
    "config": {"immutable"},
    "interfaces": {"values"},
    "secondlook": {"values", "errors", "interfaces"},
    "metadata": STORES,
    "blobs": STORES,
    "foreign": STORES,
    "wire": GROUND,
    "auth": GROUND | {"wire"},
    "content": GROUND | {"wire"},
    "gateway": GROUND | {"wire", "auth", "content"},
    "s3": GROUND | {"wire", "auth", "content", "gateway"},
    "s3.changing": GROUND
    | {"wire", "content", "s3.conditions", "s3.configuration", "s3.quotas"},
    "iam": GROUND | {"wire", "auth", "gateway", "s3"},
    "background": GROUND | {"wire", "content", "s3.changing"},
    "admin": GROUND
    | {"wire", "auth", "content", "gateway", "s3", "background", "blobs"},
}
"""Layer, or a room in it → what it may name besides itself, for types too. Everything else is composition: it may import all."""

FORBIDDEN = (
    ("s3", "wire.channel"),
    ("s3", "wire.incoming"),
    ("s3", "wire.outgoing"),
    ("iam", "s3.app"),
    ("iam", "s3.pipeline"),
    ("iam.perform", "iam.serving"),
    ("iam.perform", "iam.actions"),
    ("s3.perform", "s3.app"),
    ("s3.perform", "s3.pipeline"),
    ("s3.perform", "s3.resolve"),
    ("s3.perform", "s3.operations"),
)
"""Arrows that would be inside the picture but are not drawn, type checking aside."""

FOREIGN: dict[str, set[str]] = {
    "filesystems": set(),
    "immutable": {"attrs"},
    "values": {"attrs"},
    "errors": set(),
    "config": {"attrs"},
    "interfaces": {"twisted", "zope"},
    "auth": {"attrs", "cryptography", "gssapi", "jwt", "treq", "twisted", "zope"},
    "wire": {"OpenSSL", "attrs", "cryptography", "twisted", "werkzeug", "zope"},
    "content": {"attrs", "awscrt", "twisted", "zope"},
    "gateway": {"attrs", "twisted", "zope"},
    "s3": {"attrs", "awscrt", "isal", "klein", "twisted", "zope"},
    "iam": {"attrs"},
    "metadata": {"attrs", "awscrt", "psycopg", "sqlite_utils", "twisted", "zope"},
    "blobs": {"attrs", "awscrt", "hdfs_native", "twisted", "zope"},
    "foreign": {"attrs", "jpype", "twisted", "zope"},
}
"""What a layer may import from outside the standard library."""

SQL = ("psycopg", "sqlite3", "sqlite_utils")


@frozen
class Import:
    """One import: who, what, and when it happens."""

    importer: str
    imported: str
    types_only: bool
    at_once: bool


@cache
def modules() -> tuple[tuple[str, ast.Module, bool], ...]:
    """Each module of the package: its name without the package's, its tree, whether it is a package. Read once: nobody changes a tree."""
    return tuple(_modules())


def _modules() -> Iterator[tuple[str, ast.Module, bool]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        yield name, ast.parse(path.read_text("utf-8")), is_package


def is_type_checking(node: ast.AST) -> bool:
    """Whether a node is ``if TYPE_CHECKING``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def walk(
    node: ast.AST, types_only: bool = False, at_once: bool = True
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """The imports below a node, whether for types only, whether run with the module."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, types_only, at_once
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        at_once = False
    guarded = set(map(id, node.body)) if is_type_checking(node) else set()  # type: ignore[attr-defined]
    for child in ast.iter_child_nodes(node):
        yield from walk(child, types_only or id(child) in guarded, at_once)


def names_in(
    node: ast.Import | ast.ImportFrom, importer: str, is_package: bool
) -> list[str]:
    """The modules and names an import statement speaks of, in full."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = ["ozgate", *filter(None, importer.split("."))]
        kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
        base = ".".join([*kept, *filter(None, [node.module])])
    return [f"{base}.{alias.name}" for alias in node.names]


def all_imports() -> list[Import]:
    """Every import of every module of the package."""
    return [
        Import(importer, name, types_only, at_once)
        for importer, tree, is_package in modules()
        for node, types_only, at_once in walk(tree)
        for name in names_in(node, importer, is_package)
    ]


IMPORTS = all_imports()
MODULES = {name for name, _, _ in modules()}


def module_of(imported: str) -> str | None:
    """The module of ozgate that an imported name is, or is in; ``None`` for others'."""
    if imported.partition(".")[0] != "ozgate":
        return None
    name = imported.removeprefix("ozgate").removeprefix(".")
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def inside(module: str, prefix: str) -> bool:
    """Whether a module is that one or below it."""
    return module == prefix or module.startswith(f"{prefix}.")


class PictureTests(SynchronousTestCase):
    """Every arrow of the code is one of the picture."""

    def test_arrows(self) -> None:
        """A layer names only what the picture lets it, types included."""
        for each in IMPORTS:
            imported = module_of(each.imported)
            layers = [layer for layer in PICTURE if inside(each.importer, layer)]
            if not imported or not layers:
                continue
            layer = max(layers, key=len)
            allowed = {layer} | PICTURE[layer]
            self.assertTrue(any(inside(imported, one) for one in allowed), str(each))

    def test_forbidden(self) -> None:
        """Some modules stay out of reach even inside the picture."""
        for each in IMPORTS:
            imported = module_of(each.imported)
            for importer, forbidden in FORBIDDEN:
                if imported and not each.types_only and inside(each.importer, importer):
                    self.assertFalse(inside(imported, forbidden), str(each))

    def test_foreign(self) -> None:
        """Third-party packages are used where they belong; SQL is metadata's alone."""
        standard = sys.stdlib_module_names | {"ozgate"}
        for each in IMPORTS:
            layer, top = (
                each.importer.partition(".")[0],
                each.imported.partition(".")[0],
            )
            if layer in FOREIGN:
                self.assertIn(top, FOREIGN[layer] | standard, str(each))
            if layer != "metadata":
                self.assertNotIn(top, SQL, str(each))
            if layer != "testing":
                self.assertNotIn(top, ("botocore", "boto3", "hypothesis"), str(each))

    def test_no_cycles(self) -> None:
        """Modules that import each other at once would depend on who comes first."""
        arrows: dict[str, set[str]] = {name: set() for name in MODULES}
        for each in IMPORTS:
            imported = module_of(each.imported)
            if imported and each.at_once and not each.types_only:
                arrows[each.importer].add(imported)
        while free := {name for name, to in arrows.items() if not to - {name}}:
            arrows = {n: to - free for n, to in arrows.items() if n not in free}
        self.assertEqual(arrows, {})

    def test_no_reactor_at_top_level(self) -> None:
        """Importing ozgate installs no reactor: reactors and clocks are arguments."""
        for each in IMPORTS:
            if each.at_once and not each.types_only:
                self.assertFalse(
                    each.imported.startswith("twisted.internet.reactor"), str(each)
                )

    def test_walk_sees_everything(self) -> None:
        """The walk tells imports for types, in functions and at once from each other."""
        tree = ast.parse(
            "from . import a\n"
            "from ..x import b\n"
            "if TYPE_CHECKING:\n    import c\nelse:\n    import d\n"
            "try:\n    import e\nexcept ImportError:\n    pass\n"
            "def f():\n    from twisted.internet import reactor\n"
        )
        found = [
            (name, types_only, at_once)
            for node, types_only, at_once in walk(tree)
            for name in names_in(node, "y.z", is_package=False)
        ]
        self.assertEqual(
            found,
            [
                ("ozgate.y.a", False, True),
                ("ozgate.x.b", False, True),
                ("c", True, True),
                ("d", False, True),
                ("e", False, True),
                ("twisted.internet.reactor", False, False),
            ],
        )

    def test_document_has_the_picture(self) -> None:
        """docs/architecture.md speaks of every layer and of every package."""
        document = PACKAGE.parent / "docs" / "architecture.md"
        text = document.read_text("utf-8")
        packages = {name for name, _, is_package in modules() if is_package and name}
        for name in packages | set(PICTURE):
            last = name.rpartition(".")[2]
            self.assertTrue(f"{last}/" in text or f"{last}.py" in text, name)

"""Who sees stored bytes, held against the syntax trees: nobody above ``content`` but the upkeep of blobs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.test_imports import inside, modules

ABOVE = ("s3", "admin", "background", "cli", "gateway")

UPKEEP = (
    "admin.pages.health",
    "admin.upkeep",
    "background.bitrot",
    "background.drain",
    "background.reaper",
    "background.scrub",
    "cli.admin.backup",
    "gateway.gateway",
    "gateway.providers",
)
"""What keeps blobs, or makes the stores of them or hands them on, and reads none for anybody."""

TYPES = {"BlobRef", "Extent", "IBlobSink", "IBlobStore", "IByteSource", "IFiles"}

MEMBERS = {"as_bytes", "as_file", "blob", "blobs", "extents"}
"""Attributes through which stored bytes, or what a blob store says of them, would be had."""


def seen(tree: ast.AST) -> Iterator[str]:
    """What of stored bytes a module names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.alias | ast.Name):
            name = node.name if isinstance(node, ast.alias) else node.id
            if name in TYPES:
                yield name
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).rpartition(".")[2]
            if node.attr in TYPES | MEMBERS or (owner, node.attr) == (
                "content",
                "body",
            ):
                yield ast.unparse(node)


class SeenTests(SynchronousTestCase):
    """Stored bytes need not be those of the object."""

    def test_nobody_above(self) -> None:
        """No module above ``content`` but the upkeep of blobs names a blob store, a blob, or stored bytes."""
        found = {
            name: names
            for name, tree, _ in modules()
            if any(inside(name, layer) for layer in ABOVE)
            and not any(inside(name, upkeep) for upkeep in UPKEEP)
            and (names := sorted(set(seen(tree))))
        }
        self.assertEqual(found, {})

    def test_sees(self) -> None:
        """What must not be named is seen in every way of naming it."""
        for code in (
            "from ..interfaces import IBlobStore",
            "def f(source: IByteSource): pass",
            "values.Extent(blob, 0, 1)",
            "call.gateway.blobs.create(1)",
            "located.content.body",
            "content.body",
            "[each.blob for each in found]",
            "part.content.extents",
            "source.as_file()",
        ):
            self.assertTrue(list(seen(ast.parse(code))), code)
        for code in ("call.body", "reply.body", "content", "located.content"):
            self.assertFalse(list(seen(ast.parse(code))), code)

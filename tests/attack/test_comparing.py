"""How secrets are compared: in constant time, and with the same work for a key that nobody has (D33)."""

from __future__ import annotations

import ast
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.python.monkey import MonkeyPatcher
from twisted.trial.unittest import SynchronousTestCase

import ozgate
from ozgate.auth import canonical, sigv2, sigv4
from ozgate.s3.operations import OPERATIONS
from tests.attack.requests import Draft, Sent
from tests.attack.support import AttackTestCase
from tests.operations.support import SECRETS

SECRET_NAMES = (
    *("secret", "signature", "computed", "expected", "provided", "password", "sealed"),
    *("signing_key", "token", "digest", "hmac", "master_key"),
)
"""What variables that hold secrets, and what is computed with them, have in their names."""


def comparisons(tree: ast.AST) -> Iterator[ast.Compare]:
    """Comparisons by ``==`` and ``!=``, and by ``in`` and ``not in``, that a secret takes part in."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        if not any(
            isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn)
            for each in node.ops
        ):
            continue
        operands = [node.left, *node.comparators]
        if any(map(is_constant, operands)):
            continue
        if any(map(is_secret, operands)):
            yield node


def is_constant(node: ast.expr) -> bool:
    """Whether an expression is in the source for all to read, and so no secret."""
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Name) and node.id.isupper()
    )


def is_secret(node: ast.expr) -> bool:
    """Whether an expression is a secret, by the name of what it ends in or is called on."""
    if isinstance(node, ast.Call):
        return is_secret(node.func) or any(map(is_secret, node.args))
    if isinstance(node, ast.Attribute):
        return _has_secret_name(node.attr) or is_secret(node.value)
    if isinstance(node, ast.Subscript):
        return is_secret(node.value)
    return isinstance(node, ast.Name) and _has_secret_name(node.id)


def _has_secret_name(name: str) -> bool:
    return any(part in name.lower() for part in SECRET_NAMES)


class ConstantTimeTests(SynchronousTestCase):
    """The source."""

    def test_no_equality(self) -> None:
        """No secret is compared by ``==``, whose time tells how much of it was right (RustFS GHSA-3p3x, Swift 754633988)."""
        found = []
        folder = Path(ozgate.__file__).parent
        for path in sorted((folder / "auth").glob("*.py")):
            tree = ast.parse(path.read_text())
            found += [
                f"{path.name}:{node.lineno}: {ast.unparse(node)}"
                for node in comparisons(tree)
            ]
        self.assertEqual(found, [])

    def test_would_be_found(self) -> None:
        """The search finds what it is for."""
        for text in (
            "signature == claim.signature",
            "sent.secret != found",
            "computed.digest() == other",
            "token in tokens",
            "sha256(secret).hexdigest() == found",
        ):
            self.assertEqual(len(list(comparisons(ast.parse(text)))), 1, text)
        for text in ("secret == ''", "secret is None", "name == other"):
            self.assertEqual(list(comparisons(ast.parse(text))), [], text)


class SameWorkTests(AttackTestCase):
    """The work of the gate, counted by calls: for a key that nobody has it is that for a wrong signature."""

    def count(self, sent: Sent) -> dict[str, int]:
        """How often each step was done for a request."""
        calls: dict[str, int] = {}
        patcher = MonkeyPatcher()

        def counted(name: str, real: Any) -> Any:
            def call(*args: Any) -> Any:
                calls[name] = calls.get(name, 0) + 1
                return real(*args)

            return call

        for module, names in (
            (sigv4, ("signing_key", "canonical_request", "string_to_sign")),
            (sigv4, ("signature",)),
            (sigv2, ("string_to_sign",)),
            (hmac, ("compare_digest", "digest")),
        ):
            for name in names:
                real = getattr(module, name)
                replaced = counted(f"{module.__name__}.{name}", real)
                patcher.addPatch(module, name, replaced)
        canonical._signing_key.cache_clear()
        patcher.runWithPatches(self.send_sent, sent)
        return calls

    def of_drafts(self, as_sent: Any) -> tuple[dict[str, int], dict[str, int]]:
        """The work for a wrong signature, and for an unknown key."""
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        wrong = evolve(self.draft(row), secret=SECRETS["other"])
        unknown = evolve(wrong, access_id="nobody")
        return self.count(as_sent(wrong)), self.count(as_sent(unknown))

    def test_header(self) -> None:
        """A wrong signature in the header, and one of a key that nobody has."""
        wrong, unknown = self.of_drafts(Draft.signed)
        self.assertEqual(wrong, unknown)
        self.assertEqual(wrong["hmac.compare_digest"], 1)
        self.assertEqual(wrong["hmac.digest"], 4)

    def test_presigned(self) -> None:
        """The same of presigned URLs, of both versions."""
        for as_sent in (Draft.presigned, Draft.presigned_2):
            wrong, unknown = self.of_drafts(as_sent)
            self.assertEqual(wrong, unknown)
            self.assertEqual(wrong["hmac.compare_digest"], 1)

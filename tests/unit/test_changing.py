"""Who changes objects: the one door, held against the syntax trees."""

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from ozgate.interfaces import IUploads, IVersions
from ozgate.s3.changing.outbox import LISTENING
from ozgate.s3.operations import OPERATIONS
from tests.unit.test_imports import inside, modules

DOOR = "s3.changing"

PROVIDERS = ("metadata", "testing")
"""Layers that have these methods, or hold providers to them."""

CHANGING = {
    "add_version",
    "replace_version",
    "remove_version",
    "add_upload",
    "put_part",
    "complete_upload",
    "remove_upload",
}
"""The methods of a transaction that change versions, uploads and parts."""

ADD, DROP = "_add", "_drop"
"""The functions of the door that every version goes through that comes, and that goes."""

GOING = {"delete_key", "remove_version", "replace_lock"}
"""The functions of the door that a lock is asked by; the last thing they are given is what of it is bypassed."""

BYPASS = "Bypass"

QUOTAS = {"check_quota", "claim_quota"}
"""What is asked before more is used."""


def named_in(tree: ast.AST, names: set[str]) -> Iterator[str]:
    """The attributes of these names that a module speaks of, called or not, and the names as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield node.attr
        if isinstance(node, ast.Constant) and node.value in names:
            yield str(node.value)


def methods_in(tree: ast.AST) -> list[str]:
    """The methods that change versions, uploads and parts, as often as something speaks of them."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return [node.attr for node in nodes if node.attr in CHANGING]


def calls(tree: ast.AST, name: str) -> bool:
    """Whether something calls a function of that name."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return name in [each.id for each in called if isinstance(each, ast.Name)]


def imported_in(tree: ast.AST, names: set[str], room: str = "") -> Iterator[str]:
    """The names, of these, that a module imports, from a room whose name ends so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(room):
            yield from (alias.name for alias in node.names if alias.name in names)


class DoorTests(SynchronousTestCase):
    """Objects change in one place."""

    def test_only_the_door_changes_objects(self) -> None:
        """No module but the door's names a method that changes a version, an upload or a part."""
        for name, tree, _ in modules():
            if not any(inside(name, room) for room in (DOOR, *PROVIDERS)):
                self.assertEqual(list(named_in(tree, CHANGING)), [], name)

    def test_door_is_used(self) -> None:
        """The door calls each of these methods, and the interfaces have them: none has another name by now."""
        named = {
            attribute
            for name, tree, _ in modules()
            if inside(name, DOOR)
            for attribute in named_in(tree, CHANGING)
        }
        self.assertEqual(named, CHANGING)
        self.assertLessEqual(CHANGING, {*IVersions.names(), *IUploads.names()})

    def test_each_once(self) -> None:
        """What a version, an upload or a part goes through when it comes, changes or goes is one place each."""
        trees = [tree for name, tree, _ in modules() if inside(name, DOOR)]
        named = [method for tree in trees for method in methods_in(tree)]
        self.assertEqual(sorted(named), sorted(CHANGING))

    def test_only_the_door_asks_quotas(self) -> None:
        """Whether there is room for more bytes or keys is asked by the door alone."""
        for name, tree, _ in modules():
            if not inside(name, DOOR):
                self.assertEqual(list(imported_in(tree, QUOTAS)), [], name)

    def test_events(self) -> None:
        """Each function of the door that puts, changes or lets go of a version notes an event, but the two that are called by those that do."""
        functions = [
            each
            for name, tree, _ in modules()
            if inside(name, DOOR)
            for each in ast.walk(tree)
            if isinstance(each, ast.FunctionDef)
        ]
        versions = {"add_version", "replace_version", "remove_version"}
        noting, silent = set[str](), set[str]()
        for each in functions:
            if any(calls(each, name) for name in (ADD, DROP)) or versions.intersection(
                methods_in(each)
            ):
                (noting if calls(each, "note") else silent).add(each.name)
        self.assertEqual(
            noting,
            {"put_version", "put_delete_marker", "remove_version", "replace_members"},
        )
        self.assertEqual(silent, {ADD, DROP})

    def test_locks_are_asked(self) -> None:
        """The two places where a version goes, by itself and for another one, ask its lock first, and nothing comes between."""
        add, drop = (
            each
            for name, tree, _ in modules()
            if inside(name, DOOR)
            for each in ast.walk(tree)
            if isinstance(each, ast.FunctionDef) and each.name in (ADD, DROP)
        )
        _, asks, removes = drop.body
        self.assertEqual(ast.unparse(asks), "check_removal(tx, version, bypass)")
        self.assertEqual(ast.unparse(removes), "tx.remove_version(bucket, version)")
        _, asks, adds = add.body
        self.assertEqual(
            ast.unparse(asks),
            "if replaced is not None:\n    check_removal(tx, replaced, Bypass.NOTHING)",
        )
        self.assertEqual(
            ast.unparse(adds),
            "tx.add_version(bucket, version, content, parts, replaced)",
        )

    def test_bypass_is_said(self) -> None:
        """Whoever lets go of a version, or changes its lock, says what he bypasses: there is no default for it, and none but a request that was authorized bypasses anything."""
        bypassing = set()
        for name, tree, _ in modules():
            if any(inside(name, room) for room in PROVIDERS):
                continue
            going = {*GOING, DROP}
            if not inside(name, DOOR):
                going = set(imported_in(tree, GOING, "changing"))
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.FunctionDef)
                    and node.name in going
                    and inside(name, DOOR)
                ):
                    self.assertEqual(node.args.args[-1].arg, "bypass", node.name)
                    self.assertEqual(node.args.defaults, [], node.name)
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in going
                ):
                    said = ast.unparse(node.args[-1])
                    self.assertIn(said, ("bypass", f"{BYPASS}.NOTHING"), name)
                if (
                    isinstance(node, ast.Attribute)
                    and ast.unparse(node) == f"{BYPASS}.GOVERNANCE"
                ):
                    bypassing.add(name)
        self.assertEqual(bypassing, {"s3.changing.locks", "s3.lockheaders"})

    def test_locks_change_in_one_place(self) -> None:
        """No module but the door's speaks of the members that a lock is kept in; and whatever else keeps rare members of a version keeps those that are there."""
        members = {"lock-mode", "lock-until", "lock-hold"}
        speaking = {
            name
            for name, tree, _ in modules()
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in members
        }
        self.assertEqual(speaking, {"s3.changing.locks"})

    def test_repairs_keep(self) -> None:
        """Damaged rows are mended by fsck alone, which says what is kept."""
        mending = {
            name: ast.unparse(node)
            for name, tree, _ in modules()
            if not any(inside(name, room) for room in PROVIDERS)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "mend_row"
        }
        said = "tx.mend_row(row, owner, KEEPING, CLOSING)"
        self.assertEqual(mending, {"admin.upkeep.fsck": said})

    def test_outbox_does_not_only_grow(self) -> None:
        """No bucket gets a document by which events are noted as long as nothing forgets any."""
        forgetting = [
            name
            for name, tree, _ in modules()
            if not any(inside(name, room) for room in PROVIDERS)
            and list(named_in(tree, {"forget_events"}))
        ]
        storing = [
            each
            for each in OPERATIONS
            if each.method == "PUT" and LISTENING.intersection(each.names)
        ]
        self.assertEqual(len(storing), len(LISTENING))
        if not forgetting:
            self.assertEqual([each.name for each in storing if each.perform], [])

    def test_detours_are_seen(self) -> None:
        """A method that is handed on, or looked up by its name, is found as well as one that is called."""
        tree = ast.parse(
            "tx.put_part(a)\nf(tx.add_upload)\ngetattr(tx, 'add_version')\nput_part(tx)\n"
        )
        found = sorted(named_in(tree, CHANGING))
        self.assertEqual(found, ["add_upload", "add_version", "put_part"])

"""Tests of :mod:`ozgate.s3.policy.decide`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate import s3
from ozgate.errors import AccessDenied
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy import decide
from ozgate.s3.policy.decide import Question
from ozgate.s3.policy.rights import rights_for
from ozgate.values import ANONYMOUS, RIGHTS, Acl, Bucket, Principal, Volume
from tests.unit.s3.policy.test_evaluator import ALICE, BUCKET, ENTRIES, VOLUME

ACTIONS = sorted({(row.name, row.action) for row in OPERATIONS if row.action})


def ask(
    action: str,
    *acls: str,
    who: Principal = ALICE,
    operation: str = "",
    volume: Volume | None = None,
    **members: Any,
) -> bool:
    """Whether alice may do something in a bucket with a list."""
    thing = evolve(BUCKET, acls=tuple(map(Acl.parse, acls)), **members)
    return decide.decide(Question(who, operation, action, thing, "key", "", volume))


class RuleTests(SynchronousTestCase):
    """Today's rules."""

    def test_nobody(self) -> None:
        """Where no rule has anything to say, nobody may."""
        for _, action in ACTIONS:
            self.assertFalse(ask(action), action)

    def test_administrators_and_owners(self) -> None:
        """Administrators and the owner may do everything, whatever a list says."""
        boss = evolve(ALICE, is_admin=True)
        for name, action in ACTIONS:
            self.assertTrue(ask(action, who=boss, operation=name), action)
            self.assertTrue(ask(action, owner="alice", operation=name), action)

    def test_list(self) -> None:
        """Any one of an action's rights is enough, and no other is; removing a bucket takes more than its list."""
        for name, action in ACTIONS:
            for letter, right in RIGHTS.items():
                if right in ("NONE", "ALL") or action == "s3:DeleteBucket":
                    continue
                may = ask(action, f"user:alice:{letter}", operation=name)
                self.assertEqual(may, right in rights_for(name, action), (name, right))

    def test_removal(self) -> None:
        """Removing a bucket of another takes DELETE on it and WRITE on its volume."""
        opened = evolve(VOLUME, acls=(Acl.parse("group:staff:w"),))
        for acls, volume, expected in (
            (("user:alice:d",), opened, True),
            (("user:alice:d",), VOLUME, False),
            (("user:alice:d",), None, False),
            ((), opened, False),
        ):
            self.assertIs(ask("s3:DeleteBucket", *acls, volume=volume), expected)

    @given(st.lists(ENTRIES), st.sampled_from(ACTIONS))
    def test_anonymous(self, acls: list[Acl], asked: tuple[str, str]) -> None:
        """Whoever did not sign may do nothing, whatever a list says and whoever owns what."""
        for owner in ("", "alice"):
            thing = Bucket("s3v", "bucket", owner, 0, acls=tuple(acls))
            above = Volume("s3v", "", 0, acls=tuple(acls))
            for each in (thing, above):
                self.assertFalse(
                    decide.decide(Question(ANONYMOUS, *asked, each, "", "", above))
                )

    def test_order(self) -> None:
        """The first rule that has something to say decides; none of those after it is asked."""
        asked: list[str] = []

        def rule(name: str, verdict: bool | None) -> decide.Rule:
            def judge(question: Question) -> bool | None:
                asked.append(name)
                return verdict

            return judge

        for verdict in (True, False):
            asked.clear()
            rules = (rule("a", None), rule("b", verdict), rule("c", not verdict))
            self.patch(decide, "RULES", rules)
            self.assertIs(ask("s3:GetObject"), verdict)
            self.assertEqual(asked, ["a", "b"])


class AskingTests(SynchronousTestCase):
    """How a question is put together."""

    def test_authorize(self) -> None:
        """A no is AccessDenied; the question has all that was said."""
        questions: list[Question] = []
        real = decide.decide

        def recorded(question: Question) -> bool:
            questions.append(question)
            return real(question)

        self.patch(decide, "decide", recorded)
        tx: Any = None
        asked: Any = _Asked()
        with self.assertRaises(AccessDenied):
            decide.authorize(tx, asked, "s3:GetObject", BUCKET, "key", "1")
        decide.authorize(tx, asked, "s3:GetObject", evolve(BUCKET, owner="alice"))
        self.assertEqual(
            questions[0],
            Question(ALICE, "CopyObject", "s3:GetObject", BUCKET, "key", "1", None),
        )


class NameTests(SynchronousTestCase):
    """What authorizes is seen to."""

    def test_says_so(self) -> None:
        """Every function of S3 that makes sure of a right has that in its name, so that whoever calls it knows."""
        silent, found = [], set()
        for path in sorted(Path(s3.__file__).parent.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    called = {
                        call.func.id
                        for call in ast.walk(node)
                        if isinstance(call, ast.Call)
                        and isinstance(call.func, ast.Name)
                    }
                    if any(name.lstrip("_").startswith("authorize") for name in called):
                        found.add(node.name)
                        if "authorize" not in node.name:
                            silent.append(f"{path.name}: {node.name}")
        self.assertEqual(silent, [])
        self.assertIn("authorized_source", found)

    def test_no_way_round(self) -> None:
        """What runs an interaction past the door to a bucket runs one that authorizes by itself; and only calls run any."""
        past, elsewhere = [], set()
        for path in sorted(Path(s3.__file__).parent.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Attribute(ast.Name("call"), "read" | "write"),
                        args=[ast.Name(name), *_],
                    ):
                        if "authorize" not in name:
                            past.append(name)
                    case ast.Attribute(
                        ast.Attribute(attr="metadata"), "read" | "write"
                    ):
                        elsewhere.add(path.name)
        # It asks of each bucket whether it is shown.
        self.assertEqual(past, ["_shown_page"])
        # Those say where a bucket is, and which pages of other origins it lets ask it, to everybody.
        self.assertEqual(elsewhere, {"call.py", "finish.py", "origins.py"})


class _Asked:
    """What is asked, as far as it matters here."""

    principal = ALICE
    operation = "CopyObject"

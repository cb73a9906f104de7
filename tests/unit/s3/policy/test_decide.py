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
from ozgate.errors import AccessDenied, Damaged
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy import decide
from ozgate.s3.policy.decide import Question
from ozgate.s3.policy.rights import rights_for
from ozgate.values import ANONYMOUS, RIGHTS, Acl, Bucket, Principal, Volume
from tests.unit.s3.policy.asking import Rows, asked
from tests.unit.s3.policy.documents import document, statement
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
    def test_anonymous(self, acls: list[Acl], what: tuple[str, str]) -> None:
        """Whoever did not sign may do nothing, whatever a list says and whoever owns what."""
        for owner in ("", "alice"):
            thing = Bucket("s3v", "bucket", owner, 0, acls=tuple(acls))
            above = Volume("s3v", "", 0, acls=tuple(acls))
            for each in (thing, above):
                self.assertFalse(
                    decide.decide(Question(ANONYMOUS, *what, each, "", "", above))
                )

    def test_order(self) -> None:
        """The first rule that has something to say decides; none of those after it is asked."""
        heard: list[str] = []

        def rule(name: str, verdict: bool | None) -> decide.Rule:
            def judge(question: Question) -> bool | None:
                heard.append(name)
                return verdict

            return judge

        for verdict in (True, False):
            heard.clear()
            rules = (rule("a", None), rule("b", verdict), rule("c", not verdict))
            self.patch(decide, "RULES", rules)
            self.assertIs(ask("s3:GetObject"), verdict)
            self.assertEqual(heard, ["a", "b"])


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
        request = asked(ALICE, "CopyObject")
        with self.assertRaises(AccessDenied):
            decide.authorize(tx, request, "s3:GetObject", BUCKET, "key", "1")
        decide.authorize(tx, request, "s3:GetObject", evolve(BUCKET, owner="alice"))
        self.assertEqual(
            questions[0],
            Question(ALICE, "CopyObject", "s3:GetObject", BUCKET, "key", "1", None),
        )


class PolicyTests(SynchronousTestCase):
    """Policies, where the order of the rules matters; :mod:`tests.unit.s3.policy.test_one_rule` has the rest."""

    def may(
        self,
        who: Principal,
        what: str = "GetObject",
        policy: bytes | None = None,
        **members: Any,
    ) -> bool:
        """Whether somebody may do something with a key of the owner's bucket."""
        documents = {} if policy is None else {"policy": policy}
        bucket = evolve(BUCKET, configured=frozenset(documents), **members)
        tx: Any = Rows(documents)
        request = asked(who, what)
        return decide.may(tx, request, request.action, bucket, "key")

    def test_limits(self) -> None:
        """A limit holds for administrators and owners too, and gives nobody anything."""
        some = evolve(ALICE, limits=(document(statement(action="s3:Get*")),))
        self.assertFalse(self.may(some))
        for who, owner in ((some, "alice"), (evolve(some, is_admin=True), "x")):
            self.assertTrue(self.may(who, owner=owner))
            self.assertFalse(self.may(who, "PutObject", owner=owner))
            none = evolve(who, limits=(*who.limits, document(statement("Deny"))))
            self.assertFalse(self.may(none, owner=owner))

    def test_all_limits(self) -> None:
        """Of several limits each has to allow it: a session of a narrowed key is within both."""
        limits = tuple(
            document(statement(action=action)) for action in ("s3:Get*", "s3:*Object")
        )
        who = evolve(ALICE, limits=limits)
        self.assertTrue(self.may(who, owner="alice"))
        for what in ("PutObject", "GetObjectTagging"):
            self.assertFalse(self.may(who, what, owner="alice"))

    def test_denials_bind(self) -> None:
        """What a policy denies, of the caller or the bucket, is denied to administrators and owners, whatever else allows it."""
        deny, allow = document(statement("Deny")), document(statement())
        of_bucket = document(statement("Deny", "s3:*", "arn:aws:s3:::bucket*", "*"))
        for who, owner in ((ALICE, "alice"), (evolve(ALICE, is_admin=True), "x")):
            self.assertTrue(self.may(who, owner=owner))
            self.assertFalse(self.may(who, policy=of_bucket, owner=owner))
            denied = evolve(who, policies=(allow, deny))
            self.assertFalse(self.may(denied, owner=owner))

    def test_mending(self) -> None:
        """The bucket's policy keeps nobody from mending it who is its owner or an administrator; a policy of his own does."""
        shut = document(statement("Deny", "s3:*", "arn:aws:s3:::bucket*", "*"))
        own = document(statement("Deny", "s3:PutBucketPolicy"))
        for who, owner in ((ALICE, "alice"), (evolve(ALICE, is_admin=True), "x")):
            for what in ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"):
                self.assertTrue(self.may(who, what, shut, owner=owner), what)
            self.assertFalse(self.may(who, "GetBucketPolicyStatus", shut, owner=owner))
            denied = evolve(who, policies=(own,))
            self.assertFalse(self.may(denied, "PutBucketPolicy", shut, owner=owner))
        self.assertFalse(self.may(ALICE, "PutBucketPolicy", shut))

    def test_other_volumes(self) -> None:
        """What a caller's policy gives on a bucket's name is not given on a bucket of that name in another volume; its own policy names it plainly."""
        mine = document(statement(resource="arn:aws:s3:::bucket/*"))
        theirs = document(statement(resource="arn:aws:s3:::@v/bucket/*"))
        for policy, here, there in ((mine, True, False), (theirs, False, True)):
            who = evolve(ALICE, policies=(policy,))
            self.assertIs(self.may(who), here)
            self.assertIs(self.may(who, volume="v"), there)
        given = document(statement("Allow", "s3:*", "arn:aws:s3:::bucket/*", "alice"))
        self.assertTrue(self.may(ALICE, policy=given, volume="v"))
        every = evolve(ALICE, policies=(document(statement()),))
        self.assertTrue(self.may(every, volume="v"))

    def test_names(self) -> None:
        """A bucket's policy means a Kerberos principal by each of its names."""
        for name in ("alice", "alice@EXAMPLE.COM"):
            given = document(statement("Allow", "s3:*", "arn:aws:s3:::bucket/*", name))
            self.assertTrue(self.may(ALICE, policy=given))
            self.assertFalse(self.may(Principal("K", "bob"), policy=given))

    def test_sessions(self) -> None:
        """A bucket's policy means a session by its own name, by that of the role, which the user is, and by the user's."""
        session = evolve(ALICE, session="viewer", issued=1)
        for arn in (
            "arn:aws:sts:::assumed-role/alice/viewer",
            "arn:aws:iam:::role/alice",
            "arn:aws:iam:::user/alice",
        ):
            named = {"Principal": {"AWS": arn}}
            denied = statement("Deny", "s3:*", "arn:aws:s3:::bucket/*")
            policy = document({**denied, **named})
            self.assertFalse(self.may(session, policy=policy, owner="alice"))
            other = evolve(session, session="other")
            is_named = "assumed" not in arn
            self.assertIs(self.may(other, policy=policy, owner="alice"), not is_named)
            is_user = "user/" in arn
            self.assertIs(self.may(ALICE, policy=policy, owner="alice"), not is_user)

    def test_broken(self) -> None:
        """A policy that cannot be read grants nothing and lets nothing pass: it is damaged."""
        for who, policy in (
            (ALICE, b"{"),
            (evolve(ALICE, policies=(b"{",)), None),
            (evolve(ALICE, limits=(b"{",)), None),
        ):
            with self.assertRaises(Damaged):
                self.may(who, policy=policy, owner="alice")

    def test_nothing_looked_up(self) -> None:
        """Without a policy no row is read and no condition key put together; a bucket's other documents are none of policies."""
        tx: Any = None
        request = asked(evolve(ALICE))
        bucket = evolve(BUCKET, owner="alice", configured=frozenset(("cors",)))
        for thing in (bucket, evolve(bucket, configured=frozenset())):
            self.assertTrue(decide.may(tx, request, "s3:GetObject", thing, "key"))


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
        # Users are looked for, whom a list names that was brought by somebody who may put it.
        self.assertEqual(past, ["page_of"])
        # The others say to everybody where a bucket is, which pages of other origins it lets ask it, and whether it is a website.
        told = {"finish.py", "origins.py", "visiting.py"}
        # This one finds out which way a request goes, and tells nobody: the same answer comes to whoever may not follow the link.
        found = {"place.py"}
        self.assertEqual(elsewhere, {"call.py"} | told | found)

"""Every action of IAM and STS of the table: as somebody who may not, as nobody, and with values that nobody would send."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from attrs import evolve

from ozgate.iam.actions import ACTIONS
from ozgate.iam.row import Row, Service
from tests.attack.requests import Sent
from tests.operations.iam.support import FORM, Caller, QueryTestCase
from tests.operations.support import SECRETS, Response

DOCUMENT = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
POLICY = "arn:aws:iam::000000000000:policy/mine"
GOOD = {
    "UserName": "alice",
    "GroupName": "staff",
    "PolicyName": "own",
    "PolicyArn": POLICY,
    "PolicyDocument": DOCUMENT,
    "SetAsDefault": "true",
    "VersionId": "v1",
    "AccessKeyId": "testuser",
    "Status": "Inactive",
    "RoleName": "role",
    "RoleArn": "arn:aws:iam::000000000000:role/testuser",
    "RoleSessionName": "session",
    "WebIdentityToken": "a.b.c",
    "DurationSeconds": "900",
    "Tags": "",
    "TagKeys": "",
}
BAD = (
    "",
    " ",
    "a/../../b",
    "\x00\x07\x1b\ufffe",
    "ä\u202e\U0001f600",
    "<a>&amp;]]>",
    "' OR 1=1 --",
    "%s%n${aws:username}*?",
    "arn:aws:iam::000000000000:policy/\n",
    "9" * 30,
    "-1",
    "x" * 3000,
    "{" * 3000,
    "null",
)
"""Values that are something else somewhere."""


class TableTestCase(QueryTestCase):
    """A user, a group and a policy."""

    async def _open(self) -> None:
        await super()._open()
        await self.user("alice")
        await self.root.ask("iam", "CreateGroup", GroupName="staff")
        await self.root.ask(
            "iam", "CreatePolicy", PolicyName="mine", PolicyDocument=DOCUMENT
        )

    def form_of(self, row: Row, **changes: str) -> dict[str, str]:
        """What an action is asked with."""
        fields = {name: GOOD[name] for name in sorted(row.takes) if name in GOOD}
        about = {"Action": row.name, "Version": row.service.version}
        return {**about, **fields, **changes}

    async def answer(
        self, caller: Caller, row: Row, fields: dict[str, str]
    ) -> Response:
        """What is answered, which always is a document of the service."""
        body = urlencode(fields, errors="surrogatepass").encode()
        sent = caller.draft(row.service.value, body).signed()
        return self.checked(row.service, await caller.send(sent))

    def checked(self, service: Service, response: Response) -> Response:
        """An answer, well formed."""
        root = ElementTree.fromstring(response.body)
        self.assertTrue(root.tag.startswith(f"{{{service.namespace}}}"), response)
        return response

    def code(self, service: Service, response: Response) -> str:
        """The code of an error; ``""`` where it is none."""
        root = ElementTree.fromstring(response.body)
        space = f"{{{service.namespace}}}"
        return root.findtext(f"{space}Error/{space}Code") or ""

    def holds(self) -> Any:
        """All that is stored."""
        metadata: Any = self.client.gateway.metadata
        return metadata.snapshot()


class WhoTests(TableTestCase):
    """Who asks."""

    async def test_others(self) -> None:
        """Who has no policy that allows it does nothing with users, keys, groups and policies, his own ones neither."""
        other = Caller(self.client, "other", SECRETS["other"])
        before = self.holds()
        for row in ACTIONS.values():
            if row.on is None:
                continue
            for changes in ({}, {"UserName": "other"}):
                given = {n: v for n, v in changes.items() if n in row.takes}
                response = await self.answer(other, row, self.form_of(row, **given))
                self.assertEqual(self.code(row.service, response), "AccessDenied")
                self.assertEqual(response.status, 403, row.name)
        self.assertEqual(self.holds(), before)

    async def test_nobody(self) -> None:
        """Who did not sign, or for another service, is told nothing else."""
        before = self.holds()
        for row in ACTIONS.values():
            body = urlencode(self.form_of(row)).encode()
            unsigned = Sent("POST", "/", (("content-type", FORM),), body)
            response = self.checked(Service.STS, await self.root.send(unsigned))
            code = self.code(Service.STS, response)
            if row.name == "AssumeRoleWithWebIdentity":
                self.assertEqual(code, "InvalidIdentityToken")
                continue
            self.assertEqual(code, "MissingAuthenticationToken", row.name)
            draft = self.root.draft(row.service.value, body)
            wrong = {"iam": "sts", "sts": "iam"}[row.service.value]
            for sent, expected in (
                (
                    draft.signed().authorized(f"/{row.service.value}/", f"/{wrong}/"),
                    403,
                ),
                (evolve(draft, service="s3").signed(), 403),
                (evolve(draft, service=wrong).signed(), 400),
                (evolve(draft, secret="x").signed(), 403),
                (evolve(draft.signed(), body=body + b"&UserName=x"), 403),
            ):
                response = await self.root.send(sent)
                self.assertEqual(response.status, expected, row.name)
        self.assertEqual(self.holds(), before)

    async def test_narrowed(self) -> None:
        """In a session that is narrowed, an administrator does none of it."""
        made = await self.root.ask(
            "sts",
            "AssumeRole",
            RoleArn=GOOD["RoleArn"],
            RoleSessionName="narrow",
            Policy=DOCUMENT.replace('"Action":"*"', '"Action":"s3:*"'),
        )
        caller = self.root.in_session(made.members["Credentials"])
        before = self.holds()
        for row in ACTIONS.values():
            if row.on is not None:
                response = await self.answer(caller, row, self.form_of(row))
                self.assertEqual(response.status, 403, row.name)
        self.assertEqual(self.holds(), before)


class ValueTests(TableTestCase):
    """What is asked."""

    def mutations(self, row: Row) -> Iterator[dict[str, str]]:
        """One value changed at a time, or left out."""
        good = self.form_of(row)
        for name, value in itertools.product(sorted(row.takes), BAD):
            yield {**good, name: value}
            if name in ("Tags", "TagKeys"):
                yield {**good, f"{name}.member.1": value}
                yield {
                    **good,
                    f"{name}.member.1.Key": value,
                    f"{name}.member.1.Value": value,
                }
        for name in good:
            yield {key: text for key, text in good.items() if key != name}

    async def test_every_value(self) -> None:
        """Whatever is sent is answered with a document, is nobody's fault but the sender's, and can be read by whoever comes next."""
        for row in ACTIONS.values():
            for fields in self.mutations(row):
                response = await self.answer(self.root, row, fields)
                said = (row.name, fields, response)
                self.assertTrue(response.status < 500 or response.status == 501, said)
        for action in ("ListUsers", "ListGroups", "ListPolicies"):
            answer = await self.root.ask("iam", action, MaxItems=1000)
            self.assertEqual(answer.code, "", action)
        self.assertEqual((await self.root.s3("GET", "/bucket")).status, 200)

    async def test_unknown_parameters(self) -> None:
        """A parameter that an action does not take is refused, never ignored: it might have narrowed something down."""
        before = self.holds()
        for row in ACTIONS.values():
            if row.name == "AssumeRoleWithWebIdentity":
                continue
            for name in ("PermissionsBoundary", "policy", "Policy.x", "X"):
                if name.partition(".")[0] in row.takes:
                    continue
                fields = self.form_of(row, **{name: "x"})
                response = await self.answer(self.root, row, fields)
                self.assertEqual(response.status, 501, (row.name, name))
        self.assertEqual(self.holds(), before)

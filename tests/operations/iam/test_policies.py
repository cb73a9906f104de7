"""IAM: groups and policies."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tests.operations.iam.support import Answer, QueryTestCase

ARN = "arn:aws:iam::000000000000:"
READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:Get*", "s3:List*"],
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        }
    ],
}
DOCUMENT = json.dumps(READ)


class PolicyTestCase(QueryTestCase):
    """As ``testuser``."""

    async def ask(self, action: str, **parameters: Any) -> Answer:
        """Ask IAM; it has to go well."""
        answer = await self.root.ask("iam", action, **parameters)
        self.assertEqual(answer.code, "", (action, answer.message))
        return answer

    async def names(self, action: str, path: str, **parameters: Any) -> list[str]:
        """Names in a list."""
        outer, _, inner = path.partition(".")
        listed = (await self.ask(action, **parameters)).members[outer]
        return [each[inner] if inner else each for each in listed]


class GroupTests(PolicyTestCase):
    """Groups."""

    async def test_life(self) -> None:
        """A group is made, has users and policies, and is removed when it has none."""
        made = await self.ask("CreateGroup", GroupName="staff")
        group = made.members["Group"]
        self.assertEqual(group["Arn"], ARN + "group/staff")
        self.assertRegex(group["GroupId"], r"\AAGPA")
        again = await self.root.ask("iam", "CreateGroup", GroupName="staff")
        self.refusal(again, 409, "EntityAlreadyExists")
        alice = await self.user("alice")
        await self.refused(alice.s3("GET", "/bucket"), 403, "AccessDenied")
        both = {"GroupName": "staff", "UserName": "alice"}
        await self.ask("AddUserToGroup", **both)
        shown = await self.ask("GetGroup", GroupName="staff")
        self.assertEqual(shown.members["Group"], group)
        self.assertEqual(shown.members["Users"][0]["UserName"], "alice")
        names = await self.names(
            "ListGroupsForUser", "Groups.GroupName", UserName="alice"
        )
        self.assertEqual(names, ["staff"])
        arn = "arn:aws:iam::aws:policy/readonly"
        await self.ask("AttachGroupPolicy", GroupName="staff", PolicyArn=arn)
        self.assertEqual((await alice.s3("GET", "/bucket")).status, 200)
        answer = await self.root.ask("iam", "DeleteGroup", GroupName="staff")
        self.refusal(answer, 409, "DeleteConflict")
        await self.ask("RemoveUserFromGroup", **both)
        await self.refused(alice.s3("GET", "/bucket"), 403, "AccessDenied")
        await self.ask("DetachGroupPolicy", GroupName="staff", PolicyArn=arn)
        await self.ask("DeleteGroup", GroupName="staff")
        self.assertEqual(await self.names("ListGroups", "Groups.GroupName"), [])

    async def test_refused(self) -> None:
        """What is not there is told so, and groups keep their names."""
        await self.ask("CreateGroup", GroupName="staff")
        for action, parameters, status, code in (
            ("GetGroup", {"GroupName": "x"}, 404, "NoSuchEntity"),
            ("DeleteGroup", {"GroupName": "x"}, 404, "NoSuchEntity"),
            (
                "AddUserToGroup",
                {"GroupName": "staff", "UserName": "x"},
                404,
                "NoSuchEntity",
            ),
            ("CreateGroup", {"GroupName": "a b"}, 400, "ValidationError"),
            ("CreateGroup", {"GroupName": "b", "Path": "/x/"}, 501, "NotImplemented"),
            (
                "UpdateGroup",
                {"GroupName": "staff", "NewGroupName": "x"},
                501,
                "NotImplemented",
            ),
        ):
            answer = await self.root.ask("iam", action, **parameters)
            self.refusal(answer, status, code)

    async def test_own_policies(self) -> None:
        """A group's own policies are put, shown as they were written, listed and removed; so are a user's."""
        alice = await self.user("alice")
        await self.ask("CreateGroup", GroupName="staff")
        await self.ask("AddUserToGroup", GroupName="staff", UserName="alice")
        for kind, name in (("Group", "staff"), ("User", "alice")):
            named = {f"{kind}Name": name}
            own = {**named, "PolicyName": "own"}
            await self.ask(f"Put{kind}Policy", PolicyDocument=DOCUMENT, **own)
            self.assertEqual((await alice.s3("GET", "/bucket")).status, 200)
            shown = await self.ask(f"Get{kind}Policy", **own)
            # boto3 does the same with what botocore's parser gives.
            self.assertEqual(shown.members["PolicyDocument"], quoted(DOCUMENT))
            self.assertEqual(shown.members["PolicyName"], "own")
            names = await self.names(f"List{kind}Policies", "PolicyNames", **named)
            self.assertEqual(names, ["own"])
            await self.ask(f"Delete{kind}Policy", **own)
            await self.refused(alice.s3("GET", "/bucket"), 403, "AccessDenied")
            for action in (f"Get{kind}Policy", f"Delete{kind}Policy"):
                answer = await self.root.ask("iam", action, **own)
                self.refusal(answer, 404, "NoSuchEntity")
            answer = await self.root.ask(
                "iam", f"Put{kind}Policy", PolicyDocument="{}", **own
            )
            self.refusal(answer, 400, "MalformedPolicyDocument")


class NamedPolicyTests(PolicyTestCase):
    """Policies with a name."""

    async def test_life(self) -> None:
        """A policy is made, attached, written anew, counts at once, and is removed when nobody has it."""
        made = await self.ask(
            "CreatePolicy",
            PolicyName="mine",
            PolicyDocument=DOCUMENT,
            Description="what it is",
            Tags=[{"Key": "a", "Value": "b"}],
        )
        policy = made.members["Policy"]
        named = {"PolicyArn": policy["Arn"]}
        self.assertEqual(policy["Arn"], ARN + "policy/mine")
        self.assertEqual(policy["DefaultVersionId"], "v1")
        alice = await self.user("alice")
        await self.ask("AttachUserPolicy", UserName="alice", **named)
        self.assertEqual((await alice.s3("GET", "/bucket")).status, 200)
        shown = (await self.ask("GetPolicy", **named)).members["Policy"]
        self.assertEqual(shown, {**policy, "AttachmentCount": 1})
        holders = await self.ask("ListEntitiesForPolicy", **named)
        self.assertEqual(holders.members["PolicyUsers"][0]["UserName"], "alice")
        names = await self.names(
            "ListAttachedUserPolicies", "AttachedPolicies.PolicyArn", UserName="alice"
        )
        self.assertEqual(names, [policy["Arn"]])
        narrower = json.dumps(READ).replace("s3:List*", "s3:ListAllMyBuckets")
        narrower = narrower.replace('"arn:aws:s3:::bucket"', '"*"')
        version = await self.ask(
            "CreatePolicyVersion", PolicyDocument=narrower, SetAsDefault=True, **named
        )
        self.assertEqual(version.members["PolicyVersion"]["VersionId"], "v2")
        await self.refused(alice.s3("GET", "/bucket"), 403, "AccessDenied")
        answer = await self.root.ask("iam", "DeletePolicy", **named)
        self.refusal(answer, 409, "DeleteConflict")
        await self.ask("DetachUserPolicy", UserName="alice", **named)
        await self.ask("DeletePolicy", **named)
        answer = await self.root.ask("iam", "GetPolicy", **named)
        self.refusal(answer, 404, "NoSuchEntity")

    async def test_versions(self) -> None:
        """Of a policy there is one version, the default one."""
        await self.ask("CreatePolicy", PolicyName="mine", PolicyDocument=DOCUMENT)
        named = {"PolicyArn": ARN + "policy/mine"}
        names = await self.names("ListPolicyVersions", "Versions.VersionId", **named)
        self.assertEqual(names, ["v1"])
        found = await self.ask("GetPolicyVersion", VersionId="v1", **named)
        version = found.members["PolicyVersion"]
        self.assertEqual(version["Document"], quoted(DOCUMENT))
        self.assertTrue(version["IsDefaultVersion"])
        await self.ask("SetDefaultPolicyVersion", VersionId="v1", **named)
        for action, parameters, status, code in (
            ("GetPolicyVersion", {"VersionId": "v2"}, 404, "NoSuchEntity"),
            ("SetDefaultPolicyVersion", {"VersionId": "v2"}, 404, "NoSuchEntity"),
            ("DeletePolicyVersion", {"VersionId": "v2"}, 404, "NoSuchEntity"),
            ("DeletePolicyVersion", {"VersionId": "v1"}, 409, "DeleteConflict"),
            (
                "CreatePolicyVersion",
                {"PolicyDocument": DOCUMENT},
                501,
                "NotImplemented",
            ),
        ):
            answer = await self.root.ask("iam", action, **named, **parameters)
            self.refusal(answer, status, code)

    async def test_tags(self) -> None:
        """Tags are given, replaced, listed and taken; canned policies have none."""
        await self.ask("CreatePolicy", PolicyName="mine", PolicyDocument=DOCUMENT)
        named = {"PolicyArn": ARN + "policy/mine"}
        tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
        await self.ask("TagPolicy", Tags=tags, **named)
        tags[0]["Value"] = "2"
        await self.ask("TagPolicy", Tags=tags[:1], **named)
        listed = await self.ask("ListPolicyTags", **named)
        self.assertEqual(listed.members["Tags"], tags)
        await self.ask("UntagPolicy", TagKeys=["a"], **named)
        listed = await self.ask("ListPolicyTags", **named)
        self.assertEqual(listed.members["Tags"], tags[1:])
        many = [{"Key": str(number), "Value": ""} for number in range(51)]
        for given, code in (
            (many, "ValidationError"),
            (many[:50], "LimitExceeded"),
            ([{"Key": "", "Value": ""}], "ValidationError"),
            ([{"Key": "a", "Value": "x" * 257}], "ValidationError"),
        ):
            answer = await self.root.ask("iam", "TagPolicy", Tags=given, **named)
            self.assertEqual(answer.code, code)
        canned = {"PolicyArn": "arn:aws:iam::aws:policy/admin"}
        answer = await self.root.ask("iam", "TagPolicy", Tags=tags, **canned)
        self.refusal(answer, 400, "UnmodifiableEntity")

    async def test_canned(self) -> None:
        """Canned policies are there, as AWS's are, and stay as they are."""
        names = await self.names("ListPolicies", "Policies.PolicyName", Scope="AWS")
        self.assertEqual(names, ["admin", "readonly", "readwrite", "writeonly"])
        self.assertEqual(
            await self.names("ListPolicies", "Policies.PolicyName", Scope="Local"), []
        )
        attached = await self.names(
            "ListPolicies", "Policies.PolicyName", OnlyAttached=True
        )
        self.assertEqual(attached, [])
        named = {"PolicyArn": "arn:aws:iam::aws:policy/readonly"}
        for action, parameters in (
            ("DeletePolicy", {}),
            ("CreatePolicyVersion", {"PolicyDocument": DOCUMENT, "SetAsDefault": True}),
        ):
            answer = await self.root.ask("iam", action, **named, **parameters)
            self.refusal(answer, 400, "UnmodifiableEntity")
        taken = {"PolicyName": "admin", "PolicyDocument": DOCUMENT}
        answer = await self.root.ask("iam", "CreatePolicy", **taken)
        self.refusal(answer, 409, "EntityAlreadyExists")

    async def test_malformed(self) -> None:
        """What is no policy is refused with its reason, and nothing is made."""
        for document in ("x", "{}", DOCUMENT[:-1], '{"Version": "2020-01-01"}'):
            answer = await self.root.ask(
                "iam", "CreatePolicy", PolicyName="mine", PolicyDocument=document
            )
            self.refusal(answer, 400, "MalformedPolicyDocument")
        for arn, code in (
            (ARN + "policy/none", "NoSuchEntity"),
            (ARN + "user/none", "NoSuchEntity"),
            ("x" * 20, "ValidationError"),
        ):
            answer = await self.root.ask("iam", "GetPolicy", PolicyArn=arn)
            self.assertEqual(answer.code, code)
        self.assertEqual(
            await self.names("ListPolicies", "Policies.PolicyName", Scope="Local"), []
        )


def quoted(document: str) -> Any:
    """A document as botocore's parser gives it."""
    return quote(document, safe="")

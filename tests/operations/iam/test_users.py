"""IAM: users, their tags, and their keys."""

from __future__ import annotations

from typing import Any

from ozgate.auth.identities.users import remove_user
from tests.operations.iam.support import QueryTestCase

ARN = "arn:aws:iam::000000000000:user/"


class UserTests(QueryTestCase):
    """Users."""

    async def test_life(self) -> None:
        """A user is made, shown, listed and removed."""
        tags = [{"Key": "team", "Value": "a b"}]
        made = await self.root.ask("iam", "CreateUser", UserName="alice", Tags=tags)
        user = made.members["User"]
        self.assertEqual((user["UserName"], user["Path"]), ("alice", "/"))
        self.assertEqual((user["Arn"], user["Tags"]), (ARN + "alice", tags))
        self.assertEqual(user["CreateDate"].timestamp(), self.clock.seconds())
        found = await self.root.ask("iam", "GetUser", UserName="alice")
        self.assertEqual(found.members["User"], user)
        listed = await self.root.ask("iam", "ListUsers")
        names = [each["UserName"] for each in listed.members["Users"]]
        self.assertEqual((names, listed.members["IsTruncated"]), (["alice"], False))
        self.assertNotIn("Tags", listed.members["Users"][0])
        again = await self.root.ask("iam", "CreateUser", UserName="alice")
        self.refusal(again, 409, "EntityAlreadyExists")
        gone = await self.root.ask("iam", "DeleteUser", UserName="alice")
        self.assertEqual(gone.code, "")
        for action in ("GetUser", "DeleteUser"):
            answer = await self.root.ask("iam", action, UserName="alice")
            self.refusal(answer, 404, "NoSuchEntity")

    async def test_caller(self) -> None:
        """Where none is named, it is about whoever asks, be that a pair of the configuration."""
        found = await self.root.ask("iam", "GetUser")
        self.assertEqual(found.members["User"]["UserName"], "testuser")
        answer = await self.root.ask("iam", "GetUser", UserName="nobody")
        self.refusal(answer, 404, "NoSuchEntity")

    async def test_pages(self) -> None:
        """Lists come in pages, each of which says where the next one begins."""
        for name in ("c", "a", "b"):
            await self.root.ask("iam", "CreateUser", UserName=name)
        names, marker = [], {}
        for _ in range(3):
            answer = await self.root.ask("iam", "ListUsers", MaxItems=1, **marker)
            names += [each["UserName"] for each in answer.members["Users"]]
            marker = {"Marker": answer.members.get("Marker")}
        self.assertEqual(names, ["a", "b", "c"])
        self.assertFalse(answer.members["IsTruncated"])
        for parameters in ({"MaxItems": 0}, {"MaxItems": 1001}, {"Marker": "\x00é"}):
            answer = await self.root.ask("iam", "ListUsers", **parameters)
            self.refusal(answer, 400, "ValidationError")
        answer = await self.root.ask("iam", "ListUsers", PathPrefix="/x/")
        self.assertEqual(answer.members["Users"], [])

    async def test_tags(self) -> None:
        """Tags are given, replaced, listed and taken."""
        await self.root.ask("iam", "CreateUser", UserName="alice")
        for value in ("1", "2"):
            tags = [{"Key": "a", "Value": value}, {"Key": "b", "Value": ""}]
            await self.root.ask("iam", "TagUser", UserName="alice", Tags=tags)
        listed = await self.root.ask("iam", "ListUserTags", UserName="alice")
        self.assertEqual(listed.members["Tags"], tags)
        await self.root.ask("iam", "UntagUser", UserName="alice", TagKeys=["a", "x"])
        listed = await self.root.ask("iam", "ListUserTags", UserName="alice")
        self.assertEqual(listed.members["Tags"], tags[1:])

    async def test_refused(self) -> None:
        """What is not kept is refused: paths, boundaries, other names."""
        await self.root.ask("iam", "CreateUser", UserName="alice")
        for action, parameters, status, code in (
            ("CreateUser", {"UserName": "bob", "Path": "/x/"}, 501, "NotImplemented"),
            (
                "CreateUser",
                {"UserName": "bob", "PermissionsBoundary": ARN + "x" * 20},
                501,
                "NotImplemented",
            ),
            ("CreateUser", {"UserName": "a~b"}, 400, "ValidationError"),
            ("CreateUser", {"UserName": ""}, 400, "ValidationError"),
            (
                "UpdateUser",
                {"UserName": "alice", "NewUserName": "bob"},
                501,
                "NotImplemented",
            ),
            ("UpdateUser", {"UserName": "bob"}, 404, "NoSuchEntity"),
            ("UpdateUser", {"UserName": "alice", "NewPath": "/"}, 200, ""),
            ("GetLoginProfile", {"UserName": "alice"}, 404, "NoSuchEntity"),
            ("ListMFADevices", {"UserName": "bob"}, 404, "NoSuchEntity"),
        ):
            answer = await self.root.ask("iam", action, **parameters)
            self.refusal(answer, status, code)
        listed = await self.root.ask("iam", "ListUsers")
        self.assertEqual(len(listed.members["Users"]), 1)
        answer = await self.root.ask("iam", "ListMFADevices", UserName="alice")
        self.assertEqual(answer.members["MFADevices"], [])

    async def test_not_empty(self) -> None:
        """Who has something left is not removed."""
        user = await self.user("alice", "readonly")
        answer = await self.root.ask("iam", "DeleteUser", UserName="alice")
        self.refusal(answer, 409, "DeleteConflict")
        arn = "arn:aws:iam::aws:policy/readonly"
        named = {"UserName": "alice"}
        await self.root.ask("iam", "DetachUserPolicy", PolicyArn=arn, **named)
        answer = await self.root.ask("iam", "DeleteUser", **named)
        self.refusal(answer, 409, "DeleteConflict")
        key = {"AccessKeyId": user.access_id}
        await self.root.ask("iam", "DeleteAccessKey", **key, **named)
        answer = await self.root.ask("iam", "DeleteUser", **named)
        self.assertEqual(answer.code, "")


class KeyTests(QueryTestCase):
    """Keys."""

    async def test_life(self) -> None:
        """A key is made, works, is listed, disabled, and removed."""
        await self.root.ask("iam", "CreateUser", UserName="alice")
        made = await self.root.ask("iam", "CreateAccessKey", UserName="alice")
        key = made.members["AccessKey"]
        self.assertRegex(key["AccessKeyId"], r"\AAKIA[A-Z0-9]{16}\Z")
        self.assertEqual((key["UserName"], key["Status"]), ("alice", "Active"))
        alice = self.root.with_key(key)
        self.assertEqual((await alice.s3("PUT", "/of-alice")).status, 200)
        named = {"UserName": "alice", "AccessKeyId": key["AccessKeyId"]}
        for status, code in (("Inactive", "InvalidAccessKeyId"), ("Active", None)):
            await self.root.ask("iam", "UpdateAccessKey", Status=status, **named)
            listed = await self.root.ask("iam", "ListAccessKeys", UserName="alice")
            (shown,) = listed.members["AccessKeyMetadata"]
            self.assertEqual(shown["Status"], status)
            self.assertNotIn("SecretAccessKey", shown)
            answer = await alice.s3("GET", "/of-alice")
            self.assertEqual(answer.code if answer.status >= 400 else None, code)
        used = await self.root.ask(
            "iam", "GetAccessKeyLastUsed", AccessKeyId=key["AccessKeyId"]
        )
        self.assertEqual(used.members["UserName"], "alice")
        self.assertEqual(used.members["AccessKeyLastUsed"]["ServiceName"], "N/A")
        await self.root.ask("iam", "DeleteAccessKey", **named)
        await self.refused(alice.s3("GET", "/"), 403, "InvalidAccessKeyId")
        answer = await self.root.ask("iam", "DeleteAccessKey", **named)
        self.refusal(answer, 404, "NoSuchEntity")

    async def test_of_others(self) -> None:
        """A key is its user's: named with another's it is not there."""
        alice = await self.user("alice")
        await self.user("bob")
        for action, parameters in (
            ("DeleteAccessKey", {}),
            ("UpdateAccessKey", {"Status": "Inactive"}),
        ):
            for name in ({"UserName": "bob"}, {}):
                answer = await self.root.ask(
                    "iam", action, AccessKeyId=alice.access_id, **name, **parameters
                )
                self.refusal(answer, 404, "NoSuchEntity")
        self.assertEqual((await alice.s3("GET", "/")).status, 200)
        for name in ("nobody", "testuser"):
            answer = await self.root.ask("iam", "CreateAccessKey", UserName=name)
            self.refusal(answer, 404, "NoSuchEntity")

    async def test_removed_meanwhile(self) -> None:
        """Of a user who is removed while a key is made of him, no key is left that would be a user of that name again."""
        await self.root.ask("iam", "CreateUser", UserName="alice")
        metadata: Any = self.client.gateway.metadata
        metadata.let_in(lambda: metadata.write(remove_user, "alice"))
        answer = await self.root.ask("iam", "CreateAccessKey", UserName="alice")
        self.refusal(answer, 404, "NoSuchEntity")
        for action in ("GetUser", "ListAccessKeys"):
            answer = await self.root.ask("iam", action, UserName="alice")
            self.refusal(answer, 404, "NoSuchEntity")


class WhoMayTests(QueryTestCase):
    """Who may."""

    async def test_nobody_else(self) -> None:
        """Who is no administrator and has no policy that allows it may nothing, of himself neither."""
        alice = await self.user("alice", "admin")
        for action, parameters in (
            ("ListUsers", {}),
            ("GetUser", {}),
            ("GetUser", {"UserName": "alice"}),
            ("ListAccessKeys", {}),
            ("CreateAccessKey", {}),
            ("CreateAccessKey", {"UserName": "testuser"}),
            ("CreateUser", {"UserName": "bob"}),
            (
                "AttachUserPolicy",
                {"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/admin"},
            ),
        ):
            answer = await alice.ask("iam", action, **parameters)
            self.refusal(answer, 403, "AccessDenied")
            self.assertIn(f"iam:{action}", answer.message)

    async def test_policies(self) -> None:
        """A policy gives what it says, on whom it says, by either form of the name."""
        alice = await self.user("alice")
        await self.user("bob")
        for resource in (ARN + "alice", "arn:aws:iam:::user/alice"):
            policy = (
                '{"Version": "2012-10-17", "Statement": {"Effect": "Allow",'
                ' "Action": "iam:*AccessKey*", "Resource": "%s"}}'
            ).replace("%s", resource)
            await self.root.ask(
                "iam",
                "PutUserPolicy",
                UserName="alice",
                PolicyName="own",
                PolicyDocument=policy,
            )
            for name in ({}, {"UserName": "alice"}):
                answer = await alice.ask("iam", "ListAccessKeys", **name)
                self.assertEqual(answer.code, "", answer.message)
            answer = await alice.ask("iam", "ListAccessKeys", UserName="bob")
            self.refusal(answer, 403, "AccessDenied")
            self.refusal(await alice.ask("iam", "GetUser"), 403, "AccessDenied")

    async def test_conditions(self) -> None:
        """Conditions are asked; what denies binds administrators as well."""
        alice = await self.user("alice")
        policy = (
            '{"Version": "2012-10-17", "Statement": {"Effect": "%s", "Action": "iam:*",'
            ' "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "%s"}}}}'
        )
        for effect, network, code in (
            ("Allow", "192.0.2.0/24", ""),
            ("Allow", "10.0.0.0/8", "AccessDenied"),
            ("Deny", "192.0.2.0/24", "AccessDenied"),
        ):
            await self.root.ask(
                "iam",
                "PutUserPolicy",
                UserName="alice",
                PolicyName="own",
                PolicyDocument=policy % (effect, network),
            )
            answer = await alice.ask("iam", "ListUsers")
            self.assertEqual(answer.code, code)

    async def test_which_policy(self) -> None:
        """Who may give policies may be kept to some of them, by either form of their names, as AWS delegates it."""
        alice = await self.user("alice")
        await self.root.ask("iam", "CreateGroup", GroupName="staff")
        policy = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:Attach*", "Resource": "*"},'
            ' {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {"ArnLike": {"iam:PolicyARN":'
            ' "arn:aws:iam::aws:policy/read*"}}}]}'
        )
        await self.root.ask(
            "iam",
            "PutUserPolicy",
            UserName="alice",
            PolicyName="own",
            PolicyDocument=policy,
        )
        for account in ("aws", "", "123456789012"):
            for name, code in (("readwrite", "AccessDenied"), ("writeonly", "")):
                arn = f"arn:aws:iam::{account}:policy/{name}"
                for action, holder in (
                    ("AttachUserPolicy", {"UserName": "alice"}),
                    ("AttachGroupPolicy", {"GroupName": "staff"}),
                ):
                    answer = await alice.ask("iam", action, PolicyArn=arn, **holder)
                    self.assertEqual(answer.code, code, (action, arn, answer.message))

    async def test_narrowed_key(self) -> None:
        """A key that is narrowed is narrowed here as well, and so are its sessions: none of them makes one that is not (MinIO's CVE-2025-62506)."""
        limit = (
            '{"Version": "2012-10-17", "Statement": {"Effect": "Allow",'
            ' "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}}'
        )
        await self.root.s3("PUT", "/bucket/key", b"x")
        await self.root.ask("iam", "CreateUser", UserName="alice")
        everything = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
        await self.root.ask(
            "iam",
            "PutUserPolicy",
            UserName="alice",
            PolicyName="everything",
            PolicyDocument=everything,
        )
        secrets = self.client.sessions.secrets
        found = await secrets.issue("alice", None, limits=(limit,))
        narrow = self.root.with_key(
            {"AccessKeyId": found[0], "SecretAccessKey": found[1]}
        )
        made = await narrow.ask("sts", "GetSessionToken")
        assumed = await narrow.ask(
            "sts",
            "AssumeRole",
            RoleArn="arn:aws:iam:::role/alice",
            RoleSessionName="session",
            Policy=everything,
        )
        for caller in (
            narrow,
            narrow.in_session(made.members["Credentials"]),
            narrow.in_session(assumed.members["Credentials"]),
        ):
            self.assertEqual((await caller.s3("GET", "/bucket/key")).body, b"x")
            for method, path in (("PUT", "/bucket/key"), ("GET", "/bucket")):
                asked = caller.s3(method, path)
                await self.refused(asked, 403, "AccessDenied")
            for action in ("ListUsers", "CreateAccessKey", "ListAccessKeys"):
                answer = await caller.ask("iam", action)
                self.refusal(answer, 403, "AccessDenied")

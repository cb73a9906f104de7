"""``ozgate admin user|group|policy|key`` beside a service, or without it, and what boto3 may then."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from tests.service.commanding import SECURE, SecretCase

STRANGER = 4_000_001
SECURITY = {"OZONE-SITE.XML_ozone.security.enabled": "true"}


class AdminCase(SecretCase):
    """The command, and who is made with it."""

    def admin(self, *arguments: str, **how: Any) -> str:
        """What ``ozgate admin …`` prints."""
        code, out, error = self.ozgate("admin", *arguments, **how)
        self.assertEqual((code, error), (0, ""), arguments)
        return out

    def asked(self, *arguments: str, **how: Any) -> Any:
        """What it prints as JSON."""
        return json.loads(self.admin(*arguments, "--json", **how))

    def refused(self, said: str, *arguments: str, **how: Any) -> None:
        """Assert that it ends with a line that begins so, and 255."""
        code, out, error = self.ozgate("admin", *arguments, **how)
        self.assertEqual((code, out), (255, ""), error)
        self.assertTrue(error.startswith(said), error)

    def key(self, *arguments: str) -> tuple[str, str]:
        """A key that is made."""
        made = self.asked("key", "create", *arguments)
        return made["accessKeyId"], made["secretAccessKey"]

    def document(self, *statements: dict[str, Any]) -> str:
        """A file with a policy."""
        path = os.path.join(os.path.dirname(self.data), "policy.json")
        policy = {"Version": "2012-10-17", "Statement": statements}
        Path(path).write_text(json.dumps(policy))
        return path


class CommandTests(AdminCase):
    """One after the other, as people type them."""

    def setUp(self) -> None:
        """A service, and a bucket of its administrator's."""
        super().setUp()
        self.process = self.started(*SECURE)
        self.mine = self.client(self.process, self.pair())
        self.mine.create_bucket(Bucket="photos")
        for key in ("2026/a", "2025/b"):
            self.mine.put_object(Bucket="photos", Key=key, Body=b"x")

    def test_recipe(self) -> None:
        """A user is made and reads one bucket; the key is rotated, and the old one ends."""
        statement = {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"],
        }
        self.admin("policy", "create", "photos-read", self.document(statement))
        self.admin("user", "create", "alice", "--policy", "photos-read")
        pair = self.key("alice")
        alice = self.client(self.process, pair)
        self.assertEqual(alice.list_objects_v2(Bucket="photos")["KeyCount"], 2)
        alice.get_object(Bucket="photos", Key="2026/a")
        self.denied("AccessDenied", alice.put_object, Bucket="photos", Key="2026/a")
        new = self.asked("key", "rotate", pair[0], "--expire-old", "0.5")
        again = (new["accessKeyId"], new["secretAccessKey"])
        self.client(self.process, again).list_objects_v2(Bucket="photos")
        time.sleep(0.6)
        self.denied("InvalidAccessKeyId", alice.list_objects_v2, Bucket="photos")
        self.admin("user", "detach", "alice", "photos-read")
        call = self.client(self.process, again).list_objects_v2
        self.denied("AccessDenied", call, Bucket="photos")

    def test_groups(self) -> None:
        """Groups have policies; who is put into one, or taken out of it, notices on the next request."""
        self.admin("group", "create", "press")
        self.admin("group", "attach", "press", "readonly")
        for name in ("alice", "testuser/scm@EXAMPLE.COM"):
            self.admin("user", "create", name)
        alice = self.client(self.process, self.key("alice"))
        other = self.client(self.process, self.key("testuser/scm@EXAMPLE.COM"))
        for each in (alice, other):
            self.denied("AccessDenied", each.get_object, Bucket="photos", Key="2026/a")
        self.admin("group", "adduser", "press", "alice", "testuser/scm@EXAMPLE.COM")
        for each in (alice, other):
            each.get_object(Bucket="photos", Key="2026/a")
            self.denied("AccessDenied", each.delete_object, Bucket="photos", Key="x")
        self.admin("group", "removeuser", "press", "alice")
        self.denied("AccessDenied", alice.get_object, Bucket="photos", Key="2026/a")
        other.get_object(Bucket="photos", Key="2026/a")
        self.assertEqual(
            self.asked("group", "info", "press")["users"], ["testuser/scm@EXAMPLE.COM"]
        )
        self.refused("DELETE_CONFLICT ", "group", "remove", "press")

    def test_narrowed(self) -> None:
        """A key of a prefix opens what begins so and nothing else, be it an administrator's."""
        pair = self.key(self.me, "--bucket", "photos", "--prefix", "2026/", "--read")
        narrow = self.client(self.process, pair)
        narrow.get_object(Bucket="photos", Key="2026/a")
        narrow.list_objects_v2(Bucket="photos", Prefix="2026/")
        for call, arguments in (
            (narrow.get_object, {"Bucket": "photos", "Key": "2025/b"}),
            (narrow.list_objects_v2, {"Bucket": "photos"}),
            (narrow.put_object, {"Bucket": "photos", "Key": "2026/a"}),
            (narrow.create_bucket, {"Bucket": "more"}),
        ):
            self.denied("AccessDenied", call, **arguments)
        deny = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        file = self.document(allow, deny)
        by_file = self.client(self.process, self.key(self.me, "--policy", file))
        by_file.put_object(Bucket="photos", Key="2026/c")
        call = by_file.delete_object
        self.denied("AccessDenied", call, Bucket="photos", Key="2026/c")

    def test_disabled(self) -> None:
        """A user, or a key, is refused from the next request on, and taken again."""
        pair = self.pair("-u", "alice")
        alice = self.client(self.process, pair)
        alice.create_bucket(Bucket="hers")
        for what, name in (("key", "alice"), ("user", "alice")):
            self.admin(what, "disable", name)
            self.denied("InvalidAccessKeyId", alice.list_buckets)
            self.admin(what, "enable", name)
            alice.list_buckets()
        out = self.ozgate("admin", "user", "remove", "alice", said="y\n")
        self.assertEqual(out[:2], (0, "user alice is removed, and 1 keys\n"))
        self.denied("InvalidAccessKeyId", alice.list_buckets)
        again = self.client(self.process, self.pair("-u", "alice"))
        self.assertEqual(len(again.list_buckets()["Buckets"]), 1)

    def test_asked_first(self) -> None:
        """What removes asks first, and anything but ``y`` leaves all as it is."""
        access_id, _ = self.key(self.me)
        for what, name in (("key", access_id), ("user", self.me)):
            code, out, error = self.ozgate("admin", what, "remove", name, said="\n")
            self.assertEqual((code, out), (1, ""))
            self.assertIn("Operation cancelled.", error)
        self.assertEqual(len(self.asked("key", "list", self.me)), 2)

    def test_shown(self) -> None:
        """People are shown tables, programs JSON, and nobody a secret that was made before."""
        self.admin("group", "create", "press")
        self.admin(
            *("user", "create", "alice", "--group", "press", "--policy", "readonly")
        )
        pair = self.key("alice", "--name", "ci", "--read", "--description", "for CI")
        self.assertEqual(pair[0], "alice~ci")
        table = self.admin("user", "list").splitlines()
        self.assertRegex(table[0], r"^USER +STATE +KEYS +GROUPS +POLICIES +CREATED$")
        self.assertRegex(table[1], r"^alice +enabled +1 +press +readonly +20\d\d-")
        [alice, me] = self.asked("user", "list")
        self.assertEqual((alice["name"], alice["keys"]), ("alice", 1))
        self.assertEqual(me["name"], self.me)
        table = self.admin("key", "list", "alice").splitlines()
        self.assertRegex(table[1], r"^alice~ci +alice +enabled +yes .* - +for CI$")
        shown = self.admin("key", "info", "alice~ci")
        self.assertRegex(shown, r"(?m)^created by +" + self.me)
        self.assertIn('"s3:Get*"', shown)
        shown = self.admin("policy", "info", "readonly")
        self.assertRegex(shown, r"(?m)^users +alice$")
        self.assertIn("canned", self.admin("policy", "list"))
        for group in ("user", "group", "policy"):
            name = {"user": "alice", "group": "press", "policy": "readonly"}[group]
            self.assertEqual(self.asked(group, "info", name)["name"], name)
        for what in ("list", "info"):
            rest = () if what == "list" else ("alice~ci",)
            self.assertNotIn(pair[1], self.admin("key", what, *rest, "--json"))
        exported = self.admin("key", "create", "alice", "--export")
        self.assertRegex(exported, "^export AWS_ACCESS_KEY_ID='AKIA[A-Z2-7]{16}'\n")

    def test_refused(self) -> None:
        """What cannot be is refused with a line, and nothing is changed."""
        allow = {"Effect": "Allow", "Action": "s3:*"}
        file = self.document(allow)
        self.refused("MALFORMED_POLICY_DOCUMENT ", "policy", "create", "p", file)
        self.refused("NO_SUCH_ENTITY ", "user", "create", "bob", "--policy", "none")
        self.refused("NO_SUCH_ENTITY ", "key", "create", "nobody")
        self.refused("UNMODIFIABLE_ENTITY ", "policy", "remove", "readonly")
        self.refused("INVALID_REQUEST ", "key", "create", self.me, "--prefix", "x")
        self.assertEqual(
            [each["name"] for each in self.asked("user", "list")], [self.me]
        )

    def test_without_service(self) -> None:
        """While the service is down the command does the same on the stores, and the next start knows it."""
        pair = self.pair("-u", "alice")
        self.process.stop()
        how: dict[str, Any] = {"environment": SECURITY}
        self.admin("user", "attach", "alice", "readonly", **how)
        new = self.asked("key", "create", "alice", "--bucket", "photos", **how)
        self.admin("key", "disable", "alice", **how)
        [alice, _] = self.asked("user", "list", **how)
        self.assertEqual((alice["keys"], alice["policies"]), (2, ["readonly"]))
        self.refused("SECURITY_DISABLED ", "user", "list")
        self.process = self.started(*SECURE)
        self.denied("InvalidAccessKeyId", self.client(self.process, pair).list_buckets)
        made = (new["accessKeyId"], new["secretAccessKey"])
        alice = self.client(self.process, made)
        alice.get_object(Bucket="photos", Key="2026/a")
        self.denied("AccessDenied", alice.put_object, Bucket="photos", Key="2026/a")


class StrangerTests(AdminCase):
    """A user of the machine who is no administrator."""

    def test_refused(self) -> None:
        """Nobody else looks at users, policies and keys or changes them, his own included."""
        self.other_users()
        self.started(*SECURE, "-D", "ozgate.admin.socket.mode=666")
        self.pair(uid=STRANGER)
        me = str(STRANGER)
        for arguments in (
            ("user", "list"),
            ("user", "info", me),
            ("user", "attach", me, "admin"),
            ("group", "create", "wheel"),
            ("policy", "list"),
            ("key", "create", me),
            ("key", "list"),
            ("key", "rotate", me),
            ("key", "enable", me),
        ):
            line = f"PERMISSION_DENIED {STRANGER} is no administrator"
            self.refused(line, *arguments, uid=STRANGER)
        [found] = self.asked("user", "list")
        self.assertEqual((found["name"], found["policies"]), (me, []))

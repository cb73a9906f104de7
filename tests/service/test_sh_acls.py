"""Access control lists that ``ozgate sh`` changes, and whom S3 and the socket of a real service let in then."""

from __future__ import annotations

from typing import Any

from tests.service.commanding import SECURE
from tests.service.shell import STATIC, ShellCase


class AccessTests(ShellCase):
    """What lists open to others, and to whom."""

    def test_second_user(self) -> None:
        """Each right opens what it should, no more, to whom it names, and removing it closes that again."""
        process = self.started(*SECURE, environment=STATIC)
        alice, bob, eve = (self.user(process, x) for x in ("alice", "bob", "eve"))
        alice.create_bucket(Bucket="hers")
        alice.put_object(Bucket="hers", Key="key", Body=b"bytes")
        bucket, key = {"Bucket": "hers"}, {"Bucket": "hers", "Key": "key"}
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "r": ("get_object", key),
            "l": ("list_objects_v2", bucket),
            "w": ("put_object", {**key, "Body": b"more"}),
            "d": ("delete_object", {**bucket, "Key": "absent"}),
        }
        for granted in (*calls, "rl", "a"):
            done = self.sh("bucket", "addacl", "-a", f"user:bob:{granted}", "s3v/hers")
            said = f"ACL user:bob:{granted}[ACCESS] added successfully.\n"
            self.assertEqual(done, said)
            for right, (name, arguments) in calls.items():
                if right in granted or granted == "a":
                    getattr(bob, name)(**arguments)
                else:
                    self.fails("AccessDenied", getattr(bob, name), **arguments)
                self.fails("AccessDenied", getattr(eve, name), **arguments)
            done = self.sh(
                "bucket", "removeacl", "-a", f"user:bob:{granted}", "/s3v/hers"
            )
            self.assertIn("removed successfully.\n", done)
        for name, arguments in calls.values():
            self.fails("AccessDenied", getattr(bob, name), **arguments)
        listed = bob.list_buckets()["Buckets"]
        self.assertEqual(listed, [])

    def test_through_links(self) -> None:
        """A link opens nothing by itself; what is granted through it is granted on its source."""
        process = self.started(*SECURE, environment=STATIC)
        bob = self.user(process, "bob")
        self.script(
            "volume create /vol1",
            "bucket create /vol1/bucket",
            "bucket link /vol1/bucket /s3v/link",
        )
        self.as_root(process).put_object(Bucket="link", Key="key", Body=b"x")
        self.fails("AccessDenied", bob.get_object, Bucket="link", Key="key")
        self.sh("bucket", "addacl", "--acl", "user:bob:r", "/s3v/link")
        bob.get_object(Bucket="link", Key="key")
        self.fails("AccessDenied", bob.put_object, Bucket="link", Key="key")
        found = self.shown("bucket", "getacl", "/vol1/bucket")
        self.assertEqual(self.shown("bucket", "getacl", "--source", "s3v/link"), found)
        self.assertEqual(found[-1]["name"], "bob")
        self.assertNotIn("bob", self.sh("bucket", "getacl", "/s3v/link"))
        self.fails("AccessDenied", bob.delete_bucket, Bucket="link")

    def test_other_local_users(self) -> None:
        """Over the socket the operating system says who asks: others make buckets where they may, and no volumes."""
        self.other_users()
        self.started(*SECURE, "-D", "ozgate.admin.socket.mode=666", environment=STATIC)
        uid = 4_000_001
        denied = f"PERMISSION_DENIED {uid} is no administrator\n"
        found = self.ozgate("sh", "volume", "create", "/vol1", uid=uid)
        self.assertEqual(found, (255, "", denied))
        found = self.ozgate("sh", "bucket", "create", "/s3v/theirs", uid=uid)
        self.assertEqual(found, (0, "", ""))
        self.assertEqual(self.shown("bucket", "info", "s3v/theirs")["owner"], str(uid))
        found = self.ozgate("sh", "bucket", "delete", "/s3v/theirs", uid=uid + 1)
        self.assertEqual(found[0], 255)
        self.assertIn("PERMISSION_DENIED", found[2])

"""Names that are paths elsewhere: in URLs, in documents, in copy sources, in list parameters (F48).

The gateway is over real files here. No path is ever made of a bucket's name or a key: that is seen by Python's audit events, which
name every file that is opened, made, renamed or removed; what is outside of the data folder does not change.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.accesslog import AccessLog, AuditLog
from tests.attack.requests import content_md5
from tests.crash.gate import Gate
from tests.operations.support import Client, Response

MARK = "zqx"
"""Is in every name that an attacker gives, and in no other."""

BUCKET = "bucket"
PATHS = (
    f"../{MARK}",
    f"../../{MARK}",
    f"../../../../../../../../tmp/{MARK}",
    f"a/../../{MARK}",
    f"./{MARK}",
    f"{MARK}/..",
    f"{MARK}/.",
    f"/{MARK}",
    f"//{MARK}",
    f"/etc/{MARK}",
    f"{MARK}\\..\\..\\{MARK}",
    f"..\\{MARK}",
    f"C:\\{MARK}",
    f"\\\\host\\{MARK}",
    f"%2e%2e%2f{MARK}",
    f"%252e%252e%252f{MARK}",
    f"..%2f{MARK}",
    f"..%c0%af{MARK}",
    f"{MARK}\0.txt",
    f"{MARK}\n",
    f"~/{MARK}",
    f"$HOME/{MARK}",
    f"|touch {MARK}",
    f"file:///{MARK}",
    f"../other/{MARK}",
    f"../metadata.db/{MARK}",
    f"../blobs/data/{MARK}",
    f"../../outside/{MARK}",
    f"{MARK}" + "/.." * 60,
    f"{MARK}" + "/" + "x" * 300,
)
"""Keys that are all valid: S3's keys are not paths."""


class Watch:
    """What is done to files, by Python's audit events; a hook cannot be taken away, so there is one for all."""

    names: ClassVar[list[str] | None] = None
    """The names that events had, while a test watches."""
    _hooked: ClassVar[bool] = False

    @classmethod
    def begin(cls) -> None:
        """Watch."""
        if not cls._hooked:
            sys.addaudithook(cls._event)
            cls._hooked = True
        cls.names = []

    @classmethod
    def end(cls) -> list[str]:
        """Stop; the names so far."""
        names, cls.names = cls.names or [], None
        return names

    @classmethod
    def _event(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.names is not None and (
            event == "open" or event.startswith(("os.", "shutil.", "sqlite3."))
        ):
            for each in arguments:
                if isinstance(each, str | bytes | os.PathLike):
                    cls.names.append(os.fsdecode(each))


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


class NameTests(SynchronousTestCase):
    """A gateway in ``outside/data``, with things beside it."""

    def setUp(self) -> None:
        """Make the files, the gateway and two buckets, one of them somebody else's."""
        self.outside = Path(self.mktemp(), "outside").absolute()
        for name in (MARK, f"etc/{MARK}", f"other/{MARK}"):
            path = self.outside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("not to be read, written or removed")
        (self.outside / "data").mkdir()
        self.gate = Gate(str(self.outside / "data"))
        self.gate.open()
        self.addCleanup(self.gate.close)
        settings = self.gate.gateway.settings
        logs = AccessLog(settings), AuditLog(settings)
        self.client = Client(self.gate.gateway, *logs)
        self.addCleanup(Watch.end)
        self.ask("PUT", f"/{BUCKET}")
        self.ask("PUT", "/other", who="other")
        self.ask("PUT", f"/other/{MARK}", b"another's", who="other")
        self.before = self.around()
        Watch.begin()

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        who: str = "testuser",
    ) -> Response:
        """A signed request."""
        asked = self.client.as_user(who).begin(method, target, headers, body)
        response: Response = self.gate.loop.wait(asked)
        return response

    def around(self) -> dict[str, bytes | None]:
        """Everything beside the data folder."""
        everything = tree(self.outside).items()
        return {name: data for name, data in everything if name[:4] != "data"}

    def check_files(self) -> list[str]:
        """Assert that no file was named by an attacker, and that nothing changed outside.

        :return: what was named.
        """
        named = Watch.end()
        self.assertEqual([name for name in named if MARK in name.lower()], [])
        self.assertEqual(self.around(), self.before)
        inside = [name for name in tree(self.outside / "data") if MARK in name]
        self.assertEqual(inside, [])
        answer = self.ask("GET", f"/other/{MARK}", who="other")
        self.assertEqual(answer.body, b"another's")
        return named

    def targets(self) -> Iterator[tuple[str, str]]:
        """Keys, each with the targets that name it: encoded, encoded with its slashes, and as it is."""
        for key in PATHS:
            yield key, f"/{BUCKET}/{quote(key)}"
            yield key, f"/{BUCKET}/{quote(key, safe='')}"

    def test_urls(self) -> None:
        """A key in a URL is the key, byte for byte, however much it looks like a path; large objects have files too (RustFS GHSA-8r6f, -f4vq)."""
        large = b"x" * 100_000
        for number, (key, target) in enumerate(self.targets()):
            body = large if number % 4 == 0 else b"small"
            self.assertEqual(self.ask("PUT", target, body).status, 200, key)
            self.assertEqual(self.ask("GET", target).body, body, key)
            copy = {"x-amz-copy-source": f"/{BUCKET}/{quote(key, safe='')}"}
            copied = self.ask("PUT", f"/{BUCKET}/{MARK}-copy", headers=copy)
            self.assertEqual(copied.status, 200, key)
            begun = self.ask("POST", f"{target}?uploads")
            # Not read as XML: a NUL in a key makes what no reader takes.
            upload_id = begun.body.partition(b"<UploadId>")[2].partition(b"<")[0]
            upload = f"{target}?partNumber=1&uploadId={upload_id.decode()}"
            self.assertEqual(self.ask("PUT", upload, large).status, 200, key)
            self.assertEqual(self.ask("PUT", upload, headers=copy).status, 200, key)
            self.assertEqual(self.ask("DELETE", target).status, 204, key)
        named = self.check_files()
        self.assertTrue(any("/blobs/" in name for name in named), named[:9])

    def test_targets_as_they_are(self) -> None:
        """A target with dots that nobody encoded names a key with dots, or is refused; no bucket is left by it."""
        for target in (
            f"/{BUCKET}/../other/{MARK}",
            f"/{BUCKET}/../../outside/{MARK}",
            f"/{BUCKET}/%2e%2e/other/{MARK}",
            f"/{BUCKET}/..;/other/{MARK}",
            f"/{BUCKET}/..%5Cother%5C{MARK}",
            f"/{BUCKET}//other/{MARK}",
        ):
            self.assertEqual(self.ask("PUT", target, b"mine").status, 200, target)
            self.assertEqual(self.ask("GET", target).body, b"mine", target)
            self.assertEqual(self.ask("DELETE", target).status, 204, target)
        for target in (
            f"/../other/{MARK}",
            f"/./other/{MARK}",
            f"//other/{MARK}",
            f"/{BUCKET}%2F..%2Fother/{MARK}",
            f"/%2e%2e/other/{MARK}",
            f"/..%2Fother/{MARK}",
            f"/{BUCKET}\\..\\other/{MARK}",
            f"/OTHER/{MARK}",
            f"/other%00/{MARK}",
        ):
            for method in ("PUT", "GET", "DELETE"):
                answer = self.ask(method, target, b"mine" if method == "PUT" else b"")
                self.assertEqual(answer.code, "InvalidBucketName", (method, target))
        self.check_files()

    def test_delete_objects(self) -> None:
        """Keys in a document are keys of the bucket that was authorized (SeaweedFS CVE-2026-58372).

        SeaweedFS checked names in URLs alone: a name with dots in the body of DeleteObjects removed another bucket's objects.
        """
        keys = [key for key in PATHS if "\0" not in key]
        named = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
        body = f"<Delete>{named}</Delete>".encode()
        digest = {"content-md5": content_md5(body)}
        answer = self.ask("POST", f"/{BUCKET}?delete", body, digest)
        self.assertEqual(len(answer.texts("Deleted/Key")), len(keys))
        self.check_files()

    def test_copy_sources(self) -> None:
        """A copy's source is a bucket and a key: nothing leads from one's own bucket to another's (SeaweedFS CVE-2026-54917).

        SeaweedFS authorized bucket A, then resolved ``..`` in the name, and read or wrote in bucket B.
        """
        begun = self.ask("POST", f"/{BUCKET}/mp?uploads")
        part = f"/{BUCKET}/mp?partNumber=1&uploadId={begun.text('UploadId')}"
        for source in (
            f"/{BUCKET}/../other/{MARK}",
            f"{BUCKET}/../other/{MARK}",
            f"{BUCKET}%2F..%2Fother%2F{MARK}",
            f"{BUCKET}/%2e%2e/other/{MARK}",
            f"{BUCKET}/%252e%252e/other/{MARK}",
            f"../other/{MARK}",
            f"./other/{MARK}",
            f"//other/{MARK}",
            f"other/{MARK}",
            f"/other/{MARK}?versionId=null",
            f"{BUCKET}\\..\\other\\{MARK}",
            f"file:///{self.outside}/{MARK}",
            f"http://127.0.0.1/other/{MARK}",
            f"arn:aws:s3:::other/{MARK}",
            f"{self.outside}/{MARK}",
        ):
            for target in (f"/{BUCKET}/copy", part):
                answer = self.ask("PUT", target, headers={"x-amz-copy-source": source})
                self.assertIn(answer.status, (400, 403, 404), (source, answer))
        self.assertEqual(self.ask("GET", f"/{BUCKET}/copy").status, 404)
        self.check_files()

    def test_listings(self) -> None:
        """Prefixes, markers and tokens of listings are compared with keys, and are no paths."""
        for key in PATHS:
            text = quote(key, safe="")
            for query in (
                f"prefix={text}&delimiter={text}",
                f"list-type=2&start-after={text}",
                f"list-type=2&continuation-token={text}",
                f"versions&key-marker={text}",
                f"uploads&key-marker={text}&upload-id-marker={text}",
            ):
                answer = self.ask("GET", f"/{BUCKET}?{query}")
                self.assertIn(answer.status, (200, 400), (query, answer))
                self.assertNotIn(b"another", answer.body)
        self.check_files()

    def test_names_of_other_things(self) -> None:
        """Upload ids, version ids and access keys are looked up, never opened."""
        for name in PATHS:
            text = quote(name, safe="")
            for method, query in (
                ("PUT", f"partNumber=1&uploadId={text}"),
                ("GET", f"uploadId={text}"),
                ("DELETE", f"uploadId={text}"),
                ("GET", f"versionId={text}"),
                ("DELETE", f"versionId={text}"),
                ("GET", f"inventory&id={text}"),
                ("GET", f"annotation&annotationName={text}"),
            ):
                scope = f"/{BUCKET}" if query.startswith("inv") else f"/{BUCKET}/key"
                answer = self.ask(method, f"{scope}?{query}")
                self.assertGreaterEqual(answer.status, 400, (query, answer))
        self.check_files()

"""What the tests of versions share: a bucket whose versioning is changed by asking for it, and what can be seen of its versions."""

from __future__ import annotations

from tests.operations.past import PastTestCase
from tests.operations.support import Response, checked

UNKNOWN = "0" * 32
"""A version id that no version has."""


def configuration(status: str, more: str = "") -> bytes:
    """A document ``VersioningConfiguration``."""
    return f"<VersioningConfiguration><Status>{status}</Status>{more}</VersioningConfiguration>".encode()


class VersionedTestCase(PastTestCase):
    """Puts and deletes versions."""

    async def versioning(self, status: str, path: str = "/bucket") -> None:
        """Set the state of a bucket."""
        body = configuration(status)
        asked = self.client.request("PUT", f"{path}?versioning", checked(body), body)
        response = await asked
        self.assertEqual((response.status, response.body), (200, b""))

    async def store(self, body: bytes = b"", target: str = "/bucket/key") -> str:
        """Put an object; the version id that the answer says, ``""`` where it says none."""
        response = await self.put(body, target)
        return response.headers.get("x-amz-version-id", "")

    async def delete(self, target: str = "/bucket/key", **headers: str) -> Response:
        """Delete an object, or a version of it, which must succeed."""
        response = await self.ask("DELETE", target, **headers)
        self.assertEqual((response.status, response.body), (204, b""))
        return response

    async def mark(self, target: str = "/bucket/key") -> str:
        """Hide an object by a delete marker; its version id."""
        headers = (await self.delete(target)).headers
        self.assertEqual(headers["x-amz-delete-marker"], "true")
        return headers["x-amz-version-id"]

    async def history(self, path: str = "/bucket") -> list[str]:
        """All versions of all keys, in order: key, id, whether it is the latest (``!``) or a delete marker (``-``)."""
        root = (await self.ask("GET", f"{path}?versions")).xml()
        rows = [row for row in root if row.tag in ("Version", "DeleteMarker")]
        return [
            f"{row.findtext('Key')} {row.findtext('VersionId')}"
            + ("!" if row.findtext("IsLatest") == "true" else "")
            + ("-" if row.tag == "DeleteMarker" else "")
            for row in rows
        ]

    async def doomed(self, *objects: tuple[str, str], more: str = "") -> Response:
        """DeleteObjects of keys and versions, ``""`` for the current object."""
        rows = [
            f"<Object><Key>{key}</Key>{version and f'<VersionId>{version}</VersionId>'}{more}</Object>"
            for key, version in objects
        ]
        body = f"<Delete>{''.join(rows)}</Delete>".encode()
        return await self.ask("POST", "/bucket?delete", body, **dict(_md5(body)))


def _md5(body: bytes) -> list[tuple[str, str]]:
    return [("content_md5", checked(body)["content-md5"])]

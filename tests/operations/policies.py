"""What tests of policies stand on: a bucket with objects, users with policies, and whoever did not sign."""

from __future__ import annotations

from typing import Any

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.configuration.bucketpolicy import KIND
from ozgate.s3.configuration.publicaccess import DELETED, PUBLIC_ACCESS
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Claim, User
from tests.operations.past import VOLUME
from tests.operations.rights import AuthorizationTestCase
from tests.operations.support import Response, checked
from tests.unit.s3.policy.documents import document

TARGET = "/bucket?policy"


class PolicyTestCase(AuthorizationTestCase):
    """The bucket is ``testuser``'s; ``other`` and ``somebody`` are users who own nothing."""

    async def _fill(self) -> None:
        await super()._fill()
        for name in ("other", "somebody"):
            await self.client.gateway.metadata.write(_add_user, name)

    async def put_policy(
        self, *statements: dict[str, Any], target: str = TARGET, **headers: str
    ) -> Response:
        """Put a policy by the owner."""
        body = document(*statements)
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.client.request("PUT", target, {**checked(body), **sent}, body)

    async def have_policy(
        self, *statements: dict[str, Any], name: str = "bucket"
    ) -> None:
        """Have a policy stored, whatever S3 would say to that."""
        await self.store(KIND, document(*statements), name)

    async def open(self, name: str = "bucket") -> None:
        """Take all public access blocks from a bucket."""
        await self.store(
            PUBLIC_ACCESS.kind, PUBLIC_ACCESS.document.render(DELETED), name
        )

    async def store(self, kind: str, data: bytes | None, name: str = "bucket") -> None:
        """Store a document of a bucket."""
        write = self.client.gateway.metadata.write
        await write(_store, VOLUME, name, kind, data)

    async def ask_as(
        self,
        who: str | None,
        method: str,
        target: str = "/bucket/key",
        body: bytes = b"",
        **headers: str,
    ) -> tuple[int, str | None]:
        """Status and code of what a user is answered; ``None``: nobody."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        response = await self.client.as_user(who or "").request(
            method, target, sent, body, signed=who is not None
        )
        failed = response.status >= 400 and response.body
        return response.status, response.code if failed else None

    async def check_may(
        self, who: str | None, method: str, *args: Any, **headers: str
    ) -> None:
        """Assert that somebody may."""
        status, code = await self.ask_as(who, method, *args, **headers)
        self.assertLess(status, 300, (who, method, args, code))

    async def check_may_not(
        self, who: str | None, method: str, *args: Any, **headers: str
    ) -> None:
        """Assert that somebody may not."""
        said = None if method == "HEAD" else "AccessDenied"
        found = await self.ask_as(who, method, *args, **headers)
        self.assertEqual(found, (403, said), (who, method, args))


def _add_user(tx: IMetadataTransaction, name: str) -> None:
    tx.claim(Claim.user(name))
    tx.put_user(User(name, f"ID{name}", 0))


def _store(
    tx: IMetadataTransaction, volume: str, name: str, kind: str, data: bytes | None
) -> None:
    found = tx.bucket(volume, name)
    assert found is not None
    claim_whole(tx, found)
    tx.set_configuration(found, kind, data)

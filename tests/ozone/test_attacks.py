"""The attacks of :mod:`tests.attack` on signatures, where an OM has the secrets: it looks at nothing but the HMAC, and all else is the gate's.

The gateway is in memory, with buckets of its own; who signed is found out by the OM of a secure cluster, as in a service that is in front of one. Whatever the OM would
believe is among the mutations: dates long ago, another path, another body, headers that came on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.defer import Deferred, execute
from zope.interface import implementer

from ozgate.errors import Absent
from ozgate.foreign.ozone.client import Client
from ozgate.foreign.ozone.verifying import (
    can_be_right,
    check_form,
    signatory_of,
    who_signed,
)
from ozgate.interfaces import IVerifier
from ozgate.s3.app import make_site
from ozgate.s3.operations import Operation
from ozgate.values import OnBehalf, Presented, Signatory
from tests.attack import test_chunks, test_signatures
from tests.attack.requests import Draft
from tests.attack.support import AttackTestCase
from tests.engines.given import secure
from tests.operations.support import SECRETS
from tests.ozone.secured import administer, client_of

if TYPE_CHECKING:
    _Base = AttackTestCase
else:
    _Base = object

CHOSEN = ("GetObject", "PutObject", "DeleteObject", "ListObjectsV2", "UploadPart")
"""Operations that are attacked here: each mutation is a call of the OM. All of them are in :mod:`tests.attack`."""


@implementer(IVerifier)
class Manager:
    """An OM that is waited for.

    :param named: the access ids that it has for those of the tests.
    """

    def __init__(self, client: Client, named: Mapping[str, str]) -> None:
        self._client = client
        self._named = named
        self._users = {each.partition("@")[0]: name for name, each in named.items()}
        self.asked = 0

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`IVerifier`; an access id that the tests have none for is said to be nobody's."""
        return execute(self._verify, presented)

    def _verify(self, presented: Presented) -> Signatory | None:
        check_form(presented)
        if presented.access_id not in self._named:
            raise Absent()
        if not can_be_right(presented):
            return None
        self.asked += 1
        meant = evolve(presented, access_id=self._named[presented.access_id])
        client = self._client
        client.take_on(OnBehalf(presented=meant))
        try:
            user = who_signed(client, meant.access_id)
        finally:
            client.clear()
        return signatory_of(user and self._users[user], presented)


class OverManager(_Base):
    """Has an OM verify."""

    async def setUp(self) -> None:
        """The secrets of the tests are the OM's."""
        ozone = secure()
        client = client_of(ozone)
        named = {each: f"identity-{each}@{ozone.realm}" for each in SECRETS}

        def keep(store: Any) -> None:
            for each, access_id in named.items():
                try:
                    store.getS3Secret(access_id)
                except Exception as error:
                    if "ALREADY_EXISTS" not in str(error):
                        raise
                store.getClientProxy().setS3Secret(access_id, SECRETS[each])

        def forget(store: Any) -> None:
            for access_id in named.values():
                store.revokeS3Secret(access_id)

        administer(client, ozone, keep)
        self.addCleanup(administer, client, ozone, forget)
        await super().setUp()
        over = self.client
        self.manager = Manager(client, named)
        logs = over.access_log, over.audit_log
        over.site = make_site(self.clock, over.gateway, self.manager, *logs)
        built = [row for row in test_chunks.BUILT if row.name in CHOSEN]
        self.patch(test_chunks, "BUILT", built)

    def drafts(self) -> Iterator[tuple[Operation, Draft]]:
        """See :class:`AttackTestCase`."""
        return (each for each in super().drafts() if each[0].name in CHOSEN)


class MutatedTests(OverManager, test_signatures.MutationTests):
    """Some operations, every mutation."""

    def test_version_2(self) -> None:
        """A URL presigned in the manner of version 2 is not sent to the OM, however well it was."""
        for row, draft in self.drafts():
            sent = draft.presigned_2()
            self.assertEqual(self.send_sent(sent), (501, "NotImplemented"), row.name)
        self.assertEqual(self.manager.asked, 0)


class ChunkTests(OverManager, test_chunks.SignedChunkTests):
    """Bodies signed in chunks: each signature is the OM's to verify."""


class TrailerTests(OverManager, test_chunks.TrailerTests):
    """The same with trailers."""

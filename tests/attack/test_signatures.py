"""Every mutation of a signature, on every operation of the table: refused as S3 refuses it, and nothing changes.

The operations come from :data:`~ozgate.s3.operations.OPERATIONS`, so that one that is added later is attacked too.
The rules themselves, one by one, are in ``tests.unit.auth.test_sigv4`` and its neighbors; signatures of chunks are in
:mod:`tests.attack.test_chunks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ozgate.auth.sigv2 import SUB_RESOURCES
from ozgate.s3.app import make_site
from ozgate.s3.operations import OPERATIONS, Operation
from tests.attack.mutations import Mutation, of_header_form
from tests.attack.presigned import of_presigned_form, of_version_2
from tests.attack.requests import Draft, Sent
from tests.attack.support import AttackTestCase
from tests.operations.support import HOST


class MutationTests(AttackTestCase):
    """Every operation, every mutation."""

    def attack(
        self,
        row: Operation,
        draft: Draft,
        as_is: Callable[[Draft], Sent],
        mutations: Callable[[Operation, Draft], Iterator[Mutation]],
    ) -> list[str]:
        """What is wrong about the answers to all mutations of a request."""
        expected = self.baseline(row, as_is(draft))
        before = self.holds()
        return [
            wrong
            for mutation in mutations(row, draft)
            for wrong in self.wrongs(row, expected, mutation, before)
        ]

    def test_authorization_header(self) -> None:
        """A request signed in its header is refused when anything of it was changed, or was signed otherwise."""
        found = []
        for row, draft in self.drafts():
            found += self.attack(row, draft, Draft.signed, of_header_form)
        self.assertEqual(found, [])

    def test_presigned(self) -> None:
        """A presigned URL is refused when anything of it was changed, or was signed otherwise (Swift's tempurl, OSSA 2014 and 2015).

        There, a URL for one object was good for others, and for more than its method.
        """
        found = []
        for row, draft in self.drafts():
            found += self.attack(row, draft, Draft.presigned, of_presigned_form)
        self.assertEqual(found, [])

    def test_version_2(self) -> None:
        """A URL presigned in the manner of version 2 is refused when anything was changed that this version covers."""
        found = []
        for row, draft in self.drafts():
            if SUB_RESOURCES.issuperset(n for n, _ in draft.query if n != "x-id"):
                found += self.attack(row, draft, Draft.presigned_2, of_version_2)
        self.assertEqual(found, [])


class WithoutCredentialsTests(AttackTestCase):
    """Requests of nobody."""

    def test_security_off(self) -> None:
        """While signatures are not verified, a request without credentials is denied all the same, whatever it asks for."""
        client = self.client
        client.site = make_site(
            self.clock, client.gateway, None, client.access_log, client.audit_log
        )
        before = self.holds()
        for row, draft in self.drafts():
            for sent in (
                draft.signed().having("authorization", None),
                Sent(draft.method, draft.path, (("host", HOST),), draft.body),
            ):
                self.assertEqual(self.send_sent(sent), (403, "AccessDenied"), row.name)
        self.assertEqual(self.holds(), before)

    def test_token_security_off(self) -> None:
        """While signatures are not verified, nobody's session is either: clients that have a token of AWS are served."""
        client = self.client
        client.site = make_site(
            self.clock, client.gateway, None, client.access_log, client.audit_log
        )
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        sent = self.draft(row).having(x_amz_security_token="x").signed()
        self.assertEqual(self.send_sent(sent), (200, ""))

    def test_empty_token(self) -> None:
        """A token that is empty is none."""
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        sent = self.draft(row).having(x_amz_security_token="").signed()
        self.assertEqual(self.send_sent(sent), (200, ""))

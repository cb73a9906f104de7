"""What the tests of attacks stand on: a gateway in memory with something of everything, and what it makes of an attack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ozgate.s3.operations import OPERATIONS, Gate, Operation
from ozgate.testing.inmemory import settle, talk
from tests.attack.mutations import ACCEPTED, Mutation
from tests.attack.requests import DOCUMENTS, Draft, Sent, draft_for
from tests.operations.rights import AuthorizationTestCase
from tests.operations.uploads import complete_document

Outcome = tuple[int, str]
"""HTTP status, and S3's code; ``""`` where it is no error."""

_status = re.compile(rb"HTTP/1\.1 (\d{3}) ").match
_code = re.compile(rb"<Code>(\w+)</Code>").search


class AttackTestCase(AuthorizationTestCase):
    """Sends what no client would.

    The bucket is ``testuser``'s, with an object, its tags, another object and an upload of a part.

    :ivar heard: all that was answered last.
    """

    heard = b""

    async def _fill(self) -> None:
        await super()._fill()
        await self.put(b"another", "/bucket/other")
        completion = complete_document([(1, self.etag)])
        self.documents: Mapping[str, bytes] = {
            **DOCUMENTS,
            "CompleteMultipartUpload": completion,
        }

    def draft(self, row: Operation) -> Draft:
        """A request for an operation, not yet signed."""
        return draft_for(row, self.clock.seconds(), self.upload_id, self.documents)

    def draft_of(self, name: str) -> Draft:
        """The same, by the operation's name."""
        (row,) = (row for row in OPERATIONS if row.name == name)
        return self.draft(row)

    def drafts(self) -> Iterator[tuple[Operation, Draft]]:
        """A request for each row of the table, but for preflights, which nobody signs, and forms, which are signed in their fields: see :mod:`tests.operations.test_post_object`."""
        for row in OPERATIONS:
            if row.gate not in (Gate.PREFLIGHT, Gate.FORM):
                yield row, self.draft(row)

    def outcome(self, octets: bytes) -> Outcome:
        """What is answered to bytes that come at once."""
        errors = self.client.gateway.tally.errors
        before = dict(errors)
        talked = talk(self.client.site, self.clock, octets)
        settle(self.clock)
        said: bytes = self.successResultOf(talked)
        self.heard = said
        status, code = _status(said), _code(said)
        assert status is not None, said
        if code is not None and int(status[1]) >= 400:
            return int(status[1]), code[1].decode()
        # The answer to HEAD has no document: what was counted tells.
        counted = [name for name, n in errors.items() if n > before.get(name, 0)]
        return int(status[1]), counted[0] if counted else ""

    def send_sent(self, sent: Sent) -> Outcome:
        """What is answered to a request."""
        return self.outcome(sent.octets())

    def undo(self, before: tuple[Any, dict[str, bytes]]) -> None:
        """Hold again what was held then."""
        gateway: Any = self.client.gateway
        gateway.metadata.restore(before[0])
        gateway.blobs.default.data = dict(before[1])

    def baseline(self, row: Operation, sent: Sent) -> Outcome:
        """What is answered to a request as it should be: it passes the gate. What it did is undone."""
        before = self.holds()
        found = self.send_sent(sent)
        self.assertNotIn(
            found[1],
            ("AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
            row.name,
        )
        self.assertTrue(row.perform is not None or found[0] == 501, (row.name, found))
        self.undo(before)
        return found

    def wrongs(
        self, row: Operation, expected: Outcome, mutation: Mutation, before: Any
    ) -> Iterator[str]:
        """What is wrong about the answer to a mutation.

        :param expected: the answer to the request as it was.
        :param before: all that is stored; it is restored where the mutation was to be accepted.
        """
        status, code = self.send_sent(mutation.sent)
        said = f"{row.name}: {mutation.name}: {status} {code or 'no error'}"
        if mutation.code == ACCEPTED:
            if (status, code) != expected:
                yield f"{said}, not {expected}"
            self.undo(before)
        elif code != mutation.code or status < 400:
            yield f"{said}, not {mutation.code}"
        if self.holds() != before:
            yield f"{said}: something changed"
            self.undo(before)

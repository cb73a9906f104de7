"""Every operation of the table, asked by everybody, directly and through a link: what each may is in a table here, whatever the code says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import evolve, frozen

from ozgate.auth.identities.users import attach_user_policy, disable_user
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.configuration.publicaccess import DELETED, PUBLIC_ACCESS
from ozgate.s3.operations import OPERATIONS, Gate, Operation
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Session
from ozgate.wire.target import Scope
from tests.attack.support import Outcome
from tests.attack.test_sessions import SessionTestCase, in_header
from tests.operations.past import VOLUME
from tests.operations.support import SECRETS

OTHERS: Final = (Gate.PREFLIGHT, Gate.FORM)
"""Gates of requests that say otherwise who asks, or that nobody does: they have tests of their own."""
REFUSED: Final = ("AccessDenied", "InvalidAccessKeyId", "ExpiredToken")

OF_ANYBODY: Final = frozenset(
    """
    AbortMultipartUpload CompleteMultipartUpload DeleteObject DeleteObjectTagging DeleteObjects GetBucketAcl GetBucketCors GetBucketLocation
    GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold
    GetObjectRetention GetObjectTagging HeadBucket HeadObject ListMultipartUploads ListObjectVersions ListObjects ListObjectsV2 ListParts PutObject
    PutBucketAcl PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging UploadPart
    """.split()
)
"""What may be granted to whoever did not sign."""
OF_USERS: Final = frozenset(("CreateBucket", "ListBuckets"))
"""What whoever signed may do, whom nothing is granted."""
OF_LINKS: Final = frozenset(("CreateBucket", "DeleteBucket"))
"""What is about the link itself."""
OF_READERS: Final = frozenset(
    ("GetObject", "HeadBucket", "HeadObject", "ListObjects", "ListObjectsV2")
)
"""What :data:`READING` leaves of what its caller may."""
ALL: Final = frozenset(row.name for row in OPERATIONS)
NONE: Final[frozenset[str]] = frozenset()

POLICY: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        },
    }
).encode()
"""It grants everything to everybody."""

READING: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": "arn:aws:s3:::bucket*",
        },
    }
).encode()
"""What a session is narrowed to."""


@frozen
class Caller:
    """Whoever signs.

    :ivar token: of a session; ``""`` where it is none.
    """

    access_id: str
    secret: str
    token: str = ""


@frozen
class Case:
    """How the bucket is, and what each caller may then.

    :ivar is_granted: whether its policy grants everything to everybody.
    :ivar is_open: whether no public access is blocked.
    :ivar may: caller → the operations that are not refused.
    :ivar by_link: the same, where they are asked through a link of the owner's.
    """

    name: str
    is_granted: bool
    is_open: bool
    may: Mapping[str, frozenset[str]]
    by_link: Mapping[str, frozenset[str]]


GONE: Final = dict.fromkeys(
    (
        "revoked",
        "expired",
        "session that is over",
        "session of a revoked key",
        "session of a disabled user",
    ),
    NONE,
)
MASTERS: Final = {
    **dict.fromkeys(("owner", "administrator", "session"), ALL),
    "narrowed session": OF_READERS,
}
"""A session is the owner's, and so is one that is narrowed, whatever is granted."""
CASES: Final = (
    Case(
        "nothing is granted",
        False,
        True,
        {**MASTERS, **GONE, "other": OF_USERS, "nobody": NONE},
        {**MASTERS, **GONE, "other": OF_USERS, "nobody": NONE},
    ),
    Case(
        "everything is granted to everybody",
        True,
        True,
        {**MASTERS, **GONE, "other": ALL, "nobody": OF_ANYBODY},
        {**MASTERS, **GONE, "other": ALL - {"DeleteBucket"}, "nobody": NONE},
    ),
    Case(
        "it is, and public access is blocked",
        True,
        False,
        {**MASTERS, **GONE, "other": ALL, "nobody": NONE},
        {**MASTERS, **GONE, "other": ALL - {"DeleteBucket"}, "nobody": NONE},
    ),
)


class EverybodyTests(SessionTestCase):
    """All of it."""

    async def _fill(self) -> None:
        await super()._fill()
        await self.link("link", "bucket", "world::r")
        self.callers: dict[str, Caller | None] = {
            **await self._keys(),
            **await self._sessions(),
        }
        self.clock.advance(61)

    async def _keys(self) -> dict[str, Caller | None]:
        revoked = await self.issue("testuser", "revoked")
        await self.secrets.revoke(revoked)
        access_ids = {
            "owner": "testuser",
            "administrator": await self.issue("boss"),
            "other": "other",
            "revoked": revoked,
            "expired": await self.issue("testuser", "expired", ttl=60),
        }
        made = {name: Caller(each, SECRETS[each]) for name, each in access_ids.items()}
        return {**made, "nobody": None}

    async def _sessions(self) -> dict[str, Caller]:
        """Sessions of the owner, and of a user who had all rights until he was disabled."""
        write = self.client.gateway.metadata.write
        session, key = await self.make(), await self.issue("testuser", "ending")
        gone = await self.issue("gone")
        await write(attach_user_policy, "gone", "admin")
        made = {
            "session": session,
            "narrowed session": await self.make(limits=(READING,)),
            "session that is over": evolve(session, expires=session.issued + 60_000),
            "session of a revoked key": await self.make(key),
            "session of a disabled user": await self.make(gone),
        }
        await self.secrets.revoke(key)
        await write(disable_user, "gone", True)
        return {name: self._in(each) for name, each in made.items()}

    def _in(self, session: Session) -> Caller:
        return Caller(session.access_id, session.secret, self.tokens.seal(session))

    def have(self, case: Case) -> None:
        """Make the bucket so."""
        documents = {
            "policy": POLICY if case.is_granted else None,
            PUBLIC_ACCESS.kind: PUBLIC_ACCESS.document.render(DELETED)
            if case.is_open
            else None,
        }
        write = self.client.gateway.metadata.write
        self.successResultOf(write(_store, documents))

    def answer(self, row: Operation, who: Caller | None, path: str) -> Outcome:
        """What somebody is answered; what it did is undone."""
        before = self.holds()
        draft = self.draft(row)
        draft = evolve(draft, path=draft.path.replace("/bucket", path, 1))
        if who is None:
            sent = draft.signed().having("authorization", None)
        else:
            draft = evolve(draft, access_id=who.access_id, secret=who.secret)
            sent = in_header(draft, who.token) if who.token else draft.signed()
        found = self.send_sent(sent)
        if row.name == "DeleteObjects" and b"<Code>AccessDenied<" in self.heard:
            # Of this one policies speak key by key.
            found = (found[0], "AccessDenied")
        if found[1] in REFUSED:
            self.assertEqual(self.holds(), before, (row.name, who))
        self.undo(before)
        return found

    def wrongs(self, case: Case, path: str) -> Iterator[str]:  # type: ignore[override]
        """What is not as the table says."""
        may = case.may if path == "/bucket" else case.by_link
        for row in OPERATIONS:
            if row.gate in OTHERS or (path != "/bucket" and not _is_inside(row)):
                continue
            for caller, who in self.callers.items():
                found = self.answer(row, who, path)
                expected = row.name in may[caller]
                if row.perform is None:
                    # Whoever signed is told so.
                    expected = caller not in ("nobody", *GONE)
                if (found[1] not in REFUSED) is not expected:
                    yield f"{case.name}: {row.name} by {caller} at {path}: {found}"

    def test_directly(self) -> None:
        """Each operation does for each caller what the table says, or is refused and changes nothing."""
        for case in CASES:
            self.have(case)
            self.assertEqual(list(self.wrongs(case, "/bucket")), [])

    def test_through_a_link(self) -> None:
        """Through a link too, where nobody is who did not sign; what is about the link itself is for its owner."""
        for case in CASES:
            self.have(case)
            self.assertEqual(list(self.wrongs(case, "/link")), [])

    def test_sees_something(self) -> None:
        """The table is one of what there is, and its callers differ."""
        self.assertLessEqual(OF_ANYBODY | OF_USERS | OF_LINKS, ALL)
        self.assertEqual(len({case.name for case in CASES}), len(CASES))
        for case in CASES:
            self.assertEqual(case.may.keys(), self.callers.keys())
            self.assertEqual(case.by_link.keys(), self.callers.keys())


def _is_inside(row: Operation) -> bool:
    return row.scope is not Scope.SERVICE


def _store(tx: IMetadataTransaction, documents: Mapping[str, Any]) -> None:
    found = tx.bucket(VOLUME, "bucket")
    assert found is not None
    claim_whole(tx, found)
    for kind, data in documents.items():
        tx.set_configuration(found, kind, data)

"""S3's lists as headers say them, and users by their canonical ids."""

from __future__ import annotations

from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InvalidArgument
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3 import knownusers
from ozgate.s3.grantees import GROUP, PRIVATE, USER, Wanted, stated_in
from ozgate.s3.knownusers import names_of
from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.grants import OF_BUCKETS, Grant
from ozgate.values import Claim, Secret, User
from ozgate.wire.headers import Headers
from tests.unit.s3.policy.test_lists import LISTS
from tests.unit.s3.receiving import Connection, ReceiveCase

VALUES = st.text(st.characters(exclude_characters='",', categories=("L", "N", "P")))


class HeaderTests(SynchronousTestCase):
    """The headers ``x-amz-grant-…``."""

    def test_pairs(self) -> None:
        """Kinds in any capitals, with quotes or without, with blanks or without."""
        headers = Headers(
            {
                "x-amz-grant-read": 'id="a b", URI=http://x/y ,emailAddress = "c@d"',
                "x-amz-grant-write-acp": "id=",
            }
        )
        self.assertEqual(
            stated_in(headers),
            [
                (USER, "a b", "READ"),
                (GROUP, "http://x/y", "READ"),
                ("AmazonCustomerByEmail", "c@d", "READ"),
                (USER, "", "WRITE_ACP"),
            ],
        )
        self.assertEqual(stated_in(Headers({"x-amz-acl": "private"})), [])

    def test_malformed(self) -> None:
        """Whatever is no list of pairs is refused, whole."""
        for value in ("", "a", "id", '"id=a"', 'id="a', 'id=a"', "id=a b", "id=a,,id=b", "name=a"):  # fmt: skip
            with self.assertRaises(InvalidArgument, msg=value):
                stated_in(Headers({"x-amz-grant-read": value}))

    @given(st.lists(VALUES, min_size=1))
    def test_read_back(self, values: list[str]) -> None:
        """What is written in quotes is read as it was."""
        header = ", ".join(f'id="{value}"' for value in values)
        found = stated_in(Headers({"x-amz-grant-read": header}))
        self.assertEqual(found, [(USER, value, "READ") for value in values])

    def test_cost(self) -> None:
        """A header of blanks costs no more than its length."""
        for value in (
            "id=a" + " " * 60_000 + "x",
            "id" + " " * 60_000,
            "id=a " * 12_000,
        ):
            began = perf_counter()
            with self.assertRaises(InvalidArgument):
                stated_in(Headers({"x-amz-grant-read": value}))
            self.assertLess(perf_counter() - began, 0.5)

    @given(st.one_of(LISTS.map(lambda grants: Wanted(grants=grants)), st.sampled_from(sorted(OF_BUCKETS)).map(Wanted)))  # fmt: skip
    def test_kept(self, wanted: Wanted) -> None:
        """What an upload keeps is read as it was."""
        self.assertEqual(Wanted.unpack(wanted.pack()), wanted)

    def test_private(self) -> None:
        """What is not said gives the owner all."""
        self.assertEqual(PRIVATE.of("a", "b"), (Grant("a", "FULL_CONTROL"),))


class KnownTests(ReceiveCase):
    """Users by their ids."""

    def test_found(self) -> None:
        """Whoever asks, has a secret or a row, is found, over any number of pages; nobody else is."""
        self.patch(knownusers, "_PAGE", 2)
        names = ["alice@EXAMPLE.COM", *(f"user{number}" for number in range(5))]
        for name in names:
            self.successResultOf(self.metadata.write(_issue, name))
        self.successResultOf(self.metadata.write(_add_user, "row"))
        call = self.call(Connection(b"", 0))
        ids = {canonical_id(name): name for name in (*names, "somebody", "row")}
        finding = ensureDeferred(
            names_of(call, {*ids, canonical_id("nobody"), "", "x"})
        )
        for _ in range(10):
            self.clock.advance(0)
        self.assertEqual(self.successResultOf(finding), ids)


def _issue(tx: IMetadataTransaction, name: str) -> None:
    tx.claim(Claim.secret(name))
    tx.put_secret(Secret(name, name, b"s", 0))


def _add_user(tx: IMetadataTransaction, name: str) -> None:
    tx.claim(Claim.user(name))
    tx.put_user(User(name, "id", 0))

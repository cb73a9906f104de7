"""The OM of a secure cluster as who verifies: see :mod:`ozgate.foreign.ozone.verifying`."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from attrs import evolve
from twisted.internet.defer import gatherResults
from zope.interface.verify import verifyObject

from ozgate.errors import InvalidToken, NotImplemented
from ozgate.interfaces import IVerifier
from ozgate.values import Presented, Signatory
from tests.ozone.secured import EMPTY, SCOPE, STAMP, TEXT, Person, SecureCase

CHUNK = "\n".join(("AWS4-HMAC-SHA256-PAYLOAD", STAMP, SCOPE, EMPTY, EMPTY, EMPTY))
TRAILER = "\n".join(("AWS4-HMAC-SHA256-TRAILER", STAMP, SCOPE, EMPTY, EMPTY))


class VerifyingTests(SecureCase):
    """What is signed, held against secrets of the OM."""

    async def who(self, presented: Presented) -> str | None:
        """Whose it is; ``None``: another's."""
        found: Signatory | None = await self.system.verify(presented)
        if found is not None:
            self.assertIsNone(found.signing_key)
        return None if found is None else found.user

    async def test_right(self) -> None:
        """A right signature is its user's, whether he may use the volume of S3 or not: of a request, of a chunk, of a trailer."""
        verifyObject(IVerifier, self.system)
        self.assertTrue(self.system.verifies)
        for is_reader in (True, False):
            person = await self.person(is_reader)
            for text in (TEXT, CHUNK, TRAILER):
                self.assertEqual(await self.who(person.sign(text)), person.user)
            region = "é 😀" * 20
            text = TEXT.replace("us-east-1", region)
            signed = person.sign(text, region=region)
            self.assertEqual(await self.who(signed), person.user)

    async def test_wrong(self) -> None:
        """Another's signature, and one of something else, are not; nor is what is none at all."""
        one, other = await self.person(), await self.person(False)
        right = one.sign()
        good = right.signature
        crossed = evolve(right, access_id=other.access_id)
        wrong = [
            *(crossed, evolve(other.sign(), access_id=one.access_id)),
            *(evolve(right, string_to_sign=CHUNK), one.sign(TEXT, "20261129")),
            evolve(right, string_to_sign=TEXT.replace(EMPTY, "0" * 64)),
            *(
                evolve(right, signature=bad)
                for bad in (
                    *("", "0" * 64, good[:-1], good + good[-1], f" {good}"),
                    *(f"{good}\n", good.upper(), good[:-1] + "é", "\0" * 64),
                )
            ),
        ]
        for number, each in enumerate(wrong):
            self.assertIsNone(
                await self.who(evolve(each, date="20261130")), f"number {number}"
            )

    async def test_unknown(self) -> None:
        """An access id that nobody has is told as a wrong signature is: nobody finds out whose there are."""
        person = await self.person(False)
        for unknown in (
            *("nobody", person.user, f"{person.access_id} ", person.access_id.upper()),
            *(f"{person.access_id}\0", "x" * 3000, "\udce9", "*", "a/b@c", "root"),
        ):
            self.assertIsNone(
                await self.who(evolve(person.sign(), access_id=unknown)), unknown
            )

    async def test_revoked_and_replaced(self) -> None:
        """A secret that was taken away or replaced is none the very next time."""
        person = await self.person()
        self.assertEqual(await self.who(person.sign()), person.user)
        new = Person(person.user, self.ozone.realm, "another secret")
        await self.replace(person, new.secret)
        self.assertIsNone(await self.who(person.sign()))
        self.assertEqual(await self.who(new.sign()), person.user)
        await self.revoke(person)
        self.assertIsNone(await self.who(new.sign()))

    async def test_other_forms(self) -> None:
        """What the OM could not take apart is refused before it gets there: a form's policy, version 2, whatever else has not the lines of a request."""
        person = await self.person(False)
        policy = base64.b64encode(b'{"conditions": []}').decode()
        right = person.sign()
        for text in (
            *(policy, "", "x", "\n" * 10, TEXT + "\n", TEXT + f"\n{EMPTY}", TEXT[:-1]),
            *(TEXT.replace("\n", "\n\n", 1), CHUNK + f"\n{EMPTY}", f"\n{TEXT}"),
            *(TEXT.replace("/s3/", "/"), TEXT.replace("us-east-1", "")),
            *(TEXT.replace("us-east-1", "a/b"), TEXT.replace("us-east-1", "a\nb")),
            *(TEXT.replace("us-east-1", "other"), TEXT.replace(DATE_OF, "20261129/")),
            TEXT.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ):
            asked = self.system.verify(evolve(right, string_to_sign=text))
            await self.assertFailure(asked, NotImplemented)
        older = Presented(person.access_id, TEXT, right.signature)
        await self.assertFailure(self.system.verify(older), NotImplemented)
        self.assertEqual(await self.who(right), person.user)

    async def test_region_of_lines(self) -> None:
        """A region that is lines of its own, as a URL can carry one, is no way to have the OM read another scope."""
        person = await self.person(False)
        for region in ("a\nb", f"x\n{SCOPE}", "\n", "a/b", "/", "\x00", "a\tb"):
            text = TEXT.replace("us-east-1", region)
            asked = self.system.verify(person.sign(text, region=region))
            await self.assertFailure(asked, NotImplemented)

    async def test_token(self) -> None:
        """A session's token that comes with a right signature is refused, for the cluster makes none; with a wrong one it changes nothing."""
        person = await self.person(False)
        right = evolve(person.sign(), token="x")
        await self.assertFailure(self.system.verify(right), InvalidToken)
        wrong = evolve(right, signature="0" * 64)
        self.assertIsNone(await self.who(wrong))

    async def test_at_once(self) -> None:
        """Many who ask at once each have their own answer."""
        people = [await self.person(index % 2 == 0) for index in range(4)]
        asked, expected = [], []
        for round_ in range(40):
            person = people[round_ % 4]
            signed = person.sign()
            if round_ % 3 == 0:
                signed = evolve(
                    people[(round_ + 1) % 4].sign(), access_id=person.access_id
                )
            asked.append(self.system.verify(signed))
            expected.append(None if round_ % 3 == 0 else person.user)
        found: list[Signatory | None] = await gatherResults(asked)
        self.assertEqual([each and each.user for each in found], expected)

    async def test_tells_nothing(self) -> None:
        """Nothing that it shows has a secret in it, or a signature."""
        person = await self.person(False)
        signed = person.sign()
        shown = [
            repr(await self.system.verify(signed)),
            repr(self.system),
            repr(signed),
        ]
        for asked in (
            self.system.verify(evolve(signed, string_to_sign="x")),
            self.system.verify(evolve(signed, token="x")),
        ):
            failed: list[Exception] = []
            asked.addErrback(lambda failure, failed=failed: failed.append(failure))
            await asked
            shown += map(str, failed)
        members: Mapping[str, object] = vars(self.system)
        shown += [repr(each) for each in members.values()]
        for each in shown:
            self.assertNotIn(person.secret, each)
            self.assertNotIn(signed.signature, each)


DATE_OF = f"{SCOPE[:8]}/"

"""Two who ask a cluster at once: each call is made for whom it is said to be made, whatever thread makes it."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.trial.unittest import TestCase

from ozgate.errors import Refused
from ozgate.foreign.ozone.client import Client
from ozgate.foreign.ozone.system import Connection
from ozgate.values import ITSELF, OnBehalf
from tests.engines.given import insecure
from tests.ozone.secured import Person, SecureCase, connection_of, settled

ROUNDS = 30


def make_bucket(client: Client, name: str) -> None:
    """Make a bucket, owned by whoever asks."""
    client.store.createS3Bucket(name)


def make_key(client: Client, bucket: str, key: str) -> None:
    """Make a key as a part of an upload of one part, or at once, which are all ways in which one is owned."""
    volume, protocol = client.s3_volume, client.protocol
    if not key.endswith("-upload"):
        empty = client.map_of({})
        protocol.createKey(volume, bucket, key, 0, None, empty, empty).close()
        return
    begun = protocol.initiateMultipartUpload(volume, bucket, key, None)
    part = protocol.createMultipartKey(volume, bucket, key, 1, 1, begun.getUploadID())
    part.write(b"x")
    part.getMetadata().put("ETag", "9dd4e461268c8034f5c8564e155c67a6")
    part.close()
    parts = client.java("java.util.LinkedHashMap")()
    parts.put(client.java("java.lang.Integer")(1), "9dd4e461268c8034f5c8564e155c67a6")
    protocol.completeMultipartUpload(volume, bucket, key, begun.getUploadID(), parts)


def owner_of(client: Client, bucket: str, key: str) -> str:
    """Whose a key is."""
    volume = client.s3_volume
    return str(client.protocol.getKeyDetails(volume, bucket, key).getOwner())


def remove(client: Client, bucket: str, keys: list[str]) -> None:
    """Remove keys and their bucket."""
    for each in keys:
        client.protocol.deleteKey(client.s3_volume, bucket, each, False)
    client.store.deleteS3Bucket(bucket)


async def mixed(
    test: TestCase, connection: Connection, behalves: dict[str, OnBehalf], bucket: str
) -> list[str]:
    """Have many keys made by several at once, in an order that is the same in each run; each is whose it was made.

    :param behalves: by user.
    :return: the keys.
    """
    chosen = Random(12)
    users = list(behalves)
    made: dict[str, str] = {}
    waiting: list[Deferred[Any]] = []
    for number in range(ROUNDS * len(users)):
        user = chosen.choice(users)
        key = f"{number}{chosen.choice(('', '', '-upload'))}"
        made[key] = user
        asked = connection.run(make_key, bucket, key, behalf=behalves[user])
        waiting.append(asked)
    await gatherResults(waiting)
    found = [
        connection.run(owner_of, bucket, key, behalf=behalves[users[0]]) for key in made
    ]
    owners = await gatherResults(found)
    test.assertEqual(dict(zip(made, owners, strict=True)), made)
    return list(made)


class BelievedTests(TestCase):
    """Where whoever asks is believed."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A client."""
        self.ozone = insecure()
        self.connection = connection_of(self.ozone)
        await self.connection.ready()
        self.addCleanup(settled, self.connection)

    async def test_owners(self) -> None:
        """Each key's owner is who made it, be it his first."""
        users = [f"identity-{uuid4().hex[:8]}" for _ in range(6)]
        behalves = {each: OnBehalf(each) for each in users}
        bucket = f"identity-{uuid4().hex}"
        first = behalves[users[0]]
        await self.connection.run(make_bucket, bucket, behalf=first)
        keys = await mixed(self, self.connection, behalves, bucket)
        await self.connection.run(remove, bucket, keys, behalf=first)

    async def test_nobody(self) -> None:
        """For nobody nothing is asked, nor for somebody whom the cluster has no name for."""
        for behalf in (OnBehalf(), OnBehalf("a/b/c@d@e")):
            asked = self.connection.run(make_bucket, "identity-nobody", behalf=behalf)
            refused = await self.assertFailure(asked, Refused)
            self.assertEqual(refused.code, "PERMISSION_DENIED")


class SignedTests(SecureCase):
    """Where the OM verifies each call."""

    def behalf(self, person: Person) -> OnBehalf:
        """For somebody who signed."""
        return OnBehalf(person.user, person.sign())

    async def test_owners(self) -> None:
        """Each key's owner is who signed for it, though eight and more threads make them."""
        people = [await self.person() for _ in range(5)]
        bucket = f"identity-{uuid4().hex}"
        connection = self.system.connection
        first = self.behalf(people[0])
        await connection.run(make_bucket, bucket, behalf=first)
        for each in people:
            await self.grant(each.user, f"/s3v/{bucket}", "a")
        behalves = {each.user: self.behalf(each) for each in people}
        keys = await mixed(self, connection, behalves, bucket)
        await connection.run(remove, bucket, keys, behalf=first)

    async def test_rights(self) -> None:
        """Among calls of those who may, those of whoever may not, or did not sign, or signed wrongly, are refused, every one."""
        owner, other = await self.person(), await self.person()
        bucket = f"identity-{uuid4().hex}"
        connection = self.system.connection
        mine = self.behalf(owner)
        await connection.run(make_bucket, bucket, behalf=mine)
        forged = OnBehalf(owner.user, other.sign())
        wrong = Person(owner.user, self.ozone.realm, "another")
        expected = (
            (mine, None),
            (self.behalf(other), "PERMISSION_DENIED"),
            (self.behalf(wrong), "INVALID_TOKEN"),
            (OnBehalf(owner.user), "PERMISSION_DENIED"),
            (OnBehalf(), "PERMISSION_DENIED"),
            (ITSELF, "PERMISSION_DENIED"),
            (forged, "PERMISSION_DENIED"),
        )
        chosen = Random(12)
        asked: list[Deferred[Any]] = []
        codes: list[str | None] = []
        for number in range(150):
            behalf, code = chosen.choice(expected)
            asked.append(connection.run(make_key, bucket, str(number), behalf=behalf))
            codes.append(code)
        found: list[tuple[bool, Any]] = await DeferredList(asked, consumeErrors=True)
        told = [None if done else result.value.code for done, result in found]
        self.assertEqual(told, codes)
        keys = [str(number) for number, code in enumerate(codes) if code is None]
        await connection.run(remove, bucket, keys, behalf=mine)

"""Which commands another system is asked, as whom and with what; it is one that only takes down what it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer
from zope.interface.verify import verifyObject

from ozgate.admin.caller import Caller
from ozgate.admin.commands.keys import get_key, put_key
from ozgate.admin.context import AdminContext
from ozgate.content.foreignbytes import OneSource
from ozgate.errors import Refused
from ozgate.gateway.foreign import Foreign
from ozgate.interfaces import IForeignCommands, IForeignReading, IForeignSink
from ozgate.testing.memory_foreign import MemoryForeignSystem
from ozgate.values import OnBehalf
from ozgate.wire.body import RequestBody
from ozgate.wire.streams import Collect
from tests.unit.admin.commands.support import ADMIN, ALICE, BOB, CommandCase

NAMES = """
create_volume info_volume list_volumes update_volume delete_volume set_volume_quota create_bucket link_bucket info_bucket list_buckets
update_bucket delete_bucket set_bucket_quota get_acl add_acl remove_acl set_acl list_keys info_key rename_key delete_key get_secret set_secret
revoke_secret list_secrets
""".split()


@implementer(IForeignCommands)
class Asked:
    """Takes down what it is asked, and keeps bytes in memory.

    :ivar taken: names, users and arguments, one after the other.
    :ivar answers: what is answered, by name.
    """

    names = frozenset(NAMES)

    def __init__(self, system: MemoryForeignSystem) -> None:
        self._system = system
        self.taken: list[tuple[str, str, dict[str, object]]] = []
        self.answers: dict[str, Any] = {}

    def run(
        self, name: str, user: str, arguments: Mapping[str, object]
    ) -> Deferred[object]:
        """See :class:`~ozgate.interfaces.IForeignCommands`."""
        self.taken.append((name, user, dict(arguments)))
        answer = self.answers.get(name)
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)

    def open(
        self, user: str, volume: str, bucket: str, key: str
    ) -> Deferred[IForeignReading]:
        """See :class:`~ozgate.interfaces.IForeignCommands`."""
        return self._system.bucket(volume, bucket, OnBehalf(user)).open(key)

    def create(
        self,
        user: str,
        volume: str,
        bucket: str,
        key: str,
        size: int,
        replication_type: str = "",
        replication: str = "",
    ) -> Deferred[IForeignSink]:
        """See :class:`~ozgate.interfaces.IForeignCommands`."""
        kept = {"kept": f"{replication_type}/{replication}"}
        found = self._system.bucket(volume, bucket, OnBehalf(user))
        return found.create(key, size, kept, {})


class Sent:
    """Where a body comes from that is here already."""

    def pause_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""

    def resume_body(self) -> None:
        """Nothing more comes."""

    def send_continue(self) -> None:
        """Nobody waits."""

    def drain_body(self) -> None:
        """Nothing is left."""


class System(MemoryForeignSystem):
    """A system in memory that shells may ask."""

    def __init__(self, clock: Any, verifies: bool = False) -> None:
        super().__init__(clock, ("far",))
        self.commands: Any = Asked(self)
        self.verifies: Any = verifies


class ElsewhereCase(CommandCase):
    """A gateway beside another system."""

    def beside(self, volumes: frozenset[str] | None, verifies: bool = False) -> Asked:
        """Have a gateway that shows volumes of another system; ``None``: all are."""
        self.system = System(self.clock, verifies)
        gateway = evolve(self.gateway, foreign=Foreign(self.system, volumes))
        self.context = AdminContext(gateway, None, self.clock.seconds())
        commands: Asked = self.system.commands
        return commands


class DecisionTests(ElsewhereCase):
    """Where a command is run."""

    async def test_by_volume(self) -> None:
        """The system that has the volume is asked, as whoever calls; the stores are for those of all others."""
        asked = self.beside(frozenset(("far",)))
        verifyObject(IForeignCommands, asked)
        asked.answers["info_volume"] = {"name": "far"}
        found = await self.do("info_volume", ALICE, volume="far")
        self.assertEqual(found, {"name": "far"})
        self.assertEqual(asked.taken, [("info_volume", "alice", {"volume": "far"})])
        await self.do("create_bucket", ALICE, volume="s3v", bucket="near")
        await self.refused("VOLUME_NOT_FOUND", "info_volume", ALICE, volume="farther")
        self.assertEqual(len(asked.taken), 1)

    async def test_all(self) -> None:
        """Where all volumes are its own, it is asked of each, and for the list."""
        asked = self.beside(None)
        asked.answers["list_volumes"] = []
        await self.do("create_volume", ALICE, volume="s3v")
        await self.do("list_volumes", ALICE, prefix="x", everyone=True)
        self.assertEqual(
            asked.taken,
            [
                ("create_volume", "alice", {"volume": "s3v"}),
                ("list_volumes", "alice", {"prefix": "x", "everyone": True}),
            ],
        )

    async def test_names(self) -> None:
        """It is asked by the short name, under which what the caller makes is owned; where it knows principals, by his."""
        known = Caller("carol@EXAMPLE.COM", short_name="carol")
        for verifies, name in ((False, "carol"), (True, "carol@EXAMPLE.COM")):
            asked = self.beside(None, verifies)
            await self.do("info_volume", known, volume="far")
            self.assertEqual([user for _, user, _ in asked.taken], [name])

    async def test_what_else_there_is(self) -> None:
        """Commands that it has not are this service's."""
        asked = self.beside(None)
        await self.do("whoami", ALICE)
        await self.refused("SECURITY_DISABLED", "create_user", ADMIN, user="carol")
        self.assertEqual(asked.taken, [])

    async def test_nobody(self) -> None:
        """Whoever is not known asks nothing, and arguments are looked at before."""
        asked = self.beside(None)
        nobody = Caller("")
        await self.refused("PERMISSION_DENIED", "info_volume", nobody, volume="far")
        await self.refused("INVALID_REQUEST", "info_volume", ALICE, volume=3)
        await self.refused("INVALID_REQUEST", "info_volume", ALICE, context="x")
        self.assertEqual(asked.taken, [])

    async def test_refused(self) -> None:
        """A refusal is told in its own words, to the last space; one without a code by its message."""
        asked = self.beside(None)
        for refused, shown in (
            (Refused("VOLUME_NOT_EMPTY", ""), "VOLUME_NOT_EMPTY "),
            (Refused("", "x  is no y"), "x  is no y"),
            (Refused("PERMISSION_DENIED", "no"), "PERMISSION_DENIED no"),
        ):
            asked.answers["delete_volume"] = refused
            await self.refused(refused.code, "delete_volume", ALICE, volume="far")
            failed = self.failureResultOf(
                Deferred.fromCoroutine(self.do("delete_volume", ALICE, volume="far"))
            )
            self.assertEqual(failed.getErrorMessage(), shown)

    async def test_both_lists(self) -> None:
        """Volumes of both are listed by name, those of the other system as far as they are shown here."""
        asked = self.beside(frozenset(("far", "zoo")))
        there = [{"name": name} for name in ("zoo", "hidden", "far")]
        asked.answers["list_volumes"] = there

        async def names(**arguments: Any) -> list[str]:
            found = await self.do("list_volumes", ADMIN, **arguments)
            return [each["name"] for each in found]

        self.assertEqual(await names(), ["far", "s3v", "zoo"])
        self.assertEqual(await names(start="far"), ["s3v", "zoo"])
        self.assertEqual(await names(limit=2), ["far", "s3v"])


class LinkTests(ElsewhereCase):
    """Links of this service that lead into a volume of the other system."""

    async def test_followed(self) -> None:
        """What is done to what a link leads to is asked of the system that has it; what is done to the link is not."""
        asked = self.beside(frozenset(("far",)))
        source = {"source_volume": "far", "source_bucket": "real"}
        await self.do("link_bucket", ALICE, **source, volume="s3v", bucket="link")
        link = {"volume": "s3v", "bucket": "link"}
        real = {"volume": "far", "bucket": "real"}
        shown = await self.do("info_bucket", ALICE, **link)
        self.assertEqual(shown["sourceVolume"], "far")
        self.assertEqual(len(await self.do("get_acl", ALICE, **link)), 2)
        self.assertEqual(asked.taken, [])
        asked.answers["list_keys"] = [
            dict(volumeName="far", bucketName="real", name="k")
        ]
        [key] = await self.do("list_keys", BOB, **link)
        self.assertEqual(key, dict(volumeName="s3v", bucketName="link", name="k"))
        await self.do("add_acl", ALICE, **link, acls=["user:bob:r"])
        await self.do("get_acl", ALICE, **link, source=True)
        await self.do("get_acl", ALICE, **link, key="k")
        self.assertEqual(
            asked.taken,
            [
                ("list_keys", "bob", real),
                ("add_acl", "alice", {**real, "acls": ["user:bob:r"]}),
                ("get_acl", "alice", {**real, "source": True}),
                ("get_acl", "alice", {**real, "key": "k"}),
            ],
        )
        await self.do("create_bucket", ALICE, volume="s3v", bucket="near")
        near = {"volume": "s3v", "bucket": "near", "key": "k"}
        await self.refused("NOT_SUPPORTED_OPERATION", "get_acl", ALICE, **near)

    async def test_not_there(self) -> None:
        """Of a link that is not there, or leads elsewhere, the other system is asked nothing."""
        asked = self.beside(frozenset(("far",)))
        link = {"volume": "s3v", "bucket": "link"}
        await self.refused("BUCKET_NOT_FOUND", "list_keys", BOB, **link)
        source = {"source_volume": "s3v", "source_bucket": "gone"}
        await self.do("link_bucket", ALICE, **source, **link)
        await self.refused("BUCKET_NOT_FOUND", "list_keys", ALICE, **link)
        self.assertEqual(asked.taken, [])


class SecretTests(ElsewhereCase):
    """Secrets of S3."""

    async def test_verifying(self) -> None:
        """They are those of the system that verifies; over TCP only where the configuration has it so."""
        asked = self.beside(frozenset(), verifies=True)
        local = evolve(ALICE, is_local=True)
        asked.answers["get_secret"] = {"awsAccessKey": "alice", "awsSecret": "x"}
        found = await self.do("get_secret", local)
        self.assertEqual(found["awsAccessKey"], "alice")
        await self.refused("SECRET_ENDPOINT_DISABLED", "get_secret", ALICE)
        self.assertEqual(asked.taken, [("get_secret", "alice", {})])

    async def test_not_verifying(self) -> None:
        """They are this service's where the other system believes names."""
        asked = self.beside(None)
        local = evolve(ALICE, is_local=True)
        await self.refused("SECURITY_DISABLED", "get_secret", local)
        self.assertEqual(asked.taken, [])


class ByteTests(ElsewhereCase):
    """Bytes of keys."""

    async def test_put_and_get(self) -> None:
        """They go to the other system and come from there, as whoever calls, in a volume of its own and through a link."""
        self.beside(frozenset(("far",)))
        await self.system.create_bucket("far", "real", OnBehalf("alice"))
        source = {"source_volume": "far", "source_bucket": "real"}
        await self.do("link_bucket", ALICE, **source, volume="s3v", bucket="link")
        for place in (("far", "real"), ("s3v", "link")):
            body = RequestBody(Sent(), 5)
            body.data_received(b"hello")
            body.all_received()
            await put_key(self.context, BOB, *place, "k", body, "RATIS", "ONE")
            reply = await get_key(self.context, BOB, *place, "k")
            assert isinstance(reply.sources, OneSource)
            kept = Collect(10, AssertionError)
            await reply.sources.send_to(kept)
            self.assertEqual((kept.value(), reply.length), (b"hello", 5))
        found = await self.system.bucket("far", "real", OnBehalf("bob")).head("k")
        self.assertEqual((found.owner, found.metadata["kept"]), ("bob", "RATIS/ONE"))
        self.assertEqual(found.etag, "5d41402abc4b2a76b9719d911017c592")
        self.assertEqual({each.user for each in self.system.asked}, {"alice", "bob"})

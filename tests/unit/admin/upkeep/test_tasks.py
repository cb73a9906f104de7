"""What administrators have a service do beside its requests: who may, and what is waited for."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail

from ozgate.admin.caller import Caller
from ozgate.admin.commands.table import run
from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from ozgate.admin.upkeep.tasks import Upkeep
from ozgate.errors import Damaged
from tests.operations.support import OperationTestCase, settle


class UpkeepTests(OperationTestCase):
    """On stores in memory."""

    def refusal(self, caller: Caller, name: str, **arguments: object) -> AdminError:
        """What a command is refused with."""
        context = AdminContext(self.client.gateway, None, 0.0)
        running = Deferred.fromCoroutine(run(context, caller, name, arguments))
        return self.failureResultOf(running, AdminError).value

    def test_from_elsewhere(self) -> None:
        """Whoever asks over TCP, an administrator or, with security off, anybody, has no folders written here."""
        for caller in (Caller("anonymous", True, True), Caller("root@REALM", True)):
            error = self.refusal(caller, "start_backup", target="/tmp/stolen")
            self.assertEqual((error.code, error.status), ("PERMISSION_DENIED", 403))

    def test_bad_arguments(self) -> None:
        """A relative target, a rate below nothing, a place that was never given are refused."""
        admin = Caller("root", True, is_local=True)
        for name, arguments in (
            ("start_backup", {"target": "here"}),
            ("start_scrub", {"rate": -1}),
            ("check_store", {"place": "{"}),
            ("check_store", {"place": '{"step": "rows"}'}),
            ("check_store", {"place": "[]"}),
        ):
            error = self.refusal(admin, name, **arguments)
            self.assertEqual(error.code, "INVALID_REQUEST", (name, arguments))

    def test_providers(self) -> None:
        """Stores that cannot be copied while they are used are said to be so."""
        admin = Caller("root", True, is_local=True)
        error = self.refusal(admin, "start_backup", target="/tmp/backup")
        self.assertEqual(error.code, "NOT_SUPPORTED_OPERATION")

    async def test_scrub_begins(self) -> None:
        """While a scrub finds out how much there is to read, nobody is told what came of the one before."""
        await self.client.request("PUT", "/bucket/key", body=bytes(100_000))
        context = AdminContext(self.client.gateway, None, 0.0)
        admin = Caller("root", True, is_local=True)

        def ask(name: str, **arguments: object) -> Any:
            running = Deferred.fromCoroutine(run(context, admin, name, arguments))
            return self.successResultOf(running)

        ask("start_scrub", rate=0)
        settle(self.clock)
        before = ask("scrub_status")
        self.assertEqual((before["running"], before["done"]), (False, 100_000))
        begun = ask("start_scrub", rate=0)
        self.assertEqual((begun["running"], begun["began"]), (True, None))
        self.assertEqual((begun["done"], begun["total"], begun["rows"]), (0, 0, 0))
        settle(self.clock)


class LookTests(OperationTestCase):
    """What takes longer than an answer."""

    def test_asked_again(self) -> None:
        """It is begun once, however often it is asked for, had by whoever asks when it is there, and then begun anew."""
        upkeep, clock = Upkeep(self.client.gateway), self.client.gateway.clock
        begun: list[Deferred[int]] = []

        def begin() -> Deferred[int]:
            begun.append(Deferred())
            return begun[-1]

        def look() -> Deferred[object]:
            return Deferred.fromCoroutine(upkeep.look("x", begin, 5))

        first = look()
        clock.advance(5)
        self.assertIsNone(self.successResultOf(first))
        second = look()
        begun[0].callback(7)
        self.assertEqual(self.successResultOf(second), 7)
        self.assertEqual(len(begun), 1)
        third = look()
        begun[1].callback(8)
        self.assertEqual(self.successResultOf(third), 8)

    def test_fails(self) -> None:
        """What it fails with is what who asks is told."""
        upkeep = Upkeep(self.client.gateway)
        looking = upkeep.look("x", lambda: fail(Damaged("x")), 5)
        self.failureResultOf(Deferred.fromCoroutine(looking), Damaged)

"""Threads whose calls are given up at a deadline."""

from threading import Event

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, gatherResults
from twisted.trial.unittest import TestCase

from ozgate.blobs.boundedthreads import WAITING, BoundedThreads
from ozgate.errors import Unavailable


class BoundedThreadsTests(TestCase):
    """A pool of two, for an engine that may not answer."""

    timeout = 30

    def setUp(self) -> None:
        self.gate = Event()
        self.threads = BoundedThreads(reactor, "the engine", 2, 0.05)

    async def tearDown(self) -> None:
        self.gate.set()
        await self.threads.stop()

    async def test_answers(self) -> None:
        """What a call returns and raises is what whoever asked has."""
        patient = BoundedThreads(reactor, "the engine", 2, 20)
        self.assertEqual(await patient.run(divmod, 7, 2), (3, 1))
        await self.assertFailure(patient.run(divmod, 7, 0), ZeroDivisionError)
        await gatherResults([patient.run(abs, -n) for n in range(WAITING)])
        await patient.stop()
        self.assertEqual(await patient.run(abs, -1), 1)
        await patient.stop()

    async def test_deadline(self) -> None:
        """Whoever asks an engine that does not answer is told so; once all threads wait for it, at once; and it goes on when it is back."""
        for _ in range(2):
            error = await self.assertFailure(
                self.threads.run(self.gate.wait), Unavailable
            )
        self.assertIn("has not answered in 0.05 seconds", str(error))
        error = self.failureResultOf(self.threads.run(abs, -1), Unavailable).value
        self.assertEqual(str(error), "the engine does not answer")
        self.gate.set()
        while True:
            try:
                self.assertEqual(await self.threads.run(abs, -1), 1)
                return
            except Unavailable:
                await self.turn()

    def turn(self):
        """Fires a little later."""
        from twisted.internet.task import deferLater

        return deferLater(reactor, 0.01)

    async def test_never_begun(self) -> None:
        """A call that had no thread at its deadline is never made."""
        made: list[int] = []
        waiting = [self.threads.run(self.gate.wait) for _ in range(2)]
        third = self.threads.run(made.append, 3)
        for each in (*waiting, third):
            await self.assertFailure(each, Unavailable)
        self.gate.set()
        await self.threads.stop()
        self.assertEqual(made, [])

    async def test_late(self) -> None:
        """What a call returns too late is released."""
        released: list[bool] = []
        asked = self.threads.run(self.gate.wait, late=released.append)
        await self.assertFailure(asked, Unavailable)
        self.assertEqual(released, [])
        self.gate.set()
        await self.threads.stop()
        self.assertEqual(released, [True])

    async def test_cancel(self) -> None:
        """To cancel has no effect: a call cannot be taken back."""
        patient = BoundedThreads(reactor, "the engine", 1, 20)
        asked = patient.run(abs, -1)
        asked.cancel()
        try:
            self.assertEqual(await asked, 1)
        except CancelledError:
            self.fail("it was cancelled")
        await patient.stop()

    async def test_too_many(self) -> None:
        """More than can be served in time are refused."""
        patient = BoundedThreads(reactor, "the engine", 1, 20)
        asked = [patient.run(self.gate.wait) for _ in range(1 + WAITING)]
        self.failureResultOf(patient.run(abs, -1), Unavailable)
        self.gate.set()
        await gatherResults(asked)
        await patient.stop()

    async def test_panic(self) -> None:
        """What is no Exception fails the call, and ends no thread."""

        class Panic(BaseException):
            """As Rust's is shown."""

        def panic():
            raise Panic

        patient = BoundedThreads(reactor, "the engine", 1, 20)
        await self.assertFailure(patient.run(panic), Panic)
        self.assertEqual(await patient.run(abs, -1), 1)
        await patient.stop()

"""A sample of the mutations, sent to a real service over sockets: what holds in memory holds there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.operations import OPERATIONS, Operation
from tests.attack.mutations import ACCEPTED, Mutation, of_header_form
from tests.attack.presigned import of_presigned_form
from tests.attack.requests import USER, Draft, Sent, draft_for
from tests.running import Server, shared_server
from tests.service.intruders import Pair, pair_of, send, signed

SAMPLE = ("PutObject", "DeleteObjects", "PutBucketPolicy")
ON_THE_EDGE = ("signed 901 s off", "signed at 901 for 60")
"""Mutations whose time has come by when they are sent."""


@cache
def attacked() -> tuple[Server, Pair]:
    """A server with a bucket of the user's, and two keys in it."""
    server = shared_server(purpose="attacks")
    pair = pair_of(server, USER)
    pair_of(server, "other")
    for target, body in (
        ("/bucket", b""),
        ("/empty", b""),
        ("/bucket/key", b"first"),
        ("/bucket/other", b"second"),
    ):
        assert signed(server, pair, "PUT", target, body).status == 200
    return server, pair


class ServiceTests(SynchronousTestCase):
    """Mutations of a few operations."""

    def setUp(self) -> None:
        """Have a server."""
        self.server, self.pair = attacked()

    def test_authorization_header(self) -> None:
        """A request that was changed after it was signed in its header is refused, and changes nothing."""
        self.assertEqual(list(self.attack(of_header_form, Draft.signed)), [])

    def test_presigned(self) -> None:
        """So is one that was presigned."""
        self.assertEqual(list(self.attack(of_presigned_form, Draft.presigned)), [])

    def attack(
        self,
        mutations: Callable[[Operation, Draft], Iterator[Mutation]],
        as_is: Callable[[Draft], Sent],
    ) -> Iterator[str]:
        """What is wrong about the answers; those that are to be accepted are left to the tests in memory."""
        for row in OPERATIONS:
            if row.name not in SAMPLE:
                continue
            draft = evolve(
                draft_for(row, int(time.time()), "x"),
                secret=self.pair[1],
                host=f"127.0.0.1:{self.server.port}",
            )
            before = self.held()
            for mutation in mutations(row, draft):
                if mutation.code != ACCEPTED and mutation.name not in ON_THE_EDGE:
                    yield from self.wrongs(row, mutation)
            if self.held() != before:
                yield f"{row.name}: something changed"

    def wrongs(self, row: Operation, mutation: Mutation) -> Iterator[str]:
        """What is wrong about one answer; that to HEAD says no code."""
        answer = send(self.server, mutation.sent.octets())
        code = mutation.code if mutation.sent.method == "HEAD" else answer.code
        if answer.status < 400 or code != mutation.code:
            yield f"{row.name}: {mutation.name}: {answer}"

    def held(self) -> list[bytes]:
        """What the user sees: the bucket's versions with their times, the uploads, the bodies."""
        targets = ("/", "/bucket?versions", "/bucket?uploads", "/bucket/key")
        answers = [signed(self.server, self.pair, "GET", each) for each in targets]
        self.assertEqual({answer.status for answer in answers}, {200})
        return [answer.body for answer in answers]

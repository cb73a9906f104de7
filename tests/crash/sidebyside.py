"""The gateway and the model side by side: what is asked of one is asked of the other.

An answer is the model's. When a call to the disk failed or the process died, the model is
every state that the answers leave open: what was refused did not happen; what got no answer, or
``InternalError``, happened wholly or not at all. Then everything is read, and what does not agree with that is ruled out.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from ozgate.gateway.room import Room
from ozgate.metadata.sqlite import connections
from ozgate.s3.perform import completing
from tests.crash import model, tapping
from tests.crash.compared import FIRST, Compared
from tests.crash.disksite import DiskSite, Turns, image
from tests.crash.operations import Answer, Operation, Sent
from tests.crash.smallworld import drawn_ids
from tests.crash.trouble import CALM, REFUSED, Disk, Outcome, Trouble, possible
from tests.operations.support import Response

BEGINNING = 1_795_000_000

CHECKPOINT_PAGES = 60
"""Pages in the write-ahead log at which it is emptied: often, for histories are short."""

IN_MEMORY = "/dev/shm"
"""Where histories are, if there is such a folder: what a power cut leaves is no matter here, and a sync costs nothing."""

PLENTY = 1 << 60
"""A reserve that no disk has free."""


class SideBySide(Compared):
    """A gateway on a disk, and the states that it may be in by the model.

    :ivar low: whether less is free than must stay free.
    :ivar until_room: steps until a disk that is full or almost full is so no more.
    """

    def __init__(self) -> None:
        super().__init__()
        memory = IN_MEMORY if os.path.isdir(IN_MEMORY) else None
        self.root = tempfile.mkdtemp(prefix="ozgate-model-", dir=memory)
        self.disk = Disk()
        self.around = ExitStack()
        self.around.callback(shutil.rmtree, self.root)
        for module, name, value in (
            (completing, "MIN_PART", model.MIN_PART),
            (connections, "CHECKPOINT_PAGES", CHECKPOINT_PAGES),
        ):
            self.around.enter_context(patch.object(module, name, value))
        # What depends on ids, such as how rows share pages, is the same when a history is played again.
        self.around.enter_context(drawn_ids())
        self.around.enter_context(tapping.tapped(self.disk))
        self.clock = Turns()
        self.clock.advance(BEGINNING)
        self.highest = float(BEGINNING)
        self.images = 0
        self.low = False
        self.until_room = 0
        self.site = DiskSite(self.clock, f"{self.root}/0")
        self.site.open()
        for operation in FIRST:
            self.ask([operation])

    def close(self) -> None:
        """Have done with it."""
        self.site.close()
        self.around.close()

    # One step

    def ask(
        self,
        operations: list[Operation],
        trouble: Trouble = CALM,
        sweeping: bool = False,
    ) -> None:
        """Have operations under way at once, with the reaper perhaps; something may go wrong meanwhile."""
        self.clock.advance(0.003)
        for operation in operations:
            self.name_versions(operation)
        answers: dict[int, Response | Failure] = {}
        images: list[tuple[str, dict[int, Response | Failure]]] = []
        self.disk.arm(
            trouble, lambda: images.append((self.make_image(), answers.copy()))
        )
        waiting: list[Deferred[Any]] = [
            self.begin(operation).addBoth(partial(answers.__setitem__, number))
            for number, operation in enumerate(operations)
        ]
        if sweeping:
            waiting.append(ensureDeferred(self.site.reaper.reap()).addErrback(str))
        for each in waiting:
            self.clock.until(each)
        if images:
            _, answers = images[0]
        struck = self.disk.struck
        self.disk.arm(CALM)
        self.done["step"] += 1
        self.done.update(type(each).__name__ for each in operations)
        if struck:
            self.done[f"{trouble.kind} in mid-request"] += 1
        outcomes = [
            self.outcome(operation, answers.get(number), struck)
            for number, operation in enumerate(operations)
        ]
        if images:
            self.restart(images[0][0], trouble.again)
        found = possible(self.models, operations, outcomes)
        assert found, (operations, outcomes, self.models)
        self.models = found
        if struck or len(found) > 1:
            self.verify()
        if struck and trouble.dies:
            self.restart()
            self.verify()
        self.until_room -= 1
        if self.until_room == 0:
            self.make_room()
            self.verify()

    def begin(self, operation: Operation) -> Deferred[Response]:
        """Send a request."""
        return self._send(operation.sent(self.ids))

    def _send(self, sent: Sent) -> Deferred[Response]:
        return self.site.client.begin(
            sent.method, sent.target, sent.headers, sent.body, sent.length
        )

    def answered(self, sent: Sent) -> Response:
        """See :class:`~tests.crash.compared.Compared`."""
        return self.clock.until(self._send(sent))

    def look(self, interaction: Callable[..., Any], *args: object) -> Any:
        """See :class:`~tests.crash.compared.Compared`."""
        return self.site.look(interaction, *args)

    def outcome(
        self, operation: Operation, answer: Response | Failure | None, struck: bool
    ) -> Outcome:
        """See :class:`~tests.crash.compared.Compared`; a disk that is full, or almost full, refuses what would store something."""
        heard = super().outcome(operation, answer, struck)
        is_refused = (self.low and operation.stores) or (
            self.disk.full and operation.changes
        )
        if isinstance(heard, Answer) and heard.status == 507 and is_refused:
            return REFUSED
        return heard

    # The process

    def make_image(self) -> str:
        """What a process that dies now leaves."""
        self.images += 1
        return image(self.site.folder, f"{self.root}/{self.images}")

    def restart(self, folder: str | None = None, again: int = 0) -> None:
        """Go on from an image, or from one made now; the process that starts may die at once."""
        self.done["restart"] += 1
        self.leave(folder or self.make_image())
        images: list[str] = []
        trouble = Trouble("crash", again)
        self.disk.arm(trouble, lambda: images.append(self.make_image()))
        self.site.open()
        self.disk.arm(CALM)
        if images:
            self.done["crash in mid-start"] += 1
            self.leave(images[0])
            self.site.open()
        self.set_low(self.low)

    def leave(self, folder: str) -> None:
        """Have done with a process that is dead; the next begins in a folder."""
        full, self.disk.full = self.disk.full, False
        self.site.close()
        self.disk.full = full
        shutil.rmtree(self.site.folder)
        self.site = DiskSite(self.clock, folder)

    def set_low(self, low: bool) -> None:
        """Have less free than must stay free, or more."""
        self.low = low
        reserve = PLENTY if low else 0
        self.site.gateway.room = Room(self.site.folder, reserve)

    def make_room(self) -> None:
        """Have room on the disk again."""
        self.disk.full = False
        self.set_low(False)

    # What holds

    def check_database(self) -> None:
        """SQLite finds nothing wrong."""
        with self.database() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []

    def database(self) -> closing[sqlite3.Connection]:
        """A connection to the metadata, past everything."""
        return closing(sqlite3.connect(f"{self.site.folder}/metadata.db"))

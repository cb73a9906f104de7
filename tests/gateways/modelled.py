"""Several gateways held against the model: each request goes to any of them, and what is answered and what is read is what the model says.

Meanwhile gateways are killed, and sessions of the database are terminated. What a dead gateway has asked the database for may still happen until its sessions
have ended, which is waited for; what got no answer happened wholly or not at all.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPException
from socket import SHUT_WR
from threading import Thread
from typing import Any

from twisted.python.failure import Failure

from tests.crash.compared import FIRST, Compared
from tests.crash.operations import Operation, Sent
from tests.crash.trouble import possible
from tests.engines.postgresql import shared
from tests.gateways.fleet import EAGER, Fleet
from tests.gateways.histories import TERMINATE
from tests.operations.engines import waited_metadata
from tests.operations.support import Response
from tests.running import Server

TROUBLES = ("", "", "", "kill", "terminate")
"""What happens while something is asked: mostly nothing."""

_BUSY = "SELECT 1 FROM pg_stat_activity WHERE datname = '{}' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"


class Modelled(Compared):
    """Gateways over one PostgreSQL, and the states that they may be in by the model.

    :param engine: where blobs are, as of a :class:`~tests.gateways.fleet.Fleet`.
    """

    def __init__(self, engine: str = "files", count: int = 3) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="ozgate-modelled-")
        os.chmod(self.folder, 0o755)
        self.fleet = Fleet(self.folder, shared(), count, EAGER, engine)
        self._database = self.fleet.url.partition("?")[0].rpartition("/")[2]
        self._chance = random.Random(0)
        self._rows: Any = waited_metadata(self.fleet.url)
        for gateway in self.fleet.gateways:
            gateway.command = ("-m", "tests.gateways.manyparts")
        try:
            self.fleet.start()
            self._rows.open()
            for operation in FIRST:
                self.ask([operation], ["", 0.0, 0])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Have done with it."""
        self._rows.close()
        self.fleet.kill()
        shutil.rmtree(self.folder)

    def ask(self, operations: Sequence[Operation], trouble: Sequence[Any]) -> None:
        """Have operations under way at once, by way of as many gateways; something may happen meanwhile.

        :param trouble: its name, seconds until then, and which gateway.
        """
        for operation in operations:
            self.name_versions(operation)
        kind, delay, number = trouble
        answers: dict[int, Response | Failure] = {}
        threads = [
            Thread(target=partial(self._ask, each, operation.sent(self.ids), answers))
            for each, operation in enumerate(operations)
        ]
        for thread in threads:
            thread.start()
        if kind:
            time.sleep(delay)
            self._trouble(kind, self.fleet.gateways[number])
        for thread in threads:
            thread.join()
        for answer in answers.values():
            if isinstance(answer, Failure):
                answer.raiseException()
        if kind:
            self._wait_for_the_dead()
        self.done["step"] += 1
        self.done.update(type(each).__name__ for each in operations)
        outcomes = [
            self.outcome(operation, answers.get(each), bool(kind))
            for each, operation in enumerate(operations)
        ]
        self.done.update(each for each in outcomes if isinstance(each, str))
        found = possible(self.models, operations, outcomes)
        assert found, (operations, outcomes, self.models)
        self.models = found
        if kind:
            self.done[kind] += 1
            self.verify()

    def _ask(
        self, number: int, sent: Sent, answers: dict[int, Response | Failure]
    ) -> None:
        """Ask any gateway, in a thread; one that dies gives no answer."""
        try:
            answers[number] = self._say(self._chance.choice(self.fleet.gateways), sent)
        except (OSError, HTTPException):
            assert number not in answers
        except Exception:
            answers[number] = Failure()

    def answered(self, sent: Sent) -> Response:
        """See :class:`~tests.crash.compared.Compared`."""
        return self._say(self._chance.choice(self.fleet.gateways), sent)

    def _say(self, gateway: Server, sent: Sent) -> Response:
        asked = sent.method, sent.target, dict(sent.headers)
        if sent.length == -1:
            return Response(*gateway.request(*asked, sent.body))
        # A body that ends before it has the length that is said of it.
        connection = HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        with closing(connection):
            headers = {**gateway.signed(*asked), "content-length": str(sent.length)}
            connection.request(sent.method, sent.target, sent.body, headers)
            connection.sock.shutdown(SHUT_WR)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, found, answer.read())

    def _trouble(self, kind: str, gateway: Server) -> None:
        if kind == "kill":
            gateway.kill()
            gateway.start()
        else:
            self.fleet.postgresql.execute(TERMINATE.format(self._database, ""))

    def _wait_for_the_dead(self) -> None:
        """Until no transaction is under way: one of a gateway that is dead may still be committed."""
        while self.fleet.postgresql.execute(_BUSY.format(self._database)):
            time.sleep(0.01)

    def look(self, interaction: Callable[..., Any], *args: object) -> Any:
        """See :class:`~tests.crash.compared.Compared`."""
        return self._rows.read(interaction, *args).result

    def check(self) -> None:
        """All that must hold in the end: also after all of them died at once."""
        self.verify()
        for gateway in self.fleet.gateways:
            gateway.kill()
        self._wait_for_the_dead()
        for gateway in self.fleet.gateways:
            gateway.start()
        self.verify()
        assert not self.fleet.unexpected(), self.fleet.unexpected()

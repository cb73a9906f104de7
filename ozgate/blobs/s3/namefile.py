"""What tells a store from every other one, kept with its bytes: the object ``NAME``."""

from __future__ import annotations

import os
from contextlib import suppress

from ...errors import Absent, StoreError, Unavailable
from .engine import Engine

FORMAT = 1
NAME = "NAME"
_PREFIX = "ozgate blobs "


class NameFile:
    """The object ``NAME`` of a store.

    :param name: what blob references call the store.
    :ivar identity: what tells it from every other; ``""`` until it is known.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.identity = ""
        self._engine = engine
        self._name = name

    async def make(self) -> None:
        """Make it, where nothing is there yet.

        Of several who come at the same time one wins, where the engine knows ``If-None-Match``; each reads what is there afterwards.

        :raises Unavailable: the place cannot be used, or holds something else; the message says why in one line.
        """
        with suppress(Absent):
            await self.read()
            return
        place = self._engine.location
        strangers = await self._engine.pages("", "starting", most=2)
        if strangers:
            raise Unavailable(
                f"{place} holds {strangers[0][:80]!r} and no {NAME}: not a place of ozgate's blobs; give it another prefix"
            )
        identity = os.urandom(8).hex()
        text = f"{_PREFIX}{FORMAT}\n{self._name} {identity}\n".encode()
        headers = {"if-none-match": "*", "content-type": "text/plain"}
        what, body = f"making {place}{NAME}", ([text], len(text))
        made = self._engine.tried(
            lambda: self._engine.ask("PUT", NAME, what, headers=headers, body=body)
        )
        try:
            await made
        except Unavailable:
            # Another may have made it, or this one, whose answer was lost.
            with suppress(StoreError):
                await self.read()
            if not self.identity:
                raise
        await self.check_prepared()

    async def check_prepared(self) -> None:
        """Read it.

        :raises Unavailable: it is not there, or another's; the message says why in one line.
        """
        try:
            await self.read()
        except Absent:
            raise Unavailable(
                f"{self._engine.location} is not prepared to keep blobs"
            ) from None

    async def check_there(self) -> None:
        """Make sure that the store is the one that was opened: what is not in another one is not lost.

        :raises Unavailable: it is another, there is none, or the engine cannot be asked.
        """
        identity = self.identity
        await self.check_prepared()
        if self.identity != identity:
            found, self.identity = self.identity, identity
            raise Unavailable(
                f"{self._engine.location} is not the store any more that was opened: its identity is {found}"
            )

    async def read(self) -> None:
        """Read it.

        :raises Absent: it is not there, and the bucket is.
        :raises Unavailable: it is another's, or the engine cannot be asked.
        """
        what = f"opening {self._engine.location}"
        answer = await self._engine.tried(lambda: self._engine.ask("GET", NAME, what))
        head, _, rest = answer.body.decode("ascii", "replace").partition("\n")
        number = head.removeprefix(_PREFIX)
        if not head.startswith(_PREFIX) or not number.isdigit():
            raise Unavailable(
                f"{what}: {NAME} does not say that ozgate keeps blobs there"
            )
        if int(number) > FORMAT:
            raise Unavailable(
                f"{what}: the blobs have format {int(number)}; this version of ozgate knows {FORMAT} at most"
            )
        name, _, identity = rest.strip().partition(" ")
        if name != self._name:
            raise Unavailable(
                f"the blobs in {self._engine.location} are those of a store called {name!r}, not {self._name!r}: give it its own name, or the other one another prefix"
            )
        self.identity = identity.strip()

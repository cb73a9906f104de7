"""A gateway on real stores in one thread of control.

Requests go over a connection in memory through the real channel, Klein and the pipeline; below are SQLite and files.
Time stands still but for what the operations of :mod:`tests.crash.workload` say.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from queue import Empty, SimpleQueue
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import MemoryReactorClock

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.auth.sigv4 import sign
from ozgate.background.reaper import Reaper
from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.app import make_site
from ozgate.s3.perform.buckets import shared_volume
from ozgate.testing.inmemory import settle, talk
from ozgate.wire.accesslog import AccessLog, AuditLog
from tests.crash.seals import sealing
from tests.started import started

VOLUME = "s3v"
OWNER, SECRET, REGION = "owner", "no secret", "us-east-1"
START = 1_795_000_000
INLINE = 512
EXTENT = 6_000
"""Bytes of one blob: a large body is two of them, each longer than a block of a disk."""

PATIENCE = 60.0
"""Seconds to wait for the thread that writes metadata before a test is given up."""


class Loop(MemoryReactorClock):
    """A reactor whose turns are taken by whoever waits."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.advance(START)
        self._from_threads: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = (
            SimpleQueue()
        )

    def callFromThread(self, f: Callable[..., Any], *args: Any) -> None:
        """Have something called in the next turn."""
        self._from_threads.put((f, args))

    def wait(self, awaited: Deferred[Any] | Coroutine[Any, Any, Any]) -> Any:
        """Take turns until something has happened; gives its result."""
        if not isinstance(awaited, Deferred):
            awaited = Deferred.fromCoroutine(awaited)
        results: list[Any] = []
        awaited.addBoth(results.append)
        settle(self)
        while not results:
            try:
                f, args = self._from_threads.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError("nothing happens any more") from None
            f(*args)
            settle(self)
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]


def at_once(f: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """What takes the place of a pool of threads: the caller's."""
    try:
        return succeed(f(*args))
    except Exception:
        return fail()


@define(eq=False)
class Gate:
    """A gateway over a data folder.

    :ivar bodies: what the latest versions must hold, by bucket and key, as whoever asked for them knows.
    :ivar turn: how many operations were begun.
    :ivar relaxed: whether a write is acknowledged before it survives a power cut.
    """

    folder: str
    relaxed: bool = False
    loop: Loop = field(factory=Loop)
    bodies: dict[tuple[str, str], bytes] = field(factory=dict)
    turn: int = 0
    gateway: Gateway = field(init=False)
    _site: Any = field(init=False, default=None)

    @property
    def database(self) -> str:
        """The path of the database."""
        return f"{self.folder}/metadata.db"

    def open(self) -> None:
        """Open the stores as the service does."""
        settings = Settings(
            security_enabled=True, data=self.folder, access_log="-", audit_log="-"
        )
        loop: Any = self.loop
        metadata = SQLiteMetadataStore(self.database, loop, relaxed=self.relaxed)
        blobs = FileBlobStore(
            f"{self.folder}/blobs", "files", loop, at_once, INLINE, self.relaxed
        )
        blobs.extent_size = EXTENT
        self.loop.wait(started(metadata))
        try:
            self.loop.wait(started(blobs))
        except BaseException:
            self.loop.wait(metadata.close())
            raise
        self.gateway = Gateway(
            settings,
            metadata,
            BlobStores(blobs),
            Readers(),
            loop,
            at_once,
            process="owner",
            sealing=sealing(),
        )
        self._site = None
        self.write(_prepare)

    def _make_site(self) -> Any:
        settings, loop = self.gateway.settings, self.loop
        logs = AccessLog(settings), AuditLog(settings)
        stored = MetadataSecretStore(self.gateway.metadata, MasterKey(bytes(32)))
        secrets = StaticSecrets({OWNER: SECRET}, stored)
        return make_site(loop, self.gateway, secrets, *logs)

    def close(self) -> None:
        """Close them."""
        self.loop.wait(self.gateway.blobs.default.close_store())
        self.loop.wait(self.gateway.metadata.close())

    def write(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Run an interaction that writes."""
        return self.loop.wait(self.gateway.metadata.write(interaction, *args))

    def read(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Run an interaction that reads."""
        return self.loop.wait(self.gateway.metadata.read(interaction, *args))

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """A request's status, headers and body."""
        sent = sign(
            method,
            f"http://localhost{target}",
            headers or {},
            OWNER,
            SECRET,
            REGION,
            self.loop.seconds(),
            "UNSIGNED-PAYLOAD",
        )
        sent["connection"] = "close"
        if body or method in ("PUT", "POST"):
            sent["content-length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        said = "\r\n".join([*lines, "", ""]).encode() + body
        if self._site is None:
            self._site = self._make_site()
        answer = self.loop.wait(talk(self._site, self.loop, said))
        head, _, rest = answer.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        received = {}
        for line in fields:
            name, _, value = line.partition(":")
            received[name.lower()] = value.strip()
        return int(first.split()[1]), received, rest

    def sweep(self) -> None:
        """Do what the service does in the background: delete what nothing names."""
        reaper = Reaper(
            self.gateway.metadata,
            self.gateway.blobs.default,
            self.gateway.readers,
            self.loop,
            "owner",
            0.0,
        )
        self.loop.wait(reaper.sweep_orphans(int(self.loop.seconds() * 1000)))
        # What was doomed just now goes a moment later.
        self.loop.advance(1)
        self.loop.wait(reaper.reap())
        # So does what was retired, and is doomed only now.
        self.loop.advance(1)
        self.loop.wait(reaper.reap())


def _prepare(tx: IMetadataTransaction) -> None:
    if tx.volume(VOLUME) is None:
        tx.add_volume(shared_volume(VOLUME, OWNER, tx.now()))

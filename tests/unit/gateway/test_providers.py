"""Providers by URL, and the plugin that twistd finds."""

from __future__ import annotations

import os
from functools import partial
from types import SimpleNamespace
from typing import Any

from twisted.application.service import IServiceMaker
from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.sharedstore import SharedFileBlobStore
from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.content.stores import BlobStores
from ozgate.errors import Unavailable
from ozgate.gateway import providers
from ozgate.gateway.providers import make_blob_stores, make_provider
from ozgate.interfaces import IBlobStore, IMetadataStore, IProviderMaker
from tests.started import started


class PluginTests(SynchronousTestCase):
    """What is found among Twisted's plugins."""

    def test_service_maker(self) -> None:
        """``twistd ozgate`` is known."""
        names = [maker.tapname for maker in getPlugins(IServiceMaker)]
        self.assertIn("ozgate", names)

    def test_makers(self) -> None:
        """The built-in providers have a maker each, for the interface that they say."""
        found = {(each.scheme, each.provides) for each in getPlugins(IProviderMaker)}
        own = {("sqlite", IMetadataStore), ("files", IBlobStore), ("hdfs", IBlobStore)}
        own |= {("s3+https", IBlobStore), ("s3+http", IBlobStore)}
        self.assertLessEqual(own, found)


class MakeProviderTests(SynchronousTestCase):
    """From a URL to a provider."""

    def make(self, interface: Any, key: str, **settings: Any) -> Any:
        """A provider on data in a folder of the test's."""
        data = os.path.abspath(self.mktemp())
        return make_provider(
            interface,
            key,
            Clock(),
            Settings(data=data, **settings),
            lambda f, *args: succeed(f(*args)),
        )

    def test_defaults(self) -> None:
        """The defaults make providers of their interfaces."""
        made = self.make(IMetadataStore, "ozgate.metadata")
        self.assertTrue(IMetadataStore.providedBy(made))

    def test_unknown_scheme(self) -> None:
        """A scheme that nothing makes is refused, and the known ones are named."""
        with self.assertRaises(ConfigurationError) as caught:
            self.make(IMetadataStore, "ozgate.metadata", metadata_provider="files:x")
        self.assertIn("sqlite:", str(caught.exception))

    def test_not_installed(self) -> None:
        """A maker that cannot make what it is asked for, for want of an extra, is a line with the key that asks for it."""
        maker = SimpleNamespace(scheme="far", provides=IMetadataStore, make=_lacking)
        self.patch(providers, "getPlugins", lambda interface: [maker])
        with self.assertRaises(ConfigurationError) as caught:
            self.make(IMetadataStore, "ozgate.metadata", metadata_provider="far://db/x")
        self.assertEqual(
            str(caught.exception),
            "ozgate.metadata: far: needs more: pip install 'ozgate[far]'",
        )


def _lacking(*_: object) -> None:
    raise Unavailable("far: needs more: pip install 'ozgate[far]'")


class MakeBlobStoresTests(SynchronousTestCase):
    """From the configuration to blob stores side by side."""

    def make(self, *urls: str, **more: Any) -> BlobStores:
        """Those of ``ozgate.blobs``, and of ``ozgate.blobs.more``."""
        self.data = os.path.abspath(self.mktemp())
        settings = Settings(
            data=self.data, blob_provider=urls[0], more_blob_providers=urls[1:], **more
        )
        return make_blob_stores(Clock(), settings, lambda f, *args: succeed(f(*args)))

    def test_default(self) -> None:
        """One store, called by its scheme, as each was before there could be more."""
        stores = self.make(Settings().blob_provider)
        self.assertEqual(stores.names, ("files",))
        self.assertTrue(IBlobStore.providedBy(stores.default))
        self.assertEqual(stores.folder, f"{self.data}/blobs")

    def test_several(self) -> None:
        """Each has the name that it was given; new blobs go to the first."""
        stores = self.make("disk2=files:/mnt/blobs", "files:blobs", "old=files:old")
        self.assertEqual(stores.names, ("disk2", "files", "old"))
        self.assertEqual(stores.default.name, "disk2")

    def test_shared_or_not(self) -> None:
        """A folder is locked for its one service where the metadata are its own, and shared where they are a server's."""
        self.assertIs(type(self.make("files:blobs").default), FileBlobStore)
        url = "postgresql://ozgate@db1/ozgate"
        shared = self.make("files:blobs", metadata_provider=url)
        self.assertIs(type(shared.default), SharedFileBlobStore)
        # Nobody waits for a file server to see how much room it has.
        self.assertEqual(shared.folder, "")

    def test_one_folder(self) -> None:
        """One folder is not two stores, however it is written."""
        for written in ("./blobs", "a/../blobs"):
            with self.assertRaises(ConfigurationError) as caught:
                self.make("files:blobs", f"disk2=files:{written}")
            self.assertIn("ozgate.blobs.more", str(caught.exception))
            self.assertIn("'files'", str(caught.exception))

    def test_unknown_scheme(self) -> None:
        """A scheme that nothing makes is refused, with the key that has it."""
        with self.assertRaises(ConfigurationError) as caught:
            self.make("files:blobs", "disk2=nfs:/mnt")
        self.assertIn("ozgate.blobs.more: nothing", str(caught.exception))

    def test_name_without_equals(self) -> None:
        """A colon where the name of a store should have ``=`` after it: what is said shows how names are given."""
        with self.assertRaises(ConfigurationError) as caught:
            self.make("disk2:files:/mnt/disk2/blobs")
        self.assertIn("NAME=files:", str(caught.exception))


class DurabilityTests(TestCase):
    """``ozgate.durability``: whether a write waits for the disk."""

    async def written(self, durability: str) -> tuple[int, int]:
        """How often blobs called fsync for one blob, and SQLite's level (1 is NORMAL, 2 is FULL)."""
        settings = Settings(data=os.path.abspath(self.mktemp()), durability=durability)  # noqa: ASYNC240
        os.mkdir(settings.data)
        calls: list[object] = []
        for name in ("fsync", "fsync_folder"):
            self.patch(syscalls, name, calls.append)
        blobs, metadata = (
            make(reactor, settings, deferToThread)
            for make in (
                lambda *of: make_blob_stores(*of).default,
                partial(make_provider, IMetadataStore, "ozgate.metadata"),
            )
        )
        await started(blobs)
        await started(metadata)
        try:
            calls.clear()
            sink = blobs.create(None)
            sink.write(b"body")
            await sink.commit()
            level = await metadata.write(
                lambda tx: tx._connection.execute("PRAGMA synchronous").fetchone()[0]
            )
            return len(calls), level
        finally:
            await metadata.close()
            await blobs.close_store()

    async def test_strict(self) -> None:
        """By default a blob is synced, and its name, and so is each commit."""
        self.assertEqual(Settings().durability, "strict")
        self.assertEqual(await self.written("strict"), (2, 2))

    async def test_relaxed(self) -> None:
        """Relaxed, nothing waits for the disk."""
        self.assertEqual(await self.written("relaxed"), (0, 1))

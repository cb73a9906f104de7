"""Name services and Kerberos, as hdfs-native has them: by Hadoop's configuration, and by MIT's library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.blobs.hdfs.store import HdfsBlobStore
from ozgate.values import ByteRange
from tests.engines import sitefiles
from tests.engines.hdfs import Hdfs, given
from tests.kdc import Kdc, require_kerberos
from tests.running import ROOT, free_port

PROGRAM = """\
import sys
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from ozgate.blobs.hdfs.store import HdfsBlobStore
from ozgate.values import ByteRange

async def work(reactor):
    store = HdfsBlobStore(sys.argv[1], "hdfs", reactor, 10)
    await store.prepare_store()
    await store.open_store()
    sink = store.create(None)
    sink.write(b"kept")
    blob = await sink.commit()
    source = await store.open(blob, ByteRange(0, 4))
    print(source.as_bytes(), await store.verify(blob.id))
    await store.close_store()

react(lambda reactor: Deferred.fromCoroutine(work(reactor)))
"""


class NameServiceTests(TestCase):
    """Two name nodes, of which one is down."""

    timeout = 120

    def setUp(self) -> None:
        self.hdfs = given()
        self.conf = Path(self.mktemp()).absolute()
        self.conf.mkdir()
        names = {
            "dfs.nameservices": "ns",
            "dfs.ha.namenodes.ns": "nn1,nn2",
            "dfs.namenode.rpc-address.ns.nn1": f"127.0.0.1:{free_port()}",
            "dfs.namenode.rpc-address.ns.nn2": self.hdfs.url.removeprefix("hdfs://"),
            "dfs.client.failover.proxy.provider.ns": "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
        }
        sitefiles.write(self.conf / "core-site.xml", {"fs.defaultFS": "hdfs://ns"})
        sitefiles.write(self.conf / "hdfs-site.xml", names)

    async def test_one_is_down(self) -> None:
        """The one that is up is found, by what HADOOP_CONF_DIR says."""
        before = os.environ.get("HADOOP_CONF_DIR")
        os.environ["HADOOP_CONF_DIR"] = str(self.conf)
        self.addCleanup(self.set_back, before)
        url = f"hdfs://ns/ozgate-{os.urandom(6).hex()}"
        store = HdfsBlobStore(url, "hdfs", reactor, 10)
        self.addCleanup(store.close_store)
        await store.prepare_store()
        await store.open_store()
        sink = store.create(None)
        sink.write(b"kept")
        blob = await sink.commit()
        source = await store.open(blob, ByteRange(0, 4))
        self.assertEqual(source.as_bytes(), b"kept")

    def set_back(self, before: str | None) -> None:
        """Have the environment as it was."""
        os.environ.pop("HADOOP_CONF_DIR", None)
        if before is not None:
            os.environ["HADOOP_CONF_DIR"] = before


class KerberosTests(SynchronousTestCase):
    """An HDFS with Kerberos, of the test's own."""

    def setUp(self) -> None:
        given()
        require_kerberos()
        folder = tempfile.mkdtemp(prefix="ozgate-hdfs-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        Path(folder, "kdc").mkdir()
        self.kdc = Kdc(f"{folder}/kdc")
        self.kdc.start()
        self.addCleanup(self.kdc.stop)
        names = [f"{each}/localhost@{self.kdc.realm}" for each in ("hdfs", "HTTP")]
        self.kdc.keytab("keytab", *names)
        self.hdfs = Hdfs(Path(folder, "hdfs"), kdc=self.kdc)
        self.addCleanup(self.hdfs.stop)
        self.hdfs.start()

    def work(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Store and read a blob, in a process of its own: the library of Kerberos reads the environment once."""
        conf = {"HADOOP_CONF_DIR": f"{self.hdfs.folder}/conf"}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, f"{self.hdfs.url}/ozgate"],
            cwd=ROOT,
            env={**os.environ, **self.kdc.environment, **conf, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def test_keytab(self) -> None:
        """With a keytab all is done, and tickets are got as they are needed; without, one line says what is missing."""
        refused = self.work()
        self.assertIn("KRB5_CLIENT_KTNAME is to name the keytab", refused.stderr)
        done = self.work(
            KRB5_CLIENT_KTNAME=f"FILE:{self.kdc.folder}/keytab",
            KRB5CCNAME=f"FILE:{self.kdc.folder}/tickets",
        )
        self.assertEqual(done.stdout, "b'kept' 4\n", done.stderr)

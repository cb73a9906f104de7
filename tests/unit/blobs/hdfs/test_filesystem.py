"""URLs of HDFS, and what becomes of what its client raises; without one."""

from __future__ import annotations

import sys

from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.hdfs.filesystem import HdfsPath, import_client, store_error
from ozgate.errors import Absent, Damaged, NoSpace, Unavailable

SAFE_MODE = r'RPCError("org.apache.hadoop.hdfs.server.namenode.SafeModeException", "Cannot create file /o/x. Name node is in safe mode.\nIt was turned on manually.\n\tat org.apache.hadoop.hdfs.server.namenode.FSNamesystem.newSafemodeException(FSNamesystem.java:1612)\n\tat java.base/x")'
NO_NODE = 'RPCError("java.io.IOException", "File /o/x could only be written to 0 of the 1 minReplication nodes. There are {} datanode(s) running and {} node(s) are excluded in this operation.")'
QUOTA = 'RPCError("org.apache.hadoop.hdfs.protocol.DSQuotaExceededException", "The DiskSpace quota of /o is exceeded: quota = 3145728 B = 3 MB but diskspace consumed = 4194304 B = 4 MB")'
NO_TICKET = 'GSSAPIError(GssMajorCodes { routine_error: "GSS_S_NO_CRED" }, 2529639053, "No credentials were supplied")'


class PathTests(SynchronousTestCase):
    """What a URL says."""

    def test_parts(self) -> None:
        """A name service or a name node, and a folder."""
        for url, system, folder in (
            ("hdfs://ns/ozgate", "hdfs://ns", "/ozgate"),
            ("hdfs://nn1:8020/a/b/", "hdfs://nn1:8020", "/a/b"),
        ):
            path = HdfsPath(url)
            self.assertEqual((path.system, path.folder), (system, folder))

    def test_refused(self) -> None:
        """Where no folder is named, or a password might be, one line says how it is to be; the password is not in it."""
        for url in ("hdfs:ozgate", "hdfs:///ozgate", "hdfs://ns", "hdfs://ns/"):
            error = self.assertRaises(Unavailable, HdfsPath, url)
            self.assertIn("hdfs://NAMESERVICE/FOLDER", str(error))
        error = self.assertRaises(Unavailable, HdfsPath, "hdfs://u:x@host@ns/ozgate")
        self.assertNotIn("ozgate'", str(error))

    def test_no_client(self) -> None:
        """Without hdfs-native one line says what to install."""
        self.patch(sys, "modules", {**sys.modules, "hdfs_native": None})
        error = self.assertRaises(Unavailable, import_client)
        self.assertEqual(
            str(error), "hdfs: needs hdfs-native: pip install 'ozgate[hdfs]'"
        )


class ErrorTests(SynchronousTestCase):
    """What a store raises for what hdfs-native does."""

    def kind(self, text: str) -> type:
        """Of an error with that text."""
        return type(store_error("writing", RuntimeError(text)))

    def test_kinds(self) -> None:
        """Gone, full, damaged; all else is for now, and says nothing of what is stored."""
        self.assertIsInstance(store_error("x", FileNotFoundError("/o/x")), Absent)
        damaged = type("ChecksumError", (Exception,), {})
        self.assertIsInstance(store_error("x", damaged()), Damaged)
        self.assertIs(self.kind(QUOTA), NoSpace)
        self.assertIs(self.kind(SAFE_MODE), Unavailable)
        self.assertIs(self.kind("Connection refused (os error 111)"), Unavailable)
        self.assertIs(self.kind(""), Unavailable)

    def test_no_data_node(self) -> None:
        """Data nodes that are there and take no block are full; those that are away, or were found not to answer, are not."""
        self.assertIs(self.kind(NO_NODE.format(3, "no")), NoSpace)
        self.assertIs(self.kind(NO_NODE.format(0, "no")), Unavailable)
        self.assertIs(self.kind(NO_NODE.format(1, "1")), Unavailable)

    def test_one_line(self) -> None:
        """What a server says is one line without Java's frames, and no long one."""
        said = str(store_error("writing", RuntimeError(SAFE_MODE)))
        self.assertIn("in safe mode", said)
        self.assertNotIn("FSNamesystem.java", said)
        self.assertLess(len(str(store_error("x", RuntimeError("y" * 10_000)))), 400)

    def test_no_ticket(self) -> None:
        """Who has no ticket is told where a keytab is looked for."""
        said = str(store_error("writing", RuntimeError(NO_TICKET)))
        self.assertIn("KRB5_CLIENT_KTNAME", said)

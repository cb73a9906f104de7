"""Java's classes of the first write and read, loaded before the client is used: three thousand, which on a busy machine take seconds. No thread asks Java for anything meanwhile; see :mod:`.methods`."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client

_RATIS = "org.apache.ratis"
_GRPC = f"{_RATIS}.thirdparty.io.grpc.netty.NettyChannelBuilder"
_SCM = "org.apache.hadoop.hdds.scm"

_CLASSES = (
    "org.apache.hadoop.ozone.client.io.KeyOutputStream",
    "org.apache.hadoop.ozone.client.io.BlockOutputStreamEntryPool",
    "org.apache.hadoop.ozone.client.io.KeyInputStream",
    f"{_SCM}.storage.RatisBlockOutputStream",
    f"{_SCM}.storage.BlockInputStream",
    f"{_SCM}.storage.ChunkInputStream",
    f"{_SCM}.XceiverClientRatis",
    f"{_SCM}.XceiverClientGrpc",
    "org.apache.hadoop.hdds.protocol.datanode.proto.ContainerProtos",
    "org.apache.hadoop.hdds.ratis.RatisHelper",
    "org.apache.hadoop.ozone.common.Checksum",
    "org.apache.hadoop.ozone.common.ChunkBuffer",
    f"{_RATIS}.client.impl.RaftClientImpl",
    f"{_RATIS}.grpc.client.GrpcClientRpc",
    f"{_RATIS}.grpc.client.GrpcClientProtocolClient",
    f"{_RATIS}.proto.RaftProtos",
)

_CONNECTING = 0.2
"""Seconds that a connection to nobody is given to fail."""


def warm_up(client: Client) -> None:
    """Load them: by a connection to a port that nobody has, and by name. Nothing is written or read. In a thread; what is not there in another version is left out."""
    java = client.java
    try:
        # Its metrics bring JMX along.
        java(f"{_SCM}.XceiverClientManager").getXceiverClientMetrics()
        channel = java(_GRPC).forAddress("127.0.0.1", 1).usePlaintext().build()
        channel.getState(True)
        sleep(_CONNECTING)
        channel.shutdownNow()
        load = java("java.lang.Class").forName
        for each in _CLASSES:
            load(each)
    except Exception as error:
        left_out = isinstance(error, AttributeError | TypeError)
        if not left_out and not hasattr(error, "getCause"):
            raise

"""Ozone's client in the JVM, and what of Java is asked by name: looked up once, since each look costs as much as a small call."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from ...errors import Refused
from ...values import OnBehalf
from .faces import Faces
from .java import Java
from .security import BELIEVED, Security, log_in

_SITES = "core-site.xml", "ozone-site.xml"
"""In the order in which Hadoop reads them: what the second one says stands."""

_BOUNDS = {
    # Without them a call that the OM answers by an exception of its own is tried again for ten minutes and more.
    "ozone.om.client.rpc.timeout": "5s",
    # A datanode that does not answer keeps a thread for no longer than somebody may wait; 1, 5 and 3 minutes by default, and 5 times that.
    "hdds.ratis.raft.client.rpc.request.timeout": "15s",
    "hdds.ratis.raft.client.rpc.watch.request.timeout": "20s",
    "hdds.ratis.client.request.write.timeout": "20s",
    "hdds.ratis.client.request.watch.timeout": "20s",
    "ozone.client.max.retries": "2",
    "ozone.client.read.timeout": "15s",
    # What a writer may have in memory until the datanodes have it; 4, 16 and 32 MB by default.
    "ozone.client.stream.buffer.size": "1MB",
    "ozone.client.stream.buffer.flush.size": "1MB",
    "ozone.client.stream.buffer.max.size": "2MB",
}
"""What has to hold in a gateway, whatever the cluster's files say for other clients."""


class Client(Java):
    """A client of a cluster, its connections, and Java's classes. All of it is for threads that may wait; any number of them.

    :ivar protocol: Ozone's ``ClientProtocol``, by which keys and buckets are asked for.
    :ivar verifies: whether the cluster holds signatures against secrets of its own.
    :ivar store: Ozone's ``ObjectStore``.
    :ivar manager: the OM's own protocol.
    :ivar faces: it, as each of those has it for whom things are made.
    :ivar wide: it, as :mod:`ozgate.foreign.ozone.wide` has it; ``None`` where that is not made yet.
    :ivar s3_volume: the volume of those who are no tenants.
    :param conf: the folder of the files that say where the cluster is.
    :param security: how it is entered.
    :raises Unavailable: the gateway cannot log in.
    """

    def __init__(self, conf: str, security: Security = BELIEVED) -> None:
        import jpype

        java = jpype.JClass
        super().__init__(java)
        self.configuration = _configuration(java, conf)
        log_in(java, self.configuration, security)
        self.verifies = security.is_on
        utility = java("org.apache.hadoop.hdds.scm.client.HddsClientUtils")
        self.s3_volume = str(utility.getDefaultS3VolumeName(self.configuration))
        self.s3_auth = java("org.apache.hadoop.ozone.om.protocol.S3Auth")
        factory = java("org.apache.hadoop.ozone.client.OzoneClientFactory")
        self._client = factory.getRpcClient(self.configuration)
        self.store: Any = self._client.getObjectStore()
        self.protocol: Any = self.store.getClientProxy()
        self.manager: Any = self.protocol.getOzoneManagerClient()
        self._take_on = self.manager.setThreadLocalS3Auth
        self.clear = self.manager.clearThreadLocalS3Auth
        self.faces = Faces(self)
        self.wide: Client | None = None

    def take_on(self, behalf: OnBehalf) -> None:
        """Have what this thread asks be asked for somebody, until :attr:`clear` is called in it.

        :raises Refused: ``PERMISSION_DENIED``: it is nobody, or a name that nothing was signed for where the cluster holds signatures against its secrets.
        """
        if behalf.is_gateway:
            return
        user = behalf.user
        if self.verifies and (signed := behalf.presented) is not None:
            words = signed.string_to_sign, signed.signature, signed.access_id
            self._take_on(self.s3_auth(*words, user or signed.access_id))
        elif user and not self.verifies:
            self._take_on(self.s3_auth("", "", user, user))
        else:
            raise Refused("PERMISSION_DENIED", "nobody has signed this")

    def copied(self, protocol: Any) -> Client:
        """The same with another ``ClientProtocol``; see :mod:`ozgate.foreign.ozone.faces`."""
        made = copy(self)
        made.protocol = protocol
        made.wide = None
        store = self.java("org.apache.hadoop.ozone.client.ObjectStore")
        made.store = store(self.configuration, protocol)
        return made

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _configuration(java: Any, conf: str) -> Any:
    made = java("org.apache.hadoop.hdds.conf.OzoneConfiguration")()
    path = java("org.apache.hadoop.fs.Path")
    for each in _SITES:
        if Path(conf, each).is_file():
            made.addResource(path(f"{conf}/{each}"))
    for key, value in _BOUNDS.items():
        made.set(key, value)
    # One try for each OM there is, and one more.
    tries = 1 + max(1, _managers(made))
    made.set("ozone.client.failover.max.attempts", str(tries))
    return made


def _managers(configuration: Any) -> int:
    """How many OMs the cluster has, as far as its files name them."""
    services = configuration.getTrimmedStringCollection("ozone.om.service.ids")
    nodes = [
        configuration.getTrimmedStringCollection(f"ozone.om.nodes.{each}")
        for each in services
    ]
    return max(map(len, nodes), default=0)

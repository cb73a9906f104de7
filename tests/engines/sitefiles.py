"""The configuration of a small cluster of Apache Ozone on loopback: one SCM, one OM, one datanode, its own S3 gateway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

COUNT = 26
"""Ports that a cluster takes, from its first one on."""
OM, OM_WEB, SCM_BLOCKS, SCM_WEB, DATANODE, S3G, HTTPFS = 0, 1, 5, 7, 11, 20, 22
"""Which of them is whose, as far as somebody asks."""

_PORTS = {
    "ozone.om.ratis.port": 2,
    "ozone.om.grpc.port": 3,
    "ozone.scm.client.port": 4,
    "ozone.scm.block.client.port": SCM_BLOCKS,
    "ozone.scm.datanode.port": 6,
    "ozone.scm.ratis.port": 8,
    "ozone.scm.grpc.port": 9,
    "ozone.scm.security.service.port": 10,
    "hdds.container.ipc.port": DATANODE,
    "hdds.container.ratis.ipc.port": 12,
    "hdds.container.ratis.admin.port": 13,
    "hdds.container.ratis.server.port": 14,
    "hdds.container.ratis.datastream.port": 15,
    "hdds.datanode.replication.port": 16,
    "hdds.datanode.client.port": 17,
}
_ADDRESSES = {
    "ozone.om.address": OM,
    "ozone.om.http-address": OM_WEB,
    "ozone.scm.client.address": 4,
    "ozone.scm.block.client.address": SCM_BLOCKS,
    "ozone.scm.datanode.address": 6,
    "ozone.scm.names": 6,
    "ozone.scm.http-address": SCM_WEB,
    "hdds.datanode.client.address": 17,
    "hdds.datanode.http-address": 18,
    "ozone.s3g.http-address": S3G,
    "ozone.s3g.webadmin.http-address": 21,
}
_ON_LOOPBACK = (
    *("ozone.om.http-bind-host", "ozone.scm.http-bind-host"),
    *("ozone.s3g.http-bind-host", "ozone.s3g.webadmin.http-bind-host"),
    *("hdds.datanode.http-bind-host", "hdds.datanode.client.bind.host"),
    *("ozone.scm.client.bind.host", "ozone.scm.block.client.bind.host"),
    *("ozone.scm.datanode.bind.host", "ozone.scm.security.service.bind.host"),
    "hdds.datanode.hostname",
)
_SMALL = {
    # Out of safe mode as soon as the one datanode is there, not five minutes later.
    "hdds.scm.safemode.min.datanode": "1",
    "hdds.scm.wait.time.after.safemode.exit": "3s",
    "hdds.heartbeat.interval": "1s",
    "ozone.scm.heartbeat.thread.interval": "1s",
    "ozone.server.default.replication": "1",
    "ozone.server.default.replication.type": "RATIS",
    "ozone.replication": "1",
    "ozone.scm.pipeline.creation.auto.factor.one": "true",
    "ozone.scm.container.size": "256MB",
    "ozone.scm.block.size": "16MB",
    "ozone.scm.datanode.ratis.volume.free-space.min": "10MB",
    "hdds.datanode.volume.min.free.space": "100MB",
    "hdds.datanode.volume.min.free.space.percent": "0",
    "ozone.scm.ha.raft.server.rpc.first-election.timeout": "1s",
    "hdds.raft.server.rpc.first-election.timeout": "1s",
    "ozone.om.ratis.minimum.timeout": "1s",
}
_PRINCIPALS = {
    "hdds.scm": "scm",
    "ozone.om": "om",
    "hdds.datanode": "dn",
    "ozone.s3g": "s3g",
    "ozone.httpfs": "httpfs",
}
"""Where a daemon's keys begin → its name in Kerberos."""
PRINCIPALS = tuple(f"{each}/localhost" for each in (*_PRINCIPALS.values(), "HTTP"))
"""All daemons', without the realm."""

_LOG = """\
log4j.rootLogger=INFO,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d %p %c{1} %m%n
"""


def ozone_site(
    folder: Path, base: int, *, syncs: bool, realm: str = "", keytab: str = ""
) -> dict[str, str]:
    """All of ``ozone-site.xml``.

    :param folder: where everything of the cluster is.
    :param base: the first port.
    :param syncs: whether chunks are synced to the disk before they are acknowledged, which Ozone does not do by default.
    :param realm: of Kerberos; ``""`` for none.
    """
    found = {name: str(base + number) for name, number in _PORTS.items()}
    for name, number in _ADDRESSES.items():
        found[name] = f"127.0.0.1:{base + number}"
    found |= dict.fromkeys(_ON_LOOPBACK, "127.0.0.1") | _SMALL
    found |= {
        "ozone.metadata.dirs": f"{folder}/meta",
        "ozone.http.basedir": f"{folder}/http",
        "hdds.datanode.dir": f"{folder}/dn/data",
        "hdds.container.ratis.datanode.storage.dir": f"{folder}/dn/ratis",
        "ozone.scm.datanode.id.dir": f"{folder}/dn",
        "hdds.container.chunk.write.sync": "true" if syncs else "false",
    }
    if realm:
        found |= _secure(realm, keytab)
    return found


def _secure(realm: str, keytab: str) -> dict[str, str]:
    found = {
        "ozone.security.enabled": "true",
        "ozone.administrators": "root",
        "ozone.s3.administrators": "root",
        "ozone.acl.enabled": "true",
        "ozone.acl.authorizer.class": "org.apache.hadoop.ozone.security.acl.OzoneNativeAuthorizer",
        "ozone.s3g.http.auth.kerberos.principal": f"HTTP/localhost@{realm}",
        "ozone.s3g.http.auth.kerberos.keytab": keytab,
    }
    for begin, name in _PRINCIPALS.items():
        found[f"{begin}.kerberos.principal"] = f"{name}/localhost@{realm}"
        found[f"{begin}.kerberos.keytab.file"] = keytab
    return found


def core_site(base: int, *, secure: bool) -> dict[str, str]:
    """All of ``core-site.xml``."""
    found = {
        "fs.defaultFS": f"ofs://127.0.0.1:{base + OM}",
        "fs.ofs.impl": "org.apache.hadoop.fs.ozone.RootedOzoneFileSystem",
        "hadoop.proxyuser.root.hosts": "*",
        "hadoop.proxyuser.root.groups": "*",
    }
    return found | ({"hadoop.security.authentication": "kerberos"} if secure else {})


def httpfs_site(folder: Path, base: int) -> dict[str, str]:
    """All of ``httpfs-site.xml``."""
    return {
        "httpfs.http.port": str(base + HTTPFS),
        "httpfs.http.hostname": "127.0.0.1",
        "httpfs.proxyuser.root.hosts": "*",
        "httpfs.proxyuser.root.groups": "*",
        "httpfs.hadoop.config.dir": f"{folder}/conf",
    }


def write(path: Path, properties: Mapping[str, str]) -> None:
    """Write a file in Hadoop's format."""
    lines = [
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        for name, value in properties.items()
    ]
    text = "\n".join(("<configuration>", *lines, "</configuration>", ""))
    path.write_text(text, "utf-8")


def write_log(path: Path) -> None:
    """Write how a daemon logs: to its standard output."""
    path.write_text(_LOG, "utf-8")

"""Methods of Java, made known to Python while one thread alone asks.

JPype finds out what types a method takes when it is called for the first time, without a lock: two threads that are the first at once can read half of what a third
writes, and the process is gone (SIGSEGV in ``JPConversionObject::matches``; as seen of 1.7.1, in one of four starts under 64 uploads). So all that threads of the
pool may be the first to call at the same time is made known before they begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client

_CLIENT = "org.apache.hadoop.ozone.client"
_OM = "org.apache.hadoop.ozone.om"

CLASSES = (
    f"{_CLIENT}.rpc.RpcClient",
    f"{_CLIENT}.ObjectStore",
    f"{_CLIENT}.OzoneBucket",
    f"{_CLIENT}.OzoneVolume",
    f"{_CLIENT}.OzoneKey",
    f"{_CLIENT}.OzoneKeyDetails",
    f"{_CLIENT}.OzoneMultipartUploadPartListParts",
    f"{_CLIENT}.OzoneMultipartUploadPartListParts$PartInfo",
    f"{_CLIENT}.BucketArgs",
    f"{_CLIENT}.BucketArgs$Builder",
    f"{_CLIENT}.io.OzoneInputStream",
    f"{_CLIENT}.io.OzoneOutputStream",
    f"{_CLIENT}.io.KeyOutputStream",
    f"{_OM}.protocolPB.OzoneManagerProtocolClientSideTranslatorPB",
    f"{_OM}.protocol.S3Auth",
    f"{_OM}.exceptions.OMException",
    f"{_OM}.exceptions.OMException$ResultCodes",
    f"{_OM}.helpers.BasicOmKeyInfo",
    f"{_OM}.helpers.BucketLayout",
    f"{_OM}.helpers.ErrorInfo",
    f"{_OM}.helpers.KeyInfoWithVolumeContext",
    f"{_OM}.helpers.ListKeysLightResult",
    f"{_OM}.helpers.OmKeyArgs$Builder",
    f"{_OM}.helpers.OmKeyArgs",
    f"{_OM}.helpers.OmKeyInfo",
    f"{_OM}.helpers.OmKeyLocationInfo",
    f"{_OM}.helpers.OmKeyLocationInfoGroup",
    f"{_OM}.helpers.OmMultipartInfo",
    f"{_OM}.helpers.OmMultipartUpload",
    f"{_OM}.helpers.OmMultipartUploadCompleteInfo",
    f"{_OM}.helpers.OmMultipartUploadList",
    f"{_OM}.helpers.OzoneFileStatusLight",
    "org.apache.hadoop.hdds.client.ReplicationConfig",
    "java.io.IOException",
    "java.lang.Class",
    "java.lang.IllegalArgumentException",
    "java.lang.Long",
    "java.lang.reflect.Constructor",
    "java.lang.reflect.Field",
    "java.lang.reflect.Modifier",
    "java.nio.DirectByteBuffer",
    "java.time.Instant",
    "java.util.ArrayList",
    "java.util.ArrayList$Itr",
    "java.util.Collections$SingletonList",
    "java.util.HashMap",
    "java.util.HashMap$EntryIterator",
    "java.util.HashMap$EntrySet",
    "java.util.HashMap$Node",
    "java.util.LinkedHashMap",
    "java.util.stream.ReferencePipeline$Head",
    "java.util.stream.Collectors",
    "com.google.common.base.Joiner$MapJoiner",
    "sun.reflect.ReflectionFactory",
)
"""Those of what the pool's threads hold in their hands."""


def make_known(client: Client) -> None:
    """Have JPype find out what methods and constructors take. In the one thread that has the client yet."""
    for name in CLASSES:
        try:
            found = client.java(name)
        except TypeError:
            # Another version has no such class, and nobody is the first to call it.
            continue
        for kind in found.__mro__:
            for method in list(vars(kind).values()):
                # Its types are in the report.
                if hasattr(method, "matchReport"):
                    method.matchReport()
    client.key_args()
    client.s3_auth("", "", "", "")
    client.map_of({"": ""})
    client.list_of([""])
    client.parts_of([(1, "")])

"""Pages of keys as columns: Java puts each column together, so that a page of a thousand takes a dozen calls and not ten thousand."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

from ...values import ForeignObject
from .found import parts_of

_BETWEEN = "\0"
_HELPERS = "org.apache.hadoop.ozone.om.helpers"


class Columns:
    """What makes columns of lists of ``BasicOmKeyInfo`` and of ``OzoneFileStatusLight``.

    :param java: looks a class up.
    """

    def __init__(self, java: Callable[[str], Any]) -> None:
        self._java = java
        self._handles = java("java.lang.invoke.MethodHandles")
        self._lookup = self._handles.publicLookup()
        self._type = java("java.lang.invoke.MethodType").methodType
        self._joining = java("java.util.stream.Collectors").joining
        self._to_list = java("java.util.stream.Collectors").toList
        string = java("java.lang.String")
        info = java(f"{_HELPERS}.BasicOmKeyInfo")
        config = java("org.apache.hadoop.hdds.client.ReplicationConfig")
        self._name = self._text(info, "getKeyName", string)
        self._etag = self._text(info, "getETag", string)
        self._owner = self._text(info, "getOwnerName", string)
        kept = self._virtual(info, "getReplicationConfig", config)
        shown = self._virtual(config, "configFormat", string)
        self._kept = self._function(self._handles.filterReturnValue(kept, shown))
        self._size = self._number(info, "getDataSize")
        self._modified = self._number(info, "getModificationTime")
        status = java(f"{_HELPERS}.OzoneFileStatusLight")
        self._info = self._function(self._virtual(status, "getKeyInfo", info))
        boolean = java("java.lang.Boolean")
        is_folder = self._virtual(status, "isDirectory", boolean.TYPE)
        text = self._lookup.findStatic(
            boolean, "toString", self._type(string, boolean.TYPE)
        )
        self._is_folder = self._function(
            self._handles.filterReturnValue(is_folder, text)
        )

    def objects(self, infos: Any) -> list[ForeignObject]:
        """Keys of a Java list of ``BasicOmKeyInfo``."""
        size = infos.size()
        if not size:
            return []
        names = self._texts(infos, self._name, size)
        etags = [
            "" if each == "null" else each
            for each in self._texts(infos, self._etag, size)
        ]
        return list(
            map(
                ForeignObject,
                names,
                self._numbers(infos, self._size),
                self._numbers(infos, self._modified),
                etags,
                self._texts(infos, self._owner, size),
                repeat({}),
                repeat({}),
                repeat(0),
                repeat(False),
                self._texts(infos, self._kept, size),
                map(parts_of, etags),
            )
        )

    def entries(self, statuses: Any) -> list[tuple[ForeignObject, bool]]:
        """Files and folders of a Java list of ``OzoneFileStatusLight``, and which of them are folders."""
        size = statuses.size()
        if not size:
            return []
        infos = statuses.stream().map(self._info).collect(self._to_list())
        flags = self._texts(statuses, self._is_folder, size)
        return list(
            zip(self.objects(infos), (each == "true" for each in flags), strict=True)
        )

    def _texts(self, found: Any, function: Any, size: int) -> Sequence[str]:
        joined = found.stream().map(function).collect(self._joining(_BETWEEN))
        texts = str(joined).split(_BETWEEN)
        if len(texts) == size:
            return texts
        # A name has a NUL.
        return [str(function.apply(each)) for each in found]

    def _numbers(self, found: Any, function: Any) -> Sequence[int]:
        numbers = found.stream().mapToLong(function).toArray()
        return array("q", memoryview(numbers).tobytes())

    def _text(self, of: Any, name: str, kind: Any) -> Any:
        return self._function(self._virtual(of, name, kind))

    def _number(self, of: Any, name: str) -> Any:
        long = self._java("java.lang.Long").TYPE
        return self._proxy(
            "java.util.function.ToLongFunction", self._virtual(of, name, long)
        )

    def _virtual(self, of: Any, name: str, kind: Any) -> Any:
        return self._lookup.findVirtual(of, name, self._type(kind))

    def _function(self, handle: Any) -> Any:
        return self._proxy("java.util.function.Function", handle)

    def _proxy(self, interface: str, handle: Any) -> Any:
        proxies = self._java("java.lang.invoke.MethodHandleProxies")
        return proxies.asInterfaceInstance(self._java(interface), handle)

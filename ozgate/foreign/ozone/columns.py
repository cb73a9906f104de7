"""Pages of keys as columns: Java puts each column together, so that a page of a thousand takes a dozen calls and not ten thousand."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from ...values import ForeignRow
from .descriptions import trusted_lookup

_BETWEEN = "\0"
_HELPERS = "org.apache.hadoop.ozone.om.helpers"
_FUNCTIONS = "java.util.function"


class Columns:
    """What makes columns of lists of ``BasicOmKeyInfo`` and of ``OzoneFileStatusLight``.

    :param java: looks a class up.
    """

    def __init__(self, java: Callable[[str], Any]) -> None:
        self._joining = java("java.util.stream.Collectors").joining
        self._to_list = java("java.util.stream.Collectors").toList
        getters = _Getters(java, java(f"{_HELPERS}.BasicOmKeyInfo"))
        self._name = getters.function("getKeyName", java("java.lang.String"))
        self._etag = getters.function("getETag", java("java.lang.String"))
        self._owner = getters.function("getOwnerName", java("java.lang.String"))
        self._size = getters.number("getDataSize")
        self._modified = getters.number("getModificationTime")
        statuses = _Getters(java, java(f"{_HELPERS}.OzoneFileStatusLight"))
        self._info = statuses.function("getKeyInfo", getters.of)
        self._is_folder = statuses.predicate("isDirectory")

    def rows(self, infos: Any) -> list[ForeignRow]:
        """Keys of a Java list of ``BasicOmKeyInfo``."""
        size = infos.size()
        if not size:
            return []
        etags = self._texts(infos, self._etag, size)
        return list(
            zip(
                self._texts(infos, self._name, size),
                self._numbers(infos, self._modified),
                self._numbers(infos, self._size),
                ["" if each == "null" else each for each in etags],
                self._texts(infos, self._owner, size),
                strict=True,
            )
        )

    def entries(self, statuses: Any) -> list[tuple[ForeignRow, bool]]:
        """Files and folders of a Java list of ``OzoneFileStatusLight``, and which of them are folders."""
        infos = statuses.stream().map(self._info).collect(self._to_list())
        is_folder = self._is_folder.test
        return [
            (each, bool(is_folder(status)))
            for each, status in zip(self.rows(infos), statuses, strict=True)
        ]

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


class _Getters:
    """Makes Java functions of the getters of a class, as Java's compiler would of ``Class::getter``: they cost a tenth of what reflection does.

    :ivar of: the class.
    """

    def __init__(self, java: Callable[[str], Any], of: Any) -> None:
        self.of = of
        self._java = java
        handles = java("java.lang.invoke.MethodHandles")
        # A function is made inside of the class that it looks into, which takes its own rights.
        self._lookup = handles.privateLookupIn(of, trusted_lookup(java))
        self._type = java("java.lang.invoke.MethodType").methodType
        self._make = java("java.lang.invoke.LambdaMetafactory").metafactory

    def function(self, name: str, kind: Any) -> Any:
        """A ``Function`` of a getter.

        :param kind: the class of what it returns.
        """
        anything = self._java("java.lang.Object")
        return self._made("Function", "apply", name, kind, anything)

    def number(self, name: str) -> Any:
        """A ``ToLongFunction`` of a getter of a ``long``."""
        long = self._java("java.lang.Long").TYPE
        return self._made("ToLongFunction", "applyAsLong", name, long, long)

    def predicate(self, name: str) -> Any:
        """A ``Predicate`` of a getter of a ``boolean``."""
        boolean = self._java("java.lang.Boolean").TYPE
        return self._made("Predicate", "test", name, boolean, boolean)

    def _made(
        self, interface: str, method: str, name: str, kind: Any, returned: Any
    ) -> Any:
        wanted = self._java(f"{_FUNCTIONS}.{interface}")
        site = self._make(
            self._lookup,
            method,
            self._type(wanted),
            self._type(returned, self._java("java.lang.Object")),
            self._lookup.findVirtual(self.of, name, self._type(kind)),
            self._type(kind, self.of),
        )
        return wanted @ site.getTarget().invokeWithArguments(
            self._java("java.util.ArrayList")()
        )

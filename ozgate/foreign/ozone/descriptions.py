"""All that is asked of a key, put together by Java as one text: a dozen calls from Python would cost a tenth of a GET, and each lets go of Python's lock and waits for it.

What does so is composed of Java's own method handles, as ``javac`` composes ``a + b``; there is no class of ours in Java.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BETWEEN_FIELDS, BETWEEN, IS = "\3", "\0", "\1"
"""What stands between fields; between the entries of a map; between name and value."""

_ARGUMENT = "\1"
"""What stands for an argument in a recipe of ``StringConcatFactory``."""

_MAPS = "getMetadata", "getTags"
_ALIKE = "getDataSize", "getGeneration", "isFile", "getReplicationConfig.configFormat"
"""What both classes have under the same names."""


def trusted_lookup(java: Callable[[str], Any]) -> Any:
    """A ``MethodHandles.Lookup`` that finds everything.

    :param java: looks a class up.
    """
    lookup = java("java.lang.invoke.MethodHandles$Lookup")
    trusted = lookup.class_.getDeclaredField("IMPL_LOOKUP")
    trusted.setAccessible(True)
    return trusted.get(None)


class Descriptions:
    """Makes texts of keys: metadata, how many, tags, how many; bytes, generation, whether it is a file, replication; name, owner, time in milliseconds.

    :param java: looks a class up.
    :param join: a ``Joiner.MapJoiner`` of Guava.
    :ivar of_info: of an ``OmKeyInfo``.
    :ivar of_details: of an ``OzoneKeyDetails``.
    """

    def __init__(self, java: Callable[[str], Any], join: Any) -> None:
        self._java = java
        self._handles = java("java.lang.invoke.MethodHandles")
        self._type = java("java.lang.invoke.MethodType").methodType
        self._lookup = trusted_lookup(java)
        self._text = java("java.lang.String")
        joining = join.getClass().getMethod("join", java("java.util.Map"))
        self._joined = self._lookup.unreflect(joining).bindTo(join)
        self.of_info = self._function(
            java("org.apache.hadoop.ozone.om.helpers.OmKeyInfo"),
            "getKeyName", "getOwnerName", "getModificationTime",
        )  # fmt: skip
        self.of_details = self._function(
            java("org.apache.hadoop.ozone.client.OzoneKeyDetails"),
            "getName", "getOwner", "getModificationTime.toEpochMilli",
        )  # fmt: skip

    def _function(self, of: Any, name: str, owner: str, time: str) -> Any:
        """A Java ``Function`` from a key to its text."""
        getters = []
        for each in _MAPS:
            getters += [self._map(of, each), self._getter(of, f"{each}.size")]
        getters += [self._getter(of, each) for each in _ALIKE]
        getters += [self._getter(of, name), self._owner(of, owner)]
        getters.append(self._getter(of, time))
        return self._concatenated(of, getters)

    def _getter(self, of: Any, path: str) -> Any:
        """What asks an object, and what it answers, and so on.

        :param path: names of methods without arguments, dots between them.
        """
        kind: Any = of.class_
        made: Any = None
        for each in path.split("."):
            method = kind.getMethod(each)
            kind, found = method.getReturnType(), self._lookup.unreflect(method)
            made = found if made is None else self._then(made, found)
        # A method may be a base class's, and be said to return more than it is asked for.
        return made.asType(made.type().changeParameterType(0, of))

    def _then(self, first: Any, second: Any) -> Any:
        returned = first.type().returnType()
        second = second.asType(second.type().changeParameterType(0, returned))
        return self._handles.filterReturnValue(first, second)

    def _map(self, of: Any, name: str) -> Any:
        return self._then(self._getter(of, name), self._joined)

    def _owner(self, of: Any, name: str) -> Any:
        """There may be none."""
        anything = self._java("java.lang.Object")
        method = self._java("java.util.Objects").class_.getMethod(
            "toString", anything, self._text
        )
        or_else = self._lookup.unreflect(method)
        or_nothing = self._handles.insertArguments(or_else, 1, [""])
        return self._then(self._getter(of, name), or_nothing)

    def _concatenated(self, of: Any, getters: list[Any]) -> Any:
        kinds = [each.type().returnType() for each in getters]
        recipe = BETWEEN_FIELDS.join(_ARGUMENT * len(kinds))
        concat = self._java(
            "java.lang.invoke.StringConcatFactory"
        ).makeConcatWithConstants(
            self._lookup, "text", self._type(self._text, kinds), recipe, []
        )
        each_of_one = self._handles.filterArguments(concat.getTarget(), 0, getters)
        of_one = self._handles.permuteArguments(
            each_of_one, self._type(self._text, of), [0] * len(getters)
        )
        anything = self._java("java.lang.Object")
        function = self._java("java.util.function.Function")
        proxies = self._java("java.lang.invoke.MethodHandleProxies")
        made = proxies.asInterfaceInstance(
            function.class_, of_one.asType(self._type(anything, anything))
        )
        return (function @ made).apply

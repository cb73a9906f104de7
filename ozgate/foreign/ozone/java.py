"""What of Java is asked by name, looked up once: each look costs as much as a small call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .columns import Columns
from .descriptions import BETWEEN, IS, Descriptions
from .keystream import Hooks


class Java:
    """Classes of Java and of Ozone, and what is made of them.

    :ivar java: looks a class up.
    :ivar hooks: what is run before commits.
    :ivar columns: what makes columns of pages.
    :ivar descriptions: what makes texts of keys.
    :ivar direct: a Java buffer over a ``bytearray``, which Java fills in place.
    :ivar join_map: a Java map of strings as one text: NUL between its entries, SOH between name and value.
    :ivar key_args: begins a question about a key, an ``OmKeyArgs``.
    :ivar replication: what says that a bucket's own is meant: ``null``, of its type.
    :ivar generation: a ``Long``.
    """

    def __init__(self, java: Callable[[str], Any]) -> None:
        import jpype.nio

        self.java = java
        self.hooks = Hooks(java)
        self.columns = Columns(java)
        self.direct: Any = jpype.nio.convertToDirectBuffer
        joiner = java("com.google.common.base.Joiner")
        join = joiner.on(BETWEEN).withKeyValueSeparator(IS)
        self.join_map: Any = join.join
        self.descriptions = Descriptions(java, join)
        self.key_args: Any = java(
            "org.apache.hadoop.ozone.om.helpers.OmKeyArgs$Builder"
        )
        self.replication: Any = jpype.JObject(
            None, java("org.apache.hadoop.hdds.client.ReplicationConfig")
        )
        self.generation: Any = java("java.lang.Long").valueOf
        self._hash_map = java("java.util.HashMap")
        self._linked_map = java("java.util.LinkedHashMap")
        self._integer = java("java.lang.Integer").valueOf
        self._list = java("java.util.ArrayList")

    def map_of(self, entries: Mapping[str, str]) -> Any:
        """A Java ``HashMap`` of strings."""
        made = self._hash_map()
        for key, value in entries.items():
            made.put(key, value)
        return made

    def parts_of(self, parts: Sequence[tuple[int, str]]) -> Any:
        """Numbers of parts and their ETags, in their order."""
        made = self._linked_map()
        for number, etag in parts:
            made.put(self._integer(number), etag)
        return made

    def list_of(self, texts: Sequence[str]) -> Any:
        """A Java list of strings."""
        made = self._list()
        for each in texts:
            made.add(each)
        return made

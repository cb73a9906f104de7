"""Ozone's client as it writes large keys, of which a few at a time may have more in memory until the datanodes have it: that is twice as fast.

The buffers of a stream are those of its client's settings, an ``OzoneClientConfig``; so there is a copy of the client with others. As seen of 2.2.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .faces import copy_of, making

if TYPE_CHECKING:
    from .client import Client

LARGE = 8 << 20
"""Bytes from which on a key or part is large."""

MOST = 4
"""Those that are written so at a time: each may take :data:`_MAX` of Java's heap, and as much beside it."""

_BUFFER, _FLUSH, _MAX = 2 << 20, 8 << 20, 16 << 20
"""What is sent at once; after how much the datanode is told of it; how much may be under way."""


def widened(client: Client) -> Client:
    """The client, with buffers for large keys; made once of each. In a thread."""
    if client.wide is None:
        with making:
            if client.wide is None:
                client.wide = client.copied(_protocol(client))
    return client.wide


def _protocol(client: Client) -> Any:
    settings = client.configuration.getObject(
        client.java("org.apache.hadoop.hdds.scm.OzoneClientConfig")
    )
    settings.setStreamBufferSize(_BUFFER)
    settings.setStreamBufferFlushSize(_FLUSH)
    settings.setStreamBufferMaxSize(_MAX)
    protocol = copy_of(client.java, client.protocol)
    field = protocol.getClass().getDeclaredField("clientConfig")
    field.setAccessible(True)
    field.set(protocol, settings)
    return protocol

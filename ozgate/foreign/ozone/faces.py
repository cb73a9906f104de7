"""Ozone's client as one of its users has it.

``RpcClient`` takes the owner of what it makes from a field that all threads share, ``s3gUgi``: each ``setThreadLocalS3Auth`` sets it, and whoever makes a key
next is its owner. Of two users who write at once one now and then owns what the other made, and may do with it what he likes. So every user has a copy
of the client, whose field has him alone, and which shares all else: connections, the OM's protocol, the signature that a thread brings. A copy takes two
milliseconds, once. As seen of 2.2.0.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from ...errors.stores import Refused

if TYPE_CHECKING:
    from .client import Client

making = Lock()
"""Held by whoever makes a copy. Several threads that do so at once, and for the first time, have crashed the process; see :mod:`.methods`."""

MOST = 1000
"""Users that are remembered; the one that was longest not asked for is made anew."""


class Faces:
    """The copies of a client, by user. For any thread.

    :param client: it is its own for the gateway.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: OrderedDict[str, Client] = OrderedDict()
        self._lock = Lock()

    def of(self, user: str) -> Client:
        """The client as a user has it; ``""``: as the gateway has.

        :raises Refused: ``PERMISSION_DENIED``: the cluster's rules have no short name for him.
        """
        if not user:
            return self._client
        found = self._find(user)
        if found is None:
            with making:
                # Somebody may have made it meanwhile.
                found = self._find(user)
                if found is None:
                    found = self._client.copied(self._protocol(user))
                    self._keep(user, found)
        return found

    def _find(self, user: str) -> Client | None:
        with self._lock:
            found = self._known.get(user)
            if found is not None:
                self._known.move_to_end(user)
            return found

    def _keep(self, user: str, made: Client) -> None:
        with self._lock:
            self._known[user] = made
            if len(self._known) > MOST:
                self._known.popitem(last=False)

    def _protocol(self, user: str) -> Any:
        """A copy of the client's ``RpcClient`` that makes things for a user."""
        client = self._client
        made = copy_of(client.java, client.protocol)
        refused = client.java("java.lang.IllegalArgumentException")
        # What it sets for this thread is not meant, and somebody else may be set already.
        before = client.manager.getThreadLocalS3Auth()
        try:
            made.setThreadLocalS3Auth(client.s3_auth("", "", user, user))
        except refused as error:
            raise Refused("PERMISSION_DENIED", f"no short name: {error}") from None
        finally:
            client.manager.setThreadLocalS3Auth(before)
        return made


def copy_of(java: Any, original: Any) -> Any:
    """A shallow copy of a Java object, made by no constructor of its class. For who holds :data:`making`."""
    made = (
        java("sun.reflect.ReflectionFactory")
        .getReflectionFactory()
        .newConstructorForSerialization(
            original.getClass(),
            java("java.lang.Object").class_.getDeclaredConstructor(),
        )
        .newInstance()
    )
    is_static = java("java.lang.reflect.Modifier").isStatic
    kind = original.getClass()
    while kind is not None:
        for field in kind.getDeclaredFields():
            if not is_static(field.getModifiers()):
                field.setAccessible(True)
                field.set(made, field.get(original))
        kind = kind.getSuperclass()
    return made

"""A client of the cluster that asks as somebody, for as long as a command takes.

Where security is off it is the name that counts, as in Ozone's own shell that this user would run. Where it is on, the gateway says for whom it asks
(Hadoop's proxy users): the cluster lets it, or not, by ``hadoop.proxyuser.*`` of its ``core-site.xml``. The gateway's own rights are never lent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from twisted.logger import Logger

from ....errors import Refused
from ....immutable import frozen

T = TypeVar("T")

_log = Logger()

_REFUSED_BY_JAVA = "IllegalArgumentException", "OzoneIllegalArgumentException"
"""What Ozone's client throws of what it does not even ask; its own shell prints the message alone."""

_MAY_NOT_ASK = "AuthorizationException", "AccessControlException"


@frozen
class Session:
    """Somebody's own client.

    :ivar java: class of Java, by name.
    :ivar configuration: of the client, Ozone's.
    :ivar store: Ozone's ``ObjectStore``.
    :ivar user: his short name, by which he owns what he makes.
    :ivar principal: his whole name: by default that of his S3 secret.
    :ivar close: ends it. Idempotent; may wait.
    """

    java: Callable[[str], Any]
    configuration: Any
    store: Any
    user: str
    principal: str
    close: Callable[[], None]

    def volume(self, name: str) -> Any:
        """Ozone's ``OzoneVolume``."""
        return self.store.getVolume(name)

    def bucket(self, volume: str, name: str) -> Any:
        """Ozone's ``OzoneBucket``; the volume is asked first, as its shell does, so that it is the one found missing."""
        return self.volume(volume).getBucket(name)

    def shown(self, value: Any) -> Any:
        """A value of Java's as Ozone's shell prints it, in JSON's types."""
        text = self.java("org.apache.hadoop.hdds.server.JsonUtils").toJsonString(value)
        return json.loads(str(text))

    def shown_made(self, look: Callable[[], Any]) -> Any:
        """What was made just now; ``None`` where whoever made it may not see it, which is no reason to say that it failed."""
        try:
            return self.shown(look())
        except Exception as error:
            if hasattr(error, "getResult"):
                return None
            raise


def ask_as(user: str, client: Any, command: Callable[[Session], T]) -> T:
    """Run a command by a client of somebody's own, which ends with it; in a thread that may wait.

    :param client: the gateway's own, for its configuration.
    :raises Refused: as :func:`begin_as`.
    """

    def once(session: Session) -> T:
        try:
            return command(session)
        finally:
            session.close()

    return begin_as(user, client, once)


def begin_as(user: str, client: Any, command: Callable[[Session], T]) -> T:
    """As :func:`ask_as`, but that the client does not end with a command that has succeeded: what that returns ends it.

    :raises Refused: with the code ``""`` what has none; ``PERMISSION_DENIED`` where the cluster does not let the gateway ask for him, or nobody is named.
    """
    import jpype

    if not user:
        raise Refused("PERMISSION_DENIED", "who asks is not known")
    ugi = _identity(client.java, user)
    done: list[T] = []

    def act() -> None:
        done.append(_with_client(ugi, client, command))

    action = jpype.JProxy("java.security.PrivilegedExceptionAction", dict={"run": act})
    try:
        ugi.doAs(action)
    except jpype.JException as error:
        name = str(error.getClass().getSimpleName())
        if name in _REFUSED_BY_JAVA:
            raise Refused("", str(error.getMessage())) from None
        if name in _MAY_NOT_ASK:
            raise Refused(
                "PERMISSION_DENIED",
                f"the cluster does not let the gateway ask for {user}, as hadoop.proxyuser.* in its core-site.xml would: {error.getMessage()}",
            ) from None
        raise
    return done[0]


def _identity(java: Callable[[str], Any], user: str) -> Any:
    """Hadoop's ``UserGroupInformation`` of somebody, without his credentials."""
    known = java("org.apache.hadoop.security.UserGroupInformation")
    if not known.isSecurityEnabled():
        return known.createRemoteUser(user)
    own = known.getLoginUser()
    # A user of this machine is the one of the gateway's realm.
    realm = "" if "@" in user else str(own.getUserName()).rpartition("@")[2]
    return known.createProxyUser(f"{user}@{realm}" if realm else user, own)


def _with_client(ugi: Any, client: Any, command: Callable[[Session], T]) -> T:
    factory = client.java("org.apache.hadoop.ozone.client.OzoneClientFactory")
    configuration = _configuration(client.java, client.configuration)
    own = factory.getRpcClient(configuration)
    session = Session(
        client.java,
        configuration,
        own.getObjectStore(),
        str(ugi.getShortUserName()),
        str(ugi.getUserName()),
        _closing(own),
    )
    try:
        return command(session)
    except BaseException:
        session.close()
        raise


@lru_cache(1)
def _configuration(java: Callable[[str], Any], shared: Any) -> Any:
    """That of a client which soon ends: its connection of the OM, two threads and a descriptor, is not shared, and stays until it was idle for so long."""
    made = java("org.apache.hadoop.hdds.conf.OzoneConfiguration")(shared)
    made.set("ipc.client.connection.maxidletime", "1000")
    return made


def _closing(own: Any) -> Callable[[], None]:
    """What closes a client, once: one that is closed twice takes from all others what counts their calls, so that they cannot be closed any more. As seen of 2.2.0."""
    left = [own]

    def close() -> None:
        try:
            last = left.pop()
        except IndexError:
            return
        try:
            last.close()
        except Exception as error:
            # It has done what it was made for.
            _log.warn("a client of the cluster is not closed: {error}", error=error)

    return close

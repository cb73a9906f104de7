"""``ozgate ozone check``: whether this machine can be a gateway of the cluster, step by step, and what is missing."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Iterator
from typing import Any

import click
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from ...config.loading import load, override
from ...config.settings import Settings, by_key
from ...config.sitefile import ConfigurationError
from ...errors.stores import Refused, StoreError, Unavailable
from ...foreign.ozone.jars import find_conf, find_jars
from ...foreign.ozone.jvm import find_jpype
from ..offline import running_reactor
from .probe import Caller, Place, probe

FAILED = 1


class _Missing(Exception):
    """Something is; the message says what to do about it."""


@click.command("check")
@click.option(
    "--config",
    envvar="OZGATE_CONFIG",
    help="The service's ozone-site.xml; one that is called so may be the cluster's.",
)
@click.option(
    "-D", "define", multiple=True, metavar="KEY=VALUE", help="As of the service."
)
@click.option(
    "--bucket",
    metavar="VOLUME/BUCKET",
    help="Bucket of the cluster for a probe key; by default one is made in the volume of S3, and removed.",
)
@click.option(
    "--user",
    help="Whose the key is where the cluster believes names; by default of who runs this.",
)
@click.option("--verbose", is_flag=True, help="Show what Ozone's client says.")
def check(
    config: str | None,
    define: tuple[str, ...],
    bucket: str | None,
    user: str | None,
    verbose: bool,
) -> None:
    """Start Ozone's client as the service does, then write, read and remove a probe key.

    Where the cluster verifies signatures, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are whose the key is; without them it is the gateway's own.
    """
    try:
        # AWS's variables are a client's here.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_")
        }
        settings = load(config, environment, map(override, define)).settings
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    place = _place(bucket, settings)
    try:
        _look(settings)
        _ask(settings, place, _caller(user), verbose)
    except _Missing as error:
        _say("MISS", str(error))
        _leave(FAILED)
    _say("ok", "ozgate can be a gateway of this cluster")
    _leave(0)


def _place(bucket: str | None, settings: Settings) -> Place:
    if bucket is None:
        return Place(settings.volume_name, "")
    volume, slash, name = bucket.strip("/").partition("/")
    if not slash or not name or "/" in name:
        raise click.UsageError(
            f"--bucket {bucket}: give a volume and a bucket, such as s3v/mine"
        )
    return Place(volume, name)


def _caller(user: str | None) -> Caller:
    return Caller(
        user or getpass.getuser(),
        os.environ.get("AWS_ACCESS_KEY_ID", ""),
        os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
    )


def _look(settings: Settings) -> None:
    """What can be seen without Java.

    :raises _Missing: it is not there.
    """
    try:
        find_jpype()
    except Unavailable as error:
        raise _Missing(str(error)) from None
    import jpype

    try:
        library = jpype.getDefaultJVMPath()
    except jpype.JVMNotFoundException:
        raise _Missing(
            "there is no Java: install one of version 11 or newer (Debian: apt-get install openjdk-17-jre-headless), and set JAVA_HOME where it is in a place of its own"
        ) from None
    _say("ok", f"JPype {jpype.__version__}, {library}")
    try:
        jars = find_jars(by_key(settings))
        _say("ok", f"{len(jars)} jars")
        _say("ok", f"the cluster's configuration, {find_conf(by_key(settings))}")
    except StoreError as error:
        raise _Missing(str(error)) from None


def _ask(settings: Settings, place: Place, caller: Caller, verbose: bool) -> None:
    """What the cluster says.

    :raises _Missing: it cannot be asked, or refuses.
    """
    reactor = running_reactor()

    def asked() -> Any:
        work = probe(reactor, by_key(settings), place, caller, _ok)
        return Deferred.fromCoroutine(work)

    try:
        with contextlib.nullcontext() if verbose else _no_errors():
            blockingCallFromThread(reactor, asked)
    except StoreError as error:
        raise _Missing(f"{error}{_next(error)}") from None


@contextlib.contextmanager
def _no_errors() -> Iterator[None]:
    """Without what the JVM prints, pages of it, about what is told in a line."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _next(error: StoreError) -> str:
    """What to do about what was said."""
    text = str(error)
    if isinstance(error, Refused):
        return _REFUSED.get(error.code, "")
    return next((hint for word, hint in _FAILED.items() if word in text), "")


_REFUSED = {
    "PERMISSION_DENIED": ": give whoever asks the right ('ozone sh bucket addacl'), name a bucket that they may write to with --bucket, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the pair of somebody who may",
    "INVALID_TOKEN": ": AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are no pair that the cluster knows; 'ozone s3 getsecret' gives one",
    "BUCKET_NOT_FOUND": ": --bucket names one that is there, 'ozone sh bucket list VOLUME' shows them",
    "VOLUME_NOT_FOUND": ": 'ozone sh volume list' shows them; ozone.s3g.volume.name is that of S3",
}
_INCOMPLETE = ": the class path lacks something; that of ozone-s3gateway is complete, 'ozgate ozone fetch-client VERSION' gets it"
_UNREACHED = ": does the OM run, does ozone.om.address of the cluster's configuration name it, and is it reached from here?"
_FAILED = {
    "NoClassDefFound": _INCOMPLETE,
    "ClassNotFound": _INCOMPLETE,
    "is not found": _INCOMPLETE,
    "UnsupportedClassVersion": ": this Java is too old for the client; set JAVA_HOME to a newer one",
    "no JVM can be started": ": set JAVA_HOME to a Java of version 11 or newer, and ozgate.ozone.heap to what this machine has",
    "Login": ": ozone.s3g.kerberos.principal and ozone.s3g.kerberos.keytab.file are what the gateway logs in by, KRB5_CONFIG names the realm's KDC",
    "Kerberos": ": ozone.s3g.kerberos.principal and ozone.s3g.kerberos.keytab.file are what the gateway logs in by, KRB5_CONFIG names the realm's KDC",
    "SIMPLE authentication is not enabled": ": the cluster has Kerberos; hadoop.security.authentication in the core-site.xml beside its ozone-site.xml says so",
    "SAFE_MODE": ": the cluster has just started, or lacks datanodes; try again in a minute",
    "Connect": _UNREACHED,
    "UnknownHost": _UNREACHED,
    "in time": _UNREACHED,
    "not configured": _UNREACHED,
}
"""What is in a message → what to do."""


def _ok(text: str) -> None:
    _say("ok", text)


def _say(how: str, text: str) -> None:
    click.echo(f"{how:4}  {text}")


def _leave(code: int) -> None:
    """End without Python's own end, which threads that are in Java still would hold up."""
    sys.stdout.flush()
    if "jpype" in sys.modules and sys.modules["jpype"].isJVMStarted():
        os._exit(code)
    sys.exit(code)

"""The JVM in this process: begun once, never ended, and never before a fork.

A process has one JVM in its life, and a child that is forked from it has none of its threads: so it is begun when the cluster is first
asked, in each process for itself. ``faulthandler`` must not be enabled after that: it takes the signals by which the JVM finds null pointers.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from ...errors import Unavailable

_OPEN = "java.nio", "java.lang", "java.lang.reflect", "java.lang.invoke"
"""Packages of Java's own that Ozone and what it is made of reach into, as its own scripts open them; and one for :mod:`.columns`."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What ``mallopt`` calls the free bytes at its end that an arena keeps, and the size from which memory is mapped by itself."""


def find_jpype() -> None:
    """Look whether JPype is installed, which is not imported for that.

    :raises Unavailable: it is not. It says what to do.
    """
    if find_spec("jpype") is None:
        raise Unavailable(
            f"JPype is not installed: {sys.executable} -m pip install 'ozgate[ozone]'"
        )


def start_jvm(classpath: Sequence[str], heap: int) -> None:
    """Begin the JVM, where this process has none yet. It takes half a second.

    :param heap: bytes that Java's objects may take.
    :raises Unavailable: there is no Java.
    """
    import jpype
    import jpype.config

    if jpype.isJVMStarted():
        return
    # The end of the process waits for nothing that is under way in Java: threads that ask a cluster that does not answer stay for long.
    jpype.config.onexit = False
    jpype.config.destroy_jvm = False
    _give_back_memory()
    try:
        jpype.startJVM(
            *_options(heap),
            classpath=list(classpath),
            convertStrings=True,
            interrupt=False,
        )
    except (OSError, RuntimeError, ValueError, jpype.JVMNotFoundException) as error:
        raise Unavailable(f"no JVM can be started: {error}") from error
    atexit.register(_leave)


def _give_back_memory() -> None:
    """Have what is freed go back to the system.

    glibc raises both thresholds with what is freed, up to 64 MiB for each arena, of which the JVM's threads have one each: under 64 uploads that
    were some 35 MiB more. Source: ``mallopt(3)``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        # Above what is read of a body at once: to map that each time would cost more than the memory is worth.
        mallopt(_MMAP_THRESHOLD, 2 << 20)
        mallopt(_TRIM_THRESHOLD, 128 << 10)


def _options(heap: int) -> Iterator[str]:
    # Signals stay Python's: SIGTERM and SIGINT are the reactor's.
    yield "-Xrs"
    yield f"-Xmx{max(heap, 32 << 20)}"
    # One collector in one thread: the others have threads and tables of their own for each core.
    yield "-XX:+UseSerialGC"
    for package in _OPEN:
        yield f"--add-opens=java.base/{package}=ALL-UNNAMED"
    # As Ozone's scripts: buffers are kept for the threads of Netty only, not for each thread that ever asked.
    yield "-Dorg.apache.ratis.thirdparty.io.netty.allocator.useCacheForAllThreads=false"
    logging = Path(__file__).with_name("log4j.properties")
    yield f"-Dlog4j.configuration={logging.as_uri()}"
    if kerberos := os.environ.get("KRB5_CONFIG"):
        yield f"-Djava.security.krb5.conf={kerberos}"


def leave_at_once() -> None:
    """Have the process end without Python's own end, for a thread is in Java still: when that comes back from there, Python would abort."""
    atexit.unregister(_leave)
    atexit.register(_leave, True)


def _leave(is_at_once: bool = False) -> None:
    if is_at_once:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)
    import jpype

    # The thread of Java that lets go of what is Python's: were it to come in while Python ends, Python would abort.
    queue = jpype.JClass("org.jpype.ref.JPypeReferenceQueue")
    queue.getInstance().stop()

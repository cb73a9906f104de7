"""Ozone's own shell, many commands in one JVM: ``python -m tests.ozone.ozoneshell CONF``.

A line of standard input is a JSON array: the words of a command, ``sh`` or ``s3`` first. A line of standard output is what came of it: ``[code, out, err]``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tests.engines.given import classpath

_OPEN = "java.nio", "java.lang", "java.lang.reflect"
_SHELLS = {
    "sh": "org.apache.hadoop.ozone.shell.OzoneShell",
    "s3": "org.apache.hadoop.ozone.shell.s3.S3Shell",
}


def start(conf: str) -> Any:
    """A JVM that has the shell and all that its writes need: the shell's own class path lacks a jar of those."""
    import jpype

    jars = [*classpath("sh").split(":"), *classpath("s3g").split(":")]
    options = [f"--add-opens=java.base/{each}=ALL-UNNAMED" for each in _OPEN]
    if kerberos := os.environ.get("KRB5_CONFIG"):
        options.append(f"-Djava.security.krb5.conf={kerberos}")
    jpype.startJVM(
        *options,
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dorg.apache.ratis.thirdparty.io.netty.allocator.useCacheForAllThreads=false",
        classpath=[conf, *dict.fromkeys(jars)],
        convertStrings=True,
    )
    return jpype


def run(jpype: Any, words: list[str]) -> tuple[int, str, str]:
    """Run a command as Ozone's script does, but for the end of the process."""
    system = jpype.java.lang.System
    stream = jpype.java.io.ByteArrayOutputStream
    out, err = stream(), stream()
    system.setOut(jpype.java.io.PrintStream(out, True, "UTF-8"))
    system.setErr(jpype.java.io.PrintStream(err, True, "UTF-8"))
    shell = jpype.JClass(_SHELLS[words[0]])()
    code = shell.execute(jpype.JArray(jpype.JString)(words[1:]))
    # What a process ends with has eight bits.
    return code & 255, out.toString("UTF-8"), err.toString("UTF-8")


def main() -> None:
    """Run what comes."""
    jpype = start(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(run(jpype, json.loads(line))), flush=True)
    sys.stdout.flush()
    # The clients that the shell has left open must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()

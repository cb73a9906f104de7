"""Access and audit lines.

The formatting functions are pure. Neither lets a secret, a presigned signature or a line break through, and no
line is long: what a client sent is cut.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from ..errors import Damaged, S3Error
from .logfile import BufferedLog

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from ..config.settings import Settings
    from .request import GatewayRequest

GONE = 499
"""The status that says, as nginx does, that the client went before there was an answer."""

TARGET, HEADER, USER = 2048, 512, 256
"""Characters of a line that a request's target, one of its headers, and an access id may take."""

PARAMETER = 1024
"""Characters of an audit line's parameter, before they are escaped: no key is longer."""

PARAMETERS = 64
"""Parameters of a query in an audit line."""

CUT = "..."
"""Ends what was cut; as a parameter's name it says that there were more."""

SHORT = 64
"""Bytes of what is kept to be shown again, at most: less than any field is cut at, with all escaped."""

HIDDEN = "REDACTED"
SECRET_PARAMETERS = frozenset(
    (
        "x-amz-signature",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-copy-source-server-side-encryption-customer-key",
        "authorization",
        "signature",
        "awsaccesskeyid",
        # Of STS: who sends these in a query is told that they belong into the body.
        "webidentitytoken",
        "tokencode",
    )
)
"""Query parameters, in lower case, whose values are secret or part of one: of SigV4, of SigV2, keys that customers encrypt with."""

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_PLAIN = {code: chr(code) for code in range(0x20, 0x7F)} | {
    0x22: '\\"',
    0x5C: "\\\\",
    0x7C: "\\x7c",  # separates the fields of an audit line
}
_ESCAPES = [_PLAIN.get(code, f"\\x{code:02x}") for code in range(256)]
_MARKED = bytes(code if _ESCAPES[code] == chr(code) else 0 for code in range(256))
"""For ``translate``: what has to be escaped becomes NUL."""


def escape(value: bytes, most: int = TARGET) -> str:
    """Printable ASCII; quotes, backslashes, bars, control characters and all else as escapes.

    :param most: characters, after which it is cut.
    """
    if len(value) <= most and b"\0" not in value.translate(_MARKED):
        return value.decode("ascii")
    pieces = []
    for byte in value:
        piece = _ESCAPES[byte]
        most -= len(piece)
        if most < 0:
            pieces.append(CUT)
            break
        pieces.append(piece)
    return "".join(pieces)


def _shown(value: bytes, most: int) -> str:
    """As :func:`escape`, for what many requests have alike, as a method, the name of a client, a user's: kept, where it is short."""
    return _kept(value) if len(value) <= SHORT else escape(value, most)


@lru_cache(maxsize=256)
def _kept(value: bytes) -> str:
    return escape(value)


def _redacted(target: bytes, most: int) -> str:
    """A target, or a referrer, as it may be shown. It is cut first: nobody reads the rest, and to look through it takes long."""
    if b"?" not in target:
        return escape(target, most)
    shown = escape(redact(target[:most]), most)
    if len(target) > most and not shown.endswith(CUT):
        shown += CUT
    return shown


def redact(target: bytes) -> bytes:
    """A request target with the values of secret query parameters replaced."""
    path, mark, query = target.partition(b"?")
    if not mark:
        return target
    parts = query.split(b"&")
    for index, part in enumerate(parts):
        name, equals, _ = part.partition(b"=")
        if equals and (_is_secret if len(name) <= 256 else _is_secret.__wrapped__)(
            name
        ):
            parts[index] = name + b"=" + HIDDEN.encode("ascii")
    return path + b"?" + b"&".join(parts)


@lru_cache(maxsize=512)
def _is_secret(name: bytes) -> bool:
    decoded = unquote_to_bytes(name.replace(b"+", b" ")).strip().lower()
    return decoded.decode("latin-1") in SECRET_PARAMETERS


@lru_cache(maxsize=2)
def _combined_date(second: int) -> str:
    t = time.gmtime(second)
    month = _MONTHS[t.tm_mon - 1]
    return f"{t.tm_mday:02d}/{month}/{t.tm_year}:{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"


@lru_cache(maxsize=2)
def _audit_date(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))


def access_line(
    *,
    now: float,
    ip: str,
    user: str,
    method: bytes,
    target: bytes,
    protocol: bytes,
    status: int,
    sent: int,
    referrer: bytes,
    agent: bytes,
    request_id: str,
    operation: str,
    seconds: float,
) -> str:
    """One line of the access log: the combined format, then request id, operation, milliseconds.

    :param now: seconds since the epoch; the line says it in UTC.
    :param user: access id; ``-`` for none.
    :param target: the request target as sent; secret parameters are replaced here.
    :param status: HTTP status, or :data:`GONE`.
    :param sent: bytes of the answer's body.
    :param seconds: from the request's head to the answer's end.
    """
    return (
        f"{ip} - {_shown(user.encode(), USER) or '-'} [{_combined_date(int(now))}] "
        f'"{_shown(method, TARGET)} {_redacted(target, TARGET)} {_shown(protocol, TARGET)}" {status} {sent} '
        f'"{_redacted(referrer, HEADER) if referrer else "-"}" "{_shown(agent, HEADER) or "-"}" '
        f"{request_id} {operation or '-'} {seconds * 1000:.1f}\n"
    )


def audit_line(
    *,
    now: float,
    user: str,
    ip: str,
    action: str,
    parameters: Iterable[tuple[str, str]],
    request_id: str,
    success: bool,
    perf: Mapping[str, int],
) -> str:
    """One line of the audit log, in the form Apache Ozone's S3 gateway writes it.

    :param now: seconds since the epoch.
    :param action: Ozone's name of it, such as ``GET_KEY``.
    :param parameters: path and query parameters; secret ones are replaced here.
    :param success: failures have the level ERROR, as in Ozone.
    :param perf: such as ``{"opLatencyMs": 3}``.
    """
    said: dict[str, list[str]] = {}
    for name, value in parameters:
        if name.strip().lower() in SECRET_PARAMETERS:
            value = HIDDEN
        said.setdefault(_cut(name), []).append(_cut(value))
    shown = "".join(
        [f"{_name(n)}: {_json('[' + ', '.join(v) + ']')}, " for n, v in said.items()]
    )
    identity = _json(request_id)
    measured = ", ".join([f"{_name(name)}: {value}" for name, value in perf.items()])
    second, fraction = divmod(now, 1)
    level, result = ("INFO", "SUCCESS") if success else ("ERROR", "FAILURE")
    return (
        f"{_audit_date(int(second))},{int(fraction * 1000):03d} | {level} | S3GAudit | ozgate | "
        f"user={_shown(user.encode(), USER)} | ip={ip} | op={action} "
        f'{{{shown}"x-amz-request-id": {identity}, "x-amz-id-2": {identity}}} | '
        f"ret={result} | perf: {{{measured}}}\n"
    )


def _cut(value: str) -> str:
    return value if len(value) <= PARAMETER else value[:PARAMETER] + CUT


def _json(value: str) -> str:
    """A JSON string in ASCII on one line, without the bar that separates an audit line's fields."""
    text = encode_basestring_ascii(value)
    if "|" in text or "\x7f" in text:
        text = text.replace("|", "\\u007c").replace("\x7f", "\\u007f")
    return text


def _name(value: str) -> str:
    """As :func:`_json`, for names, of which there are few: kept, where it is short."""
    return _kept_name(value) if len(value) <= SHORT else _json(value)


@lru_cache(maxsize=256)
def _kept_name(value: str) -> str:
    return _json(value)


def query_parameters(target: bytes) -> list[tuple[str, str]]:
    """The names and values in a request target's query, decoded, in order."""
    query = target.partition(b"?")[2]
    parameters = []
    for part in query.split(b"&", PARAMETERS) if query else ():
        name, _, value = part.partition(b"=")
        parameters.append((_decoded(name), _decoded(value)))
    return parameters


def _decoded(value: bytes) -> str:
    if b"%" in value or b"+" in value:
        value = unquote_to_bytes(value.replace(b"+", b" "))
    return value.decode("utf-8", "replace")


class AccessLog:
    """The access log of a gateway.

    :param settings: ``access_log`` names the file.
    :param clock: of the file's timer; ``None``: each line is written at once.
    :raises OSError: the file cannot be opened.
    """

    def __init__(self, settings: Settings, clock: IReactorTime | None = None) -> None:
        path = settings.access_log or "access.log"
        self.file = _opened(settings, path, clock)

    def note(
        self,
        request: GatewayRequest,
        operation: str = "-",
        access_id: str = "",
        seconds: float = 0.0,
    ) -> None:
        """Add the line of a request that is over.

        :param operation: S3's name of it; ``-`` where none was found.
        :param seconds: from its head to now.
        """
        line = access_line(
            now=time.time(),
            ip=request.client_ip,
            user=access_id,
            method=request.method,
            target=request.raw_target,
            protocol=request.clientproto,
            status=request.code if request.startedWriting else GONE,
            sent=request.sentLength,
            referrer=request.last_sent("referer"),
            agent=request.last_sent("user-agent"),
            request_id=request.request_id,
            operation=operation,
            seconds=seconds,
        )
        self.file.write(line)


class AuditLog:
    """The audit log of a gateway, in Ozone's form.

    :param settings: ``audit_log`` names the file.
    :param clock: of the file's timer; ``None``: each line is written at once.
    :raises OSError: the file cannot be opened.
    """

    def __init__(self, settings: Settings, clock: IReactorTime | None = None) -> None:
        path = settings.audit_log or f"s3g-audit-{socket.gethostname()}.log"
        self.file = _opened(settings, path, clock)

    def note(
        self,
        request: GatewayRequest,
        action: str,
        access_id: str,
        bucket: str,
        key: str,
        seconds: float,
        error: Exception | None,
        source: tuple[str, str] | None = None,
        query: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        """Add the line of a request that is over.

        :param action: Ozone's name of the operation.
        :param seconds: how long it took.
        :param error: what it failed with.
        :param source: volume and bucket that the bucket is a link to.
        :param query: the parameters in its target; ``None`` where it was not decoded yet.
        """
        parameters = [("bucket", bucket)] if bucket else []
        if source is not None:
            volume, real = source
            parameters += [("sourceVolume", volume), ("sourceBucket", real)]
        if key:
            parameters.append(("path", key))
        target = request.raw_target
        if query is None or len(target) > TARGET:
            query = query_parameters(target[:TARGET])
        parameters += query[:PARAMETERS]
        if len(target) > TARGET or len(query) > PARAMETERS:
            parameters.append((CUT, ""))
        if isinstance(error, Damaged):
            parameters.append(("reason", f"damaged {error.kind}"))
        status = error.status if isinstance(error, S3Error) else 500
        line = audit_line(
            now=time.time(),
            user=access_id,
            ip=request.client_ip,
            action=action,
            parameters=parameters,
            request_id=request.request_id,
            success=error is None or status < 400,
            perf={
                "opLatencyMs": int(seconds * 1000),
                "sizeByte": request.body.received or request.sentLength,
            },
        )
        self.file.write(line)


def _opened(settings: Settings, path: str, clock: IReactorTime | None) -> BufferedLog:
    """A log's file. A relative path is inside the data folder; ``-`` is none."""
    if path != "-":
        path = os.path.join(settings.data, path)
    file = BufferedLog(path, clock)
    file.bound(settings.log_max_size, settings.log_keep)
    return file

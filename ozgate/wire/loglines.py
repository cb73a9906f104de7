"""Lines of the access and of the audit log.

The formatting functions are pure. Neither lets a secret, a presigned signature or a line break through, and no
line is long: what a client sent is cut.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from urllib.parse import unquote_to_bytes

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

KEPT = 256
"""The same of all that a client says of itself: some of them have long names."""

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
    shown = (_redacted if b"?" in target else escape)(target, TARGET)
    client = (user, method, protocol, agent)
    kept = sum(map(len, client)) <= KEPT
    who, verb, version, said = (_kept_client if kept else _client)(*client)
    return (
        f"{ip} - {who} [{_combined_date(int(now))}] "
        f'"{verb} {shown} {version}" {status} {sent} '
        f'"{_redacted(referrer, HEADER) if referrer else "-"}" "{said}" '
        f"{request_id} {operation or '-'} {seconds * 1000:.1f}\n"
    )


def _client(
    user: str, method: bytes, protocol: bytes, agent: bytes
) -> tuple[str, str, str, str]:
    """What many requests of an access log have alike, as it is shown."""
    return (
        escape(user.encode(), USER) or "-",
        escape(method),
        escape(protocol),
        escape(agent, HEADER) or "-",
    )


_kept_client = lru_cache(maxsize=512)(_client)
"""The same, kept where all of it is short."""


def audit_line(
    *,
    now: float,
    user: str,
    ip: str,
    action: str,
    parameters: Sequence[tuple[str, str]],
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
    measured = ", ".join([f"{_json(name)}: {value}" for name, value in perf.items()])
    shown, identity = shown_parameters(parameters), _json(request_id)
    return prepared_audit_line(
        now, user, ip, action, shown, identity, success, measured
    )


def prepared_audit_line(
    now: float,
    user: str,
    ip: str,
    action: str,
    shown: str,
    identity: str,
    success: bool,
    measured: str,
) -> str:
    """As :func:`audit_line`, of its parameters, request id and measures as they are shown."""
    kept = len(user) <= SHORT
    who = (_kept_caller if kept else _caller)(user, ip, action, success)
    second, fraction = divmod(now, 1)
    return (
        f"{_audit_date(int(second))},{int(fraction * 1000):03d}{who}{{{shown}"
        f'"x-amz-request-id": {identity}, "x-amz-id-2": {identity}}} | '
        f"ret={'SUCCESS' if success else 'FAILURE'} | perf: {{{measured}}}\n"
    )


def _caller(user: str, ip: str, action: str, success: bool) -> str:
    """What many requests of an audit log have alike, as it is shown."""
    level = "INFO" if success else "ERROR"
    shown = escape(user.encode(), USER)
    return f" | {level} | S3GAudit | ozgate | user={shown} | ip={ip} | op={action} "


_kept_caller = lru_cache(maxsize=512)(_caller)
"""The same, kept where all of it is short."""


def shown_parameters(parameters: Sequence[tuple[str, str]]) -> str:
    """Parameters as they are shown; those of one name together."""
    said = dict(parameters)
    if len(said) < len(parameters) or max(map(len, said), default=0) > SHORT:
        return _repeated(parameters)
    shown = ""
    for name, value in parameters:
        before, is_secret = _kept_name(name)
        if is_secret:
            shown += before
        elif len(value) <= SHORT:
            shown += f"{before}{_kept_value(value)}, "
        else:
            shown += f"{before}{_json(f'[{_cut(value)}]')}, "
    return shown


def _repeated(parameters: Iterable[tuple[str, str]]) -> str:
    said: dict[str, list[str]] = {}
    for name, value in parameters:
        if name.strip().lower() in SECRET_PARAMETERS:
            value = HIDDEN
        said.setdefault(_cut(name), []).append(_cut(value))
    return "".join(
        [f"{_json(n)}: {_json('[' + ', '.join(v) + ']')}, " for n, v in said.items()]
    )


@lru_cache(maxsize=256)
def _kept_name(name: str) -> tuple[str, bool]:
    """A parameter's name as it is shown, with what goes before the value; with all, and ``True``, where that is hidden."""
    if name.strip().lower() in SECRET_PARAMETERS:
        return _repeated([(name, HIDDEN)]), True
    return f"{_json(name)}: ", False


@lru_cache(maxsize=512)
def _kept_value(value: str) -> str:
    return _json(f"[{value}]")


def shown_resource(bucket: str, key: str) -> str:
    """As :func:`shown_parameters`, where there are no others than these two, as in most requests."""
    shown = _bucket(bucket) if bucket else ""
    if not key:
        return shown
    return f'{shown}"path": {_json(f"[{_cut(key)}]")}, '


@lru_cache(maxsize=512)
def _bucket(name: str) -> str:
    return shown_parameters([("bucket", name)])


def _cut(value: str) -> str:
    return value if len(value) <= PARAMETER else value[:PARAMETER] + CUT


def _json(value: str) -> str:
    """A JSON string in ASCII on one line, without the bar that separates an audit line's fields."""
    text = encode_basestring_ascii(value)
    if "|" in text or "\x7f" in text:
        text = text.replace("|", "\\u007c").replace("\x7f", "\\u007f")
    return text


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

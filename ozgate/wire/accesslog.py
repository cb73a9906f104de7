"""The access and the audit log: who asked for what, a line a request in each."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import Damaged, S3Error
from .logfile import BufferedLog
from .loglines import (
    CUT,
    PARAMETERS,
    SHORT,
    TARGET,
    access_line,
    prepared_audit_line,
    query_parameters,
    shown_parameters,
    shown_resource,
)

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from ..config.settings import Settings
    from .request import GatewayRequest

GONE = 499
"""The status that says, as nginx does, that the client went before there was an answer."""


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
        headers = request.headers
        line = access_line(
            time.time(),
            request.client_ip,
            access_id,
            request.method,
            request.raw_target,
            request.clientproto,
            request.code if request.startedWriting else GONE,
            request.sentLength,
            request.last_sent("referer") if "referer" in headers else b"",
            request.last_sent("user-agent") if "user-agent" in headers else b"",
            request.request_id,
            operation,
            seconds,
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
        target = request.raw_target
        is_plain = source is None and query == [] and len(target) <= TARGET
        if is_plain and len(bucket) <= SHORT and not isinstance(error, Damaged):
            shown = shown_resource(bucket, key)
        else:
            shown = shown_parameters(_asked(target, bucket, key, error, source, query))
        status = error.status if isinstance(error, S3Error) else 500
        size = request.body.received or request.sentLength
        line = prepared_audit_line(
            time.time(),
            access_id,
            request.client_ip,
            action,
            shown,
            f'"{request.request_id}"',
            error is None or status < 400,
            f'"opLatencyMs": {int(seconds * 1000)}, "sizeByte": {size}',
        )
        self.file.write(line)


def _asked(
    target: bytes,
    bucket: str,
    key: str,
    error: Exception | None,
    source: tuple[str, str] | None,
    query: Sequence[tuple[str, str]] | None,
) -> list[tuple[str, str]]:
    """All parameters of an audit line."""
    parameters = [("bucket", bucket)] if bucket else []
    if source is not None:
        volume, real = source
        parameters += [("sourceVolume", volume), ("sourceBucket", real)]
    if key:
        parameters.append(("path", key))
    if query is None or len(target) > TARGET:
        query = query_parameters(target[:TARGET])
    parameters += query[:PARAMETERS]
    if len(target) > TARGET or len(query) > PARAMETERS:
        parameters.append((CUT, ""))
    if isinstance(error, Damaged):
        parameters.append(("reason", f"damaged {error.kind}"))
    return parameters


def _opened(settings: Settings, path: str, clock: IReactorTime | None) -> BufferedLog:
    """A log's file. A relative path is inside the data folder; ``-`` is none."""
    if path != "-":
        path = os.path.join(settings.data, path)
    file = BufferedLog(path, clock)
    file.bound(settings.log_max_size, settings.log_keep)
    return file

"""What the admin listener and the command line say when something is refused: Ozone's result codes."""

from __future__ import annotations

import re

from ..errors import NoSpace, Refused, S3Error, StoreError


class AdminError(Exception):
    """A refusal.

    :param code: one of Ozone's result codes, such as ``VOLUME_NOT_FOUND``; ``""`` where its own command prints the message alone.
    :param message: one line for people.
    :param status: the HTTP status.
    :param remedy: a further line for people: what can be done.
    :ivar headers: extra (name, value) pairs of the answer.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, remedy: str = ""
    ) -> None:
        self.code = code
        self.message = " ".join(message.splitlines())
        self.status = status
        self.remedy = remedy
        self.headers: list[tuple[str, str]] = []
        super().__init__(f"{code} {self.message}" if code else self.message)

    def to_json(self) -> dict[str, str]:
        """As the admin listener answers it."""
        told = {"code": self.code, "message": self.message}
        return {**told, "remedy": self.remedy} if self.remedy else told


def access_denied(message: str) -> AdminError:
    """Somebody who may not do this."""
    return AdminError("PERMISSION_DENIED", message, 403)


_CODES = {
    "AccessDenied": "PERMISSION_DENIED",
    "KeyTooLongError": "INVALID_KEY_NAME",
    "NoSuchBucket": "BUCKET_NOT_FOUND",
    "NoSuchKey": "KEY_NOT_FOUND",
}
"""Ozone's codes where they are not S3's in capitals."""


_STATUSES = {
    "BUCKET_ALREADY_EXISTS": 409,
    "BUCKET_NOT_EMPTY": 409,
    "BUCKET_NOT_FOUND": 404,
    "KEY_NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "USER_MISMATCH": 403,
    "VOLUME_ALREADY_EXISTS": 409,
    "VOLUME_NOT_EMPTY": 409,
    "VOLUME_NOT_FOUND": 404,
}
"""Of what another system refuses, by its code; 400 for all others."""


def as_admin_error(error: S3Error | StoreError) -> AdminError:
    """What the parts that the S3 endpoint shares say, in Ozone's form: ``QuotaExceeded`` is ``QUOTA_EXCEEDED``."""
    if isinstance(error, S3Error):
        code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", error.code).upper()
        return AdminError(_CODES.get(error.code, code), error.message, error.status)
    if isinstance(error, Refused):
        return AdminError(error.code, error.message, _STATUSES.get(error.code, 400))
    if isinstance(error, NoSpace):
        return AdminError("NO_SPACE", str(error) or "the disk is full", 507)
    return AdminError("INTERNAL_ERROR", str(error) or type(error).__name__, 503)

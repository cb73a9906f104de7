"""Secrets of S3 that a cluster keeps, as ``ozone s3`` has them. The OM decides who may touch whose."""

from __future__ import annotations

from typing import Any

from ....errors import Refused
from .session import Session


def get_secret(
    session: Session,
    user: str | None = None,
    key: str = "",
    ttl: float | None = None,
    only_known: bool = False,
) -> Any:
    """Have a secret made, which is shown this once.

    :param only_known: without effect: the cluster makes one for whatever name an administrator says.
    """
    _check_plain(key, ttl)
    return _pair(session.store.getS3Secret(user or session.principal))


def set_secret(
    session: Session, secret: str, user: str | None = None, key: str = ""
) -> Any:
    """Replace a secret that is there by a given one."""
    _check_plain(key)
    return _pair(session.store.setS3Secret(user or session.principal, secret))


def revoke_secret(session: Session, user: str | None = None, key: str = "") -> None:
    """Remove a secret."""
    _check_plain(key)
    session.store.revokeS3Secret(user or session.principal)


def list_secrets(session: Session, after: str = "", limit: int = 0) -> Any:
    """Refuse: the OM tells nobody who has a secret."""
    raise Refused("NOT_SUPPORTED_OPERATION", "The cluster does not list its secrets")


def _check_plain(key: str, ttl: float | None = None) -> None:
    """Refuse what the OM does not know: a user has one secret there, which lasts."""
    if key or ttl is not None:
        raise Refused(
            "NOT_SUPPORTED_OPERATION",
            "A user of the cluster has one secret, which lasts until it is revoked: no --key, no --ttl",
        )


def _pair(value: Any) -> Any:
    return {
        "awsAccessKey": str(value.getAwsAccessKey()),
        "awsSecret": str(value.getAwsSecret()),
    }

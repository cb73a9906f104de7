"""Who signed a browser's form: what its fields say of a signature of its policy, which is the whole of what is signed.

Source: Amazon S3 API Reference, "Authenticating Requests in Browser-Based Uploads Using POST (AWS Signature Version 4)", and Amazon S3
User Guide, "Browser-based uploads using POST (AWS signature version 2)"; messages are AWS's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import AccessDenied, InvalidArgument
from ..values import Presented
from .canonical import ALGORITHM
from .claims import signer_of_form
from .signedtimes import MAX_EXPIRES, MAX_SKEW, parse_timestamp

_VERSION_4: Final = (
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-signature",
)
_VERSION_2: Final = ("awsaccesskeyid", "signature")


def presented_by(
    fields: Mapping[str, str], now: float, sigv2: bool = False
) -> Presented | None:
    """The signature that a form brings, not yet believed.

    :param fields: those before the file, by their names in lower case.
    :param now: seconds since the epoch.
    :param sigv2: whether signatures of version 2 are accepted.
    :return: ``None`` where nobody signed.
    :raises InvalidArgument: it has a part of a signature, or a policy without one.
    :raises AuthorizationQueryParametersError: the credential is none.
    :raises AccessDenied: its date is none, or too far off.
    """
    token = fields.get("x-amz-security-token", "")
    version_2 = any(name in fields for name in _VERSION_2)
    if version_2 and sigv2 and not any(name in fields for name in _VERSION_4):
        access_id, signature, policy = _needed(fields, (*_VERSION_2, "policy"))
        return Presented(access_id, policy, signature, token=token)
    if not any(name in fields for name in (*_VERSION_4, "policy")) and not version_2:
        return None
    algorithm, credential, date, signature, policy = _needed(
        fields, (*_VERSION_4, "policy")
    )
    if algorithm != ALGORITHM:
        raise InvalidArgument(
            f'X-Amz-Algorithm only supports "{ALGORITHM}"',
            ArgumentName="x-amz-algorithm",
            ArgumentValue=algorithm,
        )
    signer = signer_of_form(credential)
    seconds = parse_timestamp(date)
    if seconds is None or date[:8] != signer.date:
        raise AccessDenied("Invalid according to Policy: x-amz-date is no such date.")
    # A key of version 4 is good for a week.
    if not seconds - MAX_SKEW <= now <= seconds + MAX_EXPIRES:
        raise AccessDenied("Request has expired")
    return Presented(
        signer.access_id,
        policy,
        signature,
        signer.date,
        signer.region,
        signer.service,
        token,
    )


def _needed(fields: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    for name in names:
        if not fields.get(name):
            raise InvalidArgument(
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.",
                ArgumentName=name,
                ArgumentValue="",
            )
    return [fields[name] for name in names]

"""The OM as who verifies: it has the secrets, and gives none away.

It holds a signature against the secret of an access id, and looks at nothing else: one of years ago is as good to it. Dates, what was asked, and the body are for
whoever got the request. It takes the third line of what was signed for the scope, and where there is none it fails in a way that clients try again for
minutes: so nothing of another form is sent to it. Source: ``AWSV4AuthValidator`` and ``S3SecurityUtil`` of Ozone 2.2.0, and as seen of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure

from ...errors import InvalidToken, NotImplemented
from ...errors.stores import Refused, Unavailable
from ...values import OnBehalf, Presented, Signatory

if TYPE_CHECKING:
    from .client import Client

_WRONG = "INVALID_TOKEN"
"""What the OM says of a signature that is another's, and of an access id that nobody has: nobody finds out by it whose there are."""

_RIGHT = ("PERMISSION_DENIED", "VOLUME_NOT_FOUND")
"""What it says of a right one where the volume of S3 is not to be read by whoever signed, or not there."""

_HEX = "[0-9a-f]{64}"
_signed_text = re.compile(
    r"AWS4-HMAC-SHA256(-PAYLOAD|-TRAILER|)\n[0-9]{8}T[0-9]{6}Z\n([0-9]{8}/[^/\x00-\x1f]+/[a-z0-9-]+/aws4_request)\n"
    f"({_HEX}(?:\n{_HEX})*)"
).fullmatch
_DIGESTS = {"": 1, "-PAYLOAD": 3, "-TRAILER": 2}
"""Lines after the scope, by what is signed."""
_signature = re.compile(_HEX).fullmatch


def check_form(presented: Presented) -> None:
    """Make sure that the OM can verify something.

    :raises NotImplemented: it cannot: a policy of a browser's form, or a signature of version 2.
    """
    scope = (
        f"{presented.date}/{presented.region}/{presented.service}/aws4_request"
        if presented.region
        else ""
    )
    found = _signed_text(presented.string_to_sign)
    if (
        found is None
        or found[2] != scope
        or found[3].count("\n") + 1 != _DIGESTS[found[1]]
    ):
        raise NotImplemented(
            "The cluster that verifies signatures here takes those of requests by AWS4-HMAC-SHA256, and no others: no browser-based uploads by POST, and no presigned URLs of Signature Version 2."
        )


def can_be_right(presented: Presented) -> bool:
    """Whether a signature is one at all, of somebody and something that Java has words for: the OM fails on an empty access id as it does on other lines."""
    try:
        f"{presented.access_id}{presented.string_to_sign}".encode()
    except UnicodeEncodeError:
        return False
    is_somebody = presented.access_id.strip() != ""
    return is_somebody and _signature(presented.signature) is not None


def who_signed(client: Client, access_id: str) -> str | None:
    """Whose the signature is that this thread brings. Runs in a thread of the cluster's calls, for whoever signed.

    :return: the user, by the cluster's rules of short names; ``None`` where it is another's.
    :raises NotImplemented: whoever it is belongs to a tenant, whose buckets are in another volume.
    """
    try:
        found = client.manager.getS3VolumeContext()
    except Exception as error:
        code = str(getattr(error, "getResult", str)())
        if code == _WRONG:
            return None
        if code not in _RIGHT:
            raise
        return _short_name(client, access_id)
    volume = str(found.getOmVolumeArgs().getVolume())
    if volume != client.s3_volume:
        raise NotImplemented(
            "Tenants of the cluster, who have volumes of their own, are not served here."
        )
    return str(found.getUserPrincipal())


def check_verifies(client: Client) -> None:
    """Make sure that the OM verifies at all: that it refuses a signature which is nobody's. Runs in a thread.

    An OM that is not secure believes everybody.

    :raises Unavailable: it does not.
    """
    scope = "20200101/-/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n20200101T000000Z\n{scope}\n{'0' * 64}"
    client.take_on(OnBehalf("", Presented("-", text, "0" * 64, "20200101", "-")))
    try:
        is_wrong = who_signed(client, "-") is None
    finally:
        client.clear()
    if not is_wrong:
        raise Unavailable(
            "the OM takes a signature that nobody made: ozone.security.enabled is not true there, though it is in the files of ozgate.ozone.conf"
        )


def signatory_of(user: str | None, presented: Presented) -> Signatory | None:
    """What the gate is told.

    :raises InvalidToken: a session's token came: this cluster makes none.
    """
    if user is None:
        return None
    if presented.token:
        raise InvalidToken()
    return Signatory(user)


def unverified(failure: Failure) -> Failure:
    """What to make of a call that says nothing of the signature: a refusal of something else is no answer."""
    if failure.check(Refused):
        return Failure(Unavailable(f"the OM does not verify: {failure.value}"))
    return failure


def _short_name(client: Client, access_id: str) -> str:
    """The user of an access id, which is none of a tenant's, as the OM has it.

    :raises Unavailable: the cluster's rules of short names have none for it.
    """
    groups: Any = client.java("org.apache.hadoop.security.UserGroupInformation")
    try:
        return str(groups.createRemoteUser(access_id).getShortUserName())
    except Exception as error:
        raise Unavailable(f"no short name of an access id: {error}") from None

"""The transactions that interactions are given: all rows together, for writing and for reading."""

from __future__ import annotations

from typing import Any, NoReturn

from zope.interface import implementer

from ...interfaces import IMetadataTransaction
from ...values import Claim
from .blobnames import BlobRows
from .damage import CheckRows
from .events import EventRows
from .identities import IdentityRows
from .shared import SharedRows
from .uploads import UploadRows
from .versions import VersionRows

WRITING = (
    "claim",
    "next_sequence",
    "add_volume",
    "replace_volume",
    "remove_volume",
    "add_bucket",
    "replace_bucket",
    "remove_bucket",
    "set_configuration",
    "add_version",
    "replace_version",
    "remove_version",
    "add_upload",
    "complete_upload",
    "remove_upload",
    "put_part",
    "note_event",
    "forget_events",
    "release",
    "forget_doomed",
    "doom",
    "move_blob",
    "correct_usage",
    "mend_row",
    "lease",
    "end_leases",
    "put_process",
    "remove_process",
    "put_user",
    "remove_user",
    "put_group",
    "remove_group",
    "put_policy",
    "remove_policy",
    "put_secret",
    "remove_secret",
    "set_setting",
)
"""The methods that a reading transaction refuses."""


@implementer(IMetadataTransaction)
class Transaction(
    VersionRows,
    UploadRows,
    EventRows,
    BlobRows,
    IdentityRows,
    SharedRows,
    CheckRows,
):
    """What a writing interaction is given."""

    def claim(self, *claims: Claim) -> bool:
        """See :class:`~ozgate.interfaces.IClaims`. There is one writer: all is held already."""
        return False


class ReadTransaction(Transaction):
    """What a reading interaction is given."""


def _refusal(name: str) -> Any:
    def refuse(self: ReadTransaction, *args: object, **keywords: object) -> NoReturn:
        raise TypeError(f"{name} is for interactions that write")

    refuse.__name__ = name
    refuse.__doc__ = "Refuse: this transaction only reads."
    return refuse


for _name in WRITING:
    setattr(ReadTransaction, _name, _refusal(_name))

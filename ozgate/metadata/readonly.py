"""What a transaction refuses that is only to read."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

C = TypeVar("C", bound=type[Any])

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


def refuse_writing(transaction: C) -> C:
    """Have a class of transactions refuse, with ``TypeError``, whatever changes something; for use as a decorator.

    Source: :class:`~ozgate.interfaces.IMetadataTransaction`.
    """
    for name in WRITING:
        setattr(transaction, name, _refusal(name))
    return transaction


def _refusal(name: str) -> Any:
    def refuse(self: object, *args: object, **keywords: object) -> NoReturn:
        raise TypeError(f"{name} is for interactions that write")

    refuse.__name__ = name
    refuse.__doc__ = "Refuse: this transaction only reads."
    return refuse

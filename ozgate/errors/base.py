"""What the errors of S3 have in common, and what is told to nobody."""

from __future__ import annotations

from functools import cache
from typing import ClassVar


class ClientGone(Exception):
    """The client's connection ended in mid-request. Nobody is left to be told."""


class S3Error(Exception):
    """An answer to a client that is not a success.

    :param message: what to say instead of the docstring's first line.
    :param members: extra XML members, such as ``Key="a"``; their names are S3's.
    :cvar status: the HTTP status.
    :cvar retry_after: seconds after which the client is told to come again; ``None``: it is not told.
    :ivar headers: extra (name, value) pairs of the answer, such as ``x-amz-delete-marker``.
    :ivar source: volume and name of the bucket that a link led to; the audit log names it.
    """

    source: tuple[str, str] | None = None
    status: ClassVar[int] = 400
    retry_after: ClassVar[int | None] = None

    def __init__(self, message: str | None = None, **members: str | int) -> None:
        self.message = message or type(self).default_message()
        self.members = members
        self.headers: list[tuple[str, str]] = []
        super().__init__(self.message)

    @classmethod
    @cache
    def default_message(cls) -> str:
        """The docstring's first paragraph, on one line."""
        paragraph = (cls.__doc__ or "").strip().split("\n\n")[0]
        return " ".join(paragraph.split())

    @property
    def code(self) -> str:
        """The S3 code."""
        return type(self).__name__

"""Continuation tokens: where a listing goes on, opaque to clients, good for a key of any characters."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from zlib import crc32

from ..errors import InvalidArgument


def encode_token(after: str) -> str:
    """A token for the name that a listing goes on after."""
    raw = after.encode("utf-8")
    return urlsafe_b64encode(crc32(raw).to_bytes(4, "big") + raw).decode("ascii")


def decode_token(token: str) -> str:
    """The name that :func:`encode_token` was given.

    :raises InvalidArgument: it is no token of ours.
    """
    try:
        after = urlsafe_b64decode(token.encode("ascii"))[4:].decode("utf-8")
    except ValueError:
        after = ""
    # Encoding again also finds a wrong checksum and stray characters, which the decoder skips.
    if not after or encode_token(after) != token:
        raise InvalidArgument(
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
        )
    return after

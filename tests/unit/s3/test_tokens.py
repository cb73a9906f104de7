"""Continuation tokens: good for any name, and for nothing that we did not make."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InvalidArgument
from ozgate.s3.tokens import decode_token, encode_token

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


class TokenTests(SynchronousTestCase):
    """Tokens out and in."""

    @given(NAMES)
    def test_round_trip(self, name: str) -> None:
        """A token gives back the name it was made of, and needs no escapes in a query but ``=``."""
        token = encode_token(name)
        self.assertEqual(decode_token(token), name)
        self.assertFalse(set(token) & set("+/&?% "))

    @given(
        st.one_of(
            st.text(max_size=40),
            st.binary(max_size=40).map(lambda raw: urlsafe_b64encode(raw).decode()),
        )
    )
    def test_any_text(self, token: str) -> None:
        """Whatever is sent is a token of ours, letter by letter, or InvalidArgument."""
        try:
            self.assertEqual(encode_token(decode_token(token)), token)
        except InvalidArgument as error:
            # As S3, which does not say the token again.
            self.assertEqual(error.members, {"ArgumentName": "continuation-token"})

    @given(NAMES, st.integers(0, 999), st.characters(codec="ascii"))
    def test_any_character(self, name: str, place: int, character: str) -> None:
        """A token with a character changed is none: 32 bits say so."""
        token = encode_token(name)
        place %= len(token)
        changed = token[:place] + character + token[place + 1 :]
        if changed != token:
            self.assertRaises(InvalidArgument, decode_token, changed)

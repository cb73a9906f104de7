"""Version ids as clients write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InvalidArgument
from ozgate.s3.versions import check_version_id

_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"


class FormTests(SynchronousTestCase):
    """What can be a version id."""

    @given(st.one_of(st.text(max_size=40), st.text(_SIGNS, min_size=31, max_size=33)))
    def test_any_text(self, text: str) -> None:
        """Whatever is sent is ``null``, or 32 signs that need no escapes, or InvalidArgument."""
        form = len(text) == 32 and not set(text) - set(_SIGNS)
        try:
            check_version_id(text)
            self.assertTrue(form or text == "null", text)
        except InvalidArgument as error:
            self.assertFalse(form)
            self.assertEqual(error.members["ArgumentValue"], text)

    def test_none(self) -> None:
        """A request without one means the latest."""
        self.assertIsNone(check_version_id(None))

"""What a client sends to prove by Kerberos who it is; tickets are in :mod:`tests.service.test_kerberos`."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from ozgate.auth.kerberos import Refused, _token

NTLM = b"NTLMSSP\0"
"""How its messages begin. Hypothesis draws it too, for it stands in the source."""


def token(*values: bytes) -> bytes | None:
    """The token in a request with these Authorization headers."""
    headers = Headers({b"authorization": list(values)})
    request: Any = SimpleNamespace(requestHeaders=headers)
    return _token(request)


class TokenTests(SynchronousTestCase):
    """The header ``Authorization: Negotiate``."""

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([b"Negotiate ", b"negotiate\t", b"Basic ", b""]),
                st.one_of(st.binary(max_size=9), st.binary(max_size=9).map(b64encode)),
            ).map(b"".join),
            max_size=2,
        )
    )
    def test_any_header(self, values: list[bytes]) -> None:
        """Whatever is sent is a token, or none, or refused; it never reaches Kerberos' libraries otherwise."""
        try:
            found = token(*values)
        except Refused:
            return
        self.assertEqual(found is None, not values)

    @given(st.binary(max_size=40).filter(lambda data: not data.startswith(NTLM)))
    def test_round_trip(self, data: bytes) -> None:
        """A token is what the client wrote, but NTLM's, which is none of Kerberos."""
        self.assertEqual(token(b"Negotiate " + b64encode(data)), data)
        ntlm = b64encode(NTLM + data)
        self.assertRaises(Refused, token, b"Negotiate " + ntlm)

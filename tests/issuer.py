"""An issuer of OpenID Connect: its keys, its documents, its tokens; and a server of its own on loopback."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "ozgate"


def new_key(algorithm: str) -> Any:
    """A key for an algorithm."""
    if algorithm[:2] in ("RS", "PS"):
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
    return ec.generate_private_key(curves[algorithm]())


def as_jwk(key: Any, kid: str, **members: str) -> dict[str, Any]:
    """The public half of a key as a member of a key set."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        made = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        made = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
    else:
        made = jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": kid, "use": "sig", **members}


class Issuer:
    """An issuer.

    :ivar keys: key id → algorithm and key; tokens are signed with the last one.
    """

    def __init__(self, url: str = "https://login.test") -> None:
        self.url = url
        self.keys: dict[str, tuple[str, Any]] = {}
        self.rotate("first")

    def rotate(self, kid: str, algorithm: str = "ES256", keep: bool = False) -> None:
        """Have another key, beside those there are or in their place."""
        if not keep:
            self.keys.clear()
        self.keys[kid] = (algorithm, new_key(algorithm))

    def documents(self) -> dict[str, bytes]:
        """What is to be fetched, by URL."""
        keys = [as_jwk(key, kid, alg=alg) for kid, (alg, key) in self.keys.items()]
        about = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {
            f"{self.url}/.well-known/openid-configuration": json.dumps(about).encode(),
            f"{self.url}/keys": json.dumps({"keys": keys}).encode(),
        }

    def token(
        self, now: float, headers: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token; a claim that is ``None`` is left out."""
        kid = list(self.keys)[-1]
        algorithm, key = self.keys[kid]
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "policy": "readonly",
            "iat": int(now),
            "exp": int(now) + 300,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        heading = {"kid": kid, **(headers or {})}
        # Not by jwt.encode, which would say nothing that is wrong.
        payload = json.dumps(said).encode()
        return jwt.api_jws.encode(payload, key, algorithm, heading)


class Served:
    """An issuer that is served on loopback; close it.

    :param certificate: path of a PEM file with a certificate and its key: it is served over TLS.
    :ivar asked: the paths that were asked for.
    """

    def __init__(self, certificate: str = "") -> None:
        self.asked: list[str] = []
        served = self

        class _Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append(self.path)
                body = served.issuer.documents().get(served.issuer.url + self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
        scheme = "http"
        if certificate:
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
        self.issuer = Issuer(f"{scheme}://localhost:{self._server.server_port}")
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

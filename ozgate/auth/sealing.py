"""Secrets at rest: sealed with AES-256-GCM under a master key that is kept in a file of its own.

Whoever has the metadata alone, such as a backup of the database, has no secret. A sealed secret is bound to its access
id: moved to another row it does not open. Form: one byte of version, 12 of nonce, the ciphertext with its tag
(NIST SP 800-38D; nonces are random, so that one key is good for some 2³² secrets).

Imports errors only.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import Absent, Damaged, Unavailable

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_CHECKED = "ozgate"
"""What a check value says, once opened."""


class MasterKey:
    """Seals and opens secrets.

    :param key: :data:`KEY_BYTES` random bytes.
    :param path: where it came from, for messages.
    """

    def __init__(self, key: bytes, path: str = "") -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self.path = path

    def __repr__(self) -> str:
        return f"<MasterKey {self.path}>"

    @classmethod
    def load(cls, path: str) -> Self:
        """Read the key from its file: 64 hex digits, for its owner alone.

        :raises Absent: there is no such file.
        :raises Unavailable: it cannot be read, is none, or others may read it; one line says so.
        """
        try:
            # A link is followed: secrets that are mounted come as links. But nothing is waited for.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with open(fd, "rb") as file:
                found = os.fstat(fd).st_mode
                mode = stat.S_IMODE(found)
                text = file.read(4 * KEY_BYTES) if stat.S_ISREG(found) else b""
        except FileNotFoundError:
            raise Absent(f"there is no master key {path}") from None
        except OSError as error:
            raise Unavailable(
                f"the master key {path} cannot be read ({error.strerror}): give ozgate.master-key a file that this user may read"
            ) from None
        if mode & 0o077:
            raise Unavailable(
                f"the master key {path} has mode {mode:03o}, so that others may read it: chmod 600 it, and renew all secrets if somebody has"
            )
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: bytes, path: str) -> Self:
        """The key that a file has in it: 64 hex digits.

        :raises Unavailable: it has something else in it.
        """
        try:
            key = bytes.fromhex(text.decode("ascii").strip())
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise Unavailable(
                f"{path} is no master key, which is {2 * KEY_BYTES} hex digits: put the right file back"
            )
        return cls(key, path)

    @classmethod
    def make(cls, path: str) -> Self:
        """Make a new key in a new file, which survives a power cut before this returns.

        :raises Unavailable: it cannot be written, or the file is there.
        """
        key = secrets.token_bytes(KEY_BYTES)
        try:
            _write_new(Path(path), key.hex().encode("ascii") + b"\n")
        except OSError as error:
            raise Unavailable(
                f"the master key {path} cannot be made ({error.strerror}): give ozgate.master-key a place that this user may write to"
            ) from None
        return cls(key, path)

    @classmethod
    def load_or_make(cls, path: str, check: bytes | None = None) -> Self:
        """The key of a store.

        :param check: the store's check value; ``None`` when nothing was ever sealed, and only then a key is made.
        :raises Unavailable: the key is missing, is not the one that secrets were sealed under, or others may read it.
        """
        try:
            key = cls.load(path)
        except Absent:
            if check is None:
                return cls.make(path)
            raise Unavailable(
                f"the master key {path} is missing, but secrets are stored that only it opens: put it back, copy it from another gateway of the same metadata, or name its place with ozgate.master-key"
            ) from None
        if check is not None:
            key.require(check)
        return key

    def require(self, check: bytes) -> None:
        """Be the key of a store.

        :param check: the store's check value.
        :raises Unavailable: it is another one; one line says so.
        """
        if not self.fits(check):
            raise Unavailable(
                f"the master key {self.path} is not the one that the stored secrets were encrypted under: put the right one back, or name its place with ozgate.master-key; gateways of the same metadata have the same key"
            )

    def derived(self, purpose: str) -> MasterKey:
        """A key of its own for what is not kept (HKDF, RFC 5869): what is sealed under one of them opens under no other.

        :param purpose: what it is for.
        """
        info = f"ozgate {purpose}".encode()
        derivation = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info)
        return MasterKey(derivation.derive(self._key), self.path)

    def check(self) -> bytes:
        """A value to keep beside what is sealed, by which :meth:`fits` knows the key again."""
        return self.seal("", _CHECKED)

    def fits(self, check: bytes) -> bool:
        """Whether the check value was made by this key."""
        try:
            return self.open("", check) == _CHECKED
        except Damaged:
            return False

    def seal(self, access_id: str, secret: str) -> bytes:
        """Encrypt the secret of an access id."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return (
            _VERSION
            + nonce
            + self._cipher.encrypt(nonce, secret.encode(), access_id.encode())
        )

    def open(self, access_id: str, sealed: bytes) -> str:
        """Decrypt the secret of an access id.

        :raises Damaged: it was sealed under another key, for another access id, or changed since.
        """
        nonce = sealed[1 : 1 + _NONCE_BYTES]
        try:
            if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
                raise InvalidTag
            opened = self._cipher.decrypt(
                nonce, sealed[1 + _NONCE_BYTES :], access_id.encode()
            )
        except InvalidTag:
            raise Damaged(
                f"the secret of {access_id} does not open under the master key {self.path}"
            ) from None
        return opened.decode()


def _write_new(path: Path, data: bytes) -> None:
    """Write a file under a name that nothing has, whole or not at all.

    :raises OSError: it cannot be done.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        part = f".{path.name}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        fd = os.open(part, flags, 0o600, dir_fd=folder)
        try:
            try:
                os.write(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            os.link(part, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.unlink(part, dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)

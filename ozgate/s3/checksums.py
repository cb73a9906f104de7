"""The checksums S3 knows: computing, combining, and reading what a client declares.

Source: Amazon S3 User Guide, "Checking object integrity"; S3 service model, ``ChecksumAlgorithm``. CRC32C,
CRC64NVME and the xxHashes come from awscrt, CRC32 from isal, where they run at memory speed. A checksum's bytes are in
network order, those of an xxHash in its canonical form, which is the same; its seed is 0, as in Amazon's SDKs.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from awscrt.checksums import (
    XXHash,
    combine_crc32,
    combine_crc32c,
    combine_crc64nvme,
    crc32c,
    crc64nvme,
)
from isal.isal_zlib import crc32

from ..errors import BadDigest, InvalidRequest
from ..immutable import frozen

if TYPE_CHECKING:
    from ..wire.headers import Headers

_PREFIX = "x-amz-checksum-"
_NOT_VALUES = frozenset(
    {"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"}
)


class Hash(Protocol):
    """A checksum being computed, as :mod:`hashlib` has them."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The checksum of the bytes so far."""


class _Crc:
    """A CRC in the manner of :mod:`hashlib`."""

    __slots__ = ("_function", "_size", "_value")

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """See :class:`Hash`."""
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        """See :class:`Hash`."""
        return self._value.to_bytes(self._size, "big")


class _Xxh:
    """An xxHash in the manner of :mod:`hashlib`."""

    __slots__ = ("_hash",)

    def __init__(self, new: Callable[[], XXHash]) -> None:
        self._hash = new()

    def update(self, data: bytes, /) -> None:
        """See :class:`Hash`."""
        self._hash.update(data)

    def digest(self) -> bytes:
        """See :class:`Hash`."""
        # Despite its name it ends nothing: it can be asked again, and more bytes taken.
        return bytes(self._hash.finalize())


@frozen
class Algorithm:
    """One of S3's checksum algorithms.

    :ivar header: its header and trailer, ``x-amz-checksum-…``.
    :ivar size: bytes of a checksum.
    :ivar join: (checksum of a, checksum of b, length of b) → checksum of ab; ``None`` where that
        cannot be had.
    """

    name: str
    header: str
    size: int
    new: Callable[[], Hash]
    join: Callable[[int, int, int], int] | None = None

    @property
    def full_object_combinable(self) -> bool:
        """Whether parts' checksums give the whole's."""
        return self.join is not None


def _hash(name: str, size: int, new: Callable[[], Hash]) -> Algorithm:
    return Algorithm(name, _PREFIX + name.lower(), size, new)


def _md5() -> Hash:
    return hashlib.md5(usedforsecurity=False)


def _xxh(name: str, size: int, new: Callable[[], XXHash]) -> Algorithm:
    return _hash(name, size, lambda: _Xxh(new))


def _crc(
    name: str,
    size: int,
    function: Callable[[bytes, int], int],
    join: Callable[[int, int, int], int],
) -> Algorithm:
    return Algorithm(
        name, _PREFIX + name.lower(), size, lambda: _Crc(function, size), join
    )


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        _crc("CRC32", 4, crc32, combine_crc32),
        _crc("CRC32C", 4, crc32c, combine_crc32c),
        _crc("CRC64NVME", 8, crc64nvme, combine_crc64nvme),
        _hash("SHA1", 20, hashlib.sha1),
        _hash("SHA256", 32, hashlib.sha256),
        _hash("SHA512", 64, hashlib.sha512),
        _hash("MD5", 16, _md5),
        _xxh("XXHASH64", 8, XXHash.new_xxhash64),
        _xxh("XXHASH3", 8, XXHash.new_xxhash3_64),
        _xxh("XXHASH128", 16, XXHash.new_xxhash3_128),
    )
}
_BY_HEADER = {algorithm.header: algorithm for algorithm in ALGORITHMS.values()}


def encode(digest: bytes) -> str:
    """A checksum as S3 shows it: base64."""
    return b64encode(digest).decode()


def combine(algorithm: str, parts: Iterable[tuple[str, int]]) -> str:
    """The FULL_OBJECT checksum of parts put together, without their bytes.

    :param algorithm: one that is ``full_object_combinable``.
    :param parts: (base64 checksum, length in bytes) of each, in order.
    :return: base64.
    """
    row = ALGORITHMS[algorithm]
    if row.join is None:
        raise ValueError(f"{algorithm} of parts does not give that of the whole")
    value = 0
    for checksum, length in parts:
        value = row.join(value, int.from_bytes(b64decode(checksum), "big"), length)
    return encode(value.to_bytes(row.size, "big"))


def composite(algorithm: str, values: Sequence[str]) -> str:
    """The COMPOSITE checksum of parts: the checksum of their checksums.

    :param values: base64 checksums of the parts, in order.
    :return: base64, ``-`` and the number of parts.
    """
    checksum = ALGORITHMS[algorithm].new()
    checksum.update(b"".join(map(b64decode, values)))
    return f"{encode(checksum.digest())}-{len(values)}"


def declared(headers: Headers) -> tuple[str, str] | None:
    """The checksum that a client states in a header: (algorithm, base64).

    :raises InvalidRequest: more than one, one that is no checksum, or ``x-amz-sdk-checksum-algorithm`` says otherwise.
    """
    trailing = trailer(headers)
    if "checksum" not in "\n".join(headers):
        # Most requests state none: one look finds that.
        return None
    stated = [
        (name, value)
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name not in _NOT_VALUES
    ]
    if len(stated) + (trailing is not None) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    found: tuple[str, str] | None = None
    if stated:
        name, value = stated[0]
        algorithm = _by_header(
            name,
            "The algorithm type you specified in x-amz-checksum- header is invalid.",
        )
        found = algorithm.name, check_value(algorithm, value)
    _check_sdk_algorithm(headers, found[0] if found else trailing)
    return found


def trailer(headers: Headers) -> str | None:
    """The algorithm whose checksum a client announces as a trailer in ``x-amz-trailer``.

    :raises InvalidRequest: what is announced is not one checksum.
    """
    announced = headers.get("x-amz-trailer")
    if announced is None:
        return None
    return _by_header(
        announced.strip().lower(),
        "The value specified in the x-amz-trailer header is not supported",
    ).name


def check_value(algorithm: Algorithm, value: str, place: str = "header") -> str:
    """Check the form of a stated checksum.

    :param place: where it was stated: ``header`` or ``trailing header``.
    :return: the value.
    :raises InvalidRequest: it is not base64 of the right length.
    """
    try:
        # What decodes but would be written differently is refused: it could never match.
        if encode(b64decode(value, validate=True)) == value:
            if len(b64decode(value)) == algorithm.size:
                return value
    except (BadBase64, ValueError):
        pass
    raise InvalidRequest(f"Value for {algorithm.header} {place} is invalid.")


def check(algorithm: str, stated: str, computed: str) -> None:
    """Compare a stated checksum with that of the bytes, both base64.

    :raises BadDigest: they differ.
    """
    if stated != computed:
        raise BadDigest(
            f"The {algorithm} you specified did not match the calculated checksum."
        )


def _by_header(header: str, message: str) -> Algorithm:
    algorithm = _BY_HEADER.get(header)
    if algorithm is None:
        raise InvalidRequest(message)
    return algorithm


def _check_sdk_algorithm(headers: Headers, used: str | None) -> None:
    named = headers.get("x-amz-sdk-checksum-algorithm")
    if named is None:
        return
    if named.upper() not in ALGORITHMS:
        raise InvalidRequest(
            "Value for x-amz-sdk-checksum-algorithm header is invalid."
        )
    if used is None:
        raise InvalidRequest(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
        )
    if used != named.upper():
        raise InvalidRequest(
            "Value for x-amz-sdk-checksum-algorithm header is invalid."
        )

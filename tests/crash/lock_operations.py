"""Operations on locks, and how they are drawn; see :mod:`tests.crash.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen
from hypothesis import strategies as st

from tests.crash.model import Model, Refusal, Thing, Version, counted
from tests.crash.object_operations import shown_version
from tests.crash.operations import (
    ANY,
    OnBucket,
    OnKey,
    Operation,
    Sent,
    digested,
    unquoted,
)
from tests.crash.version_operations import BYPASS, DeleteVersion, OnVersion
from tests.operations.support import Response

if TYPE_CHECKING:
    from tests.crash.drawing import Draw, Known

YEARS = (2100, 2101, 2102)
"""Until when versions are retained: longer than any test lasts."""

_RETENTIONS = st.tuples(
    st.sampled_from(("GOVERNANCE", "COMPLIANCE")), st.sampled_from(YEARS)
)


@frozen(kw_only=True)
class PutObjectLockConfiguration(OnBucket):
    """Have object lock from now on."""

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        body = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
        return Sent("PUT", f"/{self.bucket}?object-lock", digested(body), body)

    def perform(self, model: Model) -> None:
        model.bucket(self.bucket)
        if model.states.get(self.bucket) != "Enabled":
            raise Refusal(409, "InvalidBucketState")
        model.locking.add(self.bucket)


@frozen(kw_only=True)
class GetObjectLockConfiguration(OnBucket):
    """Whether there is object lock."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", f"/{self.bucket}?object-lock")

    def perform(self, model: Model) -> str:
        model.bucket(self.bucket)
        if self.bucket not in model.locking:
            raise Refusal(404, "ObjectLockConfigurationNotFoundError")
        return "Enabled"

    def says(self, response: Response, names: Mapping[str, str]) -> str | None:
        return response.text("ObjectLockEnabled")


@frozen(kw_only=True)
class GetLock(OnVersion):
    """What keeps a version, as GetObject shows it; a hold that was lifted, and one that never was, are alike."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", self.target(ids))

    def perform(self, model: Model) -> tuple[bool, str, str]:
        version, _ = self.found(model)
        mode, year = version.retention or ("", "")
        return version.is_held, mode, str(year)

    def says(
        self, response: Response, names: Mapping[str, str]
    ) -> tuple[bool, str, str]:
        shown = response.headers.get
        return (
            shown("x-amz-object-lock-legal-hold") == "ON",
            shown("x-amz-object-lock-mode", ""),
            shown("x-amz-object-lock-retain-until-date", "")[:4],
        )


@frozen(kw_only=True)
class OnLock(OnVersion):
    """An operation on the lock of a version."""

    stores = True

    def there(self, model: Model) -> Version:
        """The version."""
        model.bucket(self.bucket)
        if self.bucket not in model.locking:
            raise Refusal(400, "InvalidRequest")
        return self.found(model)[0]

    def change(self, model: Model, changed: Version) -> None:
        """Keep a version with another lock."""
        versions = model.versions(self.bucket, self.key)
        model.held[self.bucket][self.key] = tuple(
            changed if each.number == changed.number else each for each in versions
        )


@frozen(kw_only=True)
class PutObjectLegalHold(OnLock):
    """Hold a version, or let it go."""

    held: bool

    def sent(self, ids: Mapping[str, str]) -> Sent:
        status = "ON" if self.held else "OFF"
        body = f"<LegalHold><Status>{status}</Status></LegalHold>".encode()
        target = f"{self.target(ids)}&legal-hold"
        return Sent("PUT", target, digested(body), body)

    def perform(self, model: Model) -> None:
        self.change(model, evolve(self.there(model), is_held=self.held))


@frozen(kw_only=True)
class PutObjectRetention(OnLock):
    """Retain a version until a year.

    :ivar bypass: whether a retention in the mode GOVERNANCE is to be passed over.
    """

    mode: str
    year: int
    bypass: bool = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        until = f"{self.year}-01-01T00:00:00Z"
        body = f"<Retention><Mode>{self.mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>".encode()
        headers = digested(body) | (BYPASS if self.bypass else {})
        return Sent("PUT", f"{self.target(ids)}&retention", headers, body)

    def perform(self, model: Model) -> None:
        version = self.there(model)
        if version.retention is not None and not version.may_bypass(self.bypass):
            mode, year = version.retention
            if mode != self.mode or year > self.year:
                raise Refusal(403, "AccessDenied")
        self.change(model, evolve(version, retention=(self.mode, self.year)))


@frozen(kw_only=True)
class PutLockedObject(OnKey):
    """Store an object that is locked from the beginning.

    :ivar retention: mode and year.
    """

    body: bytes = field(repr=counted)
    is_held: bool
    retention: tuple[str, int]

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        mode, year = self.retention
        headers = digested(self.body) | {
            "x-amz-object-lock-mode": mode,
            "x-amz-object-lock-retain-until-date": f"{year}-01-01T00:00:00Z",
            "x-amz-object-lock-legal-hold": "ON" if self.is_held else "OFF",
        }
        return Sent("PUT", self.path, headers, self.body)

    def perform(self, model: Model) -> tuple[str, str]:
        model.bucket(self.bucket)
        if self.bucket not in model.locking:
            raise Refusal(400, "InvalidRequest")
        thing = Thing.whole(self.body, {}, {}, "CRC64NVME")
        said = model.put(self.bucket, self.key, thing, ANY)
        made, *older = model.versions(self.bucket, self.key)
        locked = evolve(made, is_held=self.is_held, retention=self.retention)
        model.held[self.bucket][self.key] = (locked, *older)
        return thing.etag, said

    def says(self, response: Response, names: Mapping[str, str]) -> tuple[str, str]:
        return unquoted(response.headers["etag"]), shown_version(response)


def put_locked(draw: Draw, known: Known) -> Operation:
    """Mostly where there is object lock."""
    locking = sorted(known.model.locking)
    place = known.place(draw, there=False)
    if locking and draw(st.integers(0, 3)) < 3:
        place["bucket"] = draw(st.sampled_from(locking))
    return PutLockedObject(
        **place,
        body=draw(st.sampled_from((b"locked", b"locked in a blob " * 2000))),
        is_held=draw(st.booleans()),
        retention=draw(_RETENTIONS),
    )


def lock_bucket(draw: Draw, known: Known) -> Operation:
    """Mostly one that keeps versions."""
    keeping = [name for name, state in known.model.states.items() if state == "Enabled"]
    if not keeping or draw(st.integers(0, 3)) == 3:
        return PutObjectLockConfiguration(bucket=known.bucket(draw))
    return PutObjectLockConfiguration(bucket=draw(st.sampled_from(keeping)))


def delete_kept(draw: Draw, known: Known) -> Operation:
    """Mostly of one that is locked."""
    version = _version(draw, known, is_locked=True)
    return DeleteVersion(**version, bypass=draw(st.booleans()))


def _version(draw: Draw, known: Known, is_locked: bool = False) -> dict[str, Any]:
    """Mostly one that can be locked, or is."""
    there = [
        {"bucket": bucket, "key": key, "number": version.number}
        for bucket in sorted(known.model.locking)
        for key, versions in known.model.held[bucket].items()
        for version in versions
        if (version.is_held or version.retention if is_locked else version.thing)
    ]
    if not there or draw(st.integers(0, 3)) == 3:
        return known.version(draw)
    found: dict[str, Any] = draw(st.sampled_from(there))
    return found


def hold(draw: Draw, known: Known) -> Operation:
    """Of mostly one that is there."""
    held = draw(st.booleans())
    return PutObjectLegalHold(**_version(draw, known), held=held)


def retain(draw: Draw, known: Known) -> Operation:
    """Likewise."""
    mode, year = draw(_RETENTIONS)
    bypass = draw(st.booleans())
    return PutObjectRetention(
        **_version(draw, known), mode=mode, year=year, bypass=bypass
    )

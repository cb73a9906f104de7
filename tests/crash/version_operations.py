"""Operations on versions; see :mod:`tests.crash.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from tests.crash.model import Model, Refusal, Thing, Version
from tests.crash.object_operations import (
    shown_checksum,
    shown_traits,
    shown_version,
    traits,
)
from tests.crash.operations import (
    ANY,
    OnBucket,
    OnKey,
    Sent,
    digested,
    path_of,
    query,
    unquoted,
)
from tests.crash.upload_operations import Listing
from tests.operations.support import Response

BYPASS = {"x-amz-bypass-governance-retention": "true"}

UNKNOWN = "0" * 32
"""The id of a version that is not there."""


@frozen(kw_only=True)
class PutBucketVersioning(OnBucket):
    """Have versions kept, or no more."""

    status_wanted: str

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        body = f"<VersioningConfiguration><Status>{self.status_wanted}</Status></VersioningConfiguration>".encode()
        return Sent("PUT", f"/{self.bucket}?versioning", digested(body), body)

    def perform(self, model: Model) -> None:
        model.set_versioning(self.bucket, self.status_wanted)


@frozen(kw_only=True)
class GetBucketVersioning(OnBucket):
    """Whether versions are kept; ``""`` where they never were."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", f"/{self.bucket}?versioning")

    def perform(self, model: Model) -> str:
        model.bucket(self.bucket)
        return model.states.get(self.bucket, "")

    def says(self, response: Response, names: Mapping[str, str]) -> str:
        return response.text("Status") or ""


@frozen(kw_only=True)
class OnVersion(OnKey):
    """An operation on a version that is named.

    :ivar number: the model's name of it; or
    :ivar place: how many versions of its key are newer now; for who asks when nobody else does.
    """

    number: int = 0
    place: int | None = None

    @property
    def name(self) -> str:
        """The test's name of it."""
        if self.place is not None:
            return f"place {self.bucket}/{self.key}/{self.place}"
        return f"version {self.number}"

    def target(self, ids: Mapping[str, str]) -> str:
        """The raw target."""
        return f"{self.path}?versionId={ids.get(self.name, UNKNOWN)}"

    def find(self, model: Model) -> Version | None:
        """The version, if it is there."""
        for place, each in enumerate(model.versions(self.bucket, self.key)):
            if self.place == place or (
                self.place is None and each.number == self.number
            ):
                return each
        return None

    def found(self, model: Model) -> tuple[Version, Thing]:
        """The version, where it can be read."""
        version = self.find(model)
        if version is None:
            raise Refusal(404, "NoSuchVersion")
        if version.thing is None:
            raise Refusal(405, "MethodNotAllowed")
        return version, version.thing


@frozen(kw_only=True)
class GetVersion(OnVersion):
    """All of a version."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        headers = {"x-amz-checksum-mode": "ENABLED"}
        return Sent("GET", self.target(ids), headers)

    def perform(self, model: Model) -> Any:
        version, thing = self.found(model)
        shown = model.shown(self.bucket, version)
        return traits(thing, shown), thing.body, thing.checksum

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        return shown_traits(response), response.body, shown_checksum(response)


@frozen(kw_only=True)
class DeleteVersion(OnVersion):
    """Remove a version, or a delete marker, for good; what is said is whether it was one.

    :ivar bypass: whether a retention in the mode GOVERNANCE is to be passed over.
    """

    bypass: bool = False

    status = 204

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("DELETE", self.target(ids), BYPASS if self.bypass else {})

    def perform(self, model: Model) -> bool:
        return model.remove(self.bucket, self.key, self.find(model), self.bypass)

    def says(self, response: Response, names: Mapping[str, str]) -> bool:
        return response.headers.get("x-amz-delete-marker") == "true"


@frozen(kw_only=True)
class RestoreVersion(OnVersion):
    """Store a copy of a version under its own key, by CopyObject."""

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        source = (
            f"{path_of(self.bucket, self.key)}?versionId={ids.get(self.name, UNKNOWN)}"
        )
        return Sent("PUT", self.path, {"x-amz-copy-source": source})

    def perform(self, model: Model) -> Any:
        try:
            _, thing = self.found(model)
        except Refusal as refusal:
            if refusal.status == 405:
                raise Refusal(400, "InvalidRequest") from None
            raise
        said = model.put(self.bucket, self.key, thing, ANY)
        return thing.etag, said

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        return unquoted(response.text("ETag")), shown_version(response)


Row = tuple[str, str, bool, bool, str, int]
"""Key, what its id is, whether it is the latest and a delete marker, ETag, size."""


@frozen(kw_only=True)
class ListObjectVersions(Listing):
    """A page of the versions.

    :ivar passed: how many versions of the key ``after`` came in the pages before; 0: it is passed over as a whole.
    """

    passed: int = 0

    def sent(self, ids: Mapping[str, str]) -> Sent:
        asked = query(
            prefix=self.prefix,
            delimiter=self.delimiter,
            max_keys=self.limit,
            key_marker=self.after,
            version_id_marker=self.token,
        )
        return Sent("GET", f"/{self.bucket}?versions&{asked}")

    def _rows(self, model: Model) -> list[tuple[str, Row | None]]:
        """Name that is shown, and row, of each version that comes after; no row of what is rolled up."""
        after, found = self.after, list[tuple[str, Row | None]]()
        if not self.passed:
            after = self._group(after) or after
        held = model.held[self.bucket]
        for key in sorted(held, key=str.encode):
            for place, version in enumerate(held[key]):
                group = self._group(key)
                is_after = key.encode() > after.encode()
                if group and group == after:
                    is_after = False
                if key == after and self.passed:
                    is_after = place >= self.passed
                if is_after and key.startswith(self.prefix):
                    row = None if group else self._row(key, place, version)
                    found.append((group or key, row))
        return found

    def _group(self, key: str) -> str:
        """The common prefix that a key is shown by; ``""`` where it is shown itself."""
        if not self.delimiter or not key.startswith(self.prefix):
            return ""
        end = key.find(self.delimiter, len(self.prefix))
        return "" if end < 0 else key[: end + len(self.delimiter)]

    def _row(self, key: str, place: int, version: Version) -> Row:
        thing = version.thing
        said = "null" if version.is_null else "own"
        etag, size = ("", 0) if thing is None else (thing.etag, len(thing.body))
        return key, said, place == 0, thing is None, etag, size

    def _entries(self, model: Model) -> tuple[list[tuple[str, Row | None]], bool]:
        """The page: names with rows, ``None`` for a common prefix; and whether there is more."""
        found: list[tuple[str, Row | None]] = []
        for entry in self._rows(model):
            if entry[1] is not None or entry not in found[-1:]:
                found.append(entry)
        return found[: self.limit], len(found) > self.limit

    def perform(self, model: Model) -> Any:
        model.bucket(self.bucket)
        entries, more = self._entries(model)
        rows = [row for _, row in entries if row is not None]
        return rows, [name for name, row in entries if row is None], more

    def following(self, model: Model, answer: Response) -> Listing:
        entries, _ = self._entries(model)
        last, row = entries[-1]
        passed = sum(name == last for name, each in entries) if row is not None else 0
        if last == self.after:
            passed += self.passed
        token = answer.text("NextVersionIdMarker") or ""
        assert bool(token) == (row is not None), (self, answer)
        return evolve(self, after=last, passed=passed, token=token)

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        rows: list[Row] = []
        for each in response.xml():
            if each.tag not in ("Version", "DeleteMarker"):
                continue
            version_id = each.findtext("VersionId", "")
            rows.append(
                (
                    each.findtext("Key", ""),
                    version_id if version_id == "null" else "own",
                    each.findtext("IsLatest") == "true",
                    each.tag == "DeleteMarker",
                    unquoted(each.findtext("ETag")),
                    int(each.findtext("Size", "0")),
                )
            )
        prefixes = response.texts("CommonPrefixes/Prefix")
        return rows, prefixes, response.text("IsTruncated") == "true"

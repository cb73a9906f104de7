"""Operations on objects; see :mod:`tests.crash.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from attrs import field, frozen

from tests.crash.model import (
    DEFAULT_TYPE,
    Conditions,
    Model,
    Refusal,
    Thing,
    checksum,
    counted,
)
from tests.crash.operations import (
    ANY,
    INLINE,
    OnBucket,
    OnKey,
    Sent,
    conditional,
    described,
    digested,
    path_of,
    unquoted,
)
from tests.operations.support import Response


@frozen(kw_only=True)
class PutObject(OnKey):
    """Store an object.

    :ivar algorithm: of the checksum sent with it; ``""`` for none.
    :ivar wrong: whether that checksum is another's; without one, whether Content-MD5 is.
    :ivar cut: whether the connection ends before the body does.
    """

    body: bytes = field(repr=counted)
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    algorithm: str = ""
    content_type: str = DEFAULT_TYPE
    conditions: Conditions = ANY
    wrong: bool = False
    cut: bool = False

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        headers = described(self.metadata, self.tags) | conditional(self.conditions)
        if self.content_type != DEFAULT_TYPE:
            headers["content-type"] = self.content_type
        summed = self.body + b"!" if self.wrong else self.body
        if self.algorithm:
            name = f"x-amz-checksum-{self.algorithm.lower()}"
            headers[name] = checksum(self.algorithm, summed)
        elif self.wrong:
            headers |= digested(summed)
        length = len(self.body) + 7 if self.cut else -1
        return Sent("PUT", self.path, headers, self.body, length)

    def perform(self, model: Model) -> Any:
        if len(self.body) + 7 * self.cut > INLINE:
            model.check(self.bucket, self.key, self.conditions)
        if self.cut:
            raise Refusal(400, "IncompleteBody")
        if self.wrong:
            raise Refusal(400, "BadDigest")
        thing = Thing.whole(
            self.body,
            self.metadata,
            self.tags,
            self.algorithm or "CRC64NVME",
            self.content_type,
        )
        said = model.put(self.bucket, self.key, thing, self.conditions)
        return thing.etag, thing.checksum, said

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        etag = unquoted(response.headers["etag"])
        return etag, shown_checksum(response), shown_version(response)


def shown_checksum(response: Response) -> tuple[str, str] | None:
    """The checksum that headers show."""
    for name in ("CRC32", "CRC64NVME", "SHA256"):
        value = response.headers.get(f"x-amz-checksum-{name.lower()}")
        if value is not None:
            return name, value
    return None


def shown_version(response: Response) -> str:
    """What an answer says of a version's id; see :meth:`Model.shown`."""
    shown = response.headers.get("x-amz-version-id", "")
    return shown if shown in ("", "null") else "own"


@frozen(kw_only=True)
class HeadObject(OnKey):
    """What is said of an object.

    :ivar if_none_match: the ETag that is not wanted.
    """

    if_match: str | None = None
    if_none_match: str | None = None

    changes = False
    method: ClassVar[str] = "HEAD"

    def sent(self, ids: Mapping[str, str]) -> Sent:
        headers = {"x-amz-checksum-mode": "ENABLED"}
        if self.if_match is not None:
            headers["if-match"] = f'"{self.if_match}"'
        if self.if_none_match is not None:
            headers["if-none-match"] = f'"{self.if_none_match}"'
        return Sent(self.method, self.path, headers)

    def found(self, model: Model) -> Thing:
        """The object, where the conditions hold."""
        try:
            thing = model.thing(self.bucket, self.key)
            if self.if_match is not None and thing.etag != self.if_match:
                raise Refusal(412, "PreconditionFailed")
        except Refusal as refusal:
            raise Refusal(refusal.status, refusal.code if self.told() else "") from None
        if self.if_none_match == thing.etag:
            raise Refusal(304, "")
        return thing

    def shown(self, model: Model) -> str:
        """What is said of the version's id."""
        return model.shown(self.bucket, model.versions(self.bucket, self.key)[0])

    def told(self) -> bool:
        """Whether errors come with a document."""
        return self.method != "HEAD"

    def perform(self, model: Model) -> Any:
        thing = self.found(model)
        return {
            **traits(thing, self.shown(model)),
            "size": len(thing.body),
            "checksum": thing.checksum,
        }

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        size = int(response.headers["content-length"])
        return {
            **shown_traits(response),
            "size": size,
            "checksum": shown_checksum(response),
        }


def traits(thing: Thing, version: str) -> dict[str, Any]:
    """What the headers of a read say of an object."""
    return {
        "etag": thing.etag,
        "type": thing.content_type,
        "metadata": dict(thing.metadata),
        "tags": len(thing.tags),
        "version": version,
    }


def shown_traits(response: Response) -> dict[str, Any]:
    """The same, from the headers."""
    headers = response.headers
    return {
        "etag": unquoted(headers["etag"]),
        "type": headers["content-type"],
        "metadata": {
            name.removeprefix("x-amz-meta-"): value
            for name, value in headers.items()
            if name.startswith("x-amz-meta-")
        },
        "tags": int(headers.get("x-amz-tagging-count", "0")),
        "version": shown_version(response),
    }


@frozen(kw_only=True)
class GetObject(HeadObject):
    """All of an object."""

    method = "GET"

    def perform(self, model: Model) -> Any:
        thing = self.found(model)
        return {
            **traits(thing, self.shown(model)),
            "body": thing.body,
            "checksum": thing.checksum,
        }

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        return {
            **shown_traits(response),
            "body": response.body,
            "checksum": shown_checksum(response),
        }


@frozen(kw_only=True)
class GetRange(OnKey):
    """A range of an object.

    :ivar first: of the bytes wanted; ``None`` for the last ones.
    :ivar last: of the bytes wanted, or how many of the last; ``None`` for all from the first on.
    """

    first: int | None
    last: int | None

    changes = False
    status = 206

    def sent(self, ids: Mapping[str, str]) -> Sent:
        ends = ["" if end is None else str(end) for end in (self.first, self.last)]
        return Sent("GET", self.path, {"range": f"bytes={'-'.join(ends)}"})

    def perform(self, model: Model) -> Any:
        thing = model.thing(self.bucket, self.key)
        size = len(thing.body)
        if self.first is None:
            first, end = max(0, size - (self.last or 0)), size
        else:
            last = size if self.last is None else self.last
            first, end = self.first, min(size, last + 1)
        if first >= end:
            raise Refusal(416, "InvalidRange")
        shown = f"bytes {first}-{end - 1}/{size}"
        latest = model.versions(self.bucket, self.key)[0]
        version = model.shown(self.bucket, latest)
        return traits(thing, version), shown, thing.body[first:end]

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        return (
            shown_traits(response),
            response.headers["content-range"],
            response.body,
        )


@frozen(kw_only=True)
class DeleteObject(OnKey):
    """Remove an object, or hide it."""

    if_match: str | None = None

    status = 204

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("DELETE", self.path, conditional(Conditions(self.if_match)))

    def perform(self, model: Model) -> str:
        return model.delete(self.bucket, self.key, self.if_match)

    def says(self, response: Response, names: Mapping[str, str]) -> str:
        said = shown_version(response)
        marker = response.headers.get("x-amz-delete-marker", "")
        assert marker == ("true" if said else ""), response
        return said


@frozen(kw_only=True)
class DeleteObjects(OnBucket):
    """Remove several."""

    keys: tuple[str, ...]

    def sent(self, ids: Mapping[str, str]) -> Sent:
        rows = "".join(
            f"<Object><Key>{escape(key)}</Key></Object>" for key in self.keys
        )
        body = f"<Delete>{rows}</Delete>".encode()
        return Sent("POST", f"/{self.bucket}?delete", digested(body), body)

    def perform(self, model: Model) -> list[tuple[str, str]]:
        model.bucket(self.bucket)
        return [(key, model.delete(self.bucket, key, None)) for key in self.keys]

    def says(
        self, response: Response, names: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        assert response.xml().find("Error") is None, response.body
        found = []
        for row in response.xml().findall("Deleted"):
            marker = row.findtext("DeleteMarkerVersionId", "")
            said = marker if marker in ("", "null") else "own"
            found.append((row.findtext("Key", ""), said))
        return found


@frozen(kw_only=True)
class CopyObject(OnKey):
    """Store a copy.

    :ivar source: bucket and key.
    :ivar metadata: instead of the source's; ``None`` for those.
    :ivar tags: likewise.
    """

    source: tuple[str, str]
    source_if_match: str | None = None
    metadata: Mapping[str, str] | None = None
    tags: Mapping[str, str] | None = None
    conditions: Conditions = ANY

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        headers = described(self.metadata or {}, self.tags or {})
        headers |= conditional(self.conditions)
        headers["x-amz-copy-source"] = path_of(*self.source)
        if self.metadata is not None:
            headers["x-amz-metadata-directive"] = "REPLACE"
        if self.tags is not None:
            headers["x-amz-tagging-directive"] = "REPLACE"
        if self.source_if_match is not None:
            headers["x-amz-copy-source-if-match"] = f'"{self.source_if_match}"'
        return Sent("PUT", self.path, headers)

    def perform(self, model: Model) -> Any:
        made, said = model.copy_object(
            self.source,
            (self.bucket, self.key),
            self.source_if_match,
            self.metadata,
            self.tags,
            self.conditions,
        )
        return made.etag, made.checksum[1], said

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        sums = [
            each.text
            for each in response.xml()
            if each.tag.startswith("Checksum") and each.tag != "ChecksumType"
        ]
        return unquoted(response.text("ETag")), *sums, shown_version(response)


@frozen(kw_only=True)
class GetObjectTagging(OnKey):
    """The tags of an object."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", f"{self.path}?tagging")

    def perform(self, model: Model) -> dict[str, str]:
        return dict(model.thing(self.bucket, self.key).tags)

    def says(self, response: Response, names: Mapping[str, str]) -> dict[str, str]:
        keys = response.texts("TagSet/Tag/Key")
        return dict(zip(keys, response.texts("TagSet/Tag/Value"), strict=True))


@frozen(kw_only=True)
class PutObjectTagging(OnKey):
    """Other tags."""

    tags: Mapping[str, str]

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        rows = "".join(
            f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>"
            for name, value in self.tags.items()
        )
        body = f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()
        return Sent("PUT", f"{self.path}?tagging", digested(body), body)

    def perform(self, model: Model) -> None:
        model.put_tags(self.bucket, self.key, self.tags)


@frozen(kw_only=True)
class DeleteObjectTagging(OnKey):
    """No tags."""

    status = 204

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("DELETE", f"{self.path}?tagging")

    def perform(self, model: Model) -> None:
        model.put_tags(self.bucket, self.key, {})

"""S3's operations, each for both sides: as a request to a gateway, and as a change of the model.

An operation is a value. ``sent`` gives its request, ``meant`` what the model answers, ``heard`` what a gateway's answer
says, in the same form.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import Any, ClassVar
from urllib.parse import quote

from attrs import field, frozen

from tests.crash.model import Conditions, Model, Refusal, counted
from tests.operations.support import Response

INLINE = 65536
"""Bodies of at most this many bytes come before their conditions are asked."""

ANY = Conditions()


@frozen
class Sent:
    """A request.

    :ivar length: of the body, as the client states it; -1 for what it is.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = field(default=b"", repr=counted)
    length: int = -1


@frozen
class Answer:
    """What an answer says.

    :ivar code: S3's code of an error; ``""`` for none.
    :ivar says: the rest, as far as it is compared.
    """

    status: int
    code: str = ""
    says: Any = None


@frozen(kw_only=True)
class Operation:
    """What all have.

    :cvar changes: whether it may change anything.
    :cvar stores: whether it is refused while the disk is almost full.
    """

    changes: ClassVar[bool] = True
    stores: ClassVar[bool] = False
    status: ClassVar[int] = 200

    def sent(self, ids: Mapping[str, str]) -> Sent:
        """The request.

        :param ids: of uploads, by the test's own names.
        """
        raise NotImplementedError

    def perform(self, model: Model) -> Any:
        """What the answer says, and the change of the model."""
        raise NotImplementedError

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        """What a success says.

        :param names: of uploads, by their ids.
        """
        return None

    def meant(self, model: Model) -> Answer:
        """What the model answers; it is changed."""
        try:
            return Answer(self.status, says=self.perform(model))
        except Refusal as refusal:
            return Answer(refusal.status, refusal.code)

    def heard(self, response: Response, names: Mapping[str, str]) -> Answer:
        """What a gateway answers."""
        if response.status >= 300:
            code = response.code if response.body else ""
            return Answer(response.status, code or "")
        return Answer(response.status, says=self.says(response, names))


@frozen(kw_only=True)
class OnBucket(Operation):
    """An operation on a bucket."""

    bucket: str


@frozen(kw_only=True)
class OnKey(OnBucket):
    """An operation on a key."""

    key: str

    @property
    def path(self) -> str:
        """The raw target, without a query."""
        return path_of(self.bucket, self.key)


@frozen(kw_only=True)
class OnUpload(OnKey):
    """An operation on an upload.

    :ivar upload: the test's name of it.
    """

    upload: str

    def target(self, ids: Mapping[str, str], query: str = "") -> str:
        """The raw target."""
        return f"{self.path}?{query}uploadId={ids[self.upload]}"


def path_of(bucket: str, key: str) -> str:
    """The path of a key."""
    return f"/{bucket}/{quote(key, safe='/')}"


def digested(body: bytes) -> dict[str, str]:
    """The header that some documents must come with."""
    digest = md5(body, usedforsecurity=False).digest()
    return {"content-md5": b64encode(digest).decode()}


def conditional(conditions: Conditions) -> dict[str, str]:
    """Conditions as headers."""
    headers = {}
    if conditions.if_match is not None:
        headers["if-match"] = f'"{conditions.if_match}"'
    if conditions.if_none_match:
        headers["if-none-match"] = "*"
    return headers


def query(**parameters: str | int) -> str:
    """Parameters that have a value, as a query; underscores stand for hyphens."""
    return "&".join(
        f"{name.replace('_', '-')}={quote(str(value), safe='')}"
        for name, value in parameters.items()
        if value != ""
    )


def tagging(tags: Mapping[str, str]) -> str:
    """Tags as a header."""
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in tags.items())


def described(metadata: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """Metadata and tags as headers."""
    headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
    if tags:
        headers["x-amz-tagging"] = tagging(tags)
    return headers


def unquoted(etag: str | None) -> str:
    return (etag or "").strip('"')


# Buckets


@frozen(kw_only=True)
class CreateBucket(OnBucket):
    """Make a bucket."""

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("PUT", f"/{self.bucket}")

    def perform(self, model: Model) -> None:
        model.create_bucket(self.bucket)


@frozen(kw_only=True)
class DeleteBucket(OnBucket):
    """Remove an empty one."""

    status = 204

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("DELETE", f"/{self.bucket}")

    def perform(self, model: Model) -> None:
        model.delete_bucket(self.bucket)


@frozen(kw_only=True)
class ListBuckets(Operation):
    """All of them."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", "/")

    def perform(self, model: Model) -> list[str]:
        return sorted(model.buckets)

    def says(self, response: Response, names: Mapping[str, str]) -> list[str]:
        return response.texts("Buckets/Bucket/Name")

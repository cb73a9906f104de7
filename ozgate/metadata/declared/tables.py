"""The tables whose rows have a check, declared: the one place where the columns of a row stand.

Lists of columns, statements, rows, values and the text under a row's check are all made of what stands here. To add a member
takes a column here, the member of the value, and a migration that adds the column to the table; one that few rows have goes
into ``more``, and takes nothing at all.

A row is selected in the order of its declaration: the columns that its check covers, in the order of the checked text; the
check; what changes on its own, and is not covered. The checked text is a format (:mod:`ozgate.metadata.declared.rowchecks`): a
column that comes later comes last, and is sparse, so that the rows of before stay valid.
"""

from __future__ import annotations

from operator import add

from ...values import (
    BlobRef,
    Bucket,
    Extent,
    Group,
    ManagedPolicy,
    ObjectPart,
    ObjectVersion,
    Part,
    Secret,
    Upload,
    User,
    Volume,
)
from .columns import Column, Conversion, Made
from .conversions import (
    checksum_of,
    checksum_value,
    completed_of,
    completed_text,
    is_one,
    is_there,
    pack,
    pack_acls,
    pack_kinds,
    pack_texts,
    signed,
    source_bucket,
    source_of,
    source_volume,
    traits_of,
    traits_text,
    unpack,
    unpack_acls,
    unpack_headers,
    unpack_kinds,
    unpack_texts,
    unsigned,
)
from .relation import Table

FLAG = Conversion(is_one, int)
MAPPING = Conversion(unpack, pack, nothing={})
HEADERS = Conversion(unpack_headers, pack, nothing={})
ACLS = Conversion(unpack_acls, pack_acls, nothing=())
NAMES = Conversion(unpack_kinds, pack_kinds, nothing=frozenset())
TEXTS = Conversion(unpack_texts, pack_texts, nothing=())
UNSIGNED = Conversion(unsigned, signed)

VOLUMES = Table(
    "volumes",
    Volume,
    Column("number"),
    Column("name", is_kept=True),
    Column("owner"),
    Column("created", is_kept=True),
    Column("admin"),
    Column("quota_bytes"),
    Column("quota_names"),
    Column("acls", ACLS),
    Column("modified"),
    Column("used_bytes", begins=0),
    Column("used_names", begins=0),
    named_by="name",
    # What the row does not yet count.
    handed_in="more_bytes",
    members={"used_bytes": Made(add, "used_bytes, more_bytes")},
)

BUCKETS = Table(
    "buckets",
    Bucket,
    Column("number"),
    Column("volume", is_kept=True),
    Column("name", is_kept=True),
    Column("owner"),
    Column("created", is_kept=True),
    Column("region"),
    Column("versioning"),
    Column("source_volume", Conversion(write=source_volume), of="source"),
    Column("source_bucket", Conversion(write=source_bucket), of="source"),
    Column("quota_bytes"),
    Column("quota_names"),
    Column("acls", ACLS),
    Column("modified"),
    Column("layout"),
    Column("configured", NAMES, is_kept=True, is_sparse=True),
    Column("used_bytes", begins=0),
    Column("used_names", begins=0),
    named_by="volume name",
    handed_in="more_bytes more_names",
    members={
        "source": Made(source_of, "source_volume, source_bucket"),
        "used_bytes": Made(add, "used_bytes, more_bytes"),
        "used_names": Made(add, "used_names, more_names"),
    },
)

CONFIGURATIONS = Table[None](
    "configurations",
    None,
    Column("bucket"),
    Column("kind"),
    Column("document", is_data=True),
    key=2,
)

VERSIONS = Table(
    "versions",
    ObjectVersion,
    Column("bucket", is_given=True),
    Column("key"),
    Column("sequence"),
    Column("is_delete_marker", FLAG, is_kept=True),
    Column("modified"),
    Column("size", is_kept=True),
    Column("etag"),
    Column("traits", Conversion(traits_of, traits_text), of=""),
    Column("version_id", is_kept=True),
    Column("checksum_value", Conversion(write=checksum_value), of="checksum"),
    Column("parts_count"),
    Column("tags", MAPPING),
    Column("headers", HEADERS),
    Column("metadata", MAPPING),
    Column("more", MAPPING, is_sparse=True),
    Column("is_latest", FLAG, begins=1),
    key=3,
    falling=True,
    members={
        "owner": "traits.owner",
        "storage_class": "traits.storage_class",
        "checksum": Made(checksum_of, "traits, checksum_value"),
    },
)

BODIES = Table[None](
    "bodies",
    None,
    Column("sequence"),
    Column("seal", is_sparse=True),
    Column("body", is_data=True),
)

EXTENTS = Table(
    "extents",
    Extent,
    Column("owner", is_given=True),
    Column("start", is_given=True),
    Column("store", of="blob.store"),
    Column("blob", of="blob.id"),
    Column("blob_length", of="blob.length"),
    Column("blob_crc64nvme", UNSIGNED, of="blob.crc64nvme"),
    Column("offset"),
    Column("length"),
    Column("seal", is_sparse=True),
    key=2,
    members={"blob": Made(BlobRef, "store, blob, blob_length, blob_crc64nvme")},
)

OBJECT_PARTS = Table(
    "object_parts",
    ObjectPart,
    Column("sequence", is_given=True),
    Column("number"),
    Column("start", is_given=True),
    Column("size"),
    Column("checksum"),
    Column("etag"),
    key=2,
)

UPLOADS = Table(
    "uploads",
    Upload,
    Column("number", is_given=True),
    Column("bucket", is_given=True),
    Column("key"),
    Column("upload_id"),
    Column("initiated"),
    Column("owner"),
    Column("storage_class"),
    Column("checksum_algorithm"),
    Column("checksum_type"),
    Column("is_completed", Conversion(write=is_there), of="completed"),
    Column("completed", Conversion(completed_of, completed_text, nothing=None)),
    Column("completed_parts"),
    Column("tags", MAPPING),
    Column("headers", HEADERS),
    Column("metadata", MAPPING),
    Column("more", MAPPING, is_sparse=True),
    named_by="bucket key upload_id",
)

PARTS = Table(
    "parts",
    Part,
    Column("upload", is_given=True),
    Column("number"),
    Column("owner", is_given=True),
    Column("size"),
    Column("etag"),
    Column("modified"),
    Column("checksums", MAPPING),
    key=2,
    handed_in="content",
)

SECRETS = Table(
    "secrets",
    Secret,
    Column("access_id"),
    Column("user"),
    Column("created"),
    Column("expires"),
    Column("is_managed", FLAG, is_sparse=True),
    Column("is_disabled", FLAG, is_sparse=True),
    Column("limits", TEXTS, is_sparse=True),
    Column("description", is_sparse=True),
    Column("created_by", is_sparse=True),
    Column("sealed", is_data=True),
)

USERS = Table(
    "users",
    User,
    Column("name"),
    Column("id"),
    Column("created"),
    Column("is_disabled", FLAG),
    Column("groups", NAMES),
    Column("policies", NAMES),
    Column("inline", MAPPING),
    Column("tags", MAPPING),
    Column("more", MAPPING, is_sparse=True),
)

GROUPS = Table(
    "groups",
    Group,
    Column("name"),
    Column("id"),
    Column("created"),
    Column("policies", NAMES),
    Column("inline", MAPPING),
    Column("more", MAPPING, is_sparse=True),
)

POLICIES = Table(
    "policies",
    ManagedPolicy,
    Column("name"),
    Column("id"),
    Column("created"),
    Column("document"),
    Column("updated"),
    Column("version"),
    Column("description"),
    Column("tags", MAPPING),
    Column("more", MAPPING, is_sparse=True),
)

RETIRED = Table[None]("retired", None, Column("owner"), Column("retired_at"))

EVENTS = Table[None]("events", None, Column("sequence"), Column("event"))

CHECKED: tuple[Table[object], ...] = (
    VOLUMES,
    BUCKETS,
    CONFIGURATIONS,
    VERSIONS,
    BODIES,
    EXTENTS,
    OBJECT_PARTS,
    UPLOADS,
    PARTS,
    SECRETS,
    RETIRED,
    EVENTS,
    USERS,
    GROUPS,
    POLICIES,
)
"""All of them, in the order in which they are looked through."""

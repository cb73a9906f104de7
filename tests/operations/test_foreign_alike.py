"""The tests of operations on buckets of ours, run on a bucket of another system: whatever is not said here to be otherwise there is alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ozgate.testing.memory_foreign_keys import Key
from ozgate.values import ForeignObject
from tests.operations import (
    test_abort_multipart_upload,
    test_checksum_algorithms,
    test_chunked_bodies,
    test_complete_multipart_upload,
    test_conditional,
    test_copy_object,
    test_create_bucket,
    test_create_multipart_upload,
    test_delete_bucket,
    test_delete_object,
    test_delete_object_tagging,
    test_delete_objects,
    test_get_bucket_location,
    test_get_object,
    test_get_object_attributes,
    test_get_object_parts,
    test_get_object_tagging,
    test_head_bucket,
    test_head_object,
    test_hostile_forms,
    test_list_buckets,
    test_list_multipart_uploads,
    test_list_objects,
    test_list_objects_v2,
    test_list_parts,
    test_post_object,
    test_put_object,
    test_put_object_tagging,
    test_upload_part,
    test_upload_part_copy,
)
from tests.operations.abroad import ForeignTestCase

STORES: Final = "looks into our stores"
VERSIONS: Final = "there are no versions and no locks"
BUCKETS: Final = "buckets have no region, tags, lists and owners of objects"
PARTS: Final = (
    "of parts size and MD5 are kept, and an upload's ETag is the other system's"
)
REMOVALS: Final = "removals take no conditions"
RIGHTS: Final = "rights are the other system's"
LISTED: Final = "a list does not know what is kept with keys"

OTHERWISE: Final[Mapping[type, Mapping[str, str]]] = {
    test_abort_multipart_upload.AbortMultipartUploadTests: {
        STORES: "aborted",
        REMOVALS: "initiated",
    },
    test_checksum_algorithms.ChecksumAlgorithmTests: {
        PARTS: "composite copies",
        LISTED: "put_object",
    },
    test_chunked_bodies.ChunkedBodyTests: {},
    test_complete_multipart_upload.CompleteMultipartUploadTests: {
        STORES: "chosen_parts too_large",
        PARTS: "answer empty_object invalid_parts object repeated_after_overwrite too_small",
    },
    test_conditional.ConditionalTests: {REMOVALS: "unmet unmet_in_documents"},
    test_copy_object.CopyObjectTests: {
        STORES: "combined damaged_source known_to_blobs lost_parts no_bytes_moved parts_known",
        VERSIONS: "delete_marker",
        PARTS: "composite_source multipart_source",
    },
    test_create_bucket.CreateBucketTests: {
        BUCKETS: "access_lists location made_again old_ways own_again ownership tags"
    },
    test_create_multipart_upload.CreateMultipartUploadTests: {},
    test_delete_bucket.DeleteBucketTests: {STORES: "link"},
    test_delete_object.DeleteObjectTests: {
        VERSIONS: "named_version",
        REMOVALS: "contention if_match if_size",
    },
    test_delete_object_tagging.DeleteObjectTaggingTests: {VERSIONS: "version"},
    test_delete_objects.DeleteObjectsTests: {
        VERSIONS: "delete_marker",
        REMOVALS: "conditions",
        RIGHTS: "each_key_is_authorized",
    },
    test_get_bucket_location.GetBucketLocationTests: {},
    test_get_object.GetObjectTests: {VERSIONS: "delete_markers"},
    test_get_object_attributes.GetObjectAttributesTests: {PARTS: "composite parts"},
    test_get_object_parts.PartNumberTests: {PARTS: "empty_part part_numbers"},
    test_get_object_tagging.GetObjectTaggingTests: {VERSIONS: "delete_marker version"},
    test_head_bucket.HeadBucketTests: {
        BUCKETS: "old_region_name stranger",
        STORES: "link",
        RIGHTS: "denied",
    },
    test_head_object.HeadObjectTests: {VERSIONS: "delete_marker"},
    test_hostile_forms.HostileFormTests: {BUCKETS: "signature_conditions"},
    test_list_buckets.ListBucketsTests: {BUCKETS: "region", RIGHTS: "other_callers"},
    test_list_multipart_uploads.ListMultipartUploadsTests: {PARTS: "members"},
    test_list_objects.ListObjectsTests: {},
    test_list_objects_v2.ListObjectsV2Tests: {
        VERSIONS: "delete_marker",
        LISTED: "checksum contents",
    },
    test_list_parts.ListPartsTests: {PARTS: "answer checksums owners"},
    test_post_object.PostObjectTests: {RIGHTS: "rights"},
    test_put_object.PutObjectTests: {STORES: "replaced sizes"},
    test_put_object_tagging.PutObjectTaggingTests: {VERSIONS: "version"},
    test_upload_part.UploadPartTests: {
        STORES: "last_wins never_in_the_row",
        PARTS: "algorithm full_object_algorithm no_upload",
    },
    test_upload_part_copy.UploadPartCopyTests: {
        STORES: "known_checksum one_part_of_source",
        PARTS: "checksums md5 ranges whole",
    },
}
"""Tests → why → which of them do not hold there, without ``test_``."""


class AlikeTestCase(ForeignTestCase):
    """What tests of ours stand on, with their objects there."""

    async def add_objects(
        self, *keys: str, bucket: str = "bucket", **members: Any
    ) -> None:
        """Have empty objects there."""
        given: dict[str, Any] = {
            "etag": "d41d8cd98f00b204e9800998ecf8427e",
            "owner": "testuser",
        }
        known = {"size", "modified", "etag", "owner", "tags"}
        given |= {name: each for name, each in members.items() if name in known}
        size, modified = given.pop("size", 0), given.pop("modified", self.system.now())
        for key in keys:
            shown = ForeignObject(key, size, modified, **given)
            self.system.kept("s3v", bucket).keys[key] = Key(shown, bytes(size))


def _alike(tests: type, otherwise: Mapping[str, str]) -> type:
    """Tests, but for some, over another system."""
    left_out = {
        f"test_{name}": _skipped(why)
        for why, names in otherwise.items()
        for name in names.split()
    }
    missing = left_out.keys() - vars(tests).keys()
    assert not missing, f"{tests}: {missing}"
    members = {"__module__": __name__, "__doc__": tests.__doc__, **left_out}
    return type(tests.__name__, (AlikeTestCase, tests), members)


def _skipped(why: str) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        """Left out."""

    test.skip = why  # type: ignore[attr-defined]
    return test


globals().update(
    {tests.__name__: _alike(tests, each) for tests, each in OTHERWISE.items()}
)

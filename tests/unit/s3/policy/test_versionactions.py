"""Actions on versions that are named."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy.actions import ACTIONS
from ozgate.s3.policy.rights import rights_for
from ozgate.s3.policy.versionactions import OF_VERSIONS, action_on
from tests.unit.s3.test_operations import MODEL, members

SAME = {
    *("GetObjectLegalHold", "PutObjectLegalHold", "GetObjectRetention"),
    *("PutObjectRetention", "RestoreObject", "UpdateObjectEncryption"),
    *("GetObjectAnnotation", "PutObjectAnnotation", "DeleteObjectAnnotation"),
    "ListObjectAnnotations",
}
"""Operations on a version for which AWS has no action of its own."""


def takes_version(name: str) -> bool:
    """Whether an operation may name a version, by the model."""
    if name not in MODEL["operations"]:
        return False
    return any(
        each.get("locationName") == "versionId" for each in members(name).values()
    )


class VersionActionTests(SynchronousTestCase):
    """What is asked where a version is named."""

    def test_every_operation(self) -> None:
        """Every operation of the model that takes a version asks for the action on it, but those for which there is none."""
        taking = {
            row.name for row in OPERATIONS if row.action and takes_version(row.name)
        }
        self.assertIn("GetObject", taking)
        for row in OPERATIONS:
            asked = action_on(row.action, "v")
            if row.name in taking - SAME:
                self.assertEqual(asked, OF_VERSIONS[row.action], row.name)
                self.assertIn(asked, ACTIONS)
            elif row.name in SAME:
                self.assertEqual(asked, row.action, row.name)
        self.assertLessEqual(SAME, taking)

    def test_unnamed(self) -> None:
        """Where none is named, it is the action on the current object."""
        for version in (None, ""):
            self.assertEqual(action_on("s3:GetObject", version), "s3:GetObject")

    def test_rights(self) -> None:
        """Ozone's rights are the same for both: a list does not tell versions from objects."""
        for row in OPERATIONS:
            if row.action in OF_VERSIONS:
                self.assertEqual(
                    rights_for(row.name, OF_VERSIONS[row.action]),
                    rights_for(row.name, row.action),
                    row.name,
                )

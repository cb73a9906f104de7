"""The table of IAM's and STS's actions, held against botocore's models."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.model import OperationModel, Shape
from twisted.trial.unittest import SynchronousTestCase

from ozgate.iam.actions import ACTIONS
from ozgate.iam.row import Row
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.row import Gate
from tests.operations.iam.support import model

CHANGING = ("Create", "Put", "Attach", "Add", "Tag")
"""What adds to rows begins so."""


def rows() -> Iterator[tuple[Row, OperationModel]]:
    """Each row with what the model says of it."""
    for row in ACTIONS.values():
        yield row, model(row.service.value).operation_model(row.name)


class TableTests(SynchronousTestCase):
    """The rows."""

    def test_services(self) -> None:
        """Versions and namespaces are those of the models."""
        for row, operation in rows():
            about = operation.service_model.metadata
            self.assertEqual(row.service.version, about["apiVersion"])
            self.assertEqual(row.service.namespace, about["xmlNamespace"])

    def test_parameters(self) -> None:
        """A row takes parameters that the model has, all that must be there among them."""
        for row, operation in rows():
            shape: Shape | None = operation.input_shape
            known = set() if shape is None else set(shape.members)
            needed = set() if shape is None else set(shape.required_members)
            self.assertLessEqual(row.takes, known, row.name)
            self.assertLessEqual(needed, row.takes, row.name)

    def test_results(self) -> None:
        """An answer has a result where the model has one, of that name."""
        for row, operation in rows():
            shape = operation.output_shape
            self.assertEqual(row.has_result, shape is not None, row.name)
            if shape is not None:
                name = shape.serialization["resultWrapper"]
                self.assertEqual(name, f"{row.name}Result")

    def test_signed_but_for_these(self) -> None:
        """Every action wants a signature but this one, which wants a token; nothing of S3 takes one."""
        found = [row.name for row in ACTIONS.values() if row.gate is not Gate.SIGNED]
        self.assertEqual(found, ["AssumeRoleWithWebIdentity"])
        self.assertNotIn(Gate.TOKEN, [row.gate for row in OPERATIONS])
        for row, operation in rows():
            unsigned = operation.auth_type == "none"
            self.assertEqual(row.gate is Gate.TOKEN, unsigned, row.name)

    def test_permissions(self) -> None:
        """Every action of IAM wants permission; those of STS see to it themselves."""
        for row, _ in rows():
            self.assertEqual(row.on is None, row.service.value == "sts", row.name)
            if row.on:
                names = {f"{row.on.title()}Name", f"{row.on.title()}Arn"}
                self.assertTrue(row.takes & names, row.name)

    def test_room(self) -> None:
        """What adds to rows is refused where there is no room."""
        for row, _ in rows():
            adds = row.name.startswith(CHANGING)
            self.assertEqual(row.changes, adds, row.name)

    def test_audit(self) -> None:
        """The audit log names actions as it names S3's."""
        names = {row.audit for row in ACTIONS.values()}
        self.assertEqual(len(names), len(ACTIONS))
        for name in ("CREATE_USER", "ASSUME_ROLE_WITH_WEB_IDENTITY"):
            self.assertIn(name, names)
        self.assertEqual(names & {row.audit for row in OPERATIONS}, set())

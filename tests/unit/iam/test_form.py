"""Forms, names and answers of the Query protocol."""

from __future__ import annotations

from urllib.parse import urlencode
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InternalError, S3Error
from ozgate.errors.iam import (
    MalformedQueryString,
    NoSuchEntity,
    NotImplemented,
    QueryError,
    ValidationError,
)
from ozgate.iam.answers import fault_document
from ozgate.iam.arns import arn_of, policy_name, role_name
from ozgate.iam.form import Form
from ozgate.iam.row import Service


class FormTests(SynchronousTestCase):
    """Reading a form."""

    @given(st.dictionaries(st.text(min_size=1), st.text(), max_size=8))
    def test_fields(self, fields: dict[str, str]) -> None:
        """Each field has its value."""
        form = Form.read(urlencode(fields).encode())
        for name, value in fields.items():
            self.assertEqual(form.get(name, "missing"), value)
        self.assertEqual(form.names(), {name.partition(".")[0] for name in fields})

    @given(st.binary(max_size=64))
    def test_anything(self, body: bytes) -> None:
        """Whatever is sent is a form, or refused as none."""
        try:
            self.assertIsInstance(Form.read(body), Form)
        except MalformedQueryString:
            pass

    def test_refused(self) -> None:
        """What could be read in two ways is refused."""
        for body in (b"a=1&a=2", b"a=%zz", b"a=%ff", b"&".join([b"a"] * 501)):
            with self.assertRaises(MalformedQueryString):
                Form.read(body)

    def test_not_shown(self) -> None:
        """No repr has values."""
        form = Form.read(b"WebIdentityToken=secret&A=secret")
        self.assertEqual(repr(form), "<Form ['A', 'WebIdentityToken']>")

    def test_bounds(self) -> None:
        """Texts, numbers and flags are held to their bounds."""
        form = Form.read(b"Text=abc&Number=5&Flag=true&Bad=-1&Huge=99999999999&No=")
        self.assertEqual(form.text("Text", 3, 3), "abc")
        self.assertEqual(form.number("Number", 1, 5, 5), 5)
        self.assertEqual(form.number("Absent", 7, 8, 9), 7)
        self.assertTrue(form.flag("Flag"))
        self.assertFalse(form.flag("Absent"))
        for refused in (
            lambda: form.text("Absent"),
            lambda: form.text("Text", 4),
            lambda: form.text("Text", 1, 2),
            lambda: form.text("No"),
            lambda: form.number("Number", 1, 6, 9),
            lambda: form.number("Number", 1, 1, 4),
            lambda: form.number("Bad", 1, 1, 9),
            lambda: form.number("Huge", 1, 1, 9),
            lambda: form.flag("Text"),
        ):
            with self.assertRaises(ValidationError) as caught:
                refused()
            self.assertNotIn("abc", caught.exception.message)

    def test_lists(self) -> None:
        """Lists are read in order, to where they end."""
        form = Form.read(
            b"Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Value=2"
            b"&Keys.member.1=x&Keys.member.2=y&Keys.member.4=z&None="
        )
        self.assertEqual(form.pairs("Tags", "Key", "Value"), {"a": "1", "b": "2"})
        self.assertEqual(form.members("Keys"), ["x", "y"])
        self.assertEqual(form.pairs("None", "Key", "Value"), {})
        self.assertEqual(form.members("None"), [])
        for body in (
            b"Tags.member.1.Key=a",
            b"Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=a&Tags.member.2.Value=2",
        ):
            with self.assertRaises(ValidationError):
                Form.read(body).pairs("Tags", "Key", "Value")


class NameTests(SynchronousTestCase):
    """ARNs."""

    def test_policies(self) -> None:
        """Any account is taken; canned policies are AWS's, as it were."""
        self.assertEqual(
            arn_of("policy", "mine"), "arn:aws:iam::000000000000:policy/mine"
        )
        self.assertEqual(
            arn_of("policy", "readonly"), "arn:aws:iam::aws:policy/readonly"
        )
        for account in ("", "123456789012", "aws"):
            arn = f"arn:aws:iam::{account}:policy/mine"
            self.assertEqual(policy_name(arn), "mine")
        with self.assertRaises(NoSuchEntity):
            policy_name("arn:aws:iam::123456789012:user/mine")
        for arn in ("mine", "arn:aws:iam::1:policy/mine", "arn:aws:s3:::policy/mine"):
            with self.assertRaises(ValidationError):
                policy_name(arn)

    def test_roles(self) -> None:
        """A user is a role, and Kerberos' names are whole."""
        for kind in ("user", "role"):
            arn = f"arn:aws:iam:::{kind}/nn/host@EXAMPLE.COM"
            self.assertEqual(role_name(arn), "nn/host@EXAMPLE.COM")
        with self.assertRaises(ValidationError):
            role_name("arn:aws:iam:::policy/a")


class FaultTests(SynchronousTestCase):
    """Errors as documents."""

    def test_documents(self) -> None:
        """An error says who is to blame, in the namespace of the service, so that every reader can read it."""
        errors: tuple[tuple[S3Error, str], ...] = (
            (NoSuchEntity("a\x00<b>\ud800"), "Sender"),
            (NotImplemented(), "Receiver"),
            (InternalError(), "Receiver"),
            (QueryError("x" * 5000), "Sender"),
        )
        for service in Service:
            for error, fault in errors:
                document = fault_document(error, service, "id")
                self.assertLess(len(document), 2000)
                root = ElementTree.fromstring(document)
                space = f"{{{service.namespace}}}"
                self.assertEqual(root.tag, space + "ErrorResponse")
                found = root.find(space + "Error")
                assert found is not None
                self.assertEqual(found.findtext(space + "Type"), fault)
                self.assertEqual(found.findtext(space + "Code"), error.code)
                self.assertEqual(root.findtext(space + "RequestId"), "id")

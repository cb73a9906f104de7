"""Declared documents: read, written, and held against botocore's model."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import botocore.session
from attrs import frozen
from botocore.model import ListShape, Shape, StructureShape
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import MalformedXML, MissingRequestBodyError, S3Error
from ozgate.s3 import configuration
from ozgate.s3.structures import (
    FLAG,
    INTEGER,
    TEXT,
    TIME,
    Document,
    Many,
    One,
    Structure,
    Words,
    member_name,
    one_of,
)


@frozen
class Rule:
    """A structure of the test's."""

    name: str
    many: tuple[str, ...] = ()
    count: int | None = None
    flag: bool | None = None
    time: int | None = None


@frozen
class Rules:
    """The document's value."""

    state: str | None
    rules: tuple[Rule, ...]


RULES = Document(
    "Rules",
    Rules,
    state=One("State", one_of("On", "Off")),
    rules=Many(
        "Rule",
        Structure(
            Rule,
            name=One("Name", TEXT, is_needed=True),
            many=Many("One", TEXT, inside="All"),
            count=One("Count", INTEGER),
            flag=One("Flag", FLAG),
            time=One("Time", TIME),
        ),
        least=1,
        most=2,
    ),
)
FULL = Rules(
    "On", (Rule("a<b ", ("x", "y"), -5, True, 1_700_000_000_000), Rule("", ("",)))
)


class StructureTests(SynchronousTestCase):
    """Reading and writing."""

    def test_round_trip(self) -> None:
        """What is written is read as the same."""
        data = RULES.render(FULL)
        self.assertEqual(RULES.parse(data), FULL)
        self.assertEqual(RULES.render(RULES.parse(data)), data)

    def test_order_is_free(self) -> None:
        """Elements may come in any order, and without the namespace."""
        found = RULES.parse(
            b"<Rules><Rule><Flag> TRUE </Flag><Name>n</Name></Rule><State>Off</State></Rules>"
        )
        self.assertEqual(found, Rules("Off", (Rule("n", (), None, True),)))

    def test_refused(self) -> None:
        """Whatever is not declared is malformed."""
        name = "<Name>n</Name>"
        for text in (
            "",
            "<Rule/>",
            f"<Rule>{name}</Rule>" * 3,
            f"<Rule>{name}{name}</Rule>",
            f"<Rule>{name}<Other/></Rule>",
            f"<Rule>{name}</Rule><State>on</State>",
            f"<Rule>{name}</Rule><State/>",
            f"<Rule>{name}<Count>1.5</Count></Rule>",
            f"<Rule>{name}<Count/></Rule>",
            f"<Rule>{name}<Flag>yes</Flag></Rule>",
            f"<Rule>{name}<Time>yesterday</Time></Rule>",
            f"<Rule>{name}<Time>2026-02-30T00:00:00Z</Time></Rule>",
            f"<Rule>{name}<All><Two/></All></Rule>",
            f"<Rule>{name}<All/><All/></Rule>",
            "<Rule><Name><b/></Name></Rule>",
            "<Rule>text</Rule>",
        ):
            with self.assertRaises(MalformedXML, msg=text):
                RULES.parse(f"<Rules>{text}</Rules>".encode())
        with self.assertRaises(MalformedXML):
            RULES.parse(b"<Others/>")
        with self.assertRaises(MissingRequestBodyError):
            RULES.parse(b"")

    def test_own_error(self) -> None:
        """What the value itself refuses is answered as it says."""

        def refuse(state: str | None) -> None:
            raise S3Error("no")

        refusing = Document("A", refuse, state=One("State", TEXT))
        with self.assertRaisesRegex(S3Error, "no"):
            refusing.parse(b"<A/>")


def documents() -> Iterator[Document[Any]]:
    """All documents of the configuration of buckets and objects."""
    for module in iter_modules(configuration.__path__):
        found = import_module(f"{configuration.__name__}.{module.name}")
        for value in vars(found).values():
            if isinstance(value, Document):
                yield value


def differences(path: str, kind: object, shape: Shape) -> Iterator[str]:
    """Where a declaration and a shape of the model differ."""
    if isinstance(kind, Structure):
        if not isinstance(shape, StructureShape):
            yield f"{path} is no structure"
            return
        modelled = {
            each.serialization.get("name", name): (name, each)
            for name, each in shape.members.items()
        }
        declared = {member_name(each): each for each in kind.members.values()}
        # Attributes are no elements.
        kept = {
            n for n, (_, s) in modelled.items() if s.serialization.get("xmlAttribute")
        }
        for name in set(modelled) - kept - set(declared):
            yield f"{path}/{name} is not declared"
        for name, each in declared.items():
            if name not in modelled:
                yield f"{path}/{name} is not in the model"
                continue
            of_model, inner = modelled[name]
            if (of_model in shape.required_members) != _is_needed(each):
                yield f"{path}/{name}: whether it is needed"
            yield from _different_member(f"{path}/{name}", each, inner)
    elif isinstance(kind, Words):
        enum = getattr(shape, "enum", [])
        if enum and set(enum) != set(kind.choices):
            yield f"{path}: {enum}, not {kind.choices}"
        named = {"integer": INTEGER, "boolean": FLAG, "timestamp": TIME}
        wanted = named.get(shape.type_name)
        if wanted is not None and kind is not wanted:
            yield f"{path} is no {shape.type_name}"


def _is_needed(member: One[Any] | Many[Any]) -> bool:
    if isinstance(member, Many) and not member.inside:
        return member.least > 0
    return member.is_needed


def _different_member(
    path: str, member: One[Any] | Many[Any], shape: Shape
) -> Iterator[str]:
    if isinstance(member, One):
        yield from differences(path, member.kind, shape)
        return
    if not isinstance(shape, ListShape):
        yield f"{path} is no list"
        return
    inside = "" if shape.serialization.get("flattened") else member_name(member)
    if member.inside != inside:
        yield f"{path} is in {inside!r}"
    if inside and member.name != shape.member.serialization.get("name", "member"):
        yield f"{path}: its members have another name"
    yield from differences(path, member.kind, shape.member)


class ModelTests(SynchronousTestCase):
    """The declarations, held against botocore's model."""

    def test_documents(self) -> None:
        """Each has the elements of its shape, as often and as needed as the model says, and no others."""
        session = botocore.session.get_session()
        model = session.get_service_model("s3")
        found = list(documents())
        self.assertGreater(len(found), 1)
        for each in found:
            wrong = list(differences(each.root, each, model.shape_for(each.shape)))
            self.assertEqual(wrong, [], each.root)

    def test_it_tells(self) -> None:
        """A declaration that differs is found out."""
        session = botocore.session.get_session()
        shape = session.get_service_model("s3").shape_for("Tagging")
        tag = Structure(Rule, name=One("Key", INTEGER), other=One("Other", TEXT))
        wrong = list(differences("T", Document("T", Rules, a=Many("Tag", tag)), shape))
        self.assertEqual(
            sorted(wrong),
            ["T/Tag is not in the model", "T/TagSet is not declared"],
        )
        inside = Many("Tag", tag, inside="TagSet", least=1)
        wrong = list(differences("T", Document("T", Rules, a=inside), shape))
        self.assertIn("T/TagSet/Value is not declared", wrong)
        self.assertIn("T/TagSet/Other is not in the model", wrong)
        self.assertIn("T/TagSet/Key: whether it is needed", wrong)

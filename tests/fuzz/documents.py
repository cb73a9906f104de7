"""XML documents of requests: what each reader takes, and what another parser reads in them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from ozgate.config.settings import Settings
from ozgate.errors import S3Error
from ozgate.s3.configuration import accesslist
from ozgate.s3.documents import NAMESPACE, Element, document, element, escape, read
from ozgate.s3.perform.buckets import configuration_of
from ozgate.s3.perform.deleting import read_request
from ozgate.s3.perform.partlist import fingerprint, read_list
from ozgate.s3.tags import from_document
from tests.fuzz.judging import check_error
from tests.fuzz.running import fuzz

ROOTS = (
    "Delete",
    "Tagging",
    "CompleteMultipartUpload",
    "CreateBucketConfiguration",
    "AccessControlPolicy",
)
SEEDS = (
    b"<Delete><Object><Key>a&amp;b</Key><VersionId>null</VersionId></Object><Quiet>true</Quiet></Delete>",
    b"<Delete><Object><Key>k</Key><ETag>0</ETag><Size>1</Size></Object></Delete>",
    b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
    b'<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>'
    b'<ETag>"0"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>',
    b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
    b'<AccessControlPolicy><Owner><ID>0</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    b' xsi:type="Group"><URI>u</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>',
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>",
    b"<Delete><!-- c --><![CDATA[ ]]>&#x20;<?p i?></Delete>",
)
WORDS = (
    *(b"<Delete>", b"</Delete>", b"<Object>", b"</Object>", b"<Key>", b"</Key>"),
    *(b"<Tagging>", b"<TagSet>", b"<Tag>", b"<Value>", b"</Value>", b"<Quiet>"),
    *(b"<CompleteMultipartUpload>", b"<Part>", b"</Part>", b"<PartNumber>", b"<ETag>"),
    *(b"<LocationConstraint>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<!DOCTYPE"),
    *(b"<AccessControlPolicy>", b"<Grant>", b"<Grantee>", b"<Permission>", b"<ID>"),
    *(b' xsi:type="', b"CanonicalUser", b"<Owner>", b"</Owner>", b"FULL_CONTROL"),
    *(b"&#x", b"&amp;", b"&#13;", b"\xef\xbb\xbf", b' xmlns="', NAMESPACE.encode()),
    *(b'<?xml version="1.0" encoding="', b'"?>', b"UTF-16", b"<p:a xmlns:p='x'>"),
)


def one_input(data: bytes) -> None:
    """Read a document in every way."""
    found = _refusable(lambda: read(data, ROOTS))
    if found is not None:
        _compare(found, ElementTree.fromstring(data))
        assert _written(found) is not None
    deleted = _refusable(lambda: read_request(data))
    assert deleted is None or all(one.key for one in deleted[1])
    listed = _refusable(lambda: read_list(data, "upload"))
    if listed is not None:
        numbers = [part.number for part in listed]
        assert (
            numbers == sorted(set(numbers)) and 1 <= numbers[0] <= numbers[-1] <= 10000
        )
        written = [row.text_of("PartNumber") or "" for row in found.children]
        assert [each.strip().lstrip("+0") for each in written] == list(
            map(str, numbers)
        )
        fingerprint(listed)
    tags = _refusable(lambda: from_document(data))
    assert tags is None or len(tags) <= 10
    granted = _refusable(lambda: accesslist.from_document(data))
    assert granted is None or len(granted[1]) <= 100
    for region in ("us-east-1", "eu-west-1"):
        gateway = SimpleNamespace(settings=Settings(region=region))
        call: Any = SimpleNamespace(gateway=gateway)
        _refusable(lambda call=call: configuration_of(call, data))


def _refusable(reading: Callable[[], Any]) -> Any:
    try:
        return reading()
    except S3Error as error:
        check_error(error)
        return None


def _compare(ours: Element, theirs: ElementTree.Element) -> None:
    """Names, texts and order are those that the standard library reads."""
    assert theirs.tag in (ours.name, f"{{{NAMESPACE}}}{ours.name}")
    assert len(ours.children) == len(theirs)
    if not ours.children:
        assert ours.text == (theirs.text or ""), (ours.text, theirs.text)
    for child, other in zip(ours.children, theirs, strict=True):
        _compare(child, other)


def _written(found: Element) -> Element:
    """What was read, written and read again: the same."""
    inside = _inside(found) if found.children else escape(found.text)
    again = read(document(found.name, inside), found.name)
    _same(found, again)
    return again


def _inside(found: Element) -> str:
    return "".join(
        f"<{child.name}>{_inside(child)}</{child.name}>"
        if child.children
        else element(child.name, child.text)
        for child in found.children
    )


def _same(one: Element, other: Element) -> None:
    assert one.name == other.name and len(one.children) == len(other.children)
    if not one.children and one.text.strip("\r\n\t "):
        assert one.text == other.text, (one.text, other.text)
    for child, its in zip(one.children, other.children, strict=True):
        _same(child, its)


if __name__ == "__main__":
    fuzz("documents")

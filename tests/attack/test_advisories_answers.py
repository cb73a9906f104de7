"""Advisories of other S3 servers about what was stored or sent and comes back; the others are in :mod:`tests.attack.test_advisories`."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from attrs import evolve

from ozgate.s3.operations import OPERATIONS
from tests.attack.requests import content_md5
from tests.attack.support import AttackTestCase


class AnswerTests(AttackTestCase):
    """What was stored or sent, and comes back."""

    def test_split_headers(self) -> None:
        """No value that is stored or asked for makes a header line of its own (Ceph CVE-2020-10753, GHSA-cggp, CVE-2021-3524).

        There, a line break in a configured header (CORS's ExposeHeader) went out as it was.
        """
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        draft = self.draft(row)
        evil = "a\r\nSet-Cookie: b=c"
        for name in (
            *("content-type", "content-language", "expires", "cache-control"),
            *("content-disposition", "content-encoding"),
        ):
            query = (*draft.query, (f"response-{name}", evil))
            self.send_sent(evolve(draft, query=query).signed())
            self.assertNotIn(b"\r\nSet-Cookie", self.heard)
        (row,) = (row for row in OPERATIONS if row.name == "PutObject")
        coded = f"=?utf-8?b?{b64encode(evil.encode()).decode()}?="
        before = self.holds()
        for header in ("x-amz-meta-a", "content-disposition", "x-amz-tagging"):
            putting = self.draft(row)
            putting = evolve(putting, headers={**putting.headers, header: coded})
            status, _ = self.send_sent(putting.signed())
            if status == 200:
                self.send_sent(draft.signed())
                self.assertNotIn(b"\r\nSet-Cookie", self.heard)
            self.undo(before)
        hoisting = self.draft(row)
        query = (*hoisting.query, ("x-amz-meta-a", evil))
        found = self.send_sent(evolve(hoisting, query=query, headers={}).presigned())
        self.assertEqual(found, (400, "InvalidArgument"))

    def test_malformed_tags(self) -> None:
        """Tags that are none are the client's mistake, in documents and in headers (Ceph CVE-2020-12059, where they were a crash)."""
        (row,) = (row for row in OPERATIONS if row.name == "PutObjectTagging")
        (put,) = (row for row in OPERATIONS if row.name == "PutObject")
        before = self.holds()
        for inside in (
            *(
                "",
                "<TagSet>",
                "<TagSet/><TagSet/>",
                "<Tag/>",
                "<TagSet><Tag/></TagSet>",
            ),
            "<TagSet><Tag><Key/></Tag></TagSet>",
            "<TagSet><Tag><Value>a</Value></Tag></TagSet>",
            "<TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet>",
            f"<TagSet><Tag><Key>{'k' * 129}</Key><Value/></Tag></TagSet>",
            "<TagSet>" + "<Tag><Key>a</Key><Value/></Tag>" * 2 + "</TagSet>",
        ):
            body = f"<Tagging>{inside}</Tagging>".encode()
            draft = evolve(self.draft(row), body=body)
            sent = draft.having(content_md5=content_md5(body)).signed()
            self.assertEqual(self.send_sent(sent)[0], 400, inside)
        for value in ("&", "=", "=&=", "a=b&a=c", "a" * 200, "%zz=a", "a=%FF", "<>=a"):
            sent = self.draft(put).having(x_amz_tagging=value).signed()
            self.assertIn(self.send_sent(sent)[0], (200, 400), value)
            self.undo(before)
        self.assertEqual(self.holds(), before)

    def test_hosts(self) -> None:
        """A Host that is none is refused, and is not in the answer as it came (Twisted CVE-2022-39348, a page with the host in it)."""
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        sent = self.draft(row).signed()
        for host in ("<script>alert(1)</script>", "a b", "h/../x", "h@evil", "é", ""):
            status, _ = self.send_sent(sent.having("host", host))
            self.assertEqual(status, 400, host)
            self.assertNotIn(b"<script>", self.heard)

    def test_names_in_documents(self) -> None:
        """A name that is markup is text in every document (RustFS GHSA-v9fg and -7gcx, where a console showed it as markup)."""
        name = '"><script>alert(1)</script><!--'
        (put,) = (row for row in OPERATIONS if row.name == "PutObject")
        path = f"/bucket/{quote(name)}"
        self.assertEqual(
            self.send_sent(evolve(self.draft(put), path=path).signed())[0], 200
        )
        for listing in ("ListObjects", "ListObjectsV2", "ListObjectVersions"):
            (row,) = (row for row in OPERATIONS if row.name == listing)
            self.assertEqual(self.send_sent(self.draft(row).signed())[0], 200)
            self.assertNotIn(b"<script>", self.heard)
            self.assertIn(b"&lt;script&gt;", self.heard)
        (row,) = (row for row in OPERATIONS if row.name == "GetObjectTagging")
        self.send_sent(evolve(self.draft(row), path=f"{path}x").signed())
        self.assertNotIn(b"<script>", self.heard)

"""Conditional requests: the tables of RFC 9110 and of S3."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import (
    InvalidArgument,
    NoSuchKey,
    NoSuchUpload,
    NotImplemented,
    NotModified,
    PreconditionFailed,
    S3Error,
)
from ozgate.s3.conditions import (
    check_abort,
    check_copy_source,
    check_delete,
    check_etag,
    check_read,
    check_write,
    matches,
    refuse_untaken,
)
from ozgate.s3.times import http_date
from ozgate.values import ObjectVersion, Upload
from ozgate.wire.headers import Headers

ETAG = "d41d8cd98f00b204e9800998ecf8427e"
MODIFIED = 1_795_341_600_500
NOW = MODIFIED + 3_600_000
SAME = http_date(MODIFIED)
EARLIER = http_date(MODIFIED - 1000)
LATER = http_date(MODIFIED + 1000)
FUTURE = http_date(NOW + 60_000)
VERSION = ObjectVersion("key", 1, MODIFIED, size=10, etag=ETAG)
UPLOAD = Upload("key", "u", initiated=MODIFIED, owner="o")
MARKER = ObjectVersion("key", 2, MODIFIED, is_delete_marker=True)


def outcome(**headers: str) -> str:
    """What a read with those headers comes to: the failed condition, 304 or 200."""
    sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    try:
        check_read(sent, ETAG, MODIFIED, NOW)
    except PreconditionFailed as error:
        return str(error.members["Condition"])
    except NotModified:
        return "304"
    return "200"


class ReadTests(SynchronousTestCase):
    """GetObject and HeadObject."""

    def test_nothing_asked(self) -> None:
        """Without conditions an object is sent."""
        self.assertEqual(outcome(), "200")

    def test_if_match(self) -> None:
        """Any tag of a list, quoted or not, or a star matches; a weak one does not."""
        for value, expected in (
            (f'"{ETAG}"', "200"),
            (ETAG, "200"),
            (f'"x", "{ETAG}"', "200"),
            (f"x,{ETAG}", "200"),
            ("*", "200"),
            ('"x"', "If-Match"),
            ("x", "If-Match"),
            ("", "If-Match"),
            (f'W/"{ETAG}"', "If-Match"),
            (ETAG.upper(), "If-Match"),
            (f'"{ETAG}', "If-Match"),
        ):
            self.assertEqual(outcome(if_match=value), expected, value)

    def test_if_none_match(self) -> None:
        """Any tag of a list, weak or strong, or a star means not modified."""
        for value, expected in (
            (f'"{ETAG}"', "304"),
            (ETAG, "304"),
            (f'W/"{ETAG}"', "304"),
            (f'"x",W/"{ETAG}"', "304"),
            ("*", "304"),
            ('"x"', "200"),
            ("", "200"),
        ):
            self.assertEqual(outcome(if_none_match=value), expected, value)

    def test_if_modified_since(self) -> None:
        """By whole seconds; what is no date, or one in the future, is ignored."""
        for value, expected in (
            (EARLIER, "200"),
            (SAME, "304"),
            (LATER, "304"),
            (http_date(NOW), "304"),
            (FUTURE, "200"),
            ("yesterday", "200"),
            ("", "200"),
        ):
            self.assertEqual(outcome(if_modified_since=value), expected, value)

    def test_if_unmodified_since(self) -> None:
        """By whole seconds; what is no date is ignored."""
        for value, expected in (
            (EARLIER, "If-Unmodified-Since"),
            (SAME, "200"),
            (LATER, "200"),
            (FUTURE, "200"),
            ("yesterday", "200"),
        ):
            self.assertEqual(outcome(if_unmodified_since=value), expected, value)

    def test_order(self) -> None:
        """Tags beat dates in each pair; the first pair comes before the second."""
        self.assertEqual(outcome(if_match=ETAG, if_unmodified_since=EARLIER), "200")
        self.assertEqual(outcome(if_match="x", if_unmodified_since=LATER), "If-Match")
        self.assertEqual(outcome(if_none_match=ETAG, if_modified_since=EARLIER), "304")
        self.assertEqual(outcome(if_none_match="x", if_modified_since=LATER), "200")
        self.assertEqual(outcome(if_match="x", if_none_match=ETAG), "If-Match")
        self.assertEqual(outcome(if_match=ETAG, if_none_match=ETAG), "304")
        self.assertEqual(
            outcome(if_unmodified_since=EARLIER, if_modified_since=LATER),
            "If-Unmodified-Since",
        )

    def test_clock(self) -> None:
        """Without a time given, the future begins after the clock's now."""
        sent = Headers({"if-modified-since": "Fri, 01 Jan 2999 00:00:00 GMT"})
        check_read(sent, ETAG, MODIFIED)
        sent = Headers({"if-modified-since": "Fri, 01 Jan 2021 00:00:00 GMT"})
        self.assertRaises(NotModified, check_read, sent, ETAG, 0)

    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    "if-match",
                    "if-none-match",
                    "if-modified-since",
                    "if-unmodified-since",
                ]
            ),
            st.one_of(
                st.text(max_size=20),
                st.sampled_from([ETAG, f'"{ETAG}"', "*", SAME, EARLIER, FUTURE]),
            ),
        )
    )
    def test_copy_agrees_with_read(self, headers: dict[str, str]) -> None:
        """A copy goes on exactly where a read would send; all else is 412."""
        prefixed = {f"x-amz-copy-source-{name}": v for name, v in headers.items()}
        try:
            check_read(Headers(headers), ETAG, MODIFIED, NOW)
        except (PreconditionFailed, NotModified):
            error = self.assertRaises(
                PreconditionFailed,
                check_copy_source,
                Headers(prefixed),
                ETAG,
                MODIFIED,
                NOW,
            )
            self.assertIn(str(error.members["Condition"]).lower(), prefixed)
        else:
            check_copy_source(Headers(prefixed), ETAG, MODIFIED, NOW)

    def test_copy_ignores_plain_headers(self) -> None:
        """Conditions on the target are not conditions on the source."""
        check_copy_source(Headers({"if-match": "x"}), ETAG, MODIFIED, NOW)


class WriteTests(SynchronousTestCase):
    """PutObject, CopyObject and CompleteMultipartUpload."""

    def test_if_none_match(self) -> None:
        """A star fails where something is there; a delete marker is nothing."""
        star = Headers({"if-none-match": "*"})
        check_write(star, None)
        check_write(star, MARKER)
        error = self.assertRaises(PreconditionFailed, check_write, star, VERSION)
        self.assertEqual(error.members, {"Condition": "If-None-Match"})

    def test_if_match(self) -> None:
        """The current ETag goes on, another is 412, nothing there is 404."""
        check_write(Headers({"if-match": f'"{ETAG}"'}), VERSION)
        other = Headers({"if-match": '"x"'})
        error = self.assertRaises(PreconditionFailed, check_write, other, VERSION)
        self.assertEqual(error.members, {"Condition": "If-Match"})
        for latest in (None, MARKER):
            absent = self.assertRaises(
                NoSuchKey, check_write, Headers({"if-match": ETAG}), latest, "k"
            )
            self.assertEqual(absent.members, {"Key": "k"})

    def test_both(self) -> None:
        """Both at once never let a write through."""
        both = Headers({"if-match": ETAG, "if-none-match": "*"})
        for latest in (None, VERSION):
            error = self.assertRaises(NotImplemented, check_write, both, latest)
            self.assertEqual(error.members["Header"], "If-Match,If-None-Match")
            self.assertIn("additionalMessage", error.members)

    def test_not_implemented(self) -> None:
        """Values that S3 does not take on writes are 501, never ignored."""
        for name, value, header in (
            ("if-none-match", f'"{ETAG}"', "If-None-Match"),
            ("if-none-match", "", "If-None-Match"),
            ("if-match", "*", "If-Match"),
        ):
            for latest in (None, VERSION):
                error = self.assertRaises(
                    NotImplemented, check_write, Headers({name: value}), latest
                )
                self.assertEqual(error.members["Header"], header)

    def test_unconditional(self) -> None:
        """Without conditions everything may be written."""
        for latest in (None, MARKER, VERSION):
            check_write(Headers({}), latest)


class DeleteTests(SynchronousTestCase):
    """DeleteObject, and the members of DeleteObjects."""

    def test_if_match(self) -> None:
        """The current ETag or a star goes on, another is 412, nothing there is 404."""
        for value in (ETAG, f'"{ETAG}"', "*"):
            check_delete(Headers({"if-match": value}), VERSION)
            for latest in (None, MARKER):
                self.assertRaises(
                    NoSuchKey, check_delete, Headers({"if-match": value}), latest
                )
        self.assertRaises(
            PreconditionFailed, check_delete, Headers({"if-match": "x"}), VERSION
        )

    def test_size_and_time(self) -> None:
        """They compare with what is there, by bytes and whole seconds, and hold on nothing."""
        size, time = "x-amz-if-match-size", "x-amz-if-match-last-modified-time"
        for headers in (
            {size: "10"},
            {size: "010"},
            {time: SAME},
            {size: "10", time: SAME, "if-match": ETAG},
        ):
            check_delete(Headers(headers), VERSION)
        check_delete(Headers({size: "11", time: LATER}), None)
        check_delete(Headers({size: "11", time: LATER}), MARKER)
        for headers, condition in (
            ({size: "11"}, size),
            ({size: "9" * 5000}, size),
            ({time: LATER}, time),
            ({time: EARLIER}, time),
            ({size: "10", time: EARLIER}, time),
        ):
            error = self.assertRaises(
                PreconditionFailed, check_delete, Headers(headers), VERSION
            )
            self.assertEqual(error.members, {"Condition": condition})

    def test_nonsense(self) -> None:
        """A size that is no number and a time that is none are refused."""
        for name, value in (
            ("x-amz-if-match-size", "ten"),
            ("x-amz-if-match-size", "-1"),
            ("x-amz-if-match-size", "٣"),
            ("x-amz-if-match-size", ""),
            ("x-amz-if-match-last-modified-time", "yesterday"),
            ("x-amz-if-match-last-modified-time", ""),
        ):
            for latest in (None, VERSION):
                error = self.assertRaises(
                    InvalidArgument, check_delete, Headers({name: value}), latest
                )
                self.assertEqual(error.members["ArgumentName"], name)

    def test_unconditional(self) -> None:
        """Without conditions everything may be deleted, and nothing."""
        for latest in (None, MARKER, VERSION):
            check_delete(Headers({}), latest)


class AbortTests(SynchronousTestCase):
    """AbortMultipartUpload."""

    def test_initiated(self) -> None:
        """The time is compared by whole seconds, and holds where no upload is; without it there must be one."""
        name = "x-amz-if-match-initiated-time"
        check_abort(Headers({}), UPLOAD, "u")
        check_abort(Headers({name: SAME}), UPLOAD, "u")
        check_abort(Headers({name: SAME}), None, "u")
        for time in (EARLIER, LATER):
            error = self.assertRaises(
                PreconditionFailed, check_abort, Headers({name: time}), UPLOAD, "u"
            )
            self.assertEqual(error.members, {"Condition": name})
        absent = self.assertRaises(NoSuchUpload, check_abort, Headers({}), None, "u")
        self.assertEqual(absent.members, {"UploadId": "u"})

    def test_nonsense(self) -> None:
        """A time that is none is refused, whether there is an upload or not."""
        for text in ("yesterday", ""):
            sent = Headers({"x-amz-if-match-initiated-time": text})
            for upload in (None, UPLOAD):
                self.assertRaises(InvalidArgument, check_abort, sent, upload, "u")


class UntakenTests(SynchronousTestCase):
    """Conditions that an operation does not take."""

    def test_refused(self) -> None:
        """They are 501 with the header's name, never ignored."""
        for name, header in (
            ("if-modified-since", "If-Modified-Since"),
            ("if-unmodified-since", "If-Unmodified-Since"),
            ("if-none-match", "If-None-Match"),
            ("x-amz-if-match-size", "x-amz-if-match-size"),
        ):
            sent = Headers({"host": "h", name: SAME})
            taken = frozenset(("if-match",))
            error = self.assertRaises(NotImplemented, refuse_untaken, sent, taken)
            self.assertEqual(error.members["Header"], header)

    def test_taken(self) -> None:
        """Those it takes pass, and so does all that is no condition."""
        sent = Headers({"if-match": "x", "if-range": "y", "x-amz-iffy": "z"})
        refuse_untaken(sent, frozenset(("if-match",)))


class TagTests(SynchronousTestCase):
    """Lists of entity tags."""

    def test_multipart_tag(self) -> None:
        """A multipart ETag is a tag like any other."""
        check_etag(f'"{ETAG}-2"', ObjectVersion("k", 1, 0, etag=f"{ETAG}-2"))

    @given(st.text(max_size=60), st.booleans())
    def test_any_list(self, header: str, weak: bool) -> None:
        """Any text is a list of tags; only a star or the tag itself in it matches."""
        found = matches(header, ETAG, weak=weak)
        self.assertEqual(found, header == "*" or (found and ETAG in header))

    @given(st.text(max_size=60), st.sampled_from([None, MARKER, VERSION]))
    def test_any_condition(self, text: str, latest: ObjectVersion | None) -> None:
        """Whatever the conditions say, the outcome is one of S3's."""
        headers = Headers(
            {
                "if-match": text,
                "x-amz-if-match-size": text,
                "x-amz-if-match-last-modified-time": text,
            }
        )
        for check in (check_write, check_delete):
            try:
                check(headers, latest)
            except S3Error:
                continue

"""Forms as browsers send them, in pieces of any size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.formdata import FormData, boundary_of

HEAD = (
    b'preamble\r\n--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nvalue\r\n'
    b'--b\r\nContent-Disposition: form-data; name="other"; filename="x"\r\n\r\n\xc3\xbc\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="dir/a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n"
)
TAIL = b'\r\n--b\r\nContent-Disposition: form-data; name="late"\r\n\r\ndropped\r\n--b--\r\n'


class MalformedError(Exception):
    """What the tests' forms are refused with."""


class TooLargeError(Exception):
    """Likewise."""


class Producer:
    """A push producer that notes what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def pauseProducing(self) -> None:
        """Note it."""
        self.said.append("pause")

    def resumeProducing(self) -> None:
        """Note it."""
        self.said.append("resume")

    def stopProducing(self) -> None:
        """Note it."""
        self.said.append("stop")


class FormTests(SynchronousTestCase):
    """Fields first, then the file."""

    def setUp(self) -> None:
        """A form with a producer."""
        self.make()

    def make(self, most: int = 1000) -> None:
        """A new one."""
        self.form = FormData(b"b", most, MalformedError, TooLargeError)
        self.producer = Producer()
        self.form.registerProducer(self.producer, True)  # type: ignore[arg-type]

    @given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=30))
    def test_any_pieces(self, file: bytes, sizes: list[int]) -> None:
        """However a form is cut, its fields and its file are the same."""
        self.make()
        if b"--b" in file:
            return
        body, transport = HEAD + file + TAIL, StringTransport()
        self.form.file_begun.addCallback(lambda _: self.form.pass_on(transport))
        for size in sizes:
            self.form.write(body[:size])
            body = body[size:]
        self.form.write(body)
        self.form.finish()
        self.assertEqual(self.form.fields, [("key", b"value"), ("other", "ü".encode())])
        self.assertEqual(self.form.file_name, "a.txt")
        self.assertEqual(transport.value(), file)
        self.assertEqual(self.form.taken, len(HEAD) - len("\r\n"))

    def test_cut_anywhere(self) -> None:
        """A form that is cut in two, wherever that is, has the same file: what ends it may be the end of the form, too."""
        for last in (b"\r\n--b--\r\n", b"\r\n--b--", TAIL):
            for file in (
                b"",
                b"file",
                b"\r\n",
                b"a\r",
                b"\n--c\r-",
                b"--",
                b"\r\n--b-",
            ):
                body = HEAD + file + last
                for place in range(1, len(body)):
                    self.make()
                    transport = StringTransport()
                    self.form.file_begun.addCallback(
                        lambda _, to=transport: self.form.pass_on(to)
                    )
                    self.form.write(body[:place])
                    self.form.write(body[place:])
                    self.form.finish()
                    self.assertEqual(transport.value(), file, (body[:place], last))
                    self.assertEqual(self.form.taken, len(HEAD) - len("\r\n"))

    def test_held(self) -> None:
        """The producer is held once the file begins, until somebody takes it."""
        self.form.write(HEAD + b"some")
        self.assertEqual(self.producer.said, ["pause"])
        self.assertTrue(self.form.file_begun.called)
        transport = StringTransport()
        self.form.pass_on(transport)
        self.assertEqual(transport.value(), b"some")
        self.assertIs(transport.producer, self.producer)
        self.assertEqual(self.producer.said, ["pause", "resume"])
        self.form.write(b" more" + TAIL)
        self.assertEqual(transport.value(), b"some more")
        self.form.unregisterProducer()
        self.assertIsNone(transport.producer)

    def test_bounded(self) -> None:
        """More than allowed before the file is refused, in one piece or many; the file's bytes do not count."""
        for pieces in ([b"x" * 1001], [b"x" * 10] * 101, [b"x" * 900 + HEAD]):
            self.make()
            with self.assertRaises(TooLargeError):
                for piece in pieces:
                    self.form.write(piece)
        self.make(len(HEAD))
        self.form.write(HEAD + b"y" * 5000)

    def test_malformed(self) -> None:
        """A part without a name or a disposition, text that is none, and an end in the middle are refused."""
        for part in (
            b"X-Other: y\r\n\r\n",
            b"Content-Disposition: form-data\r\n\r\n",
            b'Content-Disposition: form-data; name="\xff"\r\n\r\n',
        ):
            self.make()
            with self.assertRaises(MalformedError):
                self.form.write(b"--b\r\n" + part)
        self.make()
        self.form.write(HEAD)
        self.form.pass_on(StringTransport())
        with self.assertRaises(MalformedError):
            self.form.finish()

    def test_boundary(self) -> None:
        """The boundary is what the content type says, quoted or not."""
        for text, boundary in (
            ("multipart/form-data; boundary=b", b"b"),
            ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=b", None),
            ("multipart/form-data; boundary=" + "b" * 257, None),
            ("multipart/form-data; boundary=ü", None),
            ("", None),
        ):
            self.assertEqual(boundary_of(text), boundary, text)

"""Frames of the writes of workers: whole and in order, whatever the socket takes and gives."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.workers.frames import ROOM, Frames
from tests.joined import ends


class FramesTests(SynchronousTestCase):
    """Runs of bytes over a stream."""

    def setUp(self) -> None:
        """Join two ends; of the sender's, what is sent can be seen as it is, too."""
        ours, self.theirs = ends(self)
        self.sender = Frames(ours)

    def received(self, receiver: Frames) -> list[tuple[int, bytes]]:
        """What has come."""
        return [(number, bytes(payload)) for number, payload in receiver.received()]

    def test_cut(self) -> None:
        """Frames come whole and in order, however the stream was cut, empty ones too."""
        sent = [(1, b"one"), (2, b""), (3, b"x" * 300), (1 << 40, b"last")]
        for frame in sent:
            self.assertTrue(self.sender.send(frame[0], [frame[1]]))
        stream = self.theirs.recv(1 << 16)
        for step in (1, 2, 15, 16, 17, 100, len(stream)):
            raw, end = ends(self)
            receiver, kept = Frames(end), []
            for start in range(0, len(stream), step):
                raw.sendall(stream[start : start + step])
                kept += self.received(receiver)
            self.assertEqual(kept, sent, step)
            self.assertEqual(receiver.received(), [])

    def test_long(self) -> None:
        """Of a frame that is longer than what the kernel holds, and than there is room for, the rest goes as the other end takes it; short ones follow."""
        receiver, long = Frames(self.theirs), bytes(range(256)) * (3 * ROOM // 256)
        self.assertFalse(self.sender.send(1, [long[:5], long[5:]]))
        self.assertFalse(self.sender.send(2, [b"short"]))
        kept = []
        while len(kept) < 2:
            kept += self.received(receiver)
            self.sender.go_on()
        self.assertEqual(kept, [(1, long), (2, b"short")])
        self.assertTrue(self.sender.send(3, [b"later"]))
        self.assertEqual(self.received(receiver), [(3, b"later")])

    def test_end(self) -> None:
        """What was sent before an end was closed comes, and then the end; nothing can be sent to it."""
        receiver = Frames(self.theirs)
        self.sender.send(1, [b"last"])
        self.sender.close()
        self.assertEqual(self.received(receiver), [(1, b"last")])
        self.assertRaises(EOFError, receiver.received)
        self.assertRaises(OSError, receiver.send, 1, [b"answer"])

"""Claims as numbers of locks, and what a transaction holds."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.postgresql.locks import Held, lock_number
from ozgate.values import Bucket, Claim


class LockTests(SynchronousTestCase):
    """What is claimed, and for how long it need not be claimed again."""

    def test_numbers(self) -> None:
        """Each thing has a number of its own, of 64 bits with a sign, whoever shares it; the same in every process."""
        claims = [
            Claim.bucket(1),
            Claim.bucket(11),
            Claim.key(1, "1"),
            Claim.key(11, ""),
            Claim.upload(1, "1"),
            Claim.volume("1"),
            Claim.setting("1"),
        ]
        numbers = [lock_number(each) for each in claims]
        self.assertEqual(len(set(numbers)), len(claims))
        for number in numbers:
            self.assertTrue(-(1 << 63) <= number < 1 << 63)
        self.assertEqual(lock_number(Claim.bucket(1, True)), numbers[0])
        self.assertEqual(lock_number(Claim.setting("id")), -9126577910994136287)

    def test_order(self) -> None:
        """Claims are taken in their order; of what is given twice, what is not shared counts."""
        shared, alone = Claim.bucket(1, True), Claim.bucket(1)
        key = Claim.key(2, "k")
        held = Held()
        self.assertEqual(
            held.missing((key, Claim.bucket(2, True), shared, alone)),
            [alone, Claim.bucket(2, True), key],
        )
        self.assertEqual(held.missing((key, shared, alone)), [])

    def test_covered(self) -> None:
        """Who has a bucket alone, or has made it, has all that is in it; a volume covers its usage. What is shared does not."""
        held = Held()
        held.missing((Claim.bucket(1), Claim.volume("v"), Claim.bucket(2, True)))
        held.made(Bucket("v", "new", "me", 0, number=3))
        inside = (Claim.key(1, "k"), Claim.usage(3), Claim.volume_usage("v"))
        self.assertEqual(held.missing(inside), [])
        self.assertEqual(held.missing((Claim.key(2, "k"),)), [Claim.key(2, "k")])

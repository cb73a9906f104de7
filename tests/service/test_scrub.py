"""``ozgate admin scrub`` on a real service: what was damaged on the disk is found and named."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from tests.running import ROOT
from tests.service.upkeep import MIB, UpkeepCase, flip


class FindingTests(UpkeepCase):
    """Damage."""

    def test_flipped_bit(self) -> None:
        """One flipped bit in a blob and one in an inline body are found, named with their keys, counted and logged, and
        listed until they are gone."""
        self.put("large", 700_000)
        self.put("well", 700_000)
        self.put("small", 500)
        self.put("small too", 500)
        self.assertEqual(self.ozgate("scrub")[0], 0)
        blob = self.blob_of("large")
        flip(blob, 300_000)
        with self.rows() as connection:
            connection.execute(
                "UPDATE bodies SET body = CAST(x'00' || substr(body, 2) AS BLOB) WHERE sequence ="
                " (SELECT sequence FROM versions WHERE key = 'small')"
            )
        code, out, error = self.ozgate("scrub")
        self.assertEqual((code, error), (1, ""))
        self.assertRegex(
            out, f"(?m)^blob {blob.name}: block 1 .*\n    /s3v/bucket/large$"
        )
        self.assertRegex(out, "(?m)^inline bodies .*\n    /s3v/bucket/small$")
        self.assertIn("damaged: 2\n", out)
        self.assertRegex(out, "\nwhat to do: .*fsck --remove-damaged' first\n$")
        for kind in ("blob", "inline"):
            self.assertRegex(self.metrics(), f'ozgate_damaged_total{{kind="{kind}"}} 1')
        self.assertRegex(
            self.server.output(), f"damaged: blob {blob.name}: .*/s3v/bucket/large"
        )
        self.assertEqual(self.ozgate("scrub", "--status"), (1, out, ""))
        self.client.delete_object(Bucket="bucket", Key="large")
        self.client.delete_object(Bucket="bucket", Key="small")
        code, out, _ = self.ozgate("scrub")
        self.assertEqual(code, 0, out)
        self.assertIn("nothing is damaged", out)

    def test_well_again(self) -> None:
        """What reads well again leaves the list; what is not there is on it."""
        self.put("flipped", 100_000)
        self.put("missing", 100_000)
        flipped, missing = self.blob_of("flipped"), self.blob_of("missing")
        flip(flipped, 5)
        kept = missing.rename(os.path.join(self.folder, "kept"))
        code, out, _ = self.ozgate("scrub", "--json")
        self.assertEqual(code, 1)
        for blob in (flipped, missing):
            self.assertIn(blob.name, out)
        flip(flipped, 5)
        kept.rename(missing)
        self.assertEqual(self.ozgate("scrub")[0], 0)
        self.assertEqual(self.ozgate("scrub", "--status")[0], 0)

    def test_unused(self) -> None:
        """A damaged file that nothing names is nobody's loss."""
        self.put("key", 100_000)
        blob = self.blob_of("key")
        flip(blob, 5)
        self.client.delete_object(Bucket="bucket", Key="key")
        self.assertEqual(self.ozgate("scrub")[0], 0)

    def test_offline(self) -> None:
        """While the service is down the command scrubs by itself, and the service knows what it found."""
        self.put("key", 100_000)
        flip(self.blob_of("key"), 5)
        self.server.stop()
        code, out, _ = self.ozgate("scrub")
        self.assertEqual(code, 1)
        self.assertIn("/s3v/bucket/key\n", out)
        self.server.start()
        self.assertEqual(self.ozgate("scrub", "--status")[:2], (1, out))


class RunningTests(UpkeepCase):
    """How it goes on."""

    def test_goes_on_after_a_restart(self) -> None:
        """A scrub that a stop or a crash interrupts goes on where it was, not from the start."""
        for n in range(4):
            self.put(f"key{n}", MIB)
        begun = self.command("start_scrub", rate=MIB)
        status = begun
        while status["done"] < 2 * MIB:
            status = self.command("scrub_status", wait=0.1)
        self.assertTrue(status["running"])
        self.server.stop()
        self.server.start()
        between = self.command("scrub_status")
        self.assertFalse(between["running"])
        self.assertGreaterEqual(between["done"], MIB)
        self.assertLess(between["done"], between["total"])
        self.assertEqual(self.ozgate("scrub", "--rate", "0")[0], 0)
        after = self.command("scrub_status")
        self.assertEqual(after["began"], between["began"])
        self.assertEqual((after["done"], after["total"]), (4 * MIB, 4 * MIB))
        self.assertIsNotNone(after["ended"])

    def test_killed(self) -> None:
        """After a kill the next start need not wait for the lease of the dead one: its scrub goes on at once."""
        for n in range(4):
            self.put(f"key{n}", MIB)
        status = self.command("start_scrub", rate=MIB)
        while status["done"] < 2 * MIB:
            status = self.command("scrub_status", wait=0.1)
        self.server.kill()
        self.server.start()
        # Asked once: whoever does not get the lease does nothing.
        self.command("start_scrub", rate=0)
        after = self.command("scrub_status", wait=20.0)
        self.assertEqual((after["done"], after["total"]), (4 * MIB, 4 * MIB))
        self.assertEqual(after["began"], status["began"])

    def test_stop(self) -> None:
        """One that is stopped does not run any more, and says so; started again it goes on."""
        self.put("key", 2 * MIB)
        self.command("start_scrub", rate=1)
        code, out, _ = self.ozgate("scrub", "--stop")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^the scrub of \S+ was stopped: ")
        self.assertNotIn("/s,", out)
        self.assertEqual(self.ozgate("scrub", "--follow")[1], out)
        self.assertEqual(self.ozgate("scrub", "--rate", "100MB")[0], 0)
        self.assertTrue(self.command("scrub_status")["ended"])

    def test_bandwidth(self) -> None:
        """The configuration says how fast it may be, unless who starts it does."""
        self.put("key", 100)
        self.assertEqual(self.command("start_scrub")["limit"], 50 * MIB)
        self.assertEqual(self.command("start_scrub", rate=7)["limit"], 7)

    def test_progress(self) -> None:
        """On a terminal it shows how far it is, how fast, what it found and how long it will take."""
        for n in range(3):
            self.put(f"key{n}", MIB)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        environment = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "ozgate", "admin", "scrub"),
                *("--rate", "2MB", "--data", self.data),
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            shown = b""
            try:
                while data := os.read(ours, 4096):
                    shown += data
            except OSError:
                pass  # the other end is closed
            self.assertEqual(process.wait(60), 0)
        line = re.compile(
            rb"\d\S* [KM]?B of 3\.0 MB \(\d+ %\), .*\d [KM]?B/s, 0 damaged, \d+s left"
        )
        self.assertRegex(shown, line)

    def test_wrong_options(self) -> None:
        """What is no size is refused, and so is a rate for a scrub that does not begin."""
        for arguments in (("--rate", "fast"), ("--rate", "1MB", "--status")):
            code, out, error = self.ozgate("scrub", *arguments)
            self.assertEqual((code, out), (2, ""), error)

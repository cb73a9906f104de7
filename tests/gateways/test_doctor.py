"""``ozgate admin doctor`` over PostgreSQL and an S3 engine, which are as they should be, or not."""

from __future__ import annotations

import base64
from hashlib import md5

from click.testing import CliRunner

from ozgate.cli.main import main
from tests.gateways.fleet import FleetCase


class DoctorTests(FleetCase):
    """One gateway, over an ozgate as its engine."""

    count = 1
    engine = "s3"
    settings = ("ozgate.blobs.s3.timeout=1s", "ozgate.blobs.s3.deadline=2s")

    def told(self) -> tuple[int, str]:
        """Exit code and text."""
        [gateway] = self.gateways
        asked = ["admin", "doctor", "--data", gateway.data]
        result = CliRunner().invoke(main, asked, prog_name="ozgate")
        self.assertEqual(result.stderr, "")
        return result.exit_code, result.stdout

    def test_told(self) -> None:
        """It tells how the database keeps commits, what the engine honours, and that the way there is not encrypted; of an engine that is down it says so, and goes on."""
        engine = self.fleet.engine
        assert engine is not None
        code, said = self.told()
        self.assertEqual(code, 1)
        for line in (
            "well  a commit is synced on its machine: fsync, full_page_writes, synchronous_commit",
            "note  there is no standby: the database's machine must not fail",
            "well  processes that use it at this moment: 1",
            f"well  {engine.url}/blobs/fleet/: it answers",
            f"RISK  {engine.url} is not encrypted on the way",
            "well  it verifies CRC64NVME of what is put, knows If-None-Match",
            "well  the bucket keeps no versions of what is deleted",
        ):
            self.assertIn(line, said)
        self.assertRegex(said, r"well  [^\n]*: PostgreSQL 1\d\.")
        self.assertIn(" 1 risk, 0 wrong\n", said)
        name = "VersioningConfiguration"
        body = f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></{name}>'
        headers = {
            "content-md5": base64.b64encode(md5(body.encode()).digest()).decode()
        }
        put = engine.request("PUT", "/blobs?versioning", headers, body.encode())
        self.assertEqual(put[0], 200, put[2])
        self.assertIn("RISK  the bucket keeps versions", self.told()[1])
        engine.kill()
        code, said = self.told()
        self.assertEqual(code, 1)
        self.assertIn(
            f"WRONG looking at the engine: the engine at {engine.url} cannot", said
        )
        self.assertIn(": PostgreSQL 1", said)

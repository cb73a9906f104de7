"""The README's "Secure it in a minute", word for word. Its first two commands are run by ``.ci/run``."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT, free_port, program
from tests.service.twistd import ServiceTestCase


def secure_blocks() -> list[str]:
    """What is to be pasted: for the server's terminal, and for the client's."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("\n## Secure it in a minute\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


class SecureTests(ServiceTestCase):
    """A new user, at two terminals in one folder."""

    def paste(self, lines: str) -> str:
        """What a shell prints, which must be content with every line."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "S3_", "OZ", "MINIO_"))
        }
        ended = subprocess.run(
            ["bash", "-e", "-c", lines],
            cwd=self.folder,
            env={
                **kept,
                "HOME": self.folder,
                "PATH": f"{os.path.dirname(program('aws'))}:{kept['PATH']}",
                "PYTHONPATH": str(ROOT),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        output = ended.stdout.decode()
        self.assertEqual(ended.returncode, 0, output)
        return output

    def test_word_for_word(self) -> None:
        """A certificate, a server that others reach, a key of one's own: then the AWS CLI is let in, with that key alone."""
        scripts = Path(self.folder, ".venv", "bin")
        scripts.mkdir(parents=True)
        (scripts / "ozgate").write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ozgate "$@"\n'
        )
        (scripts / "ozgate").chmod(0o755)
        port = str(free_port())
        server, client = (
            block.replace("9879", port).strip() for block in secure_blocks()
        )
        prepare, start = server.splitlines()
        self.paste(prepare)
        twistd, *arguments = shlex.split(start)
        self.assertEqual(twistd, ".venv/bin/twistd")
        process = self.launch(*arguments)
        process.wait_ready()
        self.assertEqual(process.urls, [f"https://127.0.0.1:{port}"])
        told = self.paste(
            f"{client}\naws s3 mb s3://photos\naws s3 ls\n"
            "! AWS_SECRET_ACCESS_KEY=another aws s3 ls"
        )
        self.assertIn("photos", told)
        self.assertIn("SignatureDoesNotMatch", told)
        self.assertEqual(process.errors.read_text(), "")

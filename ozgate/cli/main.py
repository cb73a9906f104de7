"""``ozgate``: the command beside the service. Each group of commands is a module."""

from __future__ import annotations

import click

from .. import __version__
from .admin import admin
from .ozone import ozone
from .reference import config
from .s3 import s3
from .sh import sh
from .tls import tls


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ozgate")
def main() -> None:
    """An S3 gateway over local storage. The service itself is started with 'twistd -n ozgate'."""


main.add_command(admin)
main.add_command(config)
main.add_command(ozone)
main.add_command(s3)
main.add_command(sh)
main.add_command(tls)

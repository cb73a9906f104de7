"""``ozgate ozone …``: what a gateway of a cluster of Apache Ozone needs before it starts."""

from __future__ import annotations

import click

from .check import check
from .fetchclient import fetch_client


@click.group()
def ozone() -> None:
    """Be the gateway of a cluster of Apache Ozone."""


ozone.add_command(check)
ozone.add_command(fetch_client)

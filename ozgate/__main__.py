"""``python -m ozgate``: the ``ozgate`` command."""

from .cli.main import main

main(prog_name="ozgate")

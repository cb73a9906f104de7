"""The ``ozgate`` command."""

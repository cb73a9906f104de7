"""Three gateways against the model; a longer run: ``python -m tests.gateways.model_run --minutes N --engine s3``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.engines.postgresql import shared
from tests.gateways.model_run import play_histories

SEED = 20261201


class ModelTests(SynchronousTestCase):
    """Histories whose requests go to any of three gateways."""

    def test_histories(self) -> None:
        """Whatever is asked, whoever is killed meanwhile: each gateway holds and says what the model does."""
        # Or the test is skipped.
        shared()
        play_histories(SEED, 2, 12, "files")

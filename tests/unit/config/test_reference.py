"""The references that people read are those of the declarations."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.loading import load
from ozgate.config.reference import markdown, site_file
from ozgate.config.settings import Settings, knobs

ROOT = Path(__file__).parents[3]


class ReferenceTests(SynchronousTestCase):
    """What is committed against what would be made now."""

    def test_site_file(self) -> None:
        """etc/ozone-site.xml is what 'ozgate config reference --xml' prints."""
        committed = (ROOT / "etc" / "ozone-site.xml").read_text(encoding="utf-8")
        self.assertEqual(committed, site_file())

    def test_site_file_holds_the_defaults(self) -> None:
        """etc/ozone-site.xml names every knob, with its default."""
        loaded = load(str(ROOT / "etc" / "ozone-site.xml"), {})
        self.assertEqual(loaded.settings, Settings())
        self.assertEqual(
            set(loaded.settings.origins), {each.metadata["key"] for each in knobs()}
        )
        self.assertEqual(loaded.notes, ())

    def test_document(self) -> None:
        """docs/configuration.md has the table that 'ozgate config reference' prints."""
        text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
        self.assertIn(markdown(), text)

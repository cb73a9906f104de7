"""Which key pair is the administrator's, and that one that is given has signatures verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.loading import load, override
from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError

SECRET = "of eight or more"
AWS = {"AWS_ACCESS_KEY_ID": "amy", "AWS_SECRET_ACCESS_KEY": SECRET}
MINIO = {"MINIO_ROOT_USER": "max", "MINIO_ROOT_PASSWORD": SECRET}
OURS = {"OZGATE_S3_ACCESS_KEY": "ozzy", "OZGATE_S3_SECRET_KEY": SECRET}
OFF = "ozone.security.enabled=false"
ROOT = Path(__file__).parents[3]


class PairTestCase(SynchronousTestCase):
    """Loads settings."""

    def loaded(
        self, environment: Mapping[str, str], *defines: str, path: str | None = None
    ) -> Settings:
        """What these give."""
        return load(path, environment, [override(text) for text in defines]).settings

    def refused(self, environment: Mapping[str, str], *defines: str) -> str:
        """The line that they are refused with, in which no secret is."""
        with self.assertRaises(ConfigurationError) as caught:
            self.loaded(environment, *defines)
        self.assertNotIn(SECRET, str(caught.exception))
        return str(caught.exception)


class SecurityTests(PairTestCase):
    """A pair switches security on by itself."""

    def test_no_pair(self) -> None:
        """Without a pair it stays off."""
        settings = self.loaded({})
        self.assertFalse(settings.security_enabled)
        self.assertEqual((settings.secured_by, settings.remarks), ((), ()))

    def test_by_itself(self) -> None:
        """Wherever the pair is from, signatures are verified, and it is told what did it."""
        for environment in (AWS, MINIO, OURS):
            settings = self.loaded(environment)
            self.assertTrue(settings.security_enabled, environment)
            self.assertEqual(settings.secured_by, tuple(environment))
            origin = settings.origins["ozone.security.enabled"]
            self.assertEqual(origin, " and ".join(environment))

    def test_by_keys(self) -> None:
        """The two keys do it, too, wherever they are set."""
        settings = self.loaded(
            {},
            "ozgate.s3.access-key=ozzy",
            f"ozgate.s3.secret-key={SECRET}",
        )
        self.assertTrue(settings.security_enabled)
        self.assertEqual(
            settings.secured_by,
            ("ozgate.s3.access-key (-D)", "ozgate.s3.secret-key (-D)"),
        )

    def test_in_so_many_words(self) -> None:
        """Where security is set, that holds, and it is said that the pair has no effect."""
        old = {"OZONE-SITE.XML_ozone.security.enabled": "false"}
        new = {"OZGATE_OZONE_SECURITY_ENABLED": "false"}
        path = Path(self.mktemp())
        path.write_text(
            "<configuration><property><name>ozone.security.enabled</name>"
            "<value>false</value></property></configuration>"
        )
        for pair in (AWS, MINIO, OURS):
            for settings in (
                self.loaded(pair, OFF),
                self.loaded(pair | old),
                self.loaded(pair | new),
                self.loaded(pair, path=str(path)),
            ):
                self.assertFalse(settings.security_enabled)
                self.assertEqual(settings.secured_by, ())
                [remark] = settings.remarks
                self.assertIn("no effect", remark)
                self.assertIn(" and ".join(pair), remark)

    def test_on_in_so_many_words(self) -> None:
        """Where it is switched on besides, the pair did nothing by itself."""
        settings = self.loaded(AWS, "ozone.security.enabled=true")
        self.assertEqual(settings.access_key, "amy")
        self.assertEqual((settings.secured_by, settings.remarks), ((), ()))

    def test_short_secret(self) -> None:
        """A pair that whoever tries can guess stops the start, for security would be on."""
        line = self.refused(AWS | {"AWS_SECRET_ACCESS_KEY": "pw"})
        self.assertIn("AWS_SECRET_ACCESS_KEY", line)
        self.assertIn("8 characters", line)


class ChoiceTests(PairTestCase):
    """Which pair it is."""

    def test_precedence(self) -> None:
        """ozgate's own comes first, then MinIO's, then AWS's."""
        self.assertEqual(self.loaded(AWS | MINIO | OURS).access_key, "ozzy")
        self.assertEqual(self.loaded(AWS | MINIO).access_key, "max")
        [remark] = self.loaded(MINIO | OURS).remarks
        self.assertIn("MINIO_ROOT_USER", remark)
        # A shell has them for its clients.
        self.assertEqual(self.loaded(AWS | OURS).remarks, ())

    def test_half_a_pair(self) -> None:
        """Half a pair stops the start, and the line names what is missing."""
        for environment in (AWS, MINIO):
            for missing in environment:
                for value in ({}, {missing: ""}):
                    half = {k: v for k, v in environment.items() if k != missing}
                    line = self.refused(half | value)
                    self.assertTrue(line.startswith(f"{missing} is not set"), line)
        for missing in ("access-key", "secret-key"):
            half = {k: v for k, v in OURS.items() if missing[:6] not in k.lower()}
            line = self.refused(half)
            self.assertIn(f"ozgate.s3.{missing} is not set", line)

    def test_half_of_a_client(self) -> None:
        """Half a pair of AWS's variables is no matter where security is off in so many words."""
        self.assertEqual(self.loaded({"AWS_ACCESS_KEY_ID": "amy"}, OFF).access_key, "")

    def test_temporary(self) -> None:
        """A pair of AWS with a session's token beside it is not taken, and that is said."""
        for token in ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"):
            settings = self.loaded(AWS | {token: "x"})
            self.assertEqual((settings.access_key, settings.secret_key), ("", ""))
            self.assertFalse(settings.security_enabled)
            [remark] = settings.remarks
            self.assertIn(token, remark)
            self.assertTrue(self.loaded(AWS | MINIO | {token: "x"}).security_enabled)

    def test_what_clients_are_told(self) -> None:
        """The pair that ozgate prints for its clients while it verifies nothing is nobody's."""
        told = dict.fromkeys(AWS, "any")
        settings = self.loaded(told)
        self.assertEqual((settings.security_enabled, settings.access_key), (False, ""))
        [remark] = settings.remarks
        self.assertIn("'any'", remark)

    def test_half_of_ours(self) -> None:
        """Half of ozgate's own pair is refused with the variable that is missing."""
        for name in OURS:
            [missing] = OURS.keys() - {name}
            self.assertIn(missing, self.refused({name: SECRET}))

    def test_reference_file(self) -> None:
        """A file that has every key at its default sets no pair, but says in so many words that security is off."""
        path = str(ROOT / "etc" / "ozone-site.xml")
        settings = self.loaded(MINIO, path=path)
        self.assertEqual(settings.access_key, "max")
        self.assertFalse(settings.security_enabled)
        self.assertIn("no effect", settings.remarks[0])

    def test_files(self) -> None:
        """MinIO's variables may name files instead, of which white space at the ends is none of theirs."""
        names = {}
        for name, value in MINIO.items():
            path = Path(self.mktemp())
            path.write_text(value + "\n")
            names[f"{name}_FILE"] = str(path.absolute())
        settings = self.loaded(names)
        self.assertEqual((settings.access_key, settings.secret_key), ("max", SECRET))
        self.assertTrue(settings.security_enabled)
        self.assertEqual(settings.secured_by, tuple(names))
        line = self.refused(names | {"MINIO_ROOT_USER_FILE": "no-such-file"})
        self.assertIn("MINIO_ROOT_USER_FILE", line)
        self.assertIn("/run/secrets/no-such-file", line)

    def test_empty_files(self) -> None:
        """Files without anything in them are refused, not taken for no pair, which would let anybody in."""
        path = Path(self.mktemp())
        path.write_text("\n")
        names = dict.fromkeys(MINIO, "")
        files = {f"{name}_FILE": str(path.absolute()) for name in MINIO}
        self.assertIn("MINIO_ROOT_USER_FILE: nothing", self.refused(names | files))

    def test_files_without_effect(self) -> None:
        """Where ozgate's own pair is set, it is said that MinIO's has no effect, in files as well."""
        files = {f"{name}_FILE": "no-such-file" for name in MINIO}
        [remark] = self.loaded(OURS | files).remarks
        self.assertIn("MINIO_ROOT_USER", remark)

    def test_others_of_minio(self) -> None:
        """What else is set for MinIO is named, for it has no effect."""
        found = load(None, MINIO | {"MINIO_BROWSER": "off", "MINIO_ACCESS_KEY": "x"})
        why, note = found.notes
        self.assertIn("because MINIO_ROOT_USER and MINIO_ROOT_PASSWORD are set", why)
        self.assertIn("MINIO_ACCESS_KEY, MINIO_BROWSER", note)
        self.assertNotIn("ROOT", note)

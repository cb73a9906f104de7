"""Where settings come from, and the one line that says what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.loading import Loaded, load, override
from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from tests.fuzz import config


class LoadingTestCase(SynchronousTestCase):
    """Loads from a file made for the test."""

    def site(self, content: str) -> str:
        """A file with this content."""
        path = Path(self.mktemp())
        path.write_text(content, encoding="utf-8")
        return str(path)

    def properties(self, *pairs: tuple[str, str], more: str = "") -> str:
        """A site file with these properties."""
        inner = "".join(
            f"<property><name>{name}</name><value>{value}</value>{more}</property>\n"
            for name, value in pairs
        )
        return self.site(f"<configuration>\n{inner}</configuration>")

    def loaded(
        self,
        path: str | None = None,
        environment: Mapping[str, str] | None = None,
        *defines: str,
    ) -> Loaded:
        """What these sources give."""
        return load(path, environment or {}, [override(text) for text in defines])

    def refused(
        self,
        path: str | None = None,
        environment: Mapping[str, str] | None = None,
        *defines: str,
    ) -> str:
        """The one line that these sources are refused with."""
        with self.assertRaises(ConfigurationError) as caught:
            self.loaded(path, environment, *defines)
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line


class SourceTests(LoadingTestCase):
    """Which source wins."""

    def test_defaults(self) -> None:
        """Nothing set gives the declared defaults."""
        self.assertEqual(self.loaded().settings, Settings())

    def test_later_sources_win(self) -> None:
        """The environment beats the file, -D beats both, and each origin is kept."""
        path = self.properties(
            ("ozgate.region", "a"), ("ozgate.threads", "3"), ("ozgate.data", "/d")
        )
        environment = {
            "OZONE-SITE.XML_ozgate.region": "b",
            "OZONE-SITE.XML_ozgate.threads": "4",
        }
        settings = self.loaded(path, environment, "ozgate.region=c").settings
        self.assertEqual(
            (settings.region, settings.threads, settings.data), ("c", 4, "/d")
        )
        self.assertEqual(
            settings.origins,
            {
                "ozgate.region": "-D",
                "ozgate.threads": "the environment",
                "ozgate.data": f"{path} line 4",
            },
        )

    def test_last_of_a_file_wins(self) -> None:
        """A key set twice in one file has its last value, as Hadoop has it."""
        path = self.properties(("ozgate.region", "a"), ("ozgate.region", "b"))
        self.assertEqual(self.loaded(path).settings.region, "b")

    def test_environment_spellings(self) -> None:
        """The prefix is read as Ozone's images do: any case, a dot or an underscore."""
        for prefix in ("OZONE-SITE.XML_", "OZONE-SITE_XML_", "ozone-site.xml_"):
            environment = {f"{prefix}ozgate.region": "x", "CORE-SITE.XML_a": "b"}
            self.assertEqual(self.loaded(None, environment).settings.region, "x")

    def test_final(self) -> None:
        """What a file calls final cannot be overridden, and that is said."""
        path = self.properties(("ozgate.region", "a"), more="<final>true</final>")
        self.assertEqual(self.loaded(path).settings.region, "a")
        line = self.refused(path, {}, "ozgate.region=b")
        self.assertIn("final", line)
        self.assertIn(path, line)

    def test_aws_pair(self) -> None:
        """The pair in AWS's variables is used only whole, and only where ours is not set."""
        pair = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "a secret"}
        settings = self.loaded(None, pair).settings
        self.assertEqual((settings.access_key, settings.secret_key), ("id", "a secret"))
        ours = ("ozgate.s3.access-key=a", "ozgate.s3.secret-key=of our own")
        settings = self.loaded(None, pair, *ours).settings
        self.assertEqual(
            (settings.access_key, settings.secret_key), ("a", "of our own")
        )

    def test_half_a_pair(self) -> None:
        """Half of our own pair stops the start and does not show the other half."""
        line = self.refused(None, {}, "ozgate.s3.secret-key=hidden")
        self.assertIn("ozgate.s3.access-key", line)
        self.assertNotIn("hidden", line)

    def test_guessable_secret(self) -> None:
        """Where signatures are verified, a secret of a few characters stops the start: the README's, left in a shell."""
        pair = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        line = self.refused(None, pair, "ozone.security.enabled=true")
        self.assertIn("AWS_SECRET_ACCESS_KEY", line)
        self.assertIn("8 characters", line)

    def test_buckets(self) -> None:
        """S3_BUCKET names buckets to make at start."""
        settings = self.loaded(None, {"S3_BUCKET": "a,b"}).settings
        self.assertEqual(settings.buckets_at_start, ("a", "b"))

    def test_of_a_cluster(self) -> None:
        """Ozone's own variables say where its client and a cluster's configuration are, where our keys do not."""
        ozones = {"OZONE_HOME": "/opt/ozone", "OZONE_CONF_DIR": "/etc/ozone"}
        settings = self.loaded(None, ozones, "ozgate.ozone.conf=/ours").settings
        self.assertEqual(settings.ozone_home, "/opt/ozone")
        self.assertEqual(settings.ozone_conf, "/ours")
        self.assertEqual(self.loaded(None, ozones).settings.ozone_conf, "/etc/ozone")

    def test_file_of_a_cluster(self) -> None:
        """A file called as Ozone's may be the cluster's own: what is beside it is taken."""
        path = self.properties(("ozgate.threads", "5"))
        self.assertEqual(self.loaded(path).settings.ozone_conf, "")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        site = Path(path).rename(folder / "ozone-site.xml")
        found = self.loaded(str(site)).settings.ozone_conf
        self.assertEqual(found, str(folder))

    def test_surrounding_white_space(self) -> None:
        """A value may stand on a line of its own."""
        path = self.properties(("\n ozgate.threads ", "\n 5\n"))
        self.assertEqual(self.loaded(path).settings.threads, 5)


class KeyTests(LoadingTestCase):
    """Keys that are not ours."""

    def test_unknown_key_of_ours(self) -> None:
        """An unknown key in the gateway's name spaces is refused, with the nearest known one."""
        line = self.refused(self.properties(("ozgate.thread", "5")))
        self.assertIn("ozgate.threads", line)
        self.assertIn("line 2", line)
        line = self.refused(None, {}, "ozgate.nothing.like.it=1")
        self.assertIn("ozgate config reference", line)
        self.refused(self.properties(("ozone.s3g.no.such", "5")))

    def test_near_miss(self) -> None:
        """A slip in one of Ozone's names is refused, not taken for another service's key."""
        for key in (
            "ozone.security.enable",
            "ozone.securiyt.enabled",
            "Ozone.Security.Enabled",
            "ozone.s3g.http.address",
            "hadoop.http.idle-timeout.ms",
        ):
            self.assertIn("did you mean", self.refused(self.properties((key, "true"))))

    def test_shared_file(self) -> None:
        """Keys of Ozone's other services in a shared file are accepted, and noted in one line."""
        path = self.properties(
            ("ozone.om.address", "om"),
            ("hdds.datanode.dir", "/d"),
            ("ozone.s3g.https-address", "0.0.0.0:9879"),
            ("ozone.om.open.key.expire.threshold", "7d"),
            ("fs.defaultFS", "ofs://om"),
            ("ozgate.region", "x"),
        )
        found = self.loaded(path)
        self.assertEqual(found.settings.region, "x")
        [note] = found.notes
        self.assertIn("hdds.datanode.dir", note)
        self.assertNotIn("ozgate.region", note)

    def test_defines_are_strict(self) -> None:
        """With -D, which only ozgate hears, a key without effect is refused."""
        line = self.refused(None, {}, "ozone.om.address=x")
        self.assertIn("ozone.om.address", line)
        line = self.refused(None, {}, "ozone.s3g.client.buffer.size=1")
        self.assertIn("no effect", line)

    def test_keys_of_nobody(self) -> None:
        """A key outside Ozone's and Hadoop's name spaces is refused."""
        self.refused(self.properties(("s3g.region", "x")))

    def test_line_breaks(self) -> None:
        """A key with a line break in it is none, and what is cited of it takes no second line."""
        path = self.properties(("hdds.a\nb", "1"))
        self.assertIn("'hdds.a\\nb' in", self.refused(path))
        for define in ("ozgate.a\nb=1", "ozgate.a\u2028b=1", "a\rb", "a\x85b\n"):
            [line] = self.refused(None, {}, define).splitlines()
            self.assertIn("-D", line)

    def test_defines_without_value(self) -> None:
        """-D needs a key and an equals sign."""
        for text in ("ozgate.region", "=x", ""):
            self.assertRaises(ConfigurationError, override, text)


class ValueTests(LoadingTestCase):
    """Values that are wrong."""

    def test_wrong_values(self) -> None:
        """Each is refused with the key, the place and what is wrong."""
        for key, value in (
            ("ozone.security.enabled", "yes"),
            ("ozgate.threads", "0"),
            ("ozgate.threads", "many"),
            ("ozgate.sweep.interval", "soon"),
            ("ozgate.s3.max-put", "5XB"),
            ("ozone.s3g.http-address", "9878"),
            ("ozgate.metadata", "postgres"),
            ("ozgate.blobs", "disk2=/mnt/blobs"),
            ("ozgate.blobs", "DISK=files:blobs"),
            ("ozgate.blobs.more", "b=files"),
            ("ozgate.blobs.more", "files:a,files=files:b"),
            ("ozgate.region", ""),
            ("ozgate.region", "eu/west"),
        ):
            line = self.refused(self.properties((key, value)))
            self.assertIn(key, line)
            self.assertIn(value, line)
            self.assertIn("line 2", line)

    def test_stores_of_one_name(self) -> None:
        """Two blob stores have two names: by its name a blob finds its store."""
        self.assertIn(
            "'files'", self.refused(None, None, "ozgate.blobs.more=files:/mnt/blobs")
        )
        settings = self.loaded(
            None,
            None,
            "ozgate.blobs=disk2=files:/mnt/blobs",
            "ozgate.blobs.more=files:blobs, disk3=files:/mnt/a=b",
        ).settings
        self.assertEqual(settings.blob_provider, "disk2=files:/mnt/blobs")
        self.assertEqual(
            settings.more_blob_providers, ("files:blobs", "disk3=files:/mnt/a=b")
        )

    def test_no_substitution(self) -> None:
        """Variables are not substituted, and that is said."""
        line = self.refused(self.properties(("ozgate.data", "${user.home}/data")))
        self.assertIn("substitute", line)


class FileTests(LoadingTestCase):
    """Files that are not what they should be."""

    def test_missing(self) -> None:
        """A file that is not there is named."""
        self.assertIn("no-such.xml", self.refused("no-such.xml"))

    def test_not_well_formed(self) -> None:
        """The line of the mistake is told."""
        line = self.refused(self.site("<configuration>\n<property>\n</configuration>"))
        self.assertIn("line 3", line)
        self.refused(self.site(""))

    def test_other_documents(self) -> None:
        """Elements that the format does not have are refused."""
        for content in (
            "<html/>",
            "<configuration><name>x</name></configuration>",
            "<configuration><property><nam>x</nam></property></configuration>",
            "<configuration><property>x</property></configuration>",
            "<configuration><property><value>x</value></property></configuration>",
            "<configuration><property><name>a</name><name>b</name></property></configuration>",
            "<configuration><property><name>a<b/></name></property></configuration>",
            "<configuration><property><name>a</name><final>no</final></property></configuration>",
        ):
            self.refused(self.site(content))

    def test_misplaced_value(self) -> None:
        """A value that stands in the wrong place is not repeated: it may be a secret."""
        line = self.refused(
            self.site(
                "<configuration><property><name>ozgate.s3.secret-key</name>hidden"
                "</property></configuration>"
            )
        )
        self.assertIn("text outside", line)
        self.assertNotIn("hidden", line)

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.one_of(
                st.sampled_from(config.WORDS),
                st.sampled_from([b"ozgate.region", b"ozgate.threads", b"7", b"x"]),
                st.binary(max_size=3),
            ),
            max_size=20,
        ).map(b"".join)
    )
    def test_any_file(self, content: bytes) -> None:
        """Whatever is in a file, in variables and after -D is settings, or one line that says what is wrong."""
        config.one_input(content)
        property_ = b"<property><name>%b</name></property>" % content.replace(
            b"\0", b""
        )
        config.one_input(b"<configuration>%b</configuration>" % property_)

    @given(
        st.sampled_from(
            ["ozgate.tls.client-ca", "ozone.s3g.domain.name", "hdds.other"]
        ),
        st.text(
            st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="$<&>"),
            max_size=20,
        ),
    )
    def test_any_value(self, key: str, value: str) -> None:
        """A value of any text is what it is in a file, in the environment, and after -D."""
        in_file = self.loaded(self.properties((key, value))).settings
        self.assertEqual(self.loaded(None, {}).settings, Settings())
        if key != "hdds.other":
            said = self.loaded(None, {}, f"{key}={value}").settings
            variables = {f"OZONE-SITE.XML_{key}": value}
            self.assertEqual(in_file, said)
            self.assertEqual(in_file, self.loaded(None, variables).settings)

    def test_members_without_meaning_here(self) -> None:
        """Descriptions, tags and sources are read over; without a value nothing is set."""
        path = self.site(
            "<configuration><property><name>ozgate.region</name><value>x</value>"
            "<description>d</description><tag>A</tag><source>s</source></property>"
            "<property><name>ozgate.threads</name></property></configuration>"
        )
        settings = self.loaded(path).settings
        self.assertEqual((settings.region, settings.threads), ("x", 8))

"""Starting: what is said, what is asked, what is refused in one line."""

from __future__ import annotations

import os
import socket
import ssl
import stat
from pathlib import Path
from urllib.request import Request

from ozgate.admin.upkeep.backupfolder import BackupFolder
from tests.running import ROOT, program
from tests.service.twistd import LOOPBACK, ServiceTestCase

SECURE = ("-D", "ozone.security.enabled=true")
PAIR = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "it's a secret"}


class ReadyTests(ServiceTestCase):
    """A start that succeeds."""

    forked = False

    def test_says_where_it_is(self) -> None:
        """It prints where it listens, where the data is, and lines to paste; then it answers."""
        process = self.started("-D", LOOPBACK)
        [url] = process.urls
        output = process.output()
        self.assertIn(f"ozgate keeps its data in {self.data}\n", output)
        self.assertIn(f"  export AWS_ENDPOINT_URL={url}\n", output)
        self.assertIn("  aws s3 mb s3://first\n", output)
        self.assertIn(f"endpoint_url='{url}'", output)
        self.assertEqual(self.ask(url + "/")[0], 200)
        self.assertEqual(process.errors.read_text(), "")

    def test_security_off(self) -> None:
        """With security off any key is accepted, but a request without credentials is refused."""
        [url] = self.started("-D", LOOPBACK).urls
        self.assertEqual(self.ask(url + "/", pair=("whoever", "whatever"))[0], 200)
        status, body = self.ask(url + "/", pair=None)
        self.assertEqual(status, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", body)

    def test_security_on(self) -> None:
        """With security on only the static pair is accepted, and its secret is nowhere to be read."""
        process = self.started("-D", LOOPBACK, *SECURE, environment=PAIR)
        [url] = process.urls
        secret = PAIR["AWS_SECRET_ACCESS_KEY"]
        self.assertEqual(self.ask(url + "/", pair=("me", secret))[0], 200)
        status, body = self.ask(url + "/", pair=("me", "wrong"))
        self.assertEqual(status, 403)
        self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", body)
        status, body = self.ask(url + "/", pair=("you", secret))
        self.assertIn(b"<Code>InvalidAccessKeyId</Code>", body)
        self.assertNotIn(secret, process.output())
        self.assertIn("AWS_ACCESS_KEY_ID='me'", process.output())

    def test_pair_by_itself(self) -> None:
        """A pair in the environment has signatures verified by itself; what did it is said, and lets others be reached."""
        process = self.started("--listen", "tcp:0:interface=0.0.0.0", environment=PAIR)
        [url] = process.urls
        secret = PAIR["AWS_SECRET_ACCESS_KEY"]
        self.assertEqual(self.ask(url + "/", pair=("me", secret))[0], 200)
        self.assertEqual(self.ask(url + "/", pair=("me", "wrong"))[0], 403)
        self.assertEqual(self.ask(url + "/")[0], 403)
        output = process.output()
        self.assertIn("because AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are", output)
        self.assertIn("-D ozone.security.enabled=false", output)
        self.assertIn("AWS_ACCESS_KEY_ID='me'", output)
        self.assertNotIn("'any'", output)
        self.assertNotIn(secret, output)

    def test_pair_of_minio(self) -> None:
        """MinIO's root user is the administrator."""
        minio = {"MINIO_ROOT_USER": "root", "MINIO_ROOT_PASSWORD": "root's own"}
        process = self.started("-D", LOOPBACK, environment=minio)
        [url] = process.urls
        self.assertEqual(
            self.ask(url + "/bucket", "PUT", pair=("root", "root's own"))[0], 200
        )
        self.assertEqual(self.ask(url + "/")[0], 403)

    def test_pair_without_effect(self) -> None:
        """Where security is off in so many words it is said that the pair has no effect, and any other is accepted."""
        off = "ozone.security.enabled=false"
        process = self.started("-D", LOOPBACK, "-D", off, environment=PAIR)
        self.assertEqual(self.ask(process.urls[0] + "/")[0], 200)
        self.assertIn("AWS_SECRET_ACCESS_KEY has no effect", process.output())
        self.assertIn("AWS_ACCESS_KEY_ID='any'", process.output())

    def test_security_on_without_a_pair(self) -> None:
        """Security on without any pair starts, refuses everybody, and says how to get a pair."""
        process = self.started("-D", LOOPBACK, *SECURE)
        self.assertIn("s3 getsecret --export", process.output())
        self.assertEqual(self.ask(process.urls[0] + "/")[0], 403)

    def test_private_files(self) -> None:
        """What it stores is for its user alone."""
        [url] = self.started("-D", LOOPBACK).urls
        self.ask(url + "/bucket", "PUT")
        self.ask(url + "/bucket/key", "PUT", b"x" * 100_000)
        self.assertEqual(stat.S_IMODE(os.stat(self.data).st_mode), 0o700)
        for folder, _, files in os.walk(self.data):
            for name in files:
                mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                self.assertEqual(mode & 0o077, 0, name)

    def test_several_endpoints(self) -> None:
        """--listen is repeatable, and takes UNIX sockets too."""
        path = self.socket_path()
        process = self.started(
            *("--listen", "tcp:0:interface=127.0.0.1", "--listen", f"unix:{path}")
        )
        self.assertEqual(self.ask(process.urls[0] + "/")[0], 200)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 403 "))

    def test_short_endpoints(self) -> None:
        """--listen takes a host and a port, as other servers do."""
        process = self.started(
            *("--listen", "127.0.0.1:0", "--listen", "[::1]:0", *SECURE)
        )
        self.assertTrue(process.urls[0].startswith("http://127.0.0.1:"))
        self.assertTrue(process.urls[1].startswith("http://[::1]:"))
        for url in process.urls:
            self.assertEqual(self.ask(url + "/", pair=None)[0], 403)

    def test_port_alone(self) -> None:
        """A port alone is that of all interfaces."""
        process = self.started("--listen", "0", "--listen", ":0", *SECURE)
        self.assertEqual(len(process.urls), 2)
        self.assertIn("Other machines reach it", process.output())

    def test_tls(self) -> None:
        """An ssl: endpoint speaks HTTPS."""
        key, certificate = self.certificate()
        process = self.started(
            "--listen",
            f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}",
        )
        [url] = process.urls
        self.assertTrue(url.startswith("https://127.0.0.1:"))
        context = ssl.create_default_context(cafile=certificate)
        self.assertEqual(self.answer(Request(url + "/"), context)[0], 403)


class ConfiguredTests(ServiceTestCase):
    """Where configuration comes from, in the running service."""

    def test_file_environment_and_define(self) -> None:
        """A file, Ozone's environment variables and -D are all heard."""
        path = Path(self.folder, "ozone-site.xml")
        path.write_text(
            "<configuration><property><name>ozgate.s3.buckets</name>"
            "<value>from-file</value></property><property>"
            "<name>ozone.om.address</name><value>om</value></property></configuration>"
        )
        process = self.started(
            *("--config", str(path), "-D", LOOPBACK),
            environment={"OZONE-SITE.XML_ozone.s3g.volume.name": "shown"},
        )
        self.assertIn("no effect in ozgate: ozone.om.address", process.output())
        status, body = self.ask(process.urls[0] + "/")
        self.assertEqual(status, 200)
        self.assertIn(b"<Name>from-file</Name>", body)

    def test_exported(self) -> None:
        """What a plain shell exports is heard, the file of --config included."""
        path = Path(self.folder, "ozone-site.xml")
        path.write_text(
            "<configuration><property><name>ozgate.s3.buckets</name>"
            "<value>from-file</value></property></configuration>"
        )
        script = (
            f"export OZGATE_DATA={self.data} OZGATE_CONFIG={path} OZGATE_LISTEN=127.0.0.1:0\n"
            "export OZGATE_OZONE_SECURITY_ENABLED=true OZGATE_S3_ACCESS_KEY=me\n"
            "export OZGATE_S3_SECRET_KEY='of eight or more'\n"
            f"exec {program('twistd')} -n --pidfile= ozgate"
        )
        process = self.launch("-c", script, command="/bin/sh")
        process.wait_ready()
        self.assertTrue(os.path.isdir(self.data))
        target = process.urls[0] + "/"
        status, body = self.ask(target, pair=("me", "of eight or more"))
        self.assertEqual(status, 200)
        self.assertIn(b"<Name>from-file</Name>", body)

    def test_buckets_at_start(self) -> None:
        """S3_BUCKET makes buckets, and again does no harm."""
        for _ in range(2):
            process = self.started("-D", LOOPBACK, environment={"S3_BUCKET": "aaa,bbb"})
            _, body = self.ask(process.urls[0] + "/")
            self.assertIn(b"<Name>aaa</Name>", body)
            self.assertIn(b"<Name>bbb</Name>", body)
            process.stop()

    def test_tap(self) -> None:
        """tap.py is the same service, from a checkout, for twistd -ny."""
        process = self.launch(
            *("-n", "--pidfile=", "-y", str(ROOT / "tap.py")),
            environment={
                "PYTHONPATH": "",
                "OZGATE_OZONE_S3G_HTTP_ADDRESS": "127.0.0.1:0",
            },
        )
        process.wait_ready()
        self.assertEqual(self.ask(process.urls[0] + "/")[0], 200)
        self.assertTrue(os.path.isdir(os.path.join(self.folder, "ozgate-data")))


class RefusedTests(ServiceTestCase):
    """Starts that are refused, each in one line with exit code 1."""

    def test_wrong_key(self) -> None:
        """An unknown key."""
        self.assertIn("ozgate.region", self.refused("-D", "ozgate.regoin=x"))

    def test_variable(self) -> None:
        """A variable that begins as ours do and is none."""
        line = self.refused(environment={"OZGATE_REGOIN": "x"})
        self.assertIn("did you mean OZGATE_REGION?", line)

    def test_half_a_pair(self) -> None:
        """Half a pair in the environment."""
        line = self.refused(environment={"MINIO_ROOT_USER": "root"})
        self.assertIn("MINIO_ROOT_PASSWORD is not set", line)

    def test_wrong_value(self) -> None:
        """A value that is none of its kind."""
        line = self.refused("-D", "ozone.security.enabled=yes")
        self.assertIn("neither true nor false", line)

    def test_config_not_there(self) -> None:
        """A configuration file that does not exist."""
        self.assertIn("no-such.xml", self.refused("--config", "no-such.xml"))

    def test_bucket_name(self) -> None:
        """A bucket to be made at start that cannot be one."""
        line = self.refused(environment={"S3_BUCKET": "No_Bucket"})
        self.assertIn("No_Bucket", line)

    def test_unknown_provider(self) -> None:
        """A provider that nothing makes."""
        line = self.refused("-D", "ozgate.metadata=nosuch:x")
        self.assertIn("sqlite:", line)

    def test_open_to_others(self) -> None:
        """With security off it listens beyond loopback only where a property says so."""
        everywhere = "ozone.s3g.http-address=0.0.0.0:0"
        for arguments in (
            ("-D", everywhere),
            ("--listen", "tcp:0"),
            ("--listen", "tcp:0:interface=0.0.0.0"),
            ("--listen", "tcp6:0"),
            ("--listen", "tcp:0:interface=127.0.0.1", "--listen", "tcp:0"),
        ):
            line = self.refused(*arguments)
            self.assertIn("ozgate.insecure.listen.anywhere=true", line)
        self.started("-D", everywhere, "-D", "ozgate.insecure.listen.anywhere=true")

    def test_open_to_others_with_security(self) -> None:
        """With security on it listens where it is told to."""
        process = self.started("--listen", "tcp:0", *SECURE, environment=PAIR)
        self.assertIn("Other machines reach it", process.output())

    def test_known_pair(self) -> None:
        """A pair that attackers try first, such as MinIO's default, is good on loopback only."""
        pair = {
            "AWS_ACCESS_KEY_ID": "minioadmin",
            "AWS_SECRET_ACCESS_KEY": "minioadmin",
        }
        line = self.refused("--listen", "tcp:0", *SECURE, environment=pair)
        self.assertIn("choose another", line)
        self.started("-D", LOOPBACK, *SECURE, environment=pair)

    def test_port_in_use(self) -> None:
        """A port that another program has."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            line = self.refused("-D", f"ozone.s3g.http-address=127.0.0.1:{port}")
        self.assertIn(str(port), line)
        self.assertIn("another program", line)

    def test_endpoint_that_is_none(self) -> None:
        """An endpoint description that cannot be read."""
        for description in ("nonsense", "tcp:port", "ssl:0:privateKey=no-such.pem"):
            line = self.refused("--listen", description)
            self.assertIn(description, line)
            self.assertNotIn("Error", line)

    def test_said_once(self) -> None:
        """What is found before the reactor runs is all that is said; what is found later is said once."""
        start = ("-n", "--pidfile=", "ozgate", "--data", self.data, "--listen")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            early = self.launch(*start, taken)
            self.assertEqual(early.wait(), 1)
        self.assertEqual(early.output(), "")
        self.assertEqual(len(early.errors.read_text().splitlines()), 1)
        Path(self.data, "metadata.db").write_text("not a database " * 100)
        late = self.launch(*start, "127.0.0.1:0")
        self.assertEqual(late.wait(), 1)
        self.assertNotIn("metadata.db", late.output())
        [line] = late.errors.read_text().splitlines()
        self.assertIn("metadata.db", line)

    def test_data_folder_not_usable(self) -> None:
        """A data folder that cannot be made."""
        Path(self.data).write_text("a file")
        self.assertIn("--data", self.refused("-D", LOOPBACK))

    def test_data_folder_of_something_else(self) -> None:
        """A folder that holds other things stays as it is: not even its mode changes."""
        os.makedirs(self.data, mode=0o755)
        Path(self.data, "thesis.txt").write_text("mine")
        line = self.refused("-D", LOOPBACK)
        self.assertIn("thesis.txt", line)
        self.assertIn("--data", line)
        self.assertEqual(os.listdir(self.data), ["thesis.txt"])
        self.assertEqual(stat.S_IMODE(os.stat(self.data).st_mode), 0o755)

    def test_data_folder_that_is_a_backup(self) -> None:
        """A backup is not served, and nothing is written to it; the line says how to bring it back."""
        os.makedirs(self.data)
        backup = BackupFolder(self.data)
        backup.open()
        backup.close()
        before = sorted(os.listdir(self.data))
        line = self.refused("-D", LOOPBACK)
        self.assertIn(f"ozgate admin restore {self.data} --data FOLDER", line)
        self.assertEqual(sorted(os.listdir(self.data)), before)

    def test_data_folder_of_a_new_disk(self) -> None:
        """What every new file system and home has does not matter."""
        os.makedirs(self.data + "/lost+found")
        Path(self.data, ".profile").write_text("")
        self.started("-D", LOOPBACK)

    def test_data_folder_in_use(self) -> None:
        """A second process on one data folder, by whatever name."""
        first = self.started("-D", LOOPBACK)
        os.symlink(self.data, self.folder + "/other")
        line = self.refused("-D", LOOPBACK, "--data", self.folder + "/other")
        self.assertIn(str(first.process.pid), line)
        self.assertEqual(self.ask(first.urls[0] + "/")[0], 200)

    def test_database_of_something_else(self) -> None:
        """A metadata database that is none."""
        os.makedirs(self.data)
        Path(self.data, "metadata.db").write_text("not a database " * 100)
        self.assertIn("metadata.db", self.refused("-D", LOOPBACK))

    def test_metadata_that_are_not_of_the_bytes(self) -> None:
        """New metadata beside old bytes, which a sweep would take for rubbish."""
        process = self.started("-D", LOOPBACK, environment={"S3_BUCKET": "bucket"})
        body = b"x" * 100_000
        target = process.urls[0] + "/bucket/key"
        self.assertEqual(self.ask(target, "PUT", body), (200, b""))
        process.stop()
        line = self.refused("-D", LOOPBACK, "-D", "ozgate.metadata=sqlite:other.db")
        self.assertIn("sqlite:other.db", line)
        self.assertIn("files:blobs", line)
        process = self.started("-D", LOOPBACK)
        self.assertEqual(self.ask(process.urls[0] + "/bucket/key"), (200, body))

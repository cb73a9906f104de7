"""POST object: browsers' forms, signed, unsigned, and as they should not be."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5, sha256

from ozgate.auth.canonical import signature, signing_key
from ozgate.s3.policy.formpolicy import parse_form_policy
from tests.operations.forms import BOUNDARY, FormTestCase, form
from tests.operations.support import REGION, SECRETS


class PostObjectTests(FormTestCase):
    """Uploads by forms."""

    async def test_signed(self) -> None:
        """A signed form stores its file; the answer is empty, and says where it is."""
        response = await self.stored(form(self.signed([("key", "key")])))
        self.assertEqual(response.body, b"")
        self.assertEqual(response.headers["location"], "http://localhost/bucket/key")

    async def test_fields_with_filenames(self) -> None:
        """Fields may come with a filename, and the file without one."""
        fields = self.signed([("key", "key")])
        await self.stored(form(fields, field_names=True))
        await self.stored(form(fields, b"other", filename=None), b"other")

    async def test_sizes(self) -> None:
        """Empty, inline and large files, and those with what looks like a boundary in them, arrive whole."""
        fields = self.signed([("key", "key")])
        for file in (
            b"",
            b"x",
            b"\r\n" * 50_000,
            b"y" * 70_000,
            b"a--" + BOUNDARY.encode() + b"\r\n" + b"z" * 300_000,
        ):
            await self.stored(form(fields, file), file)
            # Fields behind the file are dropped; how long the file is, is not known from the form's length then.
            late = [("submit", "go" * 40_000)]
            await self.stored(form(fields, file, after=late), file)

    async def test_metadata(self) -> None:
        """Fields say of the object what headers of PutObject do."""
        tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>"
        fields = [
            ("key", "key"),
            ("Content-Type", "text/plain"),
            ("Cache-Control", "no-store"),
            ("x-amz-meta-Colour", "blue"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("tagging", tagging),
            ("acl", "private"),
            ("x-amz-website-redirect-location", "/elsewhere"),
        ]
        response = await self.post(form(self.signed(fields)))
        self.assertEqual(response.status, 204, response.body)
        found = (await self.client.request("HEAD", "/bucket/key")).headers
        self.assertEqual(found["content-type"], "text/plain")
        self.assertEqual(found["cache-control"], "no-store")
        self.assertEqual(found["x-amz-meta-colour"], "blue")
        self.assertEqual(found["x-amz-storage-class"], "STANDARD_IA")
        self.assertEqual(found["x-amz-website-redirect-location"], "/elsewhere")
        tags = await self.client.request("GET", "/bucket/key?tagging")
        self.assertEqual(tags.texts("TagSet/Tag/Value"), ["b c"])

    async def test_file_name(self) -> None:
        """``${filename}`` in the key is the file's name, without the folders that some browsers send."""
        fields = self.signed(
            [("key", "up/${filename}")], [["starts-with", "$key", "up/"]]
        )
        await self.post(form(fields, filename="C:\\\\pictures\\\\b.png"))
        self.assertEqual(await self.content("/bucket/up/b.png"), b"content")

    async def test_checksums(self) -> None:
        """A checksum of the file is compared, and kept."""
        right = b64encode(sha256(b"content").digest()).decode()
        wrong = b64encode(sha256(b"other").digest()).decode()
        fields = [("key", "key"), ("x-amz-checksum-sha256", wrong)]
        await self.nothing_stored(form(self.signed(fields)), 400, "BadDigest")
        fields[1] = ("x-amz-checksum-sha256", right)
        response = await self.stored(form(self.signed(fields)))
        self.assertEqual(response.headers["x-amz-checksum-sha256"], right)

    async def test_success(self) -> None:
        """The form says what is answered: 200, 201 with a document, 204, or another place."""
        for status, expected in (("200", 200), ("204", 204), ("404", 204), ("x", 204)):
            fields = [("key", "key"), ("success_action_status", status)]
            response = await self.post(form(self.signed(fields)))
            self.assertEqual((response.status, response.body), (expected, b""))
        fields = [("key", "a b/ü"), ("success_action_status", "201")]
        response = await self.post(form(self.signed(fields)))
        self.assertEqual(response.status, 201)
        self.assertEqual(response.xml().tag, "PostResponse")
        location = "http://localhost/bucket/a%20b/%C3%BC"
        etag = f'"{md5(b"content").hexdigest()}"'
        expected_names = ["Location", "Bucket", "Key", "ETag"]
        self.assertEqual(response.names(), expected_names)
        self.assertEqual(
            [response.text(name) for name in expected_names],
            [location, "bucket", "a b/ü", etag],
        )
        for name in ("success_action_redirect", "redirect"):
            fields = [("key", "key"), (name, "https://a.example/done?x=1")]
            response = await self.post(form(self.signed(fields)))
            self.assertEqual(response.status, 303)
            told = f"bucket=bucket&key=key&etag=%22{etag[1:-1]}%22"
            self.assertEqual(
                response.headers["location"], f"https://a.example/done?x=1&{told}"
            )
        for bad in ("javascript:alert(1)", "//a.example", "http://[", "no url"):
            fields = [("key", "key"), ("success_action_redirect", bad)]
            response = await self.post(form(self.signed(fields)))
            self.assertEqual(response.status, 204, bad)

    async def test_conditions(self) -> None:
        """Each condition of the policy holds, or nothing is stored."""
        fields = [("key", "user/a"), ("Content-Type", "image/png"), ("acl", "private")]
        good = [
            ["starts-with", "$key", "user/"],
            ["starts-with", "$Content-Type", ""],
            {"acl": "private"},
        ]
        response = await self.post(form(self.signed(fields, good)))
        self.assertEqual(response.status, 204, response.body)
        await self.client.request("DELETE", "/bucket/user/a")
        for bad, said in (
            (["starts-with", "$key", "other/"], "Policy Condition failed"),
            (["eq", "$key", "user/"], "Policy Condition failed"),
            (["eq", "$x-amz-meta-a", "b"], "Policy Condition failed"),
            ({"bucket": "other"}, "Policy Condition failed"),
        ):
            response = await self.nothing_stored(
                form(self.signed(fields, [*good, bad])), 403, "AccessDenied"
            )
            self.assertIn(said, response.text("Message") or "")
        for missing in range(3):
            rest = [each for place, each in enumerate(good) if place != missing]
            response = await self.nothing_stored(
                form(self.signed(fields, rest)), 403, "AccessDenied"
            )
            self.assertIn("Extra input fields", response.text("Message") or "")
        ignored = [*fields, ("x-ignore-me", "x")]
        response = await self.post(form(self.signed(ignored, good)))
        self.assertEqual(response.status, 204)

    async def test_length(self) -> None:
        """The policy says how long the file may be, whatever the form's length says."""
        for file, status, code in (
            (b"12", 400, "EntityTooSmall"),
            (b"1234567", 400, "EntityTooLarge"),
            (b"1" * 400_000, 400, "EntityTooLarge"),
        ):
            fields = [("key", "key")]
            conditions = [{"key": "key"}, ["content-length-range", 3, 6]]
            await self.nothing_stored(
                form(self.signed(fields, conditions), file), status, code
            )
        fields = self.signed([("key", "key")], [*conditions])
        await self.stored(form(fields, b"123456"), b"123456")

    async def test_expired(self) -> None:
        """A policy that has expired lets nothing in, nor one whose key is older than a week."""
        fields = self.signed([("key", "key")], seconds=60)
        self.clock.advance(61)
        response = await self.nothing_stored(form(fields), 403, "AccessDenied")
        self.assertIn("Policy expired", response.text("Message") or "")
        fields = self.signed([("key", "key")], seconds=30 * 86400)
        self.clock.advance(8 * 86400)
        await self.nothing_stored(form(fields), 403, "AccessDenied")

    async def test_signatures(self) -> None:
        """Another's signature, an unknown key, a changed policy and half a signature are refused."""
        good = self.signed([("key", "key")])
        forged = self.signed([("key", "key")], secret="another")
        await self.nothing_stored(form(forged), 403, "SignatureDoesNotMatch")
        unknown = self.signed([("key", "key")], user="nobody", secret="x")
        await self.nothing_stored(form(unknown), 403, "InvalidAccessKeyId")
        for name in ("x-amz-signature", "x-amz-credential", "x-amz-date", "policy"):
            rest = [pair for pair in good if pair[0] != name]
            await self.nothing_stored(form(rest), 400, "InvalidArgument")
        other = dict(self.signed([("key", "other")]))["policy"]
        changed = [(n, other if n == "policy" else v) for n, v in good]
        await self.nothing_stored(form(changed), 403, "SignatureDoesNotMatch")
        token = self.signed([("key", "key"), ("x-amz-security-token", "x")])
        await self.nothing_stored(form(token), 400, "InvalidToken")

    async def test_rights(self) -> None:
        """Who signed has to have the right to write, and nobody has it without a signature."""
        other = form(self.signed([("key", "key")], user="other"))
        await self.nothing_stored(other, 403, "AccessDenied")
        await self.nothing_stored(form([("key", "key")]), 403, "AccessDenied")
        await self.grant("user:other:w")
        self.assertEqual((await self.post(other)).status, 204)

    async def test_malformed(self) -> None:
        """What is no form, or lacks something, is refused with S3's codes."""
        fields = self.signed([("key", "key")])
        whole = form(fields)
        for body, code in (
            (form(self.signed([])), "InvalidArgument"),
            (form(fields, None), "InvalidArgument"),
            (form([*fields, ("KEY", "other")]), "InvalidArgument"),
            (
                form([*fields, ("x-ignore-a", "a" * 20_480)]),
                "MaxPostPreDataLengthExceededError",
            ),
            (whole[:-20], "MalformedPOSTRequest"),
            (b"", "InvalidArgument"),
            (b"nothing of the kind", "InvalidArgument"),
            (form([("key", "k" * 1025)]), "KeyTooLongError"),
        ):
            await self.nothing_stored(body, 400, code)

    async def test_policies(self) -> None:
        """A policy that is none is refused as such."""
        good = dict(self.signed([("key", "key")]))
        key = signing_key(SECRETS["testuser"], good["x-amz-date"][:8], REGION)
        expires = '"expiration": "2035-01-01T00:00:00Z"'
        conditions = (
            "{}",
            '[["gt", "$key", "a"]]',
            '[["eq", "key", "a"]]',
            '[["eq", "$key"]]',
            '[{"key": 1}]',
            "[{}]",
            '["key"]',
            '[["content-length-range", -1, 2]]',
            '[["content-length-range", 1]]',
        )
        for text in (
            "{",
            "[]",
            "{}",
            f"{{{expires}}}",
            '{"conditions": []}',
            f'{{{expires}, "conditions": [], "other": 1}}',
            '{"expiration": "soon", "conditions": []}',
            f'{{{expires}, {expires}, "conditions": []}}',
            "[" * 5000,
            *(f'{{{expires}, "conditions": {each}}}' for each in conditions),
        ):
            policy = b64encode(text.encode()).decode()
            fields = {
                **good,
                "policy": policy,
                "x-amz-signature": signature(key, policy),
            }
            await self.nothing_stored(
                form(list(fields.items())), 400, "InvalidPolicyDocument"
            )

    async def test_no_form(self) -> None:
        """A POST to a bucket that is signed and no form is refused, and a form in a signed request as well."""
        response = await self.refused(
            self.client.request("POST", "/bucket", {}, b"x"), 412, "PreconditionFailed"
        )
        self.assertIn("multipart/form-data", response.text("Condition") or "")
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        await self.refused(
            self.client.request("POST", "/bucket", kind, form([("key", "key")])),
            400,
            "InvalidArgument",
        )

    async def test_through_link(self) -> None:
        """A form posted to a link is stored in the bucket behind it; the policy names the link."""
        await self.link("link", "bucket")
        fields = self.signed([("key", "key")], [{"key": "key"}, {"bucket": "link"}])
        response = await self.post(form(fields), "/link")
        self.assertEqual(response.status, 403)
        policy = parse_form_policy(dict(fields)["policy"])
        self.assertEqual(len(policy.conditions), 6)

    async def test_broken_off(self) -> None:
        """A client that stops in the middle of the file leaves nothing."""
        body = form(self.signed([("key", "key")]), b"y" * 200_000)
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        response = await self.client.request(
            "POST", "/bucket", kind, body[:150_000], len(body), signed=False
        )
        self.assertEqual((response.status, response.code), (400, "IncompleteBody"))
        self.assertEqual(self.client.gateway.blobs.default.data, {})

"""Pages in Chromium: uploads to a bucket of another origin, and websites."""

from __future__ import annotations

import json

from tests.clients.pages import PageTestCase
from tests.clients.websites import WEB

PUT = """
const answer = await fetch(values[0], {method: "PUT", body: "content"});
return {status: answer.status, etag: answer.headers.get("etag"), length: answer.headers.get("x-amz-id-2")};
"""
POST = """
const form = new FormData();
for (const [name, value] of Object.entries(values[1])) form.append(name, value);
form.append("file", new Blob(["content"]), "file.txt");
const answer = await fetch(values[0], {method: "POST", body: form});
return {status: answer.status};
"""
READ = """
const answer = await fetch(values[0]);
return {status: answer.status, text: await answer.text()};
"""
FAILED = {"failed": "TypeError"}
"""What a page gets that may not have the answer: no more than that."""


class UploadTests(PageTestCase):
    """Pages that upload."""

    def url(self, operation: str, key: str) -> str:
        """A presigned URL."""
        where = {"Bucket": self.bucket, "Key": key}
        return str(self.s3.generate_presigned_url(operation, where))

    def test_presigned_put(self) -> None:
        """A page uploads by a presigned URL, and reads of the answer what is exposed; one of another origin uploads nothing."""
        found = self.run_in(self.origin, PUT, self.url("put_object", "one"))
        etag = self.s3.head_object(Bucket=self.bucket, Key="one")["ETag"]
        self.assertEqual(found, {"status": 200, "etag": etag, "length": None})
        refused = self.run_in(self.other, PUT, self.url("put_object", "two"))
        self.assertEqual(refused, FAILED)
        self.assertEqual(self.keys(), ["one"])

    def test_form(self) -> None:
        """A page uploads by a form, and learns how that went; a page of another origin does not."""
        form = self.s3.generate_presigned_post(self.bucket, "form")
        found = self.run_in(self.origin, POST, form["url"], form["fields"])
        self.assertEqual(found, {"status": 204})
        got = self.s3.get_object(Bucket=self.bucket, Key="form")
        self.assertEqual(got["Body"].read(), b"content")
        refused = self.run_in(self.other, POST, form["url"], form["fields"])
        self.assertEqual(refused, FAILED)

    def test_errors(self) -> None:
        """A page reads why it was refused, too; one of another origin does not."""
        url = self.url("get_object", "none")
        found = self.run_in(self.origin, READ, url)
        self.assertEqual(found["status"], 404)
        self.assertIn("<Code>NoSuchKey</Code>", found["text"])
        found = self.run_in(self.origin, READ, url.replace("Signature=", "Signature=0"))
        self.assertIn("<Code>SignatureDoesNotMatch</Code>", found["text"])
        self.assertEqual(self.run_in(self.other, READ, url), FAILED)

    def test_rules_gone(self) -> None:
        """Without rules no page uploads anything."""
        self.s3.delete_bucket_cors(Bucket=self.bucket)
        refused = self.run_in(self.origin, PUT, self.url("put_object", "one"))
        self.assertEqual(refused, FAILED)
        self.assertEqual(self.keys(), [])


class WebsiteTests(PageTestCase):
    """A bucket as a website."""

    def setUp(self) -> None:
        """Fill it, and let everybody read it."""
        super().setUp()
        for key, text in (
            ("index.html", "<title>home</title><a href='docs'>docs</a>"),
            ("docs/index.html", "<title>docs</title><script src='x.js'></script>"),
            ("docs/x.js", "document.title += ' ran'"),
            ("404.html", "<title>not here</title>"),
        ):
            kind = "text/javascript" if key.endswith(".js") else "text/html"
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=text.encode(), ContentType=kind
            )
        self.s3.put_bucket_website(
            Bucket=self.bucket,
            WebsiteConfiguration={
                "IndexDocument": {"Suffix": "index.html"},
                "ErrorDocument": {"Key": "404.html"},
            },
        )
        self.s3.delete_public_access_block(Bucket=self.bucket)
        allowed = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def test_site(self) -> None:
        """A visitor follows links, comes to folders, and sees the website's page of what is not there."""
        root = f"http://{self.bucket}.{WEB}:{self.port}"
        self.driver.get(root)
        self.assertEqual(self.driver.title, "home")
        self.driver.get(f"{root}/docs")
        self.assertEqual(self.driver.current_url, f"{root}/docs/")
        self.assertEqual(self.driver.title, "docs ran")
        self.driver.get(f"{root}/nowhere")
        self.assertEqual(self.driver.title, "not here")
        self.s3.delete_object(Bucket=self.bucket, Key="404.html")
        self.driver.get(f"{root}/nowhere")
        self.assertEqual(self.driver.title, "403 Forbidden")

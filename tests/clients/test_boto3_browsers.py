"""What browsers need, through boto3: its owner, another user, and anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore import UNSIGNED
from botocore.exceptions import ClientError

from tests.clients.botos import SharedTestCase, make_client, of_user, send
from tests.clients.websites import WEB, website_server

ORIGIN = "https://a.example"
RULE = {
    "ID": "one",
    "AllowedHeaders": ["*"],
    "AllowedMethods": ["GET", "PUT"],
    "AllowedOrigins": ["https://*.example"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 60,
}
WEBSITE = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "404.html"},
    "RoutingRules": [
        {
            "Condition": {"KeyPrefixEquals": "old/"},
            "Redirect": {"ReplaceKeyPrefixWith": "new/", "HttpRedirectCode": "302"},
        }
    ],
}


class BrowserTests(SharedTestCase):
    """Rules of pages of other origins, and websites."""

    def setUp(self) -> None:
        """A bucket of a user, another user, and whoever has no key."""
        super().setUp()
        self.server, self.port = website_server()
        self.s3 = of_user(self.server, "browsed")
        self.other = of_user(self.server, "stranger")
        self.anybody = make_client(self.server.url, signature_version=UNSIGNED)
        self.s3.create_bucket(Bucket=self.bucket)

    def visit(self, target: str, method: str = "GET", **headers: str) -> Any:
        """What a visitor of the website is shown: status, headers, body."""
        named = {"Host": f"{self.bucket}.{WEB}", **headers}
        return send(self.port, method, target, named)

    def check_owner_alone(self, name: str, **document: Any) -> None:
        """Assert that neither another user nor anybody puts, sees or removes a document."""
        for client in (self.other, self.anybody):
            for call, more in (("put", document), ("get", {}), ("delete", {})):
                operation = getattr(client, f"{call}_bucket_{name}")
                self.refused(403, "AccessDenied", operation, **more)

    def test_cors(self) -> None:
        """Rules come back as they were put; preflights and answers go by them until they are removed."""
        given = {"CORSRules": [RULE]}
        self.check_owner_alone("cors", CORSConfiguration=given)
        self.s3.put_bucket_cors(Bucket=self.bucket, CORSConfiguration=given)
        found = self.s3.get_bucket_cors(Bucket=self.bucket)
        self.assertEqual(found["CORSRules"], [RULE])
        self.check_owner_alone("cors", CORSConfiguration=given)
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        target = f"/{self.bucket}/key"
        status, headers, _ = send(self.server.port, "OPTIONS", target, asked)
        self.assertEqual((status, headers["access-control-max-age"]), (200, "60"))
        status, headers, _ = send(self.server.port, "GET", target, {"Origin": ORIGIN})
        self.assertEqual(status, 403)
        self.assertEqual(headers["access-control-allow-origin"], ORIGIN)
        self.s3.delete_bucket_cors(Bucket=self.bucket)
        status, _, _ = send(self.server.port, "OPTIONS", target, asked)
        self.assertEqual(status, 403)
        self.refused(404, "NoSuchCORSConfiguration", self.s3.get_bucket_cors)

    def test_website(self) -> None:
        """A website comes back as it was put; visitors see what everybody may read, until it is removed."""
        self.check_owner_alone("website", WebsiteConfiguration=WEBSITE)
        self.s3.put_bucket_website(Bucket=self.bucket, WebsiteConfiguration=WEBSITE)
        found = self.s3.get_bucket_website(Bucket=self.bucket)
        self.assertEqual({name: found[name] for name in WEBSITE}, WEBSITE)
        self.check_owner_alone("website", WebsiteConfiguration=WEBSITE)
        self.s3.put_object(Bucket=self.bucket, Key="index.html", Body=b"home")
        self.assertEqual(self.visit("/")[0], 403)
        self.open_to_all()
        status, _, body = self.visit("/")
        self.assertEqual((status, body), (200, b"home"))
        status, headers, _ = self.visit("/old/x")
        location = f"http://{self.bucket}.{WEB}/new/x"
        self.assertEqual((status, headers["location"]), (302, location))
        status, headers, body = self.visit("/none")
        self.assertEqual((status, headers["x-amz-error-code"]), (403, "AccessDenied"))
        self.assertIn(b"Custom Error Document", body)
        self.assertEqual(self.visit("/", "DELETE")[0], 405)
        self.s3.put_object(
            Bucket=self.bucket, Key="moved", WebsiteRedirectLocation="/index.html"
        )
        self.assertEqual(self.visit("/moved")[1]["location"], "/index.html")
        head = self.anybody.head_object(Bucket=self.bucket, Key="moved")
        self.assertEqual(head["WebsiteRedirectLocation"], "/index.html")
        self.s3.delete_bucket_website(Bucket=self.bucket)
        self.assertEqual(self.visit("/")[0], 404)
        self.refused(404, "NoSuchWebsiteConfiguration", self.s3.get_bucket_website)

    def test_overrides(self) -> None:
        """Who signs a URL says what its answer's headers are; who did not sign does not, and unknown ones are refused."""
        self.s3.put_object(Bucket=self.bucket, Key="key", Body=b"x")
        self.open_to_all()
        named = {"Bucket": self.bucket, "Key": "key"}
        got = self.s3.get_object(**named, ResponseContentType="text/x")
        self.assertEqual(got["ContentType"], "text/x")
        with self.assertRaises(ClientError) as caught:
            self.anybody.get_object(**named, ResponseContentType="text/x")
        error: Mapping[str, Any] = caught.exception.response["Error"]
        self.assertEqual(
            (error["Code"], error["Message"]),
            (
                "InvalidRequest",
                "Request specific response headers cannot be used for anonymous GET requests.",
            ),
        )
        self.assertEqual(self.anybody.get_object(**named)["Body"].read(), b"x")

    def open_to_all(self) -> None:
        """Have everybody read the bucket."""
        self.s3.delete_public_access_block(Bucket=self.bucket)
        allowed = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

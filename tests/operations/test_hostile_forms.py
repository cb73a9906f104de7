"""Forms that would be more than what they are."""

from __future__ import annotations

import json
import tracemalloc
from base64 import b64encode
from hashlib import md5

from tests.operations.forms import BOUNDARY, FormTestCase, form


class HostileFormTests(FormTestCase):
    """What is written by somebody who wants something else."""

    async def test_headers_split(self) -> None:
        """Nothing that a field says, and no name that it has, becomes a header of its own when the object is read."""
        named = "name*=UTF-8''x-amz-meta-a%0d%0aSet-Cookie"
        part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {named}\r\n\r\nb\r\n"
        given = [{"key": "key"}, ["starts-with", "$x-amz-meta-a\r\nset-cookie", ""]]
        split = part.encode() + form(self.signed([("key", "key")], given))
        response = await self.nothing_stored(split, 400, "InvalidArgument")
        self.assertEqual(response.text("Message"), "The name of a field is malformed.")
        for name in ("x-amz-meta-a b", "x-amz-meta-\u00fc", "x-amz-meta-a:b"):
            strange = form(self.signed([("key", "key"), (name, "x")]))
            await self.nothing_stored(strange, 400, "InvalidArgument")
        for name in ("x-amz-meta-a", "Content-Type", "x-amz-website-redirect-location"):
            value = "/a\r\nSet-Cookie: b"
            strange = form(self.signed([("key", "key"), (name, value)]))
            await self.nothing_stored(strange, 400, "InvalidArgument")
        for url in (
            "http://a.example/\r\nSet-Cookie: b",
            "javascript:alert(1)",
            "//a.example",
        ):
            place = ("success_action_redirect", url)
            response = await self.post(form(self.signed([("key", "key"), place])))
            self.assertEqual(response.status, 204)
            self.assertNotIn("set-cookie", response.headers)
            self.assertEqual(
                response.headers["location"], "http://localhost/bucket/key"
            )

    async def test_signature_conditions(self) -> None:
        """What a bucket's policy denies by how old a signature is, it denies to forms."""
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::bucket/*",
            "Condition": {"NumericGreaterThan": {"s3:signatureAge": "60000"}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        document = json.dumps(policy).encode()
        digest = {"content-md5": b64encode(md5(document).digest()).decode()}
        kept = await self.client.request("PUT", "/bucket?policy", digest, document)
        self.assertEqual(kept.status, 204, kept.body)
        await self.grant("user:other:w")
        body = form(self.signed([("key", "key")], user="other"))
        self.clock.advance(30)
        self.assertEqual((await self.post(body)).status, 204)
        self.clock.advance(31)
        await self.refused(self.post(body), 403, "AccessDenied")

    async def test_key_of_names(self) -> None:
        """A long name of a file that a key has many times is not written out: nobody has signed yet."""
        for many, name in ((900, "n" * 8000), (900, "n" * 1000), (1, "n" * 1025)):
            strange = form([("key", "${filename}" * many)], filename=name)
            tracemalloc.start()
            try:
                await self.nothing_stored(strange, 400, "KeyTooLongError")
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            self.assertLess(peak, 3 << 20)

"""Keys, users and sessions are those of all gateways, and end on all at once."""

from __future__ import annotations

import http.client
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ozgate.admin.localsocket import connect_local
from tests.gateways.fleet import FleetCase
from tests.running import REGION, Server


def command(gateway: Server, name: str, **arguments: Any) -> Any:
    """A command over the admin socket of a gateway; what it answers."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = connect_local(gateway.data)
    try:
        headers = {"Content-Type": "application/json"}
        body = json.dumps(arguments)
        connection.request("POST", f"/ozgate/v1/{name}", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        return answer
    finally:
        connection.close()


class KeyTests(FleetCase):
    """Keys that one gateway gives out and another takes back."""

    def client(self, kind: str, gateway: Server, **pair: Any) -> Any:
        """boto3 for a gateway."""
        made = boto3.client(
            kind,
            endpoint_url=gateway.url,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}),
            **pair,
        )
        self.addCleanup(made.close)
        return made

    def refused(self, client: Any) -> str:
        """The code with which a list is refused."""
        with self.assertRaises(ClientError) as caught:
            client.list_buckets()
        return str(caught.exception.response["Error"]["Code"])

    def test_revoked(self) -> None:
        """A key is good on all at once; once it is taken back through one, the very next request is refused on each, also over a connection that is open."""
        first, second, third = self.gateways
        made = command(first, "get_secret", user="somebody")
        pair = {
            "aws_access_key_id": made["awsAccessKey"],
            "aws_secret_access_key": made["awsSecret"],
        }
        clients = [self.client("s3", each, **pair) for each in self.gateways]
        for each in clients:
            each.list_buckets()
        command(second, "revoke_secret", user="somebody")
        for each in clients:
            self.assertEqual(self.refused(each), "InvalidAccessKeyId")
        self.assertNotIn("somebody", str(command(third, "list_secrets")))

    def test_session(self) -> None:
        """Credentials of a session that one gateway made are good on all, and end everywhere with the key that made them."""
        first, second, third = self.gateways
        made = command(first, "get_secret", user="somebody")
        pair = {
            "aws_access_key_id": made["awsAccessKey"],
            "aws_secret_access_key": made["awsSecret"],
        }
        session = self.client("sts", second, **pair).get_session_token()["Credentials"]
        given = {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
        clients = [self.client("s3", each, **given) for each in self.gateways]
        for each in clients:
            each.list_buckets()
        command(third, "revoke_secret", user="somebody")
        for each in clients:
            self.assertEqual(self.refused(each), "InvalidAccessKeyId")

    def test_inactive(self) -> None:
        """A key that is made inactive through one is refused by all, at once."""
        first, second, _ = self.gateways
        iam = self.client(
            "iam",
            first,
            aws_access_key_id=first.access_key,
            aws_secret_access_key=first.secret_key,
        )
        iam.create_user(UserName="worker")
        key = iam.create_access_key(UserName="worker")["AccessKey"]
        pair = {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
        }
        clients = [self.client("s3", each, **pair) for each in self.gateways]
        for each in clients:
            each.list_buckets()
        named = {"UserName": "worker", "AccessKeyId": key["AccessKeyId"]}
        self.client(
            "iam",
            second,
            aws_access_key_id=first.access_key,
            aws_secret_access_key=first.secret_key,
        ).update_access_key(Status="Inactive", **named)
        for each in clients:
            self.refused(each)

"""boto3's and the AWS CLI's clients of IAM and STS, unchanged, against a real service over TLS, and an issuer of OpenID Connect that is served on loopback."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.authority import Authority, put
from tests.clients.test_tls import PAIR, TlsTestCase
from tests.issuer import AUDIENCE, Served
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, program

ONCE = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0})
READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        }
    ],
}
POLICY = json.dumps(READ)


class IamTestCase(TlsTestCase):
    """A service with security on and TLS, an issuer, and clients of both."""

    def setUp(self) -> None:
        """Serve both, and make a bucket with an object."""
        super().setUp()
        authority = Authority("of issuers")
        ca = put(f"{self.folder}/issuers.pem", authority.pem)
        pair = put(f"{self.folder}/issuer.pem", b"".join(authority.issue("localhost")))
        self.served = Served(pair)
        self.addCleanup(self.served.close)
        self.issuer = self.served.issuer
        self.service = self.secured(
            *("-D", f"ozgate.oidc.issuers=corp={self.issuer.url}"),
            *("-D", f"ozgate.oidc.audiences={AUDIENCE}"),
            *("-D", f"ozgate.oidc.ca={ca}"),
        )
        self.url = self.service.urls[0]
        self.key = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
        self.s3 = self.client_of("s3", self.key)
        self.iam = self.client_of("iam", self.key)
        self.sts = self.client_of("sts", self.key)
        self.s3.create_bucket(Bucket="bucket")
        self.s3.put_object(Bucket="bucket", Key="key", Body=b"bytes")

    def client_of(self, service: str, key: dict[str, Any], **more: Any) -> Any:
        """A client of a service with a key, or in a session."""
        made = boto3.session.Session(
            key["AccessKeyId"],
            key["SecretAccessKey"],
            key.get("SessionToken"),
            region_name=REGION,
        ).client(
            service,
            endpoint_url=self.url,
            verify=self.certificate,
            config=ONCE.merge(Config(**more)),
        )
        self.addCleanup(made.close)
        return made

    def refused(self, code: str, call: Any, **parameters: Any) -> None:
        """Assert that a call is refused."""
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        error: Any = caught.exception.response
        self.assertEqual(error["Error"]["Code"], code)

    def token_file(self, **claims: Any) -> str:
        """A file with a token."""
        token = self.issuer.token(time.time(), **claims)
        return put(f"{self.folder}/token", token.encode())

    def aws(self, *arguments: str, expected: int = 0, **environment: str) -> str:
        """What the AWS CLI prints."""
        unset = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        if "AWS_PROFILE" not in environment:
            unset = ()
        status, said = self.run_client(
            *("env", *(f"--unset={name}" for name in unset)),
            program("aws"),
            *arguments,
            **{
                "AWS_ENDPOINT_URL": self.url,
                "AWS_CA_BUNDLE": self.certificate,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_CONFIG_FILE": f"{self.folder}/aws-config",
                "AWS_SHARED_CREDENTIALS_FILE": f"{self.folder}/none",
                "AWS_EC2_METADATA_DISABLED": "true",
                "HOME": self.folder,
                **environment,
            },
        )
        self.assertEqual(status == 0, expected == 0, said)
        return said


class Boto3Tests(IamTestCase):
    """boto3."""

    def test_users(self) -> None:
        """A user with a key and policies, three users who may three things, and all of it taken away again."""
        iam = self.iam
        user = iam.create_user(UserName="alice", Tags=[{"Key": "a", "Value": "b"}])
        self.assertEqual(user["User"]["Arn"], "arn:aws:iam::000000000000:user/alice")
        key = iam.create_access_key(UserName="alice")["AccessKey"]
        alice = self.client_of("s3", key)
        get = {"Bucket": "bucket", "Key": "key"}
        self.refused("AccessDenied", alice.get_object, **get)
        policy = iam.create_policy(PolicyName="read", PolicyDocument=POLICY)["Policy"]
        named = {"UserName": "alice", "PolicyArn": policy["Arn"]}
        iam.attach_user_policy(**named)
        self.assertEqual(alice.get_object(**get)["Body"].read(), b"bytes")
        self.refused("AccessDenied", alice.delete_object, **get)
        self.refused("AccessDenied", self.client_of("iam", key).list_users)
        version = policy["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=version)
        self.assertEqual(found["PolicyVersion"]["Document"], READ)
        iam.put_user_policy(UserName="alice", PolicyName="own", PolicyDocument=POLICY)
        found = iam.get_user_policy(UserName="alice", PolicyName="own")
        self.assertEqual(found["PolicyDocument"], READ)
        iam.create_group(GroupName="staff")
        iam.add_user_to_group(GroupName="staff", UserName="alice")
        pages = iam.get_paginator("list_users").paginate(
            PaginationConfig={"PageSize": 1}
        )
        names = [each["UserName"] for page in pages for each in page["Users"]]
        self.assertEqual(names, ["alice"])
        self.refused("DeleteConflict", iam.delete_user, UserName="alice")
        iam.remove_user_from_group(GroupName="staff", UserName="alice")
        iam.delete_group(GroupName="staff")
        iam.delete_user_policy(UserName="alice", PolicyName="own")
        iam.detach_user_policy(**named)
        iam.delete_policy(PolicyArn=policy["Arn"])
        iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName="alice")
        self.refused("InvalidAccessKeyId", alice.get_object, **get)
        self.refused("NoSuchEntity", iam.get_user, UserName="alice")
        self.refused(
            "InvalidAction",
            iam.create_role,
            RoleName="x",
            AssumeRolePolicyDocument="{}",
        )

    def test_sessions(self) -> None:
        """Sessions sign headers, URLs of both versions, and chunks, within their policy."""
        made = self.sts.assume_role(
            RoleArn=f"arn:aws:iam:::role/{ACCESS_KEY}",
            RoleSessionName="reader",
            Policy=POLICY,
        )
        narrow = self.client_of("s3", made["Credentials"])
        get = {"Bucket": "bucket", "Key": "key"}
        self.assertEqual(narrow.get_object(**get)["Body"].read(), b"bytes")
        self.refused("AccessDenied", narrow.put_object, Body=b"x", **get)
        self.refused("AccessDenied", narrow.list_buckets)
        who = self.client_of("sts", made["Credentials"]).get_caller_identity()
        self.assertEqual(who["Arn"], made["AssumedRoleUser"]["Arn"])
        wide = self.sts.get_session_token()["Credentials"]
        whole = self.client_of("s3", wide)
        whole.put_object(Bucket="bucket", Key="chunks", Body=b"x" * 300_000)
        whole.upload_fileobj(Path(program("aws")).open("rb"), "bucket", "file")
        for version in ("s3", "s3v4"):
            client = self.client_of(
                "s3", made["Credentials"], signature_version=version
            )
            for action, method, status in (
                ("get_object", "GET", 200),
                ("put_object", "PUT", 403),
            ):
                url = client.generate_presigned_url(action, Params=get)
                self.assertIn("ecurity-", url)
                _, said = self.run_client(
                    *("curl", "-sS", "--cacert", self.certificate, "-X", method),
                    *("-H", "Content-Length: 0", "-H", "Content-Type:"),
                    *("-o", "/dev/null", "-w", "%{http_code}", url),
                )
                self.assertEqual(said.strip(), str(status), (version, method))
        stolen = {**self.key, "SessionToken": wide["SessionToken"]}
        self.refused("InvalidToken", self.client_of("s3", stolen).list_buckets)
        self.refused(
            "InvalidClientTokenId", self.client_of("sts", stolen).get_caller_identity
        )

    def test_web_identity(self) -> None:
        """A token of the issuer gives a session, over TLS to both; its keys are rotated meanwhile."""
        sts = boto3.session.Session(region_name=REGION).client(
            "sts", endpoint_url=self.url, verify=self.certificate, config=ONCE
        )
        self.addCleanup(sts.close)
        role = {"RoleArn": "arn:aws:iam:::role/corp", "RoleSessionName": "session"}
        token = self.issuer.token(time.time())
        made = sts.assume_role_with_web_identity(WebIdentityToken=token, **role)
        self.assertEqual(
            self.served.asked, ["/.well-known/openid-configuration", "/keys"]
        )
        client = self.client_of("s3", made["Credentials"])
        found = client.get_object(Bucket="bucket", Key="key")
        self.assertEqual(found["Body"].read(), b"bytes")
        self.refused("AccessDenied", client.delete_object, Bucket="bucket", Key="key")
        for claims, code in (
            ({"aud": "x"}, "InvalidIdentityToken"),
            ({"exp": 1}, "ExpiredTokenException"),
            ({"policy": None}, "AccessDenied"),
        ):
            token = self.issuer.token(time.time(), **claims)
            call = sts.assume_role_with_web_identity
            self.refused(code, call, WebIdentityToken=token, **role)


class AwsCliTests(IamTestCase):
    """The AWS CLI."""

    def test_profiles(self) -> None:
        """Profiles with a web identity and with a role, as docs/sts.md has them."""
        token = self.token_file(policy=["readwrite"])
        put(
            f"{self.folder}/aws-config",
            f"""
[profile corp]
role_arn = arn:aws:iam:::role/corp
web_identity_token_file = {token}
role_session_name = session

[profile base]
aws_access_key_id = {ACCESS_KEY}
aws_secret_access_key = {SECRET_KEY}

[profile narrow]
role_arn = arn:aws:iam:::role/{ACCESS_KEY}
role_session_name = narrow
source_profile = base
""".encode(),
        )
        said = self.aws("sts", "get-caller-identity", AWS_PROFILE="corp")
        arn = "arn:aws:sts::000000000000:assumed-role/corp:alice/session"
        self.assertEqual(json.loads(said)["Arn"], arn)
        source = put(f"{self.folder}/source", b"from the command line")
        self.aws("s3", "cp", source, "s3://bucket/cli", AWS_PROFILE="corp")
        said = self.aws("s3", "ls", "s3://bucket/", AWS_PROFILE="narrow")
        self.assertIn(" cli\n", said)
        self.aws("s3", "rb", "s3://bucket", expected=1, AWS_PROFILE="corp")

    def test_commands(self) -> None:
        """``aws iam`` and ``aws sts`` print what is so."""
        self.aws("iam", "create-user", "--user-name", "alice", **PAIR)
        said = self.aws("iam", "create-access-key", "--user-name", "alice", **PAIR)
        key = json.loads(said)["AccessKey"]
        self.aws(
            *("iam", "attach-user-policy", "--user-name", "alice"),
            *("--policy-arn", "arn:aws:iam::aws:policy/readonly"),
            **PAIR,
        )
        mine = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        said = self.aws("s3", "ls", "s3://bucket/", **mine)
        self.assertIn(" key\n", said)
        said = self.aws("iam", "list-users", expected=1, **mine)
        self.assertIn("AccessDenied", said)
        self.assertIn("is not authorized to perform: iam:ListUsers", said)
        said = self.aws("iam", "get-user", "--user-name", "nobody", expected=1, **PAIR)
        self.assertIn("NoSuchEntity", said)

"""Clients of IAM and STS against a gateway in memory: what they send is made by botocore's models, and what they get is read by them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

from attrs import define, field
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from tests.attack.requests import Draft, Sent
from tests.operations.support import SECRETS, Client, OperationTestCase, Response

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@cache
def model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@define
class Answer:
    """What was answered.

    :ivar members: of the result, as botocore reads them.
    :ivar code: of the error; ``""`` where it is none.
    """

    status: int
    members: Mapping[str, Any]
    code: str
    message: str
    response: Response


@define
class Caller:
    """Asks IAM and STS as somebody.

    :ivar token: of a session.
    """

    client: Client
    access_id: str = "testuser"
    secret: str = field(default=SECRETS["testuser"])
    token: str = ""

    def form(self, service: str, action: str, parameters: Mapping[str, Any]) -> bytes:
        """The body of a request."""
        operation = model(service).operation_model(action)
        made = create_serializer("query", False).serialize_to_request(
            dict(parameters), operation
        )
        return urlencode(made["body"]).encode()

    def draft(self, service: str, body: bytes) -> Draft:
        """A request that is not signed yet."""
        headers = {"content-type": FORM}
        if self.token:
            headers["x-amz-security-token"] = self.token
        return Draft(
            "POST",
            "/",
            (),
            headers,
            self.client.gateway.clock.seconds(),
            body,
            access_id=self.access_id,
            secret=self.secret,
            service=service,
        )

    async def send(self, sent: Sent) -> Response:
        """Send a request as it is."""
        headers = {name: text for name, text in sent.headers if name != "host"}
        return await self.client.request(
            sent.method, sent.target, headers, sent.body, signed=False
        )

    async def ask(self, service: str, action: str, **parameters: Any) -> Answer:
        """Ask, signed."""
        body = self.form(service, action, parameters)
        sent = self.draft(service, body).signed()
        return read_answer(service, action, await self.send(sent))

    async def ask_unsigned(
        self, service: str, action: str, **parameters: Any
    ) -> Answer:
        """Ask without a signature."""
        body = self.form(service, action, parameters)
        sent = Sent("POST", "/", (("content-type", FORM),), body)
        return read_answer(service, action, await self.send(sent))

    def in_session(self, credentials: Mapping[str, Any]) -> Caller:
        """A caller in a session."""
        return Caller(
            self.client,
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
        )

    def with_key(self, key: Mapping[str, Any]) -> Caller:
        """A caller with another key."""
        return Caller(self.client, key["AccessKeyId"], key["SecretAccessKey"])

    async def s3(
        self, method: str, path: str, body: bytes = b"", **changes: Any
    ) -> Response:
        """Ask S3."""
        headers = {"x-amz-security-token": self.token} if self.token else {}
        now = self.client.gateway.clock.seconds()
        draft = Draft(
            method,
            path,
            (),
            headers,
            now,
            body,
            access_id=self.access_id,
            secret=self.secret,
            **changes,
        )
        return await self.send(draft.signed())


def read_answer(service: str, action: str, response: Response) -> Answer:
    """An answer as botocore reads it."""
    shape = model(service).operation_model(action).output_shape
    said = {
        "status_code": response.status,
        "headers": response.headers,
        "body": response.body,
    }
    members = create_parser("query").parse(said, shape)
    about = members.pop("ResponseMetadata")
    error = members.get("Error", {})
    request_id = response.headers["x-amz-request-id"]
    assert about.get("RequestId") == request_id, response
    assert response.headers["content-type"] == "text/xml", response
    assert response.headers["x-amzn-requestid"] == request_id, response
    code, message = error.get("Code", ""), error.get("Message", "")
    return Answer(response.status, members, code, message, response)


class QueryTestCase(OperationTestCase):
    """A gateway in memory, whose administrator is ``testuser``."""

    root: Caller

    async def _open(self) -> None:
        await super()._open()
        self.client = self.client.with_settings(access_key="testuser")
        self.root = Caller(self.client)

    async def user(self, name: str, *policies: str) -> Caller:
        """A new user with a key, and with policies attached."""
        await self.root.ask("iam", "CreateUser", UserName=name)
        made = await self.root.ask("iam", "CreateAccessKey", UserName=name)
        for policy in policies:
            arn = f"arn:aws:iam::aws:policy/{policy}"
            done = await self.root.ask(
                "iam", "AttachUserPolicy", UserName=name, PolicyArn=arn
            )
            self.assertEqual(done.code, "")
        return self.root.with_key(made.members["AccessKey"])

    def refusal(self, answer: Answer, status: int, code: str) -> None:
        """Assert that something is refused."""
        self.assertEqual((answer.status, answer.code), (status, code), answer.message)

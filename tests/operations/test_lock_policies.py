"""Policies on object lock: what they know of the lock that is asked for, be it in headers, in a form or in a document, and what is asked besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ozgate.s3.times import exact_timestamp
from tests.operations.forms import FormTestCase, form
from tests.operations.locks import BYPASS, DAY, HOLD, MODE, UNTIL, digested
from tests.operations.policies import PolicyTestCase
from tests.operations.support import checked
from tests.unit.s3.policy.documents import statement

KEYS = "arn:aws:s3:::locked/*"
DAYS = "s3:object-lock-remaining-retention-days"
WRITING = ("s3:PutObject", "s3:GetObject")

Request = tuple[str, str, dict[str, str], bytes]
"""Method, target, headers, body."""


class LockPolicyTestCase(PolicyTestCase):
    """A bucket ``locked`` of ``testuser`` with object lock, and an object ``key`` in it that nothing locks."""

    async def _fill(self) -> None:
        await super()._fill()
        made = {"x-amz-bucket-object-lock-enabled": "true"}
        response = await self.client.request("PUT", "/locked", made)
        assert response.status == 200, response
        await self.client.request("PUT", "/locked/key", digested(b"x"), b"x")

    async def have(self, *statements: dict[str, Any]) -> None:
        """Have a policy."""
        await self.have_policy(*statements, name="locked")

    def until(self, days: float) -> str:
        """A time from now."""
        return exact_timestamp(int((self.clock.seconds() + days * DAY) * 1000))

    def lock(self, mode: str = "", days: float = 0, hold: str = "") -> dict[str, str]:
        """Headers that ask for a lock."""
        found = {MODE: mode, UNTIL: self.until(days)} if mode else {}
        return {**found, HOLD: hold} if hold else found

    def writes(self, lock: dict[str, str]) -> Iterator[Request]:
        """Each way to write what is locked from its beginning."""
        yield "PUT", "/locked/new", {**lock, **digested(b"y")}, b"y"
        yield "PUT", "/locked/new", {**lock, "x-amz-copy-source": "/locked/key"}, b""
        yield "POST", "/locked/new?uploads", lock, b""

    def retention(self, mode: str, days: float, **headers: str) -> Request:
        """Ask for a retention in a document."""
        text = f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{self.until(days)}</RetainUntilDate></Retention>"
        return self.document("retention", text if mode else "<Retention/>", **headers)

    def hold(self, status: str, **headers: str) -> Request:
        """Ask for a legal hold in a document."""
        text = f"<LegalHold><Status>{status}</Status></LegalHold>"
        return self.document("legal-hold", text, **headers)

    def document(self, query: str, text: str, **headers: str) -> Request:
        """Put a document about a lock; underscores stand for hyphens."""
        body = text.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return "PUT", f"/locked/key?{query}", {**checked(body), **named}, body

    async def check(self, may: bool, request: Request, who: str = "other") -> None:
        """Assert that somebody may do something, or may not; it is undone."""
        before = self.holds()
        method, target, headers, body = request
        response = await self.client.as_user(who).request(method, target, headers, body)
        found = response.status, response.code if response.status >= 400 else None
        expected = (200, None) if may else (403, "AccessDenied")
        self.assertEqual(found, expected, (who, request))
        if not may:
            self.assertEqual(self.holds(), before, request)
        metadata: Any = self.client.gateway.metadata
        metadata.restore(before[0])


class ActionTests(LockPolicyTestCase):
    """What is asked."""

    async def test_writes(self) -> None:
        """Whoever writes what is locked needs the action of what it asks for besides s3:PutObject; one that denies it binds the owner."""
        kinds: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
            (self.lock("GOVERNANCE", 5), ("s3:PutObjectRetention",)),
            (self.lock(hold="ON"), ("s3:PutObjectLegalHold",)),
            (
                self.lock("COMPLIANCE", 5, "ON"),
                ("s3:PutObjectRetention", "s3:PutObjectLegalHold"),
            ),
        )
        for lock, actions in kinds:
            for request in self.writes(lock):
                every = [*WRITING, *actions]
                await self.have(statement("Allow", every, KEYS, "other"))
                await self.check(True, request)
                for each in actions:
                    rest = [action for action in every if action != each]
                    await self.have(statement("Allow", rest, KEYS, "other"))
                    await self.check(False, request)
                    await self.have(statement("Deny", each, KEYS, "*"))
                    await self.check(False, request, "testuser")

    async def test_documents(self) -> None:
        """Whoever changes what protects a version needs the action of that, and no other; to loosen what governs it, that of bypassing too, asked for by a header."""
        for request, action in (
            (self.retention("GOVERNANCE", 5), "s3:PutObjectRetention"),
            (self.retention("", 0), "s3:PutObjectRetention"),
            (self.hold("ON"), "s3:PutObjectLegalHold"),
        ):
            for other in (
                "s3:PutObject",
                "s3:PutObjectRetention",
                "s3:PutObjectLegalHold",
                "s3:BypassGovernanceRetention",
            ):
                await self.have(statement("Allow", other, KEYS, "other"))
                await self.check(other == action, request)
            await self.have(statement("Deny", action, KEYS, "*"))
            await self.check(False, request, "testuser")

    async def test_bypass(self) -> None:
        """To pass over what governs a version is asked for of whoever says so, in each operation that can."""
        method, target, headers, body = self.retention("GOVERNANCE", 5)
        await self.client.request(method, target, headers, body)
        listed = await self.client.request("GET", "/locked?versions")
        (version,) = listed.texts("Version/VersionId")
        removal = ("DELETE", f"/locked/key?versionId={version}", BYPASS, b"")
        header = {name.replace("-", "_"): value for name, value in BYPASS.items()}
        bypassing = "s3:BypassGovernanceRetention"
        for request, action in (
            (self.retention("GOVERNANCE", 1, **header), "s3:PutObjectRetention"),
            (self.retention("", 0, **header), "s3:PutObjectRetention"),
        ):
            await self.have(statement("Allow", action, KEYS, "other"))
            await self.check(False, request)
            await self.have(statement("Allow", [action, bypassing], KEYS, "other"))
            await self.check(True, request)
        action = "s3:DeleteObjectVersion"
        await self.have(statement("Allow", action, KEYS, "other"))
        await self.check(False, removal)
        await self.have(statement("Deny", bypassing, KEYS, "*"))
        await self.check(False, removal, "testuser")
        await self.have(statement("Allow", [action, bypassing], KEYS, "other"))
        response = await self.client.as_user("other").request(*removal)
        self.assertEqual(response.status, 204)


class ConditionTests(LockPolicyTestCase):
    """What conditions know."""

    async def bound(
        self,
        operator: str,
        key: str,
        value: str,
        requests: Callable[[], Iterator[tuple[bool, Request]]],
    ) -> None:
        """Assert that conditions hold by what is asked for, where they allow and where they deny.

        :param requests: those that fulfil the condition, and those that do not.
        """
        condition = {operator: {key: value}}
        asked = ["s3:PutObject", "s3:PutObjectRetention", "s3:PutObjectLegalHold"]
        reading = statement("Allow", "s3:GetObject", KEYS, "other")
        granted = statement("Allow", asked, KEYS, "other", Condition=condition)
        for fulfils, request in requests():
            await self.have(reading, granted)
            await self.check(fulfils, request)
            denied = statement("Deny", asked, KEYS, "*", Condition=condition)
            await self.have(statement("Allow", "s3:*", KEYS, "other"), denied)
            await self.check(not fulfils, request)
            await self.check(not fulfils, request, "testuser")

    def retaining(self, mode: str, days: float) -> Iterator[Request]:
        """Each way to ask for a retention."""
        yield from self.writes(self.lock(mode, days))
        yield self.retention(mode, days)

    async def test_mode(self) -> None:
        """The mode."""

        def requests() -> Iterator[tuple[bool, Request]]:
            for mode in ("GOVERNANCE", "COMPLIANCE"):
                for request in self.retaining(mode, 5):
                    yield mode == "GOVERNANCE", request

        key = "s3:object-lock-mode"
        await self.bound("StringEquals", key, "GOVERNANCE", requests)

    async def test_days(self) -> None:
        """How long it lasts from now on, in days that have begun."""

        def requests() -> Iterator[tuple[bool, Request]]:
            for days in (0.5, 10, 10.5, 400):
                for request in self.retaining("GOVERNANCE", days):
                    yield days <= 10, request

        await self.bound("NumericLessThanEquals", DAYS, "10", requests)

    async def test_until(self) -> None:
        """Until when."""

        def requests() -> Iterator[tuple[bool, Request]]:
            for days in (5, 15):
                for request in self.retaining("GOVERNANCE", days):
                    yield days < 10, request

        key = "s3:object-lock-retain-until-date"
        await self.bound("DateLessThan", key, self.until(10), requests)

    async def test_hold(self) -> None:
        """Whether it is held."""

        def requests() -> Iterator[tuple[bool, Request]]:
            for status in ("ON", "OFF"):
                for request in (
                    *self.writes(self.lock(hold=status)),
                    self.hold(status),
                ):
                    yield status == "ON", request

        key = "s3:object-lock-legal-hold"
        await self.bound("StringEquals", key, "ON", requests)

    async def test_only_documents(self) -> None:
        """Of a lock that is asked for in a document, headers say nothing; and one that is lifted has neither mode nor end."""
        for name, value, request in (
            ("s3:object-lock-mode", "GOVERNANCE", self.retention),
            ("s3:object-lock-mode", "COMPLIANCE", self.retention),
        ):
            condition = {"StringEquals": {name: value}}
            await self.have(
                statement(
                    "Allow",
                    "s3:PutObjectRetention",
                    KEYS,
                    "other",
                    Condition=condition,
                )
            )
            claimed = {"x_amz_object_lock_mode": value}
            for mode in ("GOVERNANCE", "COMPLIANCE"):
                await self.check(mode == value, request(mode, 5, **claimed))
            await self.check(False, request("", 0, **claimed))
        hold = {"StringEquals": {"s3:object-lock-legal-hold": "ON"}}
        action = "s3:PutObjectLegalHold"
        await self.have(statement("Allow", action, KEYS, "other", Condition=hold))
        claimed = {"x_amz_object_lock_legal_hold": "ON"}
        await self.check(False, self.hold("OFF", **claimed))

    async def test_bypass(self) -> None:
        """Whoever may bypass up to some day may not set a later one by that."""
        method, target, headers, body = self.retention("GOVERNANCE", 20)
        await self.client.request(method, target, headers, body)
        condition = {"NumericLessThan": {DAYS: "10"}}
        action = "s3:BypassGovernanceRetention"
        await self.have(
            statement("Allow", "s3:PutObjectRetention", KEYS, "other"),
            statement("Allow", action, KEYS, "other", Condition=condition),
        )
        for days in (5, 15):
            request = self.retention(
                "GOVERNANCE", days, x_amz_bypass_governance_retention="true"
            )
            await self.check(days == 5, request)


class FormTests(LockPolicyTestCase, FormTestCase):
    """Locks that the fields of a form ask for."""

    async def check_form(self, may: bool, lock: dict[str, str]) -> None:
        """Assert that a form of ``other``'s is taken and locks its file, or that it is refused and changes nothing."""
        fields = [("key", "form"), *lock.items(), *digested(b"content").items()]
        before = self.holds()
        signed = self.signed(fields, user="other", bucket="locked")
        response = await self.post(form(signed), "/locked")
        self.assertEqual(response.status, 204 if may else 403, response.body)
        if not may:
            self.assertEqual(response.code, "AccessDenied")
            self.assertEqual(self.holds(), before)
            return
        shown = await self.client.request("HEAD", "/locked/form")
        self.assertEqual({name: shown.headers[name] for name in lock}, lock)

    async def test_form(self) -> None:
        """Fields are asked about as headers are: by the action of the lock, and by what conditions know of it."""
        for lock, action in (
            (self.lock("GOVERNANCE", 5), "s3:PutObjectRetention"),
            (self.lock(hold="ON"), "s3:PutObjectLegalHold"),
        ):
            await self.have(statement("Allow", "s3:PutObject", KEYS, "other"))
            await self.check_form(False, lock)
            both = ["s3:PutObject", action]
            await self.have(statement("Allow", both, KEYS, "other"))
            await self.check_form(True, lock)
        condition = {"NumericLessThanEquals": {DAYS: "10"}}
        await self.have(
            statement("Allow", "s3:PutObject", KEYS, "other"),
            statement(
                "Allow", "s3:PutObjectRetention", KEYS, "other", Condition=condition
            ),
        )
        for days in (10, 10.5):
            await self.check_form(days == 10, self.lock("GOVERNANCE", days))

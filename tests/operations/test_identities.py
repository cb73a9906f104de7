"""What rows of users, groups, policies and keys are worth at S3's door: from the next request on, and at the end of a body that took long."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve

from ozgate.auth.accounts import Accounts
from ozgate.auth.administrators import Administrators
from ozgate.auth.identities.accesskeys import disable_key, expire_key
from ozgate.auth.identities.groups import (
    attach_group_policy,
    create_group,
    put_group_policy,
)
from ozgate.auth.identities.narrow import narrowed
from ozgate.auth.identities.policies import create_policy, replace_policy
from ozgate.auth.identities.users import (
    add_user_to_group,
    attach_user_policy,
    detach_user_policy,
    disable_user,
    put_user_policy,
    remove_user,
    remove_user_from_group,
)
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.operations import Body
from ozgate.values import Claim
from ozgate.wire.target import Scope
from tests.operations.rights import BUILT, Asked, AuthorizationTestCase
from tests.operations.support import SECRETS

GET = Asked("GET", "/bucket/key", {}, b"")
LIST = Asked("GET", "/bucket?list-type=2", {}, b"")
PUT = Asked("PUT", "/bucket/key", {}, b"new")
DELETE = Asked("DELETE", "/bucket/key", {}, b"")
SETTINGS = Asked("PUT", "/bucket?versioning", {}, b"")
LARGE = Asked("PUT", "/bucket/key", {}, bytes(200_000))


def policy(effect: str, *actions: str, resource: str = "*") -> str:
    """A document of one statement."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class IdentityTestCase(AuthorizationTestCase):
    """``bucket`` is testuser's; ``alice`` has a key, and nothing is granted to her."""

    async def _fill(self) -> None:
        await super()._fill()
        self.alice = await self.issue("alice")

    async def do(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Change users, groups, policies or keys."""
        return await self.client.gateway.metadata.write(interaction, *args)

    async def narrow(self, user: str, *limits: str) -> str:
        """A key of a user that is limited; its access id."""
        access_id, secret = await self.secrets.issue(user, None, None, limits)
        SECRETS[access_id] = secret
        self.addCleanup(SECRETS.pop, access_id)
        return access_id

    async def may(self, who: str, *requests: Asked) -> None:
        """Assert that somebody may."""
        for asked in requests:
            status, code = await self.send(asked, who)
            self.assertLess(status, 300, (who, asked.method, asked.target, code))

    async def may_not(self, who: str, *requests: Asked) -> None:
        """Assert that somebody may not, and that nothing changes."""
        for asked in requests:
            await self.check_refused(asked, who)


class PolicyTests(IdentityTestCase):
    """Policies of users and groups."""

    async def test_attached(self) -> None:
        """A policy that is attached counts from the next request on, with each key of the user, and so does that it is detached."""
        further = await self.narrow("alice")
        await self.may_not(self.alice, GET, LIST, PUT, DELETE)
        await self.do(attach_user_policy, "alice", "readonly")
        for who in (self.alice, further, await self.issue("alice", "later")):
            await self.may(who, GET, LIST)
            await self.may_not(who, PUT, DELETE)
        await self.do(detach_user_policy, "alice", "readonly")
        await self.may_not(self.alice, GET, LIST, PUT, DELETE)

    async def test_canned(self) -> None:
        """What the policies that are always there allow."""
        every = {"GET": GET, "LIST": LIST, "PUT": PUT, "DELETE": DELETE}
        for name, allowed in (
            ("readonly", {"GET", "LIST"}),
            ("writeonly", {"PUT"}),
            ("readwrite", {"GET", "LIST", "PUT", "DELETE"}),
            ("admin", {"GET", "LIST", "PUT", "DELETE"}),
        ):
            await self.do(attach_user_policy, "alice", name)
            for asked, request in every.items():
                check = self.may if asked in allowed else self.may_not
                await check(self.alice, request)
                await self.may("testuser", PUT)
            await self.do(detach_user_policy, "alice", name)

    async def test_every_operation(self) -> None:
        """``admin`` allows every operation on everybody's buckets, as ``readonly`` allows none that changes anything."""
        expected = await self.outcomes()
        await self.do(attach_user_policy, "alice", "admin")
        for row in BUILT:
            asked = self.request_for(row)
            await self.check_granted(asked, self.alice, expected[row.name])
        await self.do(detach_user_policy, "alice", "admin")
        await self.do(attach_user_policy, "alice", "readonly")
        for row in BUILT:
            # Whoever signs may make a bucket, by the list of the volume.
            if row.method in ("PUT", "DELETE") and row.name != "CreateBucket":
                await self.check_refused(self.request_for(row), self.alice)

    async def test_written_anew(self) -> None:
        """A policy that is written anew counts wherever it is attached."""
        await self.do(create_policy, "p", policy("Allow", "s3:GetObject"))
        await self.do(attach_user_policy, "alice", "p")
        await self.may(self.alice, GET)
        await self.do(replace_policy, "p", policy("Allow", "s3:PutObject"))
        await self.may_not(self.alice, GET)
        await self.may(self.alice, PUT)

    async def test_group(self) -> None:
        """Policies of a group are those of whoever is in it, and Ozone's lists know it; once he is out of it, they are not."""
        await self.do(create_group, "press")
        await self.do(attach_group_policy, "press", "readonly")
        await self.grant("group:press:w")
        await self.may_not(self.alice, GET, PUT)
        await self.do(add_user_to_group, "alice", "press")
        # What she puts is hers.
        put = evolve(PUT, target="/bucket/hers")
        await self.may(self.alice, GET, LIST, put)
        await self.may_not(self.alice, DELETE)
        await self.do(put_group_policy, "press", "no", policy("Deny", "s3:PutObject"))
        await self.may_not(self.alice, put)
        await self.do(remove_user_from_group, "alice", "press")
        await self.may_not(self.alice, GET, LIST, put)

    async def test_denied(self) -> None:
        """What a policy of his own denies, no owner and no administrator may, whatever else allows it."""
        for user in ("testuser", "boss"):
            who = await self.issue(user, "k")
            await self.may(who, GET, PUT)
            await self.do(put_user_policy, user, "no", policy("Deny", "s3:PutObject"))
            await self.do(attach_user_policy, user, "admin")
            await self.may(who, GET)
            await self.may_not(who, PUT)

    async def test_tagged(self) -> None:
        """Whoever is denied s3:TagResource makes no bucket with tags, and others none the less."""
        tags = b"<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>"
        document = policy("Deny", "s3:TagResource")
        await self.do(put_user_policy, "alice", "no", document)
        await self.may_not(self.alice, Asked("PUT", "/hers", {}, tags))
        await self.may(self.alice, Asked("PUT", "/hers", {}, b""))

    async def test_no_administrator(self) -> None:
        """Who is in a group of ozgate's that bears the name of one of administrators is none; ``admin`` makes nobody one either."""
        gateway = self.client.gateway
        settings = evolve(gateway.settings, administrator_groups=("wheel",))
        accounts = Accounts(
            gateway.run_in_thread,
            self.clock,
            lambda name: frozenset(),
            seconds=self.clock.seconds,
        )
        gateway.administrators = Administrators(settings, accounts, realm="X")
        await self.do(create_group, "wheel")
        await self.do(add_user_to_group, "alice", "wheel")
        await self.may_not(self.alice, GET, LIST, PUT, DELETE)

    async def test_own(self) -> None:
        """What is a user's own he may do with a row as he may without."""
        await self.may(self.alice, Asked("PUT", "/hers", {}, b""))
        own = [
            evolve(each, target=each.target.replace("/bucket", "/hers"))
            for each in (PUT, GET, LIST)
        ]
        for _ in range(2):
            await self.may(self.alice, *own)
            await self.do(disable_user, "alice", False)


class RefusedTests(IdentityTestCase):
    """Users and keys that are refused."""

    async def test_disabled(self) -> None:
        """A user who is disabled, or a key, is refused as a key that is nobody's, in each operation; others are not."""
        await self.do(attach_user_policy, "alice", "admin")
        further = await self.narrow("alice")
        for off, refused, taken in (
            (partial(self.do, disable_key, further), [further], [self.alice]),
            (partial(self.do, disable_user, "alice"), [self.alice, further], []),
        ):
            await off(True)
            for who in refused:
                for row in BUILT:
                    await self.check_refused(
                        self.request_for(row), who, "InvalidAccessKeyId"
                    )
            for who in (*taken, "testuser"):
                await self.may(who, GET)
            await off(False)
            for who in refused:
                await self.may(who, GET)

    async def test_removed(self) -> None:
        """A user who is removed is refused, and what he owns is there for the next of his name."""
        await self.may(self.alice, Asked("PUT", "/hers", {}, b""))
        await self.do(remove_user, "alice")
        await self.check_refused(LIST, self.alice, "InvalidAccessKeyId")
        again = await self.issue("alice", "again")
        await self.may(again, evolve(LIST, target="/hers?list-type=2"))

    async def test_meanwhile(self) -> None:
        """What ends while a large body comes stores nothing by it: a policy, a group, the user, the key."""
        blobs: Any = self.client.gateway.blobs.default
        create, then = blobs.create, []
        boss = self.client.as_user(await self.issue("boss"))

        def create_then(*arguments: Any) -> Any:
            for each in then:
                self.successResultOf(each())
            return create(*arguments)

        self.patch(blobs, "create", create_then)
        await self.do(create_group, "press")
        await self.do(attach_group_policy, "press", "writeonly")
        for undo, do, code in (
            (
                (attach_user_policy, "alice", "writeonly"),
                (disable_user, "alice", True),
                "InvalidAccessKeyId",
            ),
            (
                (disable_user, "alice", False),
                (detach_user_policy, "alice", "writeonly"),
                "AccessDenied",
            ),
            (
                (add_user_to_group, "alice", "press"),
                (remove_user_from_group, "alice", "press"),
                "AccessDenied",
            ),
            (
                (add_user_to_group, "alice", "press"),
                (put_group_policy, "press", "no", policy("Deny", "s3:*")),
                "AccessDenied",
            ),
        ):
            await self.do(*undo)
            then.clear()
            await self.may(self.alice, LARGE)
            self.clock.advance(5)
            before = await boss.request("GET", "/bucket/key")
            write = self.client.gateway.metadata.write
            then.append(partial(write, *do))
            self.assertEqual(await self.send(LARGE, self.alice), (403, code), do)
            then.clear()
            after = await boss.request("GET", "/bucket/key")
            for name in ("etag", "last-modified"):
                self.assertEqual(after.headers[name], before.headers[name], do)

    async def test_lost(self) -> None:
        """While a row is lost that another one names, nothing is done for whoever it is about, be it the owner; others are served."""
        owner = await self.issue("testuser", "k")
        await self.do(create_group, "press")
        await self.do(add_user_to_group, "testuser", "press")
        await self.may(owner, GET)
        await self.do(_lose_group, "press")
        before = self.holds()
        for asked in (GET, PUT, LIST):
            self.assertEqual(await self.send(asked, owner), (500, "InternalError"))
        self.assertEqual(self.holds(), before)
        await self.may(await self.issue("boss"), GET, PUT)


class NarrowedTests(IdentityTestCase):
    """Keys that may do less than their user."""

    async def test_bucket(self) -> None:
        """A key of a bucket does nothing in another of its owner's, nor does one of an administrator."""
        await self.may("testuser", Asked("PUT", "/another", {}, b""))
        for user in ("testuser", "boss"):
            who = await self.narrow(user, narrowed("bucket"))
            await self.may(who, GET, LIST, PUT)
            for row in BUILT:
                asked = self.request_for(row)
                if row.scope is Scope.SERVICE or row.copy_source:
                    continue
                if row.name == "DeleteObjects":
                    # It answers for each key.
                    continue
                target = asked.target.replace("/bucket", "/another").replace(
                    "/empty", "/another"
                )
                await self.may_not(who, evolve(asked, target=target))

    async def test_prefix(self) -> None:
        """A key of a prefix reads, writes and lists what begins so, and nothing else."""
        who = await self.narrow("testuser", narrowed("bucket", "mine/"))
        mine = [
            evolve(each, target=each.target.replace("/key", "/mine/k"))
            for each in (PUT, GET, DELETE)
        ]
        await self.may(who, *mine, evolve(LIST, target=f"{LIST.target}&prefix=mine/"))
        await self.may_not(who, GET, PUT, DELETE, LIST)
        await self.may_not(who, evolve(LIST, target=f"{LIST.target}&prefix=m"))
        copied = {"x-amz-copy-source": "/bucket/key"}
        await self.may_not(who, Asked("PUT", "/bucket/mine/k", copied, b""))

    async def test_read_write(self) -> None:
        """A key that reads changes nothing in any operation; one that writes gets no object and no listing."""
        reads = await self.narrow("testuser", narrowed(read=True))
        writes = await self.narrow("testuser", narrowed(write=True))
        await self.may(reads, GET, LIST)
        await self.may(writes, PUT, DELETE)
        await self.may_not(writes, GET, LIST)
        for row in BUILT:
            if row.method in ("PUT", "DELETE") or row.body is Body.STREAM:
                await self.may_not(reads, self.request_for(row))

    async def test_grants_nothing(self) -> None:
        """What narrows a key gives its user nothing; several documents have to allow, each."""
        wide = await self.narrow("alice", policy("Allow", "s3:*"))
        await self.may_not(wide, GET, PUT)
        both = await self.narrow("testuser", narrowed("bucket"), narrowed(read=True))
        await self.may(both, GET)
        await self.may_not(both, PUT)

    async def test_ends(self) -> None:
        """A key that is to end ends, and is narrowed until then."""
        who = await self.narrow("testuser", narrowed(read=True))
        await self.do(expire_key, who, 60.0)
        await self.may(who, GET)
        self.clock.advance(60)
        await self.check_refused(GET, who, "InvalidAccessKeyId")


def _lose_group(tx: IMetadataTransaction, name: str) -> None:
    tx.claim(Claim.group(name))
    tx.remove_group(name)

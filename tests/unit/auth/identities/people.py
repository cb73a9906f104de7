"""What tests of users, groups, policies and keys stand on: metadata in memory, and secrets in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.identities.users import attach_user_policy
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import Grants
from tests.unit.auth.signed import presented

DOCUMENT = '{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
START = 1_000.0


class PeopleTestCase(SynchronousTestCase):
    """A store in memory with a user ``alice``, who has a key and no row."""

    def setUp(self) -> None:
        """Open the store, and make the key."""
        self.clock = Clock()
        self.clock.advance(START)
        self.metadata = MemoryMetadataStore(self.clock)
        self.successResultOf(self.metadata.open())
        self.secrets = MetadataSecretStore(self.metadata, MasterKey(b"k" * 32))
        self.keys: dict[str, str] = {}
        self.issue("alice")

    def issue(self, user: str, key: str | None = "", **members: Any) -> str:
        """Make a key; its access id."""
        made = self.secrets.issue(user, key, **members)
        access_id, secret = self.successResultOf(made)
        self.keys[access_id] = secret
        return access_id

    def do(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """What an interaction gives that writes."""
        return self.successResultOf(self.metadata.write(interaction, *args))

    def refused(
        self, error: type[Exception], interaction: Callable[..., Any], *args: Any
    ) -> str:
        """How an interaction is refused; nothing is changed."""
        before = self.metadata._state.copy()
        found = self.failureResultOf(self.metadata.write(interaction, *args), error)
        self.assertEqual(self.metadata._state, before)
        return str(found.value)

    def look(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """What an interaction gives that reads."""
        return self.successResultOf(self.metadata.read(interaction, *args))

    def grants(self, access_id: str) -> Grants:
        """What is granted to whoever signs with a key."""
        sent = presented(access_id, self.keys[access_id])
        signatory = self.successResultOf(self.secrets.verify(sent))
        assert signatory is not None
        return signatory.grants

    def fails(self, error: type[Exception], access_id: str) -> None:
        """Make sure that a key opens nothing."""
        sent = presented(access_id, self.keys[access_id])
        self.failureResultOf(self.secrets.verify(sent), error)

    def manage(self, user: str = "alice") -> None:
        """Have a user have a row."""
        self.do(attach_user_policy, user, "readonly")

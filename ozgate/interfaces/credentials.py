"""What a provider of secrets promises, and whoever verifies what is signed with them."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..values import Presented, Secret, Signatory, Standing

__all__ = ["ISecretStore", "IVerifier"]


class IVerifier(Interface):
    """Tells whose a signature is, and gives no secret away: it need not even have it.

    What is signed is for whoever got the request to put together, and to believe or not: method, address, headers, digests, dates.
    """

    def verify(presented: Presented) -> Deferred[Signatory | None]:
        """Find out who signed.

        Nothing of the answer is kept for longer than revocation allows: not at all. It is asked again when a body is here that was large or took its time.

        :return: fires with ``None`` when the signature is another's; fails with ``Absent`` when nobody has the access id, or
            its secret has expired. Signatures are compared in constant time. Where a token comes that is of no session of this access id, fails with
            ``InvalidToken`` although the signature is right, for one that were ignored would narrow nothing down; where the session is over, with ``ExpiredToken``.
        """


class ISecretStore(Interface):
    """Secrets of access ids, sealed at rest. One that was issued is never shown again."""

    def issue(
        user: str,
        key: str | None = "",
        ttl: float | None = None,
        limits: tuple[str, ...] = (),
        description: str = "",
        created_by: str = "",
        is_known: bool = False,
    ) -> Deferred[tuple[str, str]]:
        """Make and keep a new secret, 64 hex digits.

        The members that are not said here are those of :class:`~ozgate.values.Secret`.

        :param key: names a further key of the user; the first one has none. ``None``: its access id says nothing of the user.
        :param ttl: seconds after which the secret is refused; ``None``: never.
        :param is_known: whether the user has to be there: fails with ``NoSuchEntity`` where he is not.
        :return: fires with the access id (``user``, ``user~key``, or 20 letters and digits) and the secret; fails with
            ``Conflict`` when that access id has one.
        """

    def rotate(
        access_id: str, expire_old: float | None, created_by: str = ""
    ) -> Deferred[tuple[str, str]]:
        """Make and keep a new secret beside one that is there, for the same user and as narrow.

        :param expire_old: seconds after which the old one is refused, if it is not before that; ``None``: it stays as it is.
        :return: as :meth:`issue`; the new access id says nothing of the user. Fails with ``Absent`` when the old one is not good,
            with ``Conflict`` when it is not for this store to change.
        """

    def set(access_id: str, secret: str) -> Deferred[None]:
        """Keep a given secret instead of the one there is.

        :return: fires when that is durable; fails with ``Absent`` when there is none, with ``Conflict`` when it is not for this
            store to change.
        """

    def revoke(access_id: str) -> Deferred[None]:
        """Remove a secret: it is good for nothing from then on.

        :return: fires when that is durable; fails as :meth:`set`.
        """

    def standing(access_id: str) -> Deferred[Standing]:
        """Find out what an access id is by now.

        :return: fails with ``Absent`` when nobody has it, or its secret has expired or opens nothing.
        """

    def standing_by(user: str, policies: Sequence[str]) -> Deferred[Standing]:
        """Find out what a user is by now whom others vouch for, so that he needs no secret.

        :param policies: names of policies that are granted to him, and may deny him something.
        :return: fails with ``Absent`` when he has a row that is disabled, or one of the policies is not there.
        """

    def listed(after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """A page of what is there, expired secrets included; none of the secrets themselves.

        :param after: only access ids after this one.
        :return: fires with at most ``limit`` of them in the order of access ids; ``sealed`` of each is empty.
        """

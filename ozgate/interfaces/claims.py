"""How a transaction claims what it decides about, so that no other decides about the same meanwhile."""

from __future__ import annotations

from zope.interface import Attribute, Interface

from ..values import Claim

__all__ = ["IClaims"]


class IClaims(Interface):
    """Claims: the locks of a store that runs several transactions at once.

    **Whoever changes a row has claimed it**, in the same transaction, before it reads what it decides on:

    ======================================================= ===================================================
    changed                                                 claimed
    ======================================================= ===================================================
    ``add_version``, ``replace_version``, ``remove_version`` the bucket, shared; the key
    the rows of an upload and its parts                     the bucket, shared; the upload
    ``add_version``, ``put_part``, where a quota is set     besides: the usage of the bucket, that of the volume
    ``replace_bucket``, ``set_configuration``,              the bucket
    ``remove_bucket``
    ``add_bucket``                                          the volume, shared; the name; the usage of the volume where it
                                                            has a quota of names
    the rows of volumes                                     the volume
    ``lease``                                               the lease
    ``release``, ``forget_doomed``, ``forget_events``,      the lease under which that is done
    ``move_blob``, and repairs: ``mend_row``,
    ``correct_usage``
    secrets, named values                                   the secret, the named value; besides, shared: the user, where a secret is
                                                            made, so that he is what he was
    users, groups, policies                                 the one that it is; besides, shared: those that it comes to name
    ``doom``, ``next_sequence``, ``note_event``             nothing: what is added there depends on no other row
    ``end_leases``, ``put_process``, ``remove_process``     nothing: a process stores itself, and is removed when it is dead
    ======================================================= ===================================================

    A claim of a bucket that is not shared covers all that is in it, and one of a volume covers its usage. A bucket that was made in the transaction
    is its own. Whoever changes what is in a bucket shares its volume too, so that quotas stay what they are. Keys, uploads and usage are claimed by
    who has claimed their bucket, be it shared: else who has it alone would not have all of it.

    A store with one writer has nothing to do. A server database takes a claim as a lock that ends with the transaction, such as an advisory one of
    PostgreSQL, and must read anew once it has it (there: READ COMMITTED; a snapshot of the whole transaction would be older than its locks).
    """

    is_alone = Attribute(
        "Whether nobody else writes while this transaction does, so that it holds all there is, and no claim need be made: a ``bool``."
    )

    def claim(*claims: Claim) -> bool:
        """Hold these until the transaction ends, waiting for those who hold them now.

        Those of one call are taken together, in their order; where one is given twice, what is not shared counts. What is held already
        is passed over.

        What is held shared cannot be had for oneself later, and a later call adds only what comes, in the order of claims, after all that is held:
        else two transactions could wait for each other for ever. The provider in memory refuses it; others may, or roll the
        interaction back and run it anew.

        :return: whether what was read before may be out of date, so that what the interaction decides on has to be read again.
            Never true where there is one writer. See :func:`ozgate.secondlook.claimed`.
        """

"""A realm of Kerberos for a cluster of Ozone."""

from __future__ import annotations

from pathlib import Path

from tests.engines.sitefiles import PRINCIPALS
from tests.kdc import Kdc

PEOPLE = ("root", "alice", "bob")
"""Who has a key in the keytab besides the daemons; ``root`` administers the cluster."""


def of_ozone(folder: Path) -> Kdc:
    """A running KDC, with a ``keytab`` of the daemons and of :data:`PEOPLE` beside its ``krb5.conf``.

    :param folder: to make.
    """
    folder.mkdir(parents=True)
    kdc = Kdc(str(folder))
    kdc.start()
    try:
        names = (*PRINCIPALS, *PEOPLE)
        kdc.keytab("keytab", *(f"{name}@{kdc.realm}" for name in names))
    except BaseException:
        kdc.stop()
        raise
    return kdc

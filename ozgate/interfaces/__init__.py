"""Every interface of ozgate: what a provider of metadata, bytes or secrets promises.

A provider can be written from this package alone; its contract suite is in
:mod:`ozgate.testing`. Imports values only. All methods are called in the reactor's
thread and return at once, unless a docstring says otherwise; Deferreds fire in the
reactor's thread. Errors of stores are those of :mod:`ozgate.errors`:
``Unavailable`` (surely not done), ``Uncertain`` (outcome unknown), ``NoSpace``, ``Absent``, ``Refused``.
"""

from __future__ import annotations

from .blobs import (
    IBlobSink,
    IBlobStore,
    IByteSource,
    IFiles,
    IOpenedAhead,
    ISyncsTogether,
)
from .claims import IClaims
from .credentials import ISecretStore, IVerifier
from .diagnosis import IDiagnosed
from .foreign import (
    IForeignBucket,
    IForeignCommands,
    IForeignReading,
    IForeignSink,
    IForeignSystem,
)
from .identities import IIdentities, ISecretRows
from .metadata import (
    IInspected,
    IMeasured,
    IMetadataStore,
    IMetadataTransaction,
    IShared,
    IWritesForOthers,
)
from .providers import IProviderMaker
from .rows import (
    IBlobNames,
    IBuckets,
    IEvents,
    IOrder,
    IRepairs,
    IUploads,
    IVersions,
)
from .shared import ILeases, IProcesses, ISettings

__all__ = [
    "IBlobNames",
    "IBlobSink",
    "IBlobStore",
    "IBuckets",
    "IByteSource",
    "IClaims",
    "IDiagnosed",
    "IEvents",
    "IFiles",
    "IForeignBucket",
    "IForeignCommands",
    "IForeignReading",
    "IForeignSink",
    "IForeignSystem",
    "IIdentities",
    "IInspected",
    "ILeases",
    "IMeasured",
    "IMetadataStore",
    "IMetadataTransaction",
    "IOpenedAhead",
    "IOrder",
    "IProcesses",
    "IProviderMaker",
    "IRepairs",
    "ISecretRows",
    "ISecretStore",
    "ISettings",
    "IShared",
    "ISyncsTogether",
    "IUploads",
    "IVerifier",
    "IVersions",
    "IWritesForOthers",
]

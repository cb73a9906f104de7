"""Whether the metadata and the blob stores that are configured belong together.

Where they do not, the service does not start: the sweep would remove every blob of a store whose names are elsewhere, what
is in a store that is not configured cannot be read, and what is on a disk that is not mounted would look lost.
"""

from __future__ import annotations

import os

from twisted.logger import Logger

from ..blobs.files.folders import NAME
from ..config.parsers import store_and_url
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..content.storenames import (
    Known,
    known_stores,
    note_configured,
    with_configured,
)
from ..content.stores import BlobStores
from ..errors import NoSpace
from ..interfaces import IBlobStore, IFiles, IMetadataStore

_log = Logger()

_EVER = 1 << 47
"""A time, in milliseconds, before which everything was made."""


async def check_belonging(
    metadata: IMetadataStore, blobs: BlobStores, settings: Settings
) -> None:
    """Check that they do, and have the metadata know the store that new blobs go to, and which ones there are. All are open.

    :param settings: those that the stores were made by.
    :raises ConfigurationError: they do not.
    """
    # Where gateways start at a time, the second to note its stores looks again.
    while not await _belong(metadata, blobs, settings):
        pass


async def _belong(
    metadata: IMetadataStore, blobs: BlobStores, settings: Settings
) -> bool:
    """Check once, and note the stores; whether nobody else did so meanwhile.

    :raises ConfigurationError: as :func:`check_belonging`.
    """
    known: Known = await metadata.read(known_stores)
    for text in (settings.blob_provider, *settings.more_blob_providers):
        await _check_store(text, known, blobs, settings)
    for name in sorted(name for name, store in known.items() if store.is_needed):
        if name not in blobs.names:
            raise ConfigurationError(
                f"{settings.metadata_provider} has names of bytes in the blob store {name!r}, which is not configured: "
                f"say where it is in ozgate.blobs.more, as {name}=URL"
            )
    default = blobs.default.name
    identities = {store.name: store.identity for store in blobs}
    if with_configured(known, default, identities) == known:
        return True
    try:
        return await metadata.write(note_configured, default, identities, known)
    except NoSpace as error:
        if default not in known or not known[default].is_needed:
            # Bytes could go there once there is room, and the next start would not know of them.
            raise ConfigurationError(
                f"{settings.metadata_provider} cannot keep that new bytes go to {default!r} from now on ({error}): "
                "make room on its disk first"
            ) from None
        _log.warn("{error}", error=error)
        return True


async def _check_store(
    text: str, known: Known, blobs: BlobStores, settings: Settings
) -> None:
    """Refuse a store that is not the one of its name.

    :param text: as it is configured.
    """
    name, _ = store_and_url(text)
    store = blobs.named(name)
    if name in known and not known[name].is_another(store.identity):
        return
    if name in known and known[name].is_needed:
        raise ConfigurationError(_another(text, store, known[name].identity))
    if await store.list(_EVER):
        raise ConfigurationError(
            f"{text} in {settings.data} holds bytes that {settings.metadata_provider} knows nothing of: "
            "set ozgate.metadata to what was used with them, or give the blob store an empty folder"
        )


def _another(text: str, store: IBlobStore, identity: str) -> str:
    """What is said of a store that is not the one that it was."""
    said = f"{text} is not the blob store {store.name!r} that rows name: "
    if not IFiles.providedBy(store):
        return said + "say where that is"
    path = os.path.join(IFiles(store).folder, NAME)
    return (
        f"{said}mount its disk, or say where its folder is now; where it is lost for good, write "
        f"'{store.name} {identity}' into {path}, and 'ozgate admin fsck' says what is gone"
    )

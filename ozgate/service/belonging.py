"""Whether the metadata and the blob stores that are configured belong together.

Where they do not, the service does not start: the sweep would remove every blob of a store whose names are elsewhere, and what
is in a store that is not configured cannot be read.
"""

from __future__ import annotations

from twisted.logger import Logger

from ..config.parsers import store_and_url
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..content.storenames import known_stores, note_store
from ..content.stores import BlobStores
from ..errors import NoSpace
from ..interfaces import IMetadataStore
from ..values import FIRST_STORE

_log = Logger()

_EVER = 1 << 47
"""A time, in milliseconds, before which everything was made."""


async def check_belonging(
    metadata: IMetadataStore, blobs: BlobStores, settings: Settings
) -> None:
    """Check that they do, and have the metadata know the store that new blobs go to. Both are open.

    :param settings: those that the stores were made by.
    :raises ConfigurationError: they do not.
    """
    known = await metadata.read(known_stores)
    for text in (settings.blob_provider, *settings.more_blob_providers):
        name, _ = store_and_url(text)
        if name not in known and await blobs.named(name).list(_EVER):
            raise ConfigurationError(
                f"{text} in {settings.data} holds bytes that {settings.metadata_provider} knows nothing of: "
                "set ozgate.metadata to what was used with them, or give the blob store an empty folder"
            )
    for name in sorted(name for name, is_needed in known.items() if is_needed):
        if name in blobs.names:
            continue
        raise ConfigurationError(
            f"{settings.metadata_provider} has names of bytes in the blob store {name!r}, which is not configured: "
            f"say where it is in ozgate.blobs.more, as {name}=URL"
        )
    name = blobs.default.name
    if not known.get(name) and (known or name != FIRST_STORE):
        try:
            await metadata.write(note_store, name)
        except NoSpace as error:
            # Nor will there be room for the rows of what could go there.
            _log.warn("{error}", error=error)

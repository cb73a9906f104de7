"""Providers of :class:`~ozgate.interfaces.IMetadataStore`."""

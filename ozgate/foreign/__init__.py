"""Systems whose volumes and buckets are shown as they are there: providers of :class:`~ozgate.interfaces.IForeignSystem`."""

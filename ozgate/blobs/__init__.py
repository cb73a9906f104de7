"""Providers of :class:`~ozgate.interfaces.IBlobStore`, and the reaper."""

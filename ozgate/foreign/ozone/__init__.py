"""Clusters of Apache Ozone, by Ozone's own Java client in this process.

:mod:`~ozgate.foreign.ozone.system` is what the service sees. It asks by :mod:`~ozgate.foreign.ozone.calls`, in threads of their own, whatever
:mod:`~ozgate.foreign.ozone.client` has made in the JVM that :mod:`~ozgate.foreign.ozone.jvm` started. Without a JVM, and without JPype,
all of them can be imported.
"""

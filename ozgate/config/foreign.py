"""Keys of Ozone that mean nothing here, so that one ``ozone-site.xml`` can serve both.

Source: Ozone's S3 gateway at master 78d5650c313f and its ``ozone-default.xml``. Data only.
"""

from __future__ import annotations

WITHOUT_EFFECT = frozenset(
    """
    ozone.s3g.webadmin.https-address
    ozone.s3g.webadmin.https-bind-host
    ozone.s3g.default.bucket.layout
    ozone.s3g.fso.directory.creation
    ozone.s3g.list-keys.shallow.enabled
    ozone.s3g.client.buffer.size
    ozone.s3g.metrics.percentiles.intervals.seconds
    ozone.s3g.sts.http.enabled
    ozone.s3g.sts.http-address
    ozone.s3g.sts.https-address
    ozone.om.open.key.expire.threshold
    """.split()
)
"""Keys of the namespaces that :mod:`ozgate.config.loading` is strict about, which Ozone's gateway has."""

OTHER_SERVICES = (
    "ozone.",
    "hdds.",
    "hadoop.",
    "dfs.",
    "fs.",
    "ipc.",
    "io.",
    "net.",
    "rpc.",
    "ratis.",
    "ranger.",
    "ssl.",
)
"""How the keys of Ozone's other services, and of Hadoop below them, begin."""

"""The metrics, in Prometheus' form: what the tally counted, and what is asked of the stores when they are read.

prometheus_client is imported when the first reader comes, so that nobody else pays for it.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from hmac import compare_digest
from itertools import accumulate
from math import nan
from typing import TYPE_CHECKING, Any

from klein import Klein

import twisted

from ... import __version__
from ...errors import StoreError
from ...gateway.report import Reports, total
from ...gateway.tally import Spread, Tally
from ...immutable import frozen
from ...interfaces import IMeasured, IMetadataStore, IMetadataTransaction
from ...values import Volume
from ...wire.request import GatewayRequest
from ..answers import answer
from ..context import AdminContext
from ..errors import AdminError
from .page import add_page, for_administrators

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from ...gateway.gateway import Gateway

MOST = 1000
"""Volumes that are shown at most: each is a series of its own."""


@frozen
class Snapshot:
    """What the stores said.

    :ivar volumes: with what they hold.
    :ivar sizes: bytes of the metadata store, by what for.
    :ivar disk: (free, all) bytes of the file system of the data; NaN where it does not say.
    """

    volumes: Iterable[Volume]
    sizes: Mapping[str, int]
    disk: tuple[float, float]


PATHS = ("/metrics", "/prom")
"""The usual one, and Ozone's."""


class Metrics:
    """The metrics of a service.

    :param connections: tells how many connections of S3 clients are open.
    :param workers: what the workers of the service have to tell; ``None`` where it has none.
    """

    def __init__(
        self,
        gateway: Gateway,
        connections: Callable[[], int],
        workers: Callable[[], Awaitable[Reports]] | None = None,
    ) -> None:
        self._gateway = gateway
        self._connections = connections
        self._workers = workers
        self._reports: Reports | None = None
        self._snapshot = Snapshot((), {}, (0, 0))
        self._registry: Any = None

    async def render(self, accept: str) -> tuple[str, bytes]:
        """All of them, as text.

        :param accept: the Accept header of who asks.
        :return: its content type, and the text.
        """
        from prometheus_client import CollectorRegistry, ProcessCollector
        from prometheus_client.exposition import choose_encoder

        gateway = self._gateway
        if self._workers is not None:
            self._reports = await self._workers()
        try:
            volumes = await gateway.metadata.read(_volumes)
        except StoreError:
            # The other metrics say more about why than none would.
            volumes = ()
        self._snapshot = Snapshot(
            volumes,
            _sizes(gateway.metadata),
            _disk(gateway.settings.data),
        )
        if self._registry is None:
            self._registry = CollectorRegistry()
            ProcessCollector(registry=self._registry)
            self._registry.register(self)
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)

    def describe(self) -> Iterable[Metric]:
        """No names are reserved; prometheus_client asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric but those of the process."""
        tally, turns = self._gateway.tally, self._gateway.turns
        hashing, waiting = turns.in_flight, turns.waiting
        reports = self._reports
        if reports is not None:
            tally = total(tally, reports)
            hashing += sum(each.hashing for each in reports.each.values())
            waiting += sum(each.waiting for each in reports.each.values())
            yield from _each_worker(reports)
        yield _gauges(
            "ozgate_build_info",
            "Always 1; the labels say what runs.",
            ("version", "python", "twisted"),
            {(__version__, platform.python_version(), twisted.__version__): 1},
        )
        yield from _requests(tally)
        yield _gauge(
            "ozgate_requests_in_flight", "Requests being answered.", tally.in_flight
        )
        yield _gauge(
            "ozgate_connections", "Open connections of S3 clients.", self._connections()
        )
        yield _gauge(
            "ozgate_hashing",
            "Requests that stored bytes are hashed for.",
            hashing,
        )
        yield _gauge("ozgate_hashing_waiting", "Requests that wait for that.", waiting)
        yield _spread(
            "ozgate_commit_interactions",
            "Writes in one commit of the metadata store.",
            (),
            {(): tally.commits},
        )
        yield _spread(
            "ozgate_sync_blobs",
            "Blobs whose names one sync of a folder made durable.",
            (),
            {(): tally.syncs},
        )
        yield from _stores(self._snapshot)


def add_metrics(app: Klein, context: AdminContext, metrics: Metrics) -> None:
    """Add the page of the metrics to an app, for administrators and who knows the token."""

    async def show(request: GatewayRequest) -> bytes:
        accept = (request.getHeader(b"accept") or b"").decode("latin-1")
        content_type, text = await metrics.render(accept)
        return answer(request, 200, text, content_type)

    guarded = for_administrators(context, show)

    async def page(request: GatewayRequest) -> bytes:
        settings = context.settings
        if not settings.prometheus_enabled:
            raise AdminError(
                "NOT_FOUND", "hdds.prometheus.endpoint.enabled is false", 404
            )
        if _has_token(request, settings.prometheus_token):
            return await show(request)
        return await guarded(request)

    add_page(app, PATHS, page)


def _has_token(request: GatewayRequest, token: str) -> bool:
    """Whether a request bears the token of Ozone's ``hdds.prometheus.endpoint.token``."""
    scheme, _, sent = (request.getHeader(b"authorization") or b"").partition(b" ")
    return bool(
        token
        and scheme.lower() == b"bearer"
        and compare_digest(sent.strip(), token.encode())
    )


def _requests(tally: Tally) -> Iterator[Metric]:
    operations = tally.operations
    by_operation = ("operation",)
    yield _counter(
        "ozgate_requests",
        "Requests that are over; the status 499 is that of clients who went before the answer.",
        ("operation", "status"),
        {
            (name, str(status)): count
            for name, traffic in operations.items()
            for status, count in traffic.statuses.items()
        },
    )
    yield _spread(
        "ozgate_request_seconds",
        "Seconds from a request's head to its answer's end.",
        by_operation,
        {(name,): traffic.seconds for name, traffic in operations.items()},
    )
    yield _counter(
        "ozgate_received_bytes",
        "Bytes of the bodies of requests, as they were on the wire.",
        by_operation,
        {(name,): traffic.received for name, traffic in operations.items()},
    )
    yield _counter(
        "ozgate_sent_bytes",
        "Bytes of the bodies of answers.",
        by_operation,
        {(name,): traffic.sent for name, traffic in operations.items()},
    )
    yield _counter(
        "ozgate_errors",
        "Requests that failed, by S3's code; ClientGone for clients who went before the answer.",
        ("code",),
        {(code,): count for code, count in tally.errors.items()},
    )
    yield _counter(
        "ozgate_refused",
        "Connections and requests that were one too many, by the last word of the limit's key.",
        ("limit",),
        {(limit,): count for limit, count in tally.refused.items()},
    )
    yield _counter(
        "ozgate_damaged",
        "What did not read well, when somebody asked for it or a scrub came by.",
        ("kind",),
        {(kind,): count for kind, count in tally.damaged.items()},
    )


def _each_worker(reports: Reports) -> Iterator[Metric]:
    by_worker = ("worker",)
    every = {(str(number),): each for number, each in reports.each.items()}
    yield _counter(
        "ozgate_worker_starts",
        "Processes that were started as workers.",
        (),
        {(): reports.starts},
    )
    yield _gauges(
        "ozgate_worker_connections",
        "Open connections of S3 clients of each worker.",
        by_worker,
        {(str(number),): count for number, count in reports.connections.items()},
    )
    yield _counter(
        "ozgate_worker_cpu_seconds",
        "Seconds of processors that each worker has used.",
        by_worker,
        {labels: each.cpu for labels, each in every.items()},
    )
    yield _gauges(
        "ozgate_worker_resident_memory_bytes",
        "Bytes of memory that each worker has.",
        by_worker,
        {labels: each.resident for labels, each in every.items()},
    )


def _stores(found: Snapshot) -> Iterator[Metric]:
    yield _gauges(
        "ozgate_metadata_bytes",
        "Bytes of the metadata store, by what for.",
        ("part",),
        {(part,): size for part, size in found.sizes.items()},
    )
    free, whole = found.disk
    yield _gauge("ozgate_disk_free_bytes", "Bytes free where the data folder is.", free)
    yield _gauge("ozgate_disk_size_bytes", "Bytes there, free or not.", whole)
    by_volume = ("volume",)
    yield _gauges(
        "ozgate_volume_used_bytes",
        "Bytes stored in a volume's buckets, every version and uploaded part counted.",
        by_volume,
        {(each.name,): each.used_bytes for each in found.volumes},
    )
    yield _gauges(
        "ozgate_volume_buckets",
        "Buckets and links in a volume.",
        by_volume,
        {(each.name,): each.used_names for each in found.volumes},
    )


Labels = tuple[str, ...]


def _gauge(name: str, text: str, value: float) -> Metric:
    return _gauges(name, text, (), {(): value})


def _gauges(
    name: str, text: str, labels: Labels, values: Mapping[Labels, float]
) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _counter(
    name: str, text: str, labels: Labels, values: Mapping[Labels, float]
) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _spread(
    name: str, text: str, labels: Labels, values: Mapping[Labels, Spread]
) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, text, labels=labels)
    for label, spread in values.items():
        bounds = [*map(str, spread.bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(spread.counts), strict=True))
        family.add_metric(label, buckets, sum_value=spread.total)
    return family


def _volumes(tx: IMetadataTransaction) -> Iterable[Volume]:
    """The first volumes, with what they use; an interaction."""
    found: Iterable[Volume] = tx.volumes("", "", MOST)
    return found


def _sizes(metadata: IMetadataStore) -> Mapping[str, int]:
    if not IMeasured.providedBy(metadata):
        return {}
    measured: IMeasured = IMeasured(metadata)
    return measured.sizes()


def _disk(folder: str) -> tuple[float, float]:
    try:
        found = os.statvfs(folder)
    except OSError:
        # The other metrics are worth having all the same.
        return nan, nan
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

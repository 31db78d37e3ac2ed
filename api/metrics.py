"""What Prometheus may know: requests by route and status, how long they took, tiles and their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from api.cache import TileCache

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@dataclass(frozen=True)
class _Watched(Collector):
    cache: TileCache
    live: Sized

    def collect(self) -> Iterator[Metric]:
        """The meters as they are now."""
        cache = self.cache
        yield CounterMetricFamily("chengtu_tile_cache_hits", "Tiles sent at once, out of memory or archive", cache.hits)
        yield CounterMetricFamily("chengtu_tile_cache_dropped", "Tiles in memory that a change touched", cache.dropped)
        yield GaugeMetricFamily("chengtu_tile_cache_entries", "Tiles in memory", len(cache))
        yield GaugeMetricFamily("chengtu_tile_cache_bytes", "Bytes of the tiles in memory", cache.bytes)
        yield GaugeMetricFamily("chengtu_live_streams", "Open live streams", len(self.live))


@dataclass(frozen=True)
class Metrics:
    """The meters of one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        labels = ["route", "method", "status"]
        meters = {
            "requests": Counter("chengtu_requests_total", "HTTP requests", labels, registry=self.registry),
            "seconds": Histogram(
                "chengtu_request_seconds", "Time to answer", ["route"], buckets=_BUCKETS, registry=self.registry
            ),
            "tile_bytes": Counter("chengtu_tile_bytes_total", "Bytes of tiles before encoding", registry=self.registry),
            "busy": Counter("chengtu_busy_total", "Answers 503 for want of a connection", registry=self.registry),
            "records": Gauge("chengtu_layer_records", "Records in a layer", ["layer"], registry=self.registry),
        }
        for name, meter in meters.items():
            object.__setattr__(self, name, meter)

    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    tile_bytes: Counter = field(init=False)
    busy: Counter = field(init=False)
    records: Gauge = field(init=False)

    def watch(self, cache: TileCache, live: Sized) -> None:
        """Read the tiles in memory and the open streams when Prometheus asks: counting them costs a hit nothing."""
        self.registry.register(_Watched(cache, live))

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)

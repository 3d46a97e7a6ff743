"""The metrics: one table of names, a file a subject; one snapshot of the counters a scrape."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from sensor.metrics import alerts, capture, evidence, flows, history, hosts, mirror, process, ring
from sensor.metrics.definition import Definition, Scrape

__all__ = ["DEFINITIONS", "Scrape", "SensorCollector", "registry_of"]

DEFINITIONS: tuple[Definition, ...] = tuple(
    definition
    for subject in (capture, mirror, ring, evidence, flows, hosts, alerts, history, process)
    for definition in subject.DEFINITIONS
)


class SensorCollector(Collector):
    """Turns one snapshot into all metrics, so that the accounts close within a scrape."""

    def __init__(self, take_scrape: Callable[[], Scrape]) -> None:
        self._take_scrape = take_scrape

    def collect(self) -> Iterator[Metric]:
        """Take the snapshot and give the families."""
        scrape = self._take_scrape()
        for definition in DEFINITIONS:
            kind = CounterMetricFamily if definition.kind == "counter" else GaugeMetricFamily
            family = kind(definition.name, definition.help, labels=definition.labels)
            for labels, value in definition.samples(scrape):
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterator[Metric]:
        """Give no names: registering must not take a snapshot."""
        yield from ()


def registry_of(take_scrape: Callable[[], Scrape]) -> CollectorRegistry:
    """Make a registry with the sensor's metrics and those of its process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SensorCollector(take_scrape))
    ProcessCollector(registry=registry)
    return registry

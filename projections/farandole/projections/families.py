"""Metrics for Prometheus that are made when somebody asks, from plain numbers: all named and labelled in one way."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

PREFIX: Final = "farandole_"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the histograms, in seconds."""


class Histogram:
    """Counts of durations by `BUCKETS`; the last count is of all that were longer."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


Values = Iterable[tuple[Sequence[str], float]]
"""Numbers, each with the values of its own labels."""


class Families:
    """Makes metrics that carry these labels.

    Args:
        labels: the same for all, as the choreography.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._names = tuple(labels)
        self._values = tuple(labels.values())

    def counter(self, name: str, meaning: str, values: Values | float, *by: str) -> Metric:
        """Something that only grows. ``_total`` is added to its name."""
        return self._filled(CounterMetricFamily(PREFIX + name, meaning, labels=[*self._names, *by]), values)

    def gauge(self, name: str, meaning: str, values: Values | float, *by: str) -> Metric:
        """Something as it is now."""
        return self._filled(GaugeMetricFamily(PREFIX + name, meaning, labels=[*self._names, *by]), values)

    def histogram(self, name: str, meaning: str, values: Iterable[tuple[Sequence[str], Histogram]], *by: str) -> Metric:
        """Durations."""
        family = HistogramMetricFamily(PREFIX + name, meaning, labels=[*self._names, *by])
        for own, histogram in values:
            family.add_metric([*self._values, *own], *_buckets(histogram))
        return family

    def build(self) -> Metric:
        """Which release this is."""
        return InfoMetricFamily(PREFIX + "build", "This release.", {"version": _release()})

    def _filled(self, family: CounterMetricFamily | GaugeMetricFamily, values: Values | float) -> Metric:
        for own, value in [((), values)] if isinstance(values, (int, float)) else values:
            family.add_metric([*self._values, *own], value)
        return family


def _release() -> str:
    try:
        return version("farandole")
    except PackageNotFoundError:
        return "unknown"


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), tuple(histogram.counts), strict=True):
        total += count
        buckets.append((bound, total))
    return buckets, histogram.total

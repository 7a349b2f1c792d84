"""The event store on Apache Kafka: the log that production uses."""

from farandole.eventstore.finding import Finding

from .diagnose import diagnose
from .ownership import KafkaOwnership
from .settings import KafkaSettings, read_settings
from .stats import Stats
from .store import KafkaStore, open_kafka

__all__ = [
    "Finding",
    "KafkaOwnership",
    "KafkaSettings",
    "KafkaStore",
    "Stats",
    "diagnose",
    "open_kafka",
    "read_settings",
]

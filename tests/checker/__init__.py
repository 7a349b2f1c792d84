"""Checks the log of a Farandole choreography, by `docs/protocol.md` and nothing else.

Nothing here imports the framework: a Kafka client, an Avro decoder and the standard library read the topic, fold it by
the page, and hold the promises against what is there. Run it as ``python -m checker --bootstrap host:port
--choreography orders [--json]`` with ``tests/`` on the path; it ends with 1 if a promise is broken.
"""

from .catalogue import Catalogue
from .examine import Examination, examine
from .fold import Fold
from .kafka import Topics
from .record import Raw
from .report import Report
from .verdict import Verdict

__all__ = ["Catalogue", "Examination", "Fold", "Raw", "Report", "Topics", "Verdict", "examine"]

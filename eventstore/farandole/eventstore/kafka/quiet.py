"""The client's own log lines, kept down: it logs each retry as a warning or an error, and most of them pass.

What matters is logged here once, as ``farandole.eventstore.kafka``, and raised. Set the level of the logger
``aiokafka`` to see the client's lines.
"""

import logging
from typing import Final

log: Final = logging.getLogger("farandole.eventstore.kafka")


def quieten() -> None:
    """Silence the client's loggers, unless somebody has set their level."""
    noisy = logging.getLogger("aiokafka")
    if noisy.level == logging.NOTSET:
        noisy.setLevel(logging.CRITICAL + 1)

"""The client's own log lines, kept down: it logs each retry as a warning or an error, and most of them pass.

What matters is logged here once, as ``farandole.eventstore.kafka``, and raised. Set the level of the logger
``aiokafka`` to see the client's lines.
"""

import logging
from typing import Final

_LOGIN: Final = "sasl_auth_bytes="
log: Final = logging.getLogger("farandole.eventstore.kafka")


def _without_logins(line: logging.LogRecord) -> bool:
    """Take what was sent to log in out of a line: with the mechanism PLAIN that is the password itself."""
    if _LOGIN in (said := line.getMessage()):
        line.msg, line.args = f"{said.partition(_LOGIN)[0]}{_LOGIN}…)", ()
    return True


def quieten() -> None:
    """Silence the client's loggers, unless somebody has set their level; even then they show no login."""
    logging.getLogger("aiokafka.conn").addFilter(_without_logins)
    noisy = logging.getLogger("aiokafka")
    if noisy.level == logging.NOTSET:
        noisy.setLevel(logging.CRITICAL + 1)

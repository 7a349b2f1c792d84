"""Names of choreographies, which begin topics, groups and the full names of Avro types."""

import re
from typing import Final

from .errors import DeclarationError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
MAX_NAME: Final = 100
MAX_WIRE_NAME: Final = 255
"""Bytes of an event's name in the log, as ``orders.PaymentTaken``."""
RESERVED: Final = "farandole"


def check_choreography(name: str) -> str:
    """The name, if it can be that of a choreography.

    Raises:
        DeclarationError: Avro or Kafka could not take it, or it is reserved.
    """
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise DeclarationError(
            f"choreography {name!r} cannot be a name on the wire; use ASCII letters, digits and _, not beginning with a "
            f"digit, in parts joined by dots, and at most {MAX_NAME} of them"
        )
    if name.partition(".")[0] == RESERVED:
        raise DeclarationError(f"choreography {name!r}: names that begin with {RESERVED} are the framework's own")
    return name

"""The fold over again, from ``docs/protocol.md`` and nothing else: simple, slow, and with a memory for everything.

Where the fold keeps what is open, this model keeps every event, every debt and every contract that ever was, and
answers each question by looking through them.
"""

from tests.projections.fold.model.model import Model, Stop

__all__ = ["Model", "Stop"]

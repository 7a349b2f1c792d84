"""What a handler returned, as the records of its outcome: one file for each kind of item."""

from .items import parts_of

__all__ = ["parts_of"]

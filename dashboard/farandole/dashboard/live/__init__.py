"""What changes, as it changes."""

from .hub import Hub
from .lookers import Wanted
from .talk import Talk, read_id

__all__ = ["Hub", "Talk", "Wanted", "read_id"]

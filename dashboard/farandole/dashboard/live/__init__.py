"""What changes, as it changes."""

from .hub import Hub
from .lookers import Wanted

__all__ = ["Hub", "Wanted"]

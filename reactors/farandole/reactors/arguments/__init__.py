"""What a handler is called with, read from what its step is owed for: one file for each kind of parameter."""

from .arguments import Arguments
from .context import HistoryUnavailable

__all__ = ["Arguments", "HistoryUnavailable"]

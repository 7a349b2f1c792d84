"""What steps at work say in passing: from the handler that says it to whoever looks on. Best effort, never in the log."""

from .feed import LiveFeed
from .pieces import Live, pieces_in
from .speaking import Speaker, Voice
from .takes import Takes

__all__ = ["Live", "LiveFeed", "Speaker", "Takes", "Voice", "pieces_in"]

"""What people do: one function for each act. Each is a record of the log that says who did it, how the door knew them,
from where, and why. The API and the pages use the same functions, which check what only they can: whom a decision asks.
"""

from .deciding import decide
from .governing import fire, go_on, pause_schedule, resume_schedule, stop
from .origin import Done, on_behalf_of
from .runs import cancel, pause, resume, retry, retry_cause, send, start

__all__ = [
    "Done",
    "cancel",
    "decide",
    "fire",
    "go_on",
    "on_behalf_of",
    "pause",
    "pause_schedule",
    "resume",
    "resume_schedule",
    "retry",
    "retry_cause",
    "send",
    "start",
    "stop",
]

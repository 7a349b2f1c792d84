"""What somebody wanted to be remembered, as an event: so that the log has it, and a memory that is made anew."""

from typing import Annotated

from farandole.schemas import Event, Personal


class Remembered(Event, wants_reactor=False):
    """Something is to be remembered. An agent's tool emits it; so may any reactor."""

    memory: str
    """The name of the memory: its class's."""
    about: Annotated[str, Personal]
    """The person or the topic that it is remembered of."""
    text: Annotated[str, Personal]
    by: str = ""
    """The agent that wanted it."""

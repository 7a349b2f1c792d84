"""From an app path to an agent that can be talked to: what opens the conversation, and what goes on with it.

The rule: the agent takes one `Start` that needs one text and nothing else; that is the first message. If it takes a
`Signal` of the kind too, further messages are sent into the same run, and the agent ``continues="self"``.
"""

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from farandole.reactors import Choreography
from farandole.schemas import Event, Signal, Start

from .apppath import load_object
from .errors import CliError

if TYPE_CHECKING:
    from farandole.agents import Agent
    from farandole.agents.frameworks import Adapted

S = TypeVar("S", Start, Signal)


@dataclass(frozen=True, slots=True)
class Talkable:
    """An agent that can be talked to.

    Attributes:
        choreography: that serves it.
        opening: what the first message is, and the field that holds it.
        going_on: what further ones are; None: there can be none.
    """

    agent: "Agent | Adapted"
    choreography: Choreography
    opening: tuple[type[Start], str]
    going_on: tuple[type[Signal], str] | None

    def first(self, text: str) -> Start:
        event, field = self.opening
        return event.model_validate({field: text})

    def next(self, text: str) -> Signal:
        if self.going_on is None:
            if not hasattr(self.agent, "continues"):
                raise CliError(
                    f"agent {self.agent.name} is of another framework, whose agents take one message in a conversation: begin "
                    "another one, or let an Agent take the messages and call this one as a run"
                )
            raise CliError(
                f"agent {self.agent.name} takes no further message: declare class Said(Signal) with one text, let the "
                'agent take it too, and give it continues="self"'
            )
        event, field = self.going_on
        return event.model_validate({field: text})


def load_agent(path: str) -> Talkable:
    """The agent that an app path names.

    Raises:
        CliError: there is none, or it cannot be talked to; says why, and what to do.
    """
    try:
        from farandole.agents import Agent
        from farandole.agents.frameworks import Adapted
    except ImportError as e:
        raise CliError(f"agents need a package that is not installed ({e}): pip install 'farandole[agents]'") from e
    found, module = load_object(path)
    if not isinstance(found, Agent | Adapted):
        known = sorted(name for name, value in vars(module).items() if isinstance(value, Agent | Adapted))
        cure = f"name {' or '.join(f'{module.__name__}:{name}' for name in known)}" if known else "name an Agent"
        raise CliError(f"'{path}' is a {type(found).__name__}, and no agent to talk to; {cure}")
    if not found.served:
        raise CliError(
            f"agent {found.name} is served by no choreography: call {path.rpartition(':')[2]}.serve(...) there"
        )
    choreography = found.served[0]
    choreography.load()
    starts, signals = list(_texts(found.takes, Start)), list(_texts(found.takes, Signal))
    if len(starts) != 1:
        what = "no Start that" if not starts else f"{len(starts)} kinds of Start each of which"
        raise CliError(
            f"agent {found.name} takes {what} needs one text and nothing else, so it is not known how to begin: declare "
            "class Asked(Start): text: str, and let it take that"
        )
    if len(signals) > 1:
        raise CliError(
            f"agent {found.name} takes {len(signals)} kinds of Signal that hold one text: leave it one of them"
        )
    if isinstance(found, Adapted):
        signals = []  # each event that it takes begins a conversation of its own
    elif signals and found.continues != "self":
        raise CliError(
            f'agent {found.name} takes {signals[0][0].__name__}, but forgets what was said before: give it continues="self"'
        )
    return Talkable(found, choreography, starts[0], signals[0] if signals else None)


def text_field(event: type[Event]) -> str | None:
    """The field of an event that needs one text and nothing else."""
    fields = event.model_fields
    needed = [name for name, field in fields.items() if field.is_required()] or list(fields)
    return needed[0] if len(needed) == 1 and fields[needed[0]].annotation is str else None


def _texts(takes: Any, kind: type[S]) -> Iterator[tuple[type[S], str]]:
    for each in typing.get_args(takes) or (takes,):
        if isinstance(each, type) and issubclass(each, kind) and (field := text_field(each)) is not None:
            yield each, field

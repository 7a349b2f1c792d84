"""The errors of agents. Those that are final park the step, where a person sees them and can retry it:

ReactorError
├── GiveUp
│   ├── Blocked         a guard does not let something pass; raise it in one
│   ├── ContentLost     large content that an event refers to is not where it was kept
│   ├── BudgetSpent     the agent may spend no more in this run
│   ├── TurnsSpent      the conversation has had all its turns
│   ├── ModelMisbehaved the model did not do better, however often it was told
│   └── ModelRejected   the provider does not take the request, and would not take it again
├── RetryAfter
│   └── RateLimited     the provider wants fewer requests
├── ModelUnreachable    no answer, or one that says that the provider cannot answer now
├── ContentNotKept      a tool's call took effect, and what it returned could not be kept
├── ServerUnreachable   no answer of an MCP server
│   └── NoAnswer        it was asked, so it may have done what it was asked for
├── ModelMalformed      an answer that cannot be read
└── ModelRefused        no answer, for the provider filtered it
"""

from farandole.reactors import GiveUp, ReactorError, RetryAfter


class Blocked(GiveUp):
    """Raise it in a guard: what it looked at goes no further. ``raise Blocked("holds a card number")``"""


class ContentLost(GiveUp):
    """Large content that an event refers to is gone, or is something else by now. Put it back and retry the step."""


class BudgetSpent(GiveUp):
    """The agent may spend no more in this run. Give it a larger budget and retry the step."""


class TurnsSpent(GiveUp):
    """The conversation has had all its turns. Allow more of them and retry the step."""


class ModelMisbehaved(GiveUp):
    """The model did not do better, however often it was told. Allow more corrections and retry the step."""


class ModelRejected(GiveUp):
    """The provider does not take the request, and would not take it again: credentials, quota, a context too long."""


class RateLimited(RetryAfter):
    """The provider wants fewer requests."""


class ModelUnreachable(ReactorError):
    """The provider gave no answer, or said that it cannot answer now."""


class ContentNotKept(ReactorError):
    """A tool's call took effect, and what it returned could not be written where large content is kept."""


class ServerUnreachable(ReactorError):
    """An MCP server gave no answer."""


class NoAnswer(ServerUnreachable):
    """The server was asked, and gave no answer: it may have done what it was asked for."""


class ModelMalformed(ReactorError):
    """The provider gave an answer that cannot be read."""


class ModelRefused(ReactorError):
    """The provider gave no answer, for it was filtered."""

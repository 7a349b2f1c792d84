"""What the team tells each other. Whoever reacts to it need not know that an agent said it."""

from farandole.schemas import End, Event, Start


class TopicGiven(Start):
    topic: str


class Planned(Event):
    """The questions that are to be answered, each by itself."""

    questions: list[str]


class ResearchAsked(Start):
    """Find out the answer to one question."""

    question: str


class Researched(End):
    """What was found, and where."""

    finding: str
    sources: list[str]


class Written(Event):
    """The text that answers the topic."""

    title: str
    text: str


class Published(End):
    """The text was published."""

    address: str


class NotPublished(End):
    """The text was not published. Say why."""

    why: str
    by_whom: str

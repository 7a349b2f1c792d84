"""What is remembered, and how it is found. Pure."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

_WORD: Final = re.compile(r"\w+")
_STEM: Final = 3
"""Letters that a word must have to be found by its beginning."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a memory is to keep.

    Attributes:
        about: the person or the topic, by which it is found again; as a customer's id.
        text: what is remembered.
    """

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Something that a memory is to keep no longer: all that came before, in whichever run. What the same event gives is
    kept, in whatever order it is returned: first it is forgotten, then kept.

    Attributes:
        about: the person or the topic.
        fact: the id of one fact; empty: all of them.
    """

    about: str
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Remembrance:
    """A fact that is kept.

    Attributes:
        id: tells the facts about one thing apart; that of its event.
        at: when the log took the event.
        run_id: the run that it comes from.
        by: the agent, or the reactor, that told it.
    """

    id: str
    about: str
    text: str
    at: datetime
    run_id: str
    by: str


Told: TypeAlias = "Fact | Forget | Iterable[Fact | Forget] | None"
"""What a handler of a memory returns."""


def each_of(told: Told) -> Sequence[Fact | Forget]:
    """What a handler returned, one by one.

    Raises:
        TypeError: it is something else.
    """
    if told is None:
        return ()
    if isinstance(told, Fact | Forget):
        return (told,)
    found = tuple(told)
    for each in found:
        if not isinstance(each, Fact | Forget):
            raise TypeError(f"a memory is told a Fact or a Forget, and not {type(each).__name__}")
    return found


def ranked(facts: Sequence[Remembrance], words: str, most: int) -> tuple[Remembrance, ...]:
    """Those facts in which some of these words stand, the best first: rare words count more, and the newer fact wins.

    A word is also found by its beginning, so that *refund* finds *refunded*.
    """
    wanted = dict.fromkeys(_words(words))
    texts = [set(_words(fact.text)) for fact in facts]
    score = [0.0] * len(facts)
    for word in wanted:
        found = [_fit(word, text) for text in texts]
        weight = math.log(1 + len(facts) / (sum(map(bool, found)) or 1))
        score = [before + fit * weight for before, fit in zip(score, found, strict=True)]
    order = sorted(range(len(facts)), key=lambda n: (score[n], facts[n].at, facts[n].id), reverse=True)
    return tuple(facts[n] for n in order[:most] if score[n])


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _fit(word: str, text: set[str]) -> float:
    if word in text:
        return 1.0
    if any(
        min(len(word), len(other)) >= _STEM and (other.startswith(word) or word.startswith(other)) for other in text
    ):
        return 0.5
    return 0.0

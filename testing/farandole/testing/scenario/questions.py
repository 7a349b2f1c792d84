"""What a run asks people, in words."""

import json
from typing import Final

from farandole.eventstore import Stored
from farandole.projections.fold import Decision
from farandole.reactors.decisions import asked_by
from farandole.reactors.shown import text
from farandole.schemas import EventTypes, UndecodableValue

_MOST: Final = 200
"""Characters of what a question is about."""


def question(types: EventTypes, record: Stored, decision: Decision) -> str:
    """Who is asked what, what it is about, and the answers to choose from.

    Args:
        record: the one that asks it.
    """
    answers = " or ".join(text(name).rpartition(".")[2] for name in decision.answers)
    try:
        said = asked_by(types, record)
    except UndecodableValue as e:
        return f"a question that cannot be read here ({e}): {answers}"
    whom = f"{', '.join(said['to'])} " if said["to"] else ""
    about = f" about {_about(said['about_type'], said['about'])}" if said["about"] else ""
    votes = f", {decision.quorum} of a kind" if decision.quorum > 1 else ""
    return f"{whom}{said['question']!r}{about}: {answers}{votes}"


def _about(name: str, content: str) -> str:
    found = json.loads(content)
    fields = ", ".join(f"{k}={v!r}" for k, v in found.items()) if isinstance(found, dict) else repr(found)
    return f"{name}({fields})" if len(fields) <= _MOST else f"{name}({fields[:_MOST]}…)"

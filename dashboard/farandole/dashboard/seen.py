"""What of a question a caller sees."""

from dataclasses import replace

from farandole.projections.runs.query import DecisionRow

from .callers import Caller


def seen_by(caller: Caller, decision: DecisionRow) -> DecisionRow:
    """A question without what it is about, where the caller may not see that: no mark in it says what is personal."""
    return decision if caller.may_see_about(decision.asked_of or ()) else replace(decision, about=None)

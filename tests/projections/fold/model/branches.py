"""Section 13 of the protocol: branches and fan-in."""

from tests.projections.fold.model.memory import Memory


class Branches(Memory):
    """Fan-outs, and what gathers of them."""

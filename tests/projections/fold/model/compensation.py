"""Section 18 of the protocol: compensation."""

from tests.projections.fold.model.memory import Memory


class Compensation(Memory):
    """What an end undoes."""

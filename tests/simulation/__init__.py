"""A deterministic simulation: several workers of several services on one log, in one process, on virtual time.

All that happens follows from one seed. The fold, the dispatcher, the workers and the clients are those of the product;
what is simulated is what lies around them: the log, the network to it, the group, the clocks, and processes that die.
"""

from .rules import Rule
from .run import Outcome, run_seed
from .switches import RULES

__all__ = ["RULES", "Outcome", "Rule", "run_seed"]

"""A choreography as a graph: who takes what, who gives it, what is wrong with it, and how it looks.

The graph is data, from code by `graph_of` or from what is deployed by `graph_of_contracts`.
"""

from .declared import graph_of
from .fan_ins import FanOut, check_fan_ins, each_of, fan_outs, inferred, leads
from .findings import Finding, findings_in
from .graph import Graph
from .recorded import graph_of_contracts

__all__ = [
    "FanOut",
    "Finding",
    "Graph",
    "check_fan_ins",
    "each_of",
    "fan_outs",
    "findings_in",
    "graph_of",
    "graph_of_contracts",
    "inferred",
    "leads",
]

"""Where a choreography goes round: the reactors that can lead back to themselves."""

from .graph import Graph
from .nodes import ReactorNode

Loop = tuple[ReactorNode, ...]


def loops(graph: Graph) -> tuple[Loop, ...]:
    """The sets of reactors each of which leads to each other of its set, in the order of the graph."""
    reach = graph.reach
    found: list[Loop] = []
    done: set[str] = set()
    for reactor in graph.reactors:
        if reactor.key in done or reactor.key not in reach[reactor.key]:
            continue
        loop = tuple(r for r in graph.reactors if r.key in reach[reactor.key] and reactor.key in reach[r.key])
        done.update(r.key for r in loop)
        found.append(loop)
    return tuple(found)


def turning(graph: Graph, loop: Loop) -> frozenset[str]:
    """The events that a loop both emits and takes."""
    taken = {event for reactor in loop for event in reactor.takes}
    return frozenset(g.event for reactor in loop for g in reactor.givens() if g.form != "child" and g.event in taken)

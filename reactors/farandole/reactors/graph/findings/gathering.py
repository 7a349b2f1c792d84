"""Findings about fan-ins."""

from collections.abc import Iterator

from farandole.reactors.graph.fan_ins import ambiguity, fan_outs
from farandole.reactors.graph.graph import Graph

from .finding import Finding


def find_unclear_fan_in(graph: Graph) -> Iterator[Finding]:
    """Fan-ins of which it is not clear what they gather."""
    known = {event for fan_out in fan_outs(graph) for event in fan_out.types}
    for reactor in graph.reactors:
        if not reactor.gathers:
            continue
        if said := ambiguity(graph, reactor):
            text, _, cure = said.rpartition("; ")
            yield Finding("error", "unclear-fan-in", reactor.key, text, cure)
        elif reactor.each and reactor.each not in known:
            yield Finding(
                "warning",
                "unclear-fan-in",
                reactor.key,
                f"gathers each {graph.shown(reactor.each)}, and no reactor at hand returns list[{graph.shown(reactor.each)}]",
                "return the list from a reactor, or correct each=; if another service fans out, check both together",
            )

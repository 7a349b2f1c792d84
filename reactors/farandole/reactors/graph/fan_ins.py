"""Which fan-outs lead to which fan-ins, so that ``each=`` need not be written where there is only one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from farandole.schemas import DeclarationError

from .flow import ROOT, Counts, flow, foreign, site
from .graph import Graph
from .nodes import ReactorNode


@dataclass(frozen=True, slots=True)
class FanOut:
    """A list that a reactor may return.

    Attributes:
        site: its name: the reactor's key, and which of its alternatives it is.
        reactor: the reactor's key.
        types: the events that begin its branches; for a child, the start.
    """

    site: str
    reactor: str
    types: tuple[str, ...]


def fan_outs(graph: Graph) -> tuple[FanOut, ...]:
    """All fan-outs."""
    return tuple(
        FanOut(site(reactor, number), reactor.key, tuple(dict.fromkeys(g.event for g in alternative.givens())))
        for reactor in graph.reactors
        for number, alternative in reactor.fan_outs()
    )


def leads(graph: Graph, types: Iterable[str]) -> frozenset[str]:
    """All events that can follow from others within a run, those included; through failures and children too."""
    found = set(types)
    started = {reactor for event in found for reactor in graph.takers(event)}
    reached = {r.key for r in started} | {key for r in started for key in graph.reach[r.key]}
    found.update(g.event for r in graph.reactors if r.key in reached for g in r.givens())
    return frozenset(found)


def gathered(graph: Graph) -> Mapping[str, tuple[FanOut, ...]]:
    """The fan-outs that each fan-in could gather, by the fan-in's key."""
    known = fan_outs(graph)
    found: dict[str, set[str]] = {}
    for choreography in graph.choreographies:
        seeds = _anywhere(graph, choreography, known)
        for fan_in, sites in flow(graph, choreography, seeds, anywhere=foreign(graph)).gathered.items():
            found.setdefault(fan_in, set()).update(sites)
    return {
        reactor.key: tuple(f for f in known if f.site in found.get(reactor.key, ()))
        for reactor in graph.reactors
        if reactor.gathers
    }


def _anywhere(graph: Graph, choreography: str, known: Iterable[FanOut]) -> Mapping[str, Counts]:
    """What comes from outside or elsewhere is at the root; each fan-out has happened."""
    seeds: dict[str, Counts] = {}
    for event in graph.events.values():
        if event.choreography == choreography and not graph.givers(event.key, "one", "after", "ask", "otherwise"):
            seeds[event.key] = {ROOT: 1}
    for fan_out in known:
        for key in fan_out.types:
            if graph.givers(key, "one", "after", "ask", "otherwise"):
                seeds.setdefault(key, {})[fan_out.site,] = 1
    return seeds


def each_of(graph: Graph, fan_in: ReactorNode) -> tuple[str, ...]:
    """The events by any of which a fan-in could name what it gathers: the one that is written, or what is inferred.

    None if no fan-out at hand leads to it, or several that share no event.
    """
    if fan_in.each:
        return (fan_in.each,)
    leading = gathered(graph).get(fan_in.key, ())
    if not leading:
        return ()
    shared = set(leading[0].types).intersection(*(fan_out.types for fan_out in leading))
    others = {t for fan_out in fan_outs(graph) if fan_out not in leading for t in fan_out.types}
    return tuple(t for t in leading[0].types if t in shared - others)


def inferred(graph: Graph) -> Mapping[str, str]:
    """The event of the fan-out that each fan-in of one choreography gathers, by the fan-in's name, where it is clear."""
    return {r.name: named[0] for r in graph.reactors if r.gathers and (named := each_of(graph, r))}


def ambiguity(graph: Graph, fan_in: ReactorNode) -> str:
    """What is wrong with the fan-out that a fan-in gathers, in words; empty if nothing is."""
    if each_of(graph, fan_in):
        return ""
    items = " | ".join(
        f"Failed[{graph.shown(event)}]" if taken.form == "failed" else graph.shown(event)
        for trigger in fan_in.inputs
        for taken in trigger.elements
        for event in taken.events
    )
    could = tuple(dict.fromkeys(graph.shown(t) for fan_out in gathered(graph)[fan_in.key] for t in fan_out.types))
    if not could:
        return f"no fan-out at hand leads to list[{items}]; name the fan-out's event with each="
    return f"list[{items}] could gather {' or '.join(could)}; name the fan-out with each="


def check_fan_ins(graph: Graph) -> None:
    """Check that each fan-in has one fan-out to gather.

    Raises:
        DeclarationError: one has none, or it is not clear which.
    """
    for reactor in graph.reactors:
        if reactor.gathers and (said := ambiguity(graph, reactor)):
            raise DeclarationError(f"{reactor.key}: {said}")

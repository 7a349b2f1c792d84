"""The graph of what is deployed: from the contracts in a log."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from farandole.projections.fold import Contract
from farandole.reactors.annotations.parts import ElementForm, TriggerForm

from .graph import Graph
from .nodes import Alternative, EventKind, EventNode, Given, Input, ReactorNode, Taken

_PREFIXES: Final[Mapping[str, ElementForm]] = {
    "failed:": "failed",
    "child_done:": "child_done",
    "child_failed:": "child_failed",
}


_NEWS: Final[Mapping[str, EventKind]] = {"child_done": "end", "child_failed": "start"}
_FORMS: Final[Mapping[str, ElementForm]] = {form: form for form in _PREFIXES.values()}
"""Of a parameter, where the names in it do not say it."""


def graph_of_contracts(
    choreography: str, contracts: Iterable[Contract], kinds: Mapping[str, EventKind] | None = None
) -> Graph:
    """The graph of the contracts in force.

    A contract says less than code: not what is a start or an end unless ``kinds`` does, nor how a tuple is made up.

    Args:
        choreography: whose log it is.
        contracts: retired ones are left out.
        kinds: of events, by their names in the log, where they are known.
    """
    active = [contract.content for contract in contracts if contract.active]
    reactors = tuple(_reactor(choreography, content) for content in active)
    found = {**_kinds(active, reactors), **(kinds or {})}
    named = dict.fromkeys(event for reactor in reactors for event in _named(reactor))
    return Graph((EventNode(choreography, key.partition(".")[2], found.get(key, "event")) for key in named), reactors)


def _reactor(choreography: str, content: Mapping[str, Any]) -> ReactorNode:
    return ReactorNode(
        choreography=choreography,
        name=content["reactor"],
        service=content["service"],
        inputs=tuple(
            Input("", form, tuple(_taken(choreography, form, types)))
            for form, types in zip(content["forms"], content["takes"], strict=True)
        ),
        alternatives=tuple(_alternative(given["form"], given["types"]) for given in content["gives"]),
        of=tuple(content["of"]),
        each=content["each"],
        unless=tuple(content["unless"]),
        ordered=content["ordered"],
        undo="a compensation" if content["compensates"] else "",
    )


def _taken(choreography: str, form: TriggerForm, types: Iterable[str]) -> Iterator[Taken]:
    """The elements of a parameter: each name says by its prefix what it is about, unless the form says it."""
    standard = _FORMS.get(form, "event")
    found: dict[ElementForm, list[str]] = {}
    for name in types:
        prefix, colon, rest = name.partition(":")
        about = _PREFIXES.get(f"{prefix}{colon}", standard)
        bare = rest if colon else name
        found.setdefault(about, []).append(bare if "." in bare else f"{choreography}.{bare}")
    if not found:
        yield Taken(standard, ())
    for about, names in found.items():
        yield Taken(about, tuple(names))


def _alternative(form: str, types: Iterable[str]) -> Alternative:
    match form:
        case "none":
            return Alternative("none")
        case "list":
            return Alternative("list", (tuple(Given(name) for name in types),))
        case "tuple":
            return Alternative("tuple", tuple((Given(name),) for name in types))
        case "after" | "ask" | "child" as given:
            return Alternative("one", (tuple(Given(name, given) for name in types),))
        case _:
            return Alternative("one", (tuple(Given(name) for name in types),))


def _kinds(contracts: Iterable[Mapping[str, Any]], reactors: Iterable[ReactorNode]) -> Mapping[str, EventKind]:
    found: dict[str, EventKind] = {name: "signal" for content in contracts for name in content["signals"]}
    for reactor in reactors:
        for given in reactor.givens():
            if given.form == "child":
                found[given.event] = "start"
            elif given.form == "ask":
                found[given.event] = "answer"
        for taken in (element for trigger in reactor.inputs for element in trigger.elements):
            if taken.form in _NEWS:
                found.update(dict.fromkeys(taken.events, _NEWS[taken.form]))
    return found


def _named(reactor: ReactorNode) -> Iterator[str]:
    for trigger in reactor.inputs:
        for taken in trigger.elements:
            yield from taken.events
    for given in reactor.givens():
        yield given.event
    yield from reactor.unless
    if reactor.each:
        yield reactor.each

"""Findings about what reactors are given, and who serves them."""

from collections.abc import Iterator

from farandole.reactors.graph.graph import Graph

from .finding import Finding


def find_not_provided(graph: Graph) -> Iterator[Finding]:
    """What reactors ask for and nothing provides."""
    for reactor in graph.reactors:
        for wanted in reactor.missing:
            yield Finding(
                "error",
                "not-provided",
                reactor.key,
                f"nothing provides {wanted}",
                f"write a function that returns it, with @{reactor.choreography}.provide",
            )


def find_served_twice(graph: Graph) -> Iterator[Finding]:
    """Reactors that several services have by one name."""
    services: dict[str, list[str]] = {}
    for reactor in graph.reactors:
        services.setdefault(reactor.key, []).append(reactor.service)
    for key, names in services.items():
        if len(names) > 1:
            yield Finding(
                "error",
                "served-twice",
                key,
                f"services {' and '.join(dict.fromkeys(names))} each have a reactor of this name, and a log has one",
                "give one of them name=",
            )

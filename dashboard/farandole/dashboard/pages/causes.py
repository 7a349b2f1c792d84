"""Why each event of a run is there: a graph of its events, with what is owed or failed at the edges. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farandole.projections.runs.query import ChildRow, DecisionRow, FailureRow, RecordRow, StepRow

from .words import short, tone


@dataclass(frozen=True, slots=True)
class Node:
    """An event, or a step that has given none."""

    id: str
    label: str
    kind: str
    """event, end, step, decision, child."""
    tone: str
    detail: str
    offset: int | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """What made what."""

    source: str
    target: str
    label: str
    tone: str = "mute"


@dataclass(frozen=True, slots=True)
class Causes:
    nodes: Sequence[Node]
    edges: Sequence[Edge]

    def elements(self) -> list[dict[str, Any]]:
        """As a canvas takes them."""
        return [
            *({"data": {"id": n.id, "label": n.label, "detail": n.detail, "offset": n.offset, "run": n.run_id}, "classes": f"{n.kind} {n.tone}"} for n in self.nodes),
            *({"data": {"id": f"{e.source}>{e.target}>{e.label}", "source": e.source, "target": e.target, "label": e.label}, "classes": e.tone} for e in self.edges),
        ]  # fmt: skip

    def from_(self, id: str) -> list[tuple[Edge, Node]]:
        """What a node made."""
        by_id = {node.id: node for node in self.nodes}
        return [(edge, by_id[edge.target]) for edge in self.edges if edge.source == id]

    def roots(self) -> list[Node]:
        """Nodes that nothing made."""
        made = {edge.target for edge in self.edges}
        return [node for node in self.nodes if node.id not in made]


def causes(
    events: Sequence[RecordRow], steps: Sequence[StepRow], failures: Sequence[FailureRow],
    decisions: Sequence[DecisionRow], children: Sequence[ChildRow],
) -> Causes:  # fmt: skip
    """The graph of a run.

    Args:
        events: its history.
    """
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    at = {event.log_offset: event.id for event in events}
    inputs: Mapping[tuple[str, str], list[str]] = {
        (step.trigger, step.reactor): [at[offset] for offset in step.inputs or () if offset in at] for step in steps
    }
    newest = {(failure.trigger, failure.reactor): failure for failure in failures}
    for event in events:
        nodes[event.id] = Node(event.id, short(event.type), "event", tone(event), event.reactor or event.kind, event.log_offset)
        sources = inputs.get((event.trigger, event.reactor)) or ([event.trigger] if event.trigger else [])
        for source in sources:
            if source in nodes:
                edges[source, event.id, event.reactor] = Edge(source, event.id, event.reactor or event.kind)
    gave = {(event.trigger, event.reactor) for event in events if event.reactor}
    for step in steps:
        if (step.trigger, step.reactor) in gave and step.state not in ("owed", "parked"):
            continue
        id = f"step:{step.trigger}:{step.reactor}:{step.generation}"
        failure = newest.get((step.trigger, step.reactor))
        shown = {"owed": ("work", "owed"), "parked": ("bad", "failed, parked"), "failed": ("bad", "failed, handled")}
        coloured, said = shown.get(step.state, ("mute", f"{step.state}, no event"))
        if failure is not None and step.state in ("owed", "parked", "failed"):
            said = f"{said}: {failure.error}"
        nodes[id] = Node(id, step.reactor, "step", coloured, said)
        for source in inputs.get((step.trigger, step.reactor)) or [step.trigger]:
            if source in nodes:
                edges[source, id, ""] = Edge(source, id, "", coloured)
    for decision in decisions:
        if decision.state == "open":
            _hang(nodes, edges, decision.id, decision.question or "a question", "decision", "asks people", "wait")
    for child in children:
        _hang(nodes, edges, child.id, child.child, "child", f"child run, {child.state}", _of_child(child.state), child.child)
    return Causes(list(nodes.values()), [edge for edge in edges.values() if edge.target in nodes])


def _of_child(state: str) -> str:
    return {"open": "wait", "ended": "good"}.get(state, "bad" if state in ("failed", "expired") else "mute")


def _hang(
    nodes: dict[str, Node], edges: dict[tuple[str, str, str], Edge], id: str, label: str, kind: str, detail: str,
    coloured: str, run_id: str = "",
) -> None:  # fmt: skip
    """Something that an outcome asked or bore. Its id is that of the outcome's event or begins like it."""
    nodes[f"{kind}:{id}"] = Node(f"{kind}:{id}", label, kind, coloured, detail, None, run_id)
    if id in nodes:
        edges[id, f"{kind}:{id}", ""] = Edge(id, f"{kind}:{id}", "")

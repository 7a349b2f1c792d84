"""Why each event of a run is there: a graph of its events, with what is owed or failed at the edges. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from farandole.projections.runs.query import ChildRow, DecisionRow, FailureRow, RecordRow, StepRow, TimerRow

from .words import short, title, tone


@dataclass(frozen=True, slots=True)
class Node:
    """An event, or a step that has given none."""

    id: str
    label: str
    kind: str
    """event, step, decision, timer, child."""
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
    records: Sequence[RecordRow], steps: Sequence[StepRow], failures: Sequence[FailureRow],
    decisions: Sequence[DecisionRow], timers: Sequence[TimerRow], children: Sequence[ChildRow],
) -> Causes:  # fmt: skip
    """The graph of a run.

    Args:
        records: all of the run's, in the order of the log.
    """
    by_offset = {record.log_offset: record for record in records}
    inputs = {
        (step.trigger, step.reactor): [by_offset[n].id for n in step.inputs or () if n in by_offset] for step in steps
    }
    waits = [
        *(Node(d.id, d.question or "a question", "decision", "wait", f"asks people, {d.state}", d.log_offset) for d in decisions),
        *(Node(t.id, short(t.type), "timer", "wait", f"timer, {t.state}", t.log_offset) for t in timers),
        *(Node(c.id, short(c.type), "child", _of_child(c.state), f"child run, {c.state}", c.log_offset, c.child) for c in children),
    ]  # fmt: skip
    shown = {node.offset: node for node in waits}
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], Edge] = {}
    gave: set[tuple[str, str]] = set()
    for record in records:
        node = shown.get(record.log_offset)
        if node is None and record.place is not None and record.kind != "failure":
            node = Node(
                record.id, title(record), "event", tone(record), record.reactor or record.kind, record.log_offset
            )
        if node is None:
            continue
        # What a timer becomes bears the timer's id.
        nodes[node.id if node.id not in nodes else f"{node.id}:{record.log_offset}"] = node
        gave.add((record.trigger, record.reactor))
        for source in inputs.get((record.trigger, record.reactor)) or [record.trigger]:
            edges[source, node.id] = Edge(source, node.id, record.reactor or record.kind.replace("_", " "))
    newest = {(failure.trigger, failure.reactor): failure for failure in failures}
    for step in steps:
        key = (step.trigger, step.reactor)
        if key in gave and step.state not in ("owed", "parked"):
            continue
        node = _step(step, newest.get(key))
        nodes[node.id] = node
        for source in inputs[key] or [step.trigger]:
            edges[source, node.id] = Edge(source, node.id, "", node.tone)
    kept = [
        edge for edge in edges.values() if edge.source in nodes and edge.target in nodes and edge.source != edge.target
    ]
    return Causes(list(nodes.values()), kept)


def _step(step: StepRow, failure: FailureRow | None) -> Node:
    known = {"owed": ("work", "owed"), "parked": ("bad", "failed, parked"), "failed": ("bad", "failed, handled")}
    coloured, said = known.get(step.state, ("mute", f"{step.state}, no event"))
    if failure is not None and step.state in known:
        said = f"{said}: {short(failure.error) or failure.error}"
    return Node(f"step:{step.trigger}:{step.reactor}:{step.generation}", step.reactor, "step", coloured, said)


def _of_child(state: str) -> str:
    return {"open": "wait", "ended": "good"}.get(state, "bad" if state in ("failed", "expired") else "mute")

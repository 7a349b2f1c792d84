"""What a graph says of a program; and contracts say the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from farandole.projections.fold import Contract
from farandole.reactors import Choreography
from farandole.reactors.contract import contracts_of
from farandole.reactors.graph import Graph, findings_in, graph_of, graph_of_contracts, leads
from farandole.reactors.graph.flow import run_of
from farandole.reactors.service import types_of
from farandole.schemas import event_info

Program = Callable[[str], Choreography]


def edges(graph: Graph) -> set[tuple[str, str]]:
    taken = {(event, reactor.name) for reactor in graph.reactors for event in reactor.takes}
    given = {(reactor.name, given.event) for reactor in graph.reactors for given in reactor.givens()}
    return taken | given


def test_who_takes_what_and_who_gives_it(program: Program) -> None:
    assert edges(graph_of(program("a01_order"))) == {
        ("orders.OrderPlaced", "take_payment"),
        ("orders.OrderPlaced", "pack"),
        ("orders.PaymentTaken", "ship"),
        ("orders.OrderPacked", "ship"),
        ("orders.OrderShipped", "thank"),
        ("take_payment", "orders.PaymentTaken"),
        ("pack", "orders.OrderPacked"),
        ("ship", "orders.OrderShipped"),
        ("refuse", "orders.OrderRefused"),
    }


def test_the_forms_in_which_events_come(program: Program) -> None:
    graph = graph_of(program("a07_agent"))
    gate = next(r for r in graph.reactors if r.name == "gate")
    assert {(g.event, g.form) for g in gate.givens()} == {
        ("agent.ToolReturned", "one"),
        ("agent.ToolAllowed", "ask"),
        ("agent.ToolDenied", "ask"),
    }
    escalating = graph_of(program("a02_approval"))
    ask = next(r for r in escalating.reactors if r.name == "ask_manager")
    assert [g.form for g in ask.givens()] == ["ask", "ask", "otherwise"]


def test_what_a_handlers_text_says_of_waiting(program: Program) -> None:
    graph = graph_of(program("a02_approval"))
    waits = {reactor.name: reactor.waits for reactor in graph.reactors if reactor.waits}
    assert waits == {"ask_manager": (timedelta(days=2),), "ask_director": (timedelta(days=5),)}
    assert not any(reactor.asks_for_ever for reactor in graph.reactors)


def test_failures_come_from_those_whose_events_are_named(program: Program) -> None:
    graph = graph_of(program("a05_saga"))
    abandon = next(r for r in graph.reactors if r.name == "abandon")
    (taken,) = abandon.inputs[0].elements
    assert [r.name for r in graph.failing(taken, abandon)] == ["book_flight", "book_hotel", "confirm"]


def test_events_stand_in_the_branches_of_their_fan_outs(program: Program) -> None:
    run = run_of(graph_of(program("a07_agent")), "agent.Asked")
    assert run.events["agent.ToolProposed"] == {("agent.think#0",): 1}
    assert set(run.events["agent.ToolReturned"]) == {("agent.think#0",)}
    assert run.events["agent.TurnReady"] == {(): 2}
    assert run.events["agent.Answered"] == {(): 2}
    assert run.fired["agent.allowed"] == {("agent.think#0",): 1}


def test_what_leads_to_what(program: Program) -> None:
    graph = graph_of(program("a01_order"))
    assert leads(graph, ["orders.PaymentTaken"]) == {"orders.PaymentTaken", "orders.OrderShipped"}
    assert "orders.OrderRefused" in leads(graph, ["orders.OrderPlaced"])


@pytest.mark.parametrize("name", ["a01_order", "a05_saga", "a07_agent"])
def test_contracts_make_the_same_graph_as_code(program: Program, name: str) -> None:
    app = program(name)
    types = types_of(app)
    contracts = [contract for _, contract in contracts_of(app.reactors, types, service="s").values()]
    kinds = {f"{app.name}.{event_info(event).name}": event_info(event).kind for event in app.events.values()}
    recorded = graph_of_contracts(app.name, contracts, kinds)
    assert edges(recorded) == edges(graph_of(app))
    assert recorded.events.keys() == graph_of(app).events.keys()


def test_names_in_a_contract_say_what_they_are_about(program: Program) -> None:
    app = program("a03_map_reduce")
    contracts = contracts_of(app.reactors, types_of(app), service="s")
    content = dict(contracts[b"combine"][1].content)
    content["takes"] = [["report.PageSummarised", "failed:report.PageFound", "child_done:Counted"]]
    (combine,) = graph_of_contracts("report", [Contract.read(content)]).reactors
    assert [(taken.form, taken.events) for taken in combine.inputs[0].elements] == [
        ("event", ("report.PageSummarised",)),
        ("failed", ("report.PageFound",)),
        ("child_done", ("report.Counted",)),
    ]
    assert combine.each == "report.PageFound"


def test_programs_that_are_sound_have_nothing_against_them(program: Program) -> None:
    for name in ("a01_order", "a02_approval", "a03_map_reduce", "a05_saga", "a07_agent"):
        assert findings_in(graph_of(program(name))) == ()

"""The map says of each reactor how it stands, and what was declared and seen, and draws it so."""

from typing import Any

from tests.dashboard.test_timeline import a

from farandole.dashboard.pages.asking.seen import Seen
from farandole.dashboard.pages.asking.types import Types
from farandole.dashboard.pages.mapping import Way, elements, ways
from farandole.projections.runs.query import ReactorRow

NOW = 1_000_000


def a_reactor(name: str, takes: list[list[str]], gives: dict[str, list[str]], **said: Any) -> ReactorRow:
    contract = {
        "takes": takes,
        "gives": [{"form": form, "types": types} for form, types in gives.items()],
        "forms": said.pop("forms", ["one"] * len(takes)),
        "signals": said.pop("signals", []),
    }
    row: ReactorRow = a(ReactorRow, reactor=name, service="t", state="active", contract=contract, **said)
    return row


PAY = a_reactor("pay", [["t.Order"]], {"one": ["t.Paid"]})
ASK = a_reactor("judge", [["t.Paid"]], {"ask": ["t.Grant"]})


def a_way(seen: Seen = Seen(frozenset(), frozenset()), **said: Any) -> Way:  # noqa: B008
    (way,) = ways([a_reactor("pay", [["t.Order"]], {"one": ["t.Paid"]}, **said)], seen)
    return way


def drawn(found: list[Way]) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    """Nodes by id, and edges by their ends."""
    parts = elements(found, Types([], [way.row.contract for way in found], {}), NOW, "t")
    nodes = {each["data"]["id"]: each for each in parts if "source" not in each["data"]}
    edges = {(e["data"]["source"], e["data"]["target"]): e for e in parts if "source" in e["data"]}
    return nodes, edges


def test_a_reactor_says_on_a_line_how_it_stands() -> None:
    assert a_way().says(NOW) == "quiet"
    assert a_way(done=10).says(NOW) == "2/min"
    assert a_way(owed=3, oldest=NOW - 61_000).says(NOW) == "owes 3, 1 min 1 s"
    assert a_way(owed=1, oldest=NOW - 5_000, lag=4_000).says(NOW) == "owes 1, 5.00 s · lag 4.00 s"
    assert a_way(lag=999).says(NOW) == "quiet"
    assert a_way(done=5, owed=1, parked=2, stopped=True).says(NOW) == "1/min · owes 1 · 2 parked · stopped"


def test_what_is_worst_about_a_reactor_colours_it() -> None:
    assert a_way().tone == "mute"
    assert a_way(done=1).tone == a_way(owed=1).tone == "work"
    assert a_way(owed=1, parked=1).tone == "bad"
    assert a_way(parked=1, stopped=True).tone == "warn"
    nodes, _ = drawn([a_way(parked=1, stopped=True)])
    assert nodes["r:pay"]["classes"] == "reactor warn stopped"
    assert nodes["r:pay"]["data"]["label"] == "pay\n1 parked · stopped"


def test_what_is_declared_and_was_never_seen_is_drawn_so() -> None:
    never = drawn([a_way()])[1]
    assert {ends: each["classes"] for ends, each in never.items()} == {
        ("e:t.Order", "r:pay"): "never",
        ("r:pay", "e:t.Paid"): "never",
    }
    seen = Seen(frozenset({("pay", "t.Paid")}), frozenset({("t.Order", "pay")}))
    assert {each["classes"] for each in drawn([a_way(seen)])[1].values()} == {""}


def test_what_is_given_and_not_declared_is_drawn_so() -> None:
    seen = Seen(frozenset({("pay", "t.Lost"), ("pay", "farandole.Failure"), ("other", "t.Else")}), frozenset())
    way = a_way(seen)
    assert way.undeclared == ["t.Lost"]
    _, edges = drawn([way])
    assert edges["r:pay", "e:t.Lost"]["classes"] == "undeclared"
    assert edges["r:pay", "e:t.Lost"]["data"]["label"] == "undeclared"
    assert ("r:pay", "e:t.Else") not in edges


def test_what_goes_by_a_record_of_another_type_is_seen_all_the_same() -> None:
    seen = Seen(frozenset({("judge", "farandole.Decision")}), frozenset())
    (way,) = ways([ASK], seen)
    assert way.gives == [("t.Grant", "ask", True)]
    assert way.undeclared == []
    assert drawn([way])[1]["r:judge", "e:t.Grant"]["data"]["label"] == "ask"


def test_events_are_drawn_once_by_what_they_are_and_joins_are_told() -> None:
    join = a_reactor("ship", [["t.Paid"], ["t.Moved"]], {}, signals=["t.Moved"])
    lists = a_reactor("add", [["child_done:t.Paid"]], {}, forms=["list"])
    nodes, edges = drawn(ways([PAY, ASK, join, lists], Seen(frozenset(), frozenset())))
    assert {name: nodes[name]["classes"] for name in nodes if name.startswith("e:")} == {
        "e:t.Order": "type work",
        "e:t.Paid": "type mute",
        "e:t.Grant": "type wait",
        "e:t.Moved": "type wait",
    }
    assert edges["e:t.Moved", "r:ship"]["data"]["label"] == "join"
    assert edges["e:t.Paid", "r:add"]["data"]["label"] == "of a child"

"""What is found, and what is not; ``docs/checking.md`` has a program for each finding."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from farandole.projections import State, on
from farandole.reactors import After, Ask, Child, ChildDone, ChildFailed, Choreography, Failed
from farandole.reactors.graph import findings_in, graph_of
from farandole.schemas import Answer, End, Event, Signal, Start


class Opened(Start): ...


class OtherOpened(Start): ...


class A(Event): ...


class B(Event): ...


class C(Event): ...


class D(Event): ...


class Silent(Event, wants_reactor=False): ...


class Wished(Signal): ...


class Yes(Answer): ...


class No(Answer): ...


class Done(End): ...


class Undone(End, compensate=True): ...


class Bank: ...


@pytest.fixture
def app() -> Choreography:
    return Choreography("app")


def found(*apps: Choreography) -> set[tuple[str, str]]:
    return {(finding.name, finding.where) for finding in findings_in(graph_of(*apps))}


def react(app: Choreography, name: str, returns: Any, *, options: dict[str, Any] | None = None, **takes: Any) -> None:
    """Declare a reactor by its annotations."""

    def make(parameters: Iterable[str]) -> Callable[..., Any]:
        scope: dict[str, Any] = {}
        exec(f"def {name}({', '.join(parameters)}): ...", scope)
        return scope[name]  # type: ignore[no-any-return]

    made = make(takes)
    made.__annotations__ = {**takes, "return": returns}
    app.reactor(**(options or {}))(made)


def test_events_that_need_no_reactor_are_not_missed(app: Choreography) -> None:
    class Seen(State):
        a: bool = False

        @on
        def saw(self, event: A) -> None: ...

    react(app, "one", tuple[A, B, Silent, After[C], Done], o=Opened, seen=Seen, options={"unless": B})
    assert found(app) == {("unhandled", "app.C")}


def test_signals_and_starts_come_from_outside(app: Choreography) -> None:
    react(app, "one", Done, o=Opened, w=Wished)
    app.know(OtherOpened)
    assert found(app) == {("join-once", "app.one")}


def test_services_looked_at_together_emit_for_one_another(app: Choreography) -> None:
    other = Choreography("app", service="other")
    react(app, "one", A, o=Opened)
    react(other, "two", Done, a=A)
    assert found(app) == {("unhandled", "app.A")}
    assert found(other) == {("never-emitted", "app.A")}
    assert found(app, other) == set()


def test_a_reactor_of_one_name_in_two_services(app: Choreography) -> None:
    other = Choreography("app", service="other")
    react(app, "one", Done, o=Opened)
    react(other, "one", Done, o=Opened)
    assert found(app, other) == {("served-twice", "app.one")}


def test_choreographies_are_joined_by_their_children(app: Choreography) -> None:
    other = Choreography("other")
    react(app, "one", Child[OtherOpened], o=Opened)
    react(app, "two", Done, done=ChildDone[Undone])
    react(app, "three", Done, failed=ChildFailed[OtherOpened])
    react(other, "four", Undone, o=OtherOpened)
    assert found(app, other) == {("nothing-to-undo", "other.Undone")}


def test_an_end_may_come_after_failures_timers_and_answers(app: Choreography) -> None:
    react(app, "one", After[A], o=Opened)
    react(app, "two", Ask[Yes | No], a=A)
    react(app, "three", None, y=Yes | No)
    assert found(app) == {("no-end", "app.Opened")}
    react(app, "four", Done, f=Failed[Yes])
    assert found(app) == set()


def test_a_join_of_alternatives_of_one_return(app: Choreography) -> None:
    react(app, "one", A | B, o=Opened)
    react(app, "both", Done, a=A, b=B)
    assert found(app) == {("join-impossible", "app.both")}


def test_a_join_of_what_alternatives_lead_to(app: Choreography) -> None:
    react(app, "one", A | B, o=Opened)
    react(app, "two", C, a=A)
    react(app, "three", D, b=B)
    react(app, "both", Done, c=C, d=D)
    assert found(app) == {("join-impossible", "app.both")}


def test_a_join_of_success_and_failure(app: Choreography) -> None:
    react(app, "one", A, o=Opened)
    react(app, "caught", B, f=Failed[Opened])
    react(app, "both", Done, a=A, b=B)
    assert found(app) == {("join-impossible", "app.both")}


def test_a_join_of_two_answers_to_one_question(app: Choreography) -> None:
    react(app, "one", tuple[Ask[Yes | No], A], o=Opened)
    react(app, "both", Done, y=Yes, n=No)
    react(app, "fine", Done, y=Yes, a=A)
    assert found(app) == {("join-impossible", "app.both")}


def test_alternatives_that_come_again_can_be_joined(app: Choreography) -> None:
    react(app, "one", A | B, w=Wished)
    react(app, "both", Done, a=A, b=B)
    react(app, "look", None, o=Opened)
    assert ("join-impossible", "app.both") not in found(app)


def test_alternatives_that_two_reactors_may_make_can_be_joined(app: Choreography) -> None:
    react(app, "one", A | B, o=Opened)
    react(app, "two", B | C, o=Opened)
    react(app, "look", None, c=C)
    react(app, "both", Done, a=A, b=B)
    assert found(app) == set()


def test_a_join_across_branches(app: Choreography) -> None:
    react(app, "one", list[A], o=Opened)
    react(app, "two", list[B], o=Opened)
    react(app, "both", Silent, a=A, b=B)
    react(app, "all_a", Done, options={"each": A}, silent=list[Silent])
    assert ("join-impossible", "app.both") in found(app)


def test_a_join_of_two_items_of_one_list(app: Choreography) -> None:
    react(app, "one", list[A | B], o=Opened)
    react(app, "both", Done, a=A, b=B)
    assert ("join-impossible", "app.both") not in found(app)


def test_a_join_of_two_starts(app: Choreography) -> None:
    react(app, "both", Done, o=Opened, p=OtherOpened)
    assert ("join-impossible", "app.both") in found(app)


def test_a_join_with_an_enclosing_branch(app: Choreography) -> None:
    react(app, "one", list[A], o=Opened)
    react(app, "config", B, o=Opened)
    react(app, "read", C, a=A, b=B)
    react(app, "all", Done, cs=list[C])
    assert found(app) == set()


def test_a_join_with_what_is_there_before_the_branches(app: Choreography) -> None:
    react(app, "config", B, o=Opened)
    react(app, "one", list[A], b=B)
    react(app, "read", C, a=A, b=B, o=Opened)
    react(app, "all", Done, cs=list[C])
    assert found(app) == set()


def test_the_join_trap(app: Choreography) -> None:
    react(app, "one", A | Done, x=Opened | B)
    react(app, "two", B, a=A, o=Opened)
    assert found(app) == {("join-once", "app.two")}


def test_a_loop_that_nothing_ends(app: Choreography) -> None:
    react(app, "one", A, x=Opened | B)
    react(app, "two", B, a=A)
    assert found(app) == {("no-end", "app.Opened"), ("spinning", "app.one")}


@pytest.mark.parametrize("way_out", [B | Done, B | None, list[B], After[B], Ask[Yes | B]], ids=str)
def test_a_loop_that_may_end_or_waits(app: Choreography, way_out: Any) -> None:
    react(app, "one", A, x=Opened | B)
    react(app, "two", way_out, a=A)
    react(app, "yes", Done, y=Yes)
    assert not {name for name, _ in found(app)} & {"spinning", "join-impossible"}


def test_a_reminder_without_unless(app: Choreography) -> None:
    react(app, "remind", After[A] | None, x=Opened | A)
    react(app, "finish", Done, w=Wished)
    assert found(app) == {("timer-without-unless", "app.remind")}


def test_unless_may_be_a_signal(app: Choreography) -> None:
    react(app, "remind", After[A] | None, x=Opened | A, options={"unless": Wished})
    react(app, "finish", Done, w=Wished)
    assert found(app) == set()
    react(app, "again", After[A], w=Wished, options={"unless": D})
    assert ("unless-never", "app.again") in found(app)


@pytest.mark.parametrize(
    ("takes", "of", "names"),
    [
        (Failed[Opened], "one", set()),
        (Failed[A], "one", {"no-such-failure"}),
        (Failed[A], None, {"no-such-failure"}),
        (Failed[Opened], "elsewhere", {"no-such-failure"}),
        (Failed, None, set()),
    ],
)
def test_failures_that_nobody_has(app: Choreography, takes: Any, of: str | None, names: set[str]) -> None:
    react(app, "one", Done, o=Opened)
    react(app, "caught", Done, f=takes, options={"of": of})
    assert {name for name, _ in found(app)} == names


def test_all_that_is_not_provided(app: Choreography) -> None:
    react(app, "one", A, o=Opened, bank=Bank)
    react(app, "two", Done, a=A, bank=Bank)
    assert found(app) == {("not-provided", "app.one"), ("not-provided", "app.two")}


def test_what_undoes_is_asked_for_by_an_end(app: Choreography) -> None:
    async def undo(a: A) -> None: ...

    react(app, "one", A, o=Opened, options={"compensate": undo})
    react(app, "two", Done, a=A)
    assert found(app) == {("nothing-undone", "app.one")}
    react(app, "three", Undone, f=Failed[A])
    assert found(app) == set()


def test_the_worst_comes_first(app: Choreography) -> None:
    react(app, "one", Ask[Yes | No], o=Opened, bank=Bank)
    react(app, "two", None, y=Yes)
    ranks = [finding.severity for finding in findings_in(graph_of(app))]
    assert ranks == sorted(ranks, key=["error", "warning", "info"].index)
    assert ranks[0] == "error"


def test_answers_to_one_question_are_one_of_them_where_they_are_joined(app: Choreography) -> None:
    @app.reactor
    async def propose(x: Opened | C) -> list[A]: ...

    @app.reactor
    async def ask(a: A) -> Ask[Yes | No]: ...

    @app.reactor
    async def decide(answer: Yes | No, a: A) -> B: ...

    @app.reactor
    async def again(made: list[B]) -> C | Done: ...

    assert not {name for name, _ in found(app)} & {"join-once"}

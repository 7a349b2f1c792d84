"""Which fan-out a fan-in gathers, where the code does not say it."""

from typing import Any

import pytest

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, Failed
from farandole.reactors.graph import each_of, fan_outs, graph_of
from farandole.schemas import DeclarationError, End, Event, Start


class Asked(Start): ...


class Page(Event): ...


class Line(Event): ...


class Word(Event): ...


class Text(Event): ...


class Night(Start): ...


class Counted(End): ...


class Done(End): ...


@pytest.fixture
def app() -> Choreography:
    return Choreography("app")


def each(app: Choreography, name: str) -> tuple[str, ...]:
    graph = graph_of(app)
    return each_of(graph, next(r for r in graph.reactors if r.name == name))


def test_the_only_fan_out_that_leads_to_it(app: Choreography) -> None:
    @app.reactor
    def split(asked: Asked) -> list[Page]: ...

    @app.reactor
    def read(page: Page) -> Word | None: ...

    @app.reactor
    def total(words: list[Word]) -> Done: ...

    assert each(app, "total") == ("app.Page",)
    assert [f.types for f in fan_outs(graph_of(app))] == [("app.Page",)]
    app.load()


def test_nested_fan_outs_are_gathered_one_by_one(app: Choreography) -> None:
    @app.reactor
    def split(asked: Asked) -> list[Page]: ...

    @app.reactor
    def lines(page: Page) -> list[Line]: ...

    @app.reactor
    def read(line: Line) -> Word: ...

    @app.reactor
    def page_text(words: list[Word]) -> Text: ...

    @app.reactor
    def total(texts: list[Text]) -> Done: ...

    assert each(app, "page_text") == ("app.Line",)
    assert each(app, "total") == ("app.Page",)
    app.load()


def test_two_fan_outs_that_lead_to_it_must_be_told_apart(app: Choreography) -> None:
    @app.reactor
    def pages(asked: Asked) -> list[Page]: ...

    @app.reactor
    def lines(asked: Asked) -> list[Line]: ...

    @app.reactor
    def read(it: Page | Line) -> Word: ...

    @app.reactor
    def total(words: list[Word]) -> Done: ...

    assert each(app, "total") == ()
    message = r"^app.total: list\[Word\] could gather Page or Line; name the fan-out with each=$"
    with pytest.raises(DeclarationError, match=message):
        app.load()


def test_two_fan_outs_of_one_event_are_as_one(app: Choreography) -> None:
    @app.reactor
    def first(asked: Asked) -> list[Page]: ...

    @app.reactor
    def second(night: Night) -> list[Page] | None: ...

    @app.reactor
    def total(pages: list[Page]) -> Done: ...

    assert each(app, "total") == ("app.Page",)
    app.load()


def test_one_that_nothing_leads_to_is_refused(app: Choreography) -> None:
    @app.reactor
    def total(words: list[Word]) -> Done: ...

    message = r"^app.total: no fan-out at hand leads to list\[Word\]; name the fan-out's event with each=$"
    with pytest.raises(DeclarationError, match=message):
        app.load()


def test_a_fan_out_in_another_service_is_named(app: Choreography) -> None:
    @app.reactor(each=Page)
    def total(words: list[Word]) -> Done: ...

    app.load()


def test_failures_do_not_hide_what_is_gathered(app: Choreography) -> None:
    @app.reactor
    def split(asked: Asked) -> list[Page]: ...

    @app.reactor
    def read(page: Page) -> Word: ...

    @app.reactor
    def others(asked: Asked) -> list[Line]: ...

    @app.reactor
    def total(words: list[Word | Failed[Page]]) -> Done: ...

    @app.reactor
    def failures(failed: list[Failed[Line]]) -> None: ...

    @app.reactor
    def look(line: Line) -> None: ...

    assert each(app, "total") == ("app.Page",)
    assert each(app, "failures") == ("app.Line",)


@pytest.mark.parametrize("news", [ChildDone[Counted], ChildDone[Counted] | ChildFailed[Night]], ids=str)
def test_children_are_gathered_by_their_start(app: Choreography, news: Any) -> None:
    @app.reactor
    def nights(asked: Asked) -> list[Child[Night]]: ...

    @app.reactor
    def count(night: Night) -> Counted: ...

    def total(done: Any) -> Done: ...

    total.__annotations__ = {"done": list[news], "return": Done}
    app.reactor(total)
    assert each(app, "total") == ("app.Night",)

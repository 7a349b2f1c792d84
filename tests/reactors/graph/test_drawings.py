"""Graphs as pictures: the same bytes each time, whole documents, nothing that text in a name could break.

To draw the golden files anew, delete them: the test that lacks one writes it, and fails.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, Failed
from farandole.reactors.graph import Graph, graph_of
from farandole.reactors.graph.drawing import dot, mermaid, picture_of, svg
from farandole.reactors.graph.nodes import Alternative, EventNode, Given, Input, ReactorNode, Taken
from farandole.schemas import End, Start

Program = Callable[[str], Choreography]

GOLDEN = Path(__file__).parent / "golden"
FORMATS = {"svg": svg, "mmd": mermaid, "dot": dot}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["a01_order", "a03_map_reduce", "a05_saga", "a07_agent"])
def test_programs_are_drawn_as_they_were(program: Program, name: str, format: str) -> None:
    drawn = FORMATS[format](graph_of(program(name)))
    golden = GOLDEN / f"{name}.{format}"
    if not golden.exists():
        golden.write_text(drawn, encoding="utf-8")
        pytest.fail(f"{golden.name} was not there; it is now: look at it")
    assert drawn == golden.read_text(encoding="utf-8")


def hostile() -> Graph:
    """A graph whose reactor has a name that means something to every language; contracts may hold any."""
    name = 'x"]; </text><script>alert(1)</script> & `\\ #quot; | -->\nend'
    reactor = ReactorNode(
        choreography="c",
        name=name,
        service="s",
        inputs=(Input("a", "event", (Taken("event", ("c.A",)),)),),
        alternatives=(Alternative("one", ((Given("c.B"),),)),),
    )
    return Graph([EventNode("c", "A", "start"), EventNode("c", "B", "end")], [reactor])


def test_svg_is_a_document_without_scripts_or_references(program: Program) -> None:
    for graph in (graph_of(program("a07_agent")), hostile()):
        text = svg(graph)
        tree = ElementTree.fromstring(text)
        assert tree.tag == f"{SVG}svg"
        tags = {element.tag.removeprefix(SVG) for element in tree.iter()}
        assert tags <= {"svg", "title", "style", "defs", "marker", "path", "rect", "text", "g", "circle"}
        attributes = {name for element in tree.iter() for name in element.attrib}
        assert not [name for name in attributes if name.startswith("on") or "href" in name]
        assert "@import" not in text
        assert re.findall(r"url\((?!#)", text) == []


def test_svg_is_light_and_dark(program: Program) -> None:
    text = svg(graph_of(program("a01_order")))
    light, _, dark = text.partition("@media (prefers-color-scheme:dark)")
    for name in (".page{fill", ".edge{stroke", ".reactor .box{fill", ".start .box{fill"):
        assert name in light
        assert name in dark


def test_svg_keeps_all_within_its_edges(program: Program) -> None:
    tree = ElementTree.fromstring(svg(graph_of(program("a07_agent"))))
    width, height = float(tree.attrib["width"]), float(tree.attrib["height"])
    for box in tree.iter(f"{SVG}rect"):
        assert float(box.attrib.get("x", 0)) >= 0
        assert float(box.attrib.get("x", 0)) + float(box.attrib["width"]) <= width
        assert float(box.attrib.get("y", 0)) + float(box.attrib["height"]) <= height


TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|[\w.#]+|[{}\[\];=,])')


def tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        assert match is not None, text[at : at + 40]
        yield match[1]
        at = match.end()


def statements(text: str) -> list[list[str]]:
    """The statements of a digraph in Graphviz's language; fails where they are none."""
    found = list(tokens(text))
    assert found[0] == "digraph"
    assert found[2] == "{"
    assert found[-1] == "}"
    made: list[list[str]] = [[]]
    for token in found[3:-1]:
        if token == ";":
            made.append([])
        else:
            made[-1].append(token)
    assert made.pop() == []
    for statement in made:
        head, _, attributes = " ".join(statement).partition(" [ ")
        assert re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"|\w+)(?: -> "(?:[^"\\]|\\.)*")?', head), head
        if attributes:
            assert re.fullmatch(r'(?:\w+ = (?:"(?:[^"\\]|\\.)*"|[\w.#]+)(?: , )?)+ \]', attributes), attributes
    return made


@pytest.mark.parametrize("name", ["a01_order", "a05_saga", "a07_agent"])
def test_dot_is_graphvizs_language(program: Program, name: str) -> None:
    graph = graph_of(program(name))
    made = statements(dot(graph))
    picture = picture_of(graph)
    assert sum("->" in statement for statement in made) == len(picture.arrows)
    assert len(made) == 3 + len(picture.boxes) + len(picture.arrows)
    statements(dot(hostile()))


def test_mermaid_has_each_box_and_arrow_on_a_line_of_its_own() -> None:
    lines = mermaid(hostile()).splitlines()
    assert lines[0] == "flowchart TB"
    assert len([line for line in lines if re.match(r"    n\d+\W", line) and ":::" in line]) == 3
    assert len([line for line in lines if re.match(r"    n\d+ --> n\d+$", line)]) == 2
    (hostiles,) = [line for line in lines if "script" in line]
    assert "<script" not in hostiles
    assert hostiles.count('"') == 2


def test_the_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import a01_order; from farandole.reactors.graph import *; "
        "from farandole.reactors.graph.drawing import *; g = graph_of(a01_order.orders); "
        "sys.stdout.write(svg(g) + dot(g) + mermaid(g) + repr(findings_in(g)))"
    )
    apps = str(Path(__file__).parents[2] / "typing" / "apps")
    drawn = [
        subprocess.run(
            [sys.executable, "-c", code, apps],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert drawn[0] == drawn[1] != ""


class Opened(Start): ...


class Gone(End): ...


class Asked(Start): ...


class Found(End): ...


def test_a_child_of_another_choreography_is_drawn_where_it_runs_and_once() -> None:
    asking, research = Choreography("asking"), Choreography("research")

    @asking.reactor
    def ask(opened: Opened) -> Child[Asked]: ...

    @asking.reactor
    def hear(done: ChildDone[Found] | ChildFailed[Asked]) -> Gone: ...

    @research.reactor
    def search(asked: Asked) -> Found: ...

    picture = picture_of(graph_of(asking, research))
    assert {box.id: box.outside for box in picture.boxes if box.kind != "reactor"} == {
        "asking.Opened": True,
        "asking.Gone": False,
        "research.Asked": False,
        "research.Found": False,
    }
    assert {(arrow.source, arrow.target) for arrow in picture.arrows} == {
        ("asking.Opened", "asking.ask()"),
        ("asking.ask()", "research.Asked"),
        ("research.Asked", "research.search()"),
        ("research.Asked", "asking.hear()"),
        ("research.search()", "research.Found"),
        ("research.Found", "asking.hear()"),
        ("asking.hear()", "asking.Gone"),
    }
    alone = picture_of(graph_of(asking))
    assert {box.id for box in alone.boxes if box.kind in ("start", "end")} == {
        "asking.Opened", "asking.Asked", "asking.Found", "asking.Gone",
    }  # fmt: skip


def test_failures_of_many_are_drawn_by_way_of_one_box() -> None:
    app = Choreography("app")
    for name in ("a", "b", "c"):

        @app.reactor(name=name)
        def step(opened: Opened) -> Gone: ...

    @app.reactor
    def caught(failed: Failed[Opened]) -> Gone: ...

    @app.reactor(of="b")
    def caught_of_b(failed: Failed[Opened]) -> Gone: ...

    picture = picture_of(graph_of(app))
    (box,) = [box for box in picture.boxes if box.kind == "failure"]
    assert (box.title, box.notes) == ("any step fails", ("that took Opened",))
    failures = {(arrow.source, arrow.target) for arrow in picture.arrows if arrow.line == "failure"}
    assert failures == {(box.id, "app.caught()"), ("app.b()", "app.caught_of_b()")}

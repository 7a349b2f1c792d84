"""Whatever the graph: nothing lies upon another, arrows go down but for those that are turned, all has its place."""

from hypothesis import given
from hypothesis import strategies as st

from farandole.reactors.graph.drawing.layout import LAYER_GAP, Edge, Size, ascending, lay_out


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Size], list[Edge]]:
    sizes = draw(st.lists(st.tuples(st.integers(10, 200).map(float), st.integers(10, 80).map(float)), max_size=14))
    pairs = [(a, b) for a in range(len(sizes)) for b in range(len(sizes)) if a != b]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=30)) if pairs else []
    return sizes, edges


@given(graphs())
def test_no_box_lies_upon_another_or_outside(graph: tuple[list[Size], list[Edge]]) -> None:
    sizes, edges = graph
    layout = lay_out(sizes, edges)
    boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)]
    for n, (left, top, right, bottom) in enumerate(boxes):
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= layout.size[0] + 1e-6
        assert bottom <= layout.size[1] + 1e-6
        for other in boxes[n + 1 :]:
            apart = right <= other[0] + 1e-6 or other[2] <= left + 1e-6 or bottom <= other[1] or other[3] <= top
            assert apart


@given(graphs())
def test_arrows_go_down_unless_they_are_turned(graph: tuple[list[Size], list[Edge]]) -> None:
    sizes, edges = graph
    layout = lay_out(sizes, edges)
    for edge in edges:
        source, target = layout.centres[edge[0]], layout.centres[edge[1]]
        points = [source, *layout.bends[edge], target]
        heights = [y for _, y in points]
        assert heights == sorted(heights, reverse=edge in layout.turned)
        low, high = sorted((source[1], target[1]))
        assert high - low >= LAYER_GAP


@given(graphs())
def test_arrows_pass_beside_boxes(graph: tuple[list[Size], list[Edge]]) -> None:
    sizes, edges = graph
    layout = lay_out(sizes, edges)
    for passed in layout.bends.values():
        for x, y in passed:
            for (cx, cy), (w, h) in zip(layout.centres, sizes, strict=True):
                assert abs(cx - x) >= w / 2 - 1e-6 or abs(cy - y) >= h / 2 - 1e-6


@given(graphs())
def test_the_same_graph_has_the_same_layout(graph: tuple[list[Size], list[Edge]]) -> None:
    assert lay_out(*graph) == lay_out(*graph)


@given(st.lists(st.tuples(st.integers(-50, 50).map(float), st.sampled_from([0.5, 1.0, 4.0])), max_size=12))
def test_ascending_values_are_those_nearest(wanted: list[tuple[float, float]]) -> None:
    values = ascending([v for v, _ in wanted], [w for _, w in wanted])
    assert values == sorted(values)

    def distance(found: list[float]) -> float:
        return sum(w * (v - f) ** 2 for (v, w), f in zip(wanted, found, strict=True))

    # Of what a least sum of squares is there is a test: moving any rest of the values together makes none smaller.
    for first in range(len(values)):
        for by in (-0.25, 0.25):
            for moved in (
                [*values[:first], *(v + by for v in values[first:])],
                [*values[: first + 1], *values[first + 1 :]],
            ):
                if moved == sorted(moved):
                    assert distance(moved) >= distance(values) - 1e-6

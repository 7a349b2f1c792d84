"""Where boxes and arrows lie: layers from top to bottom, few crossings, the same picture each time. Pure.

The way of Sugiyama: loops are broken by turning some edges round; each node gets a layer by the longest path to it; long
edges get a bend in every layer that they pass; sweeps order the layers by the middle of their neighbours; and last,
each layer's places are those nearest to their neighbours that keep order and distance.
"""

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

GAP: Final = 30.0
"""Between neighbours in a layer."""
_BEND_GAP: Final = 16.0
LAYER_GAP: Final = 54.0
_WIDE: Final = 1100.0
_SWEEPS: Final = 24
_ROUNDS: Final = 40

Size = tuple[float, float]
Point = tuple[float, float]
Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie.

    Attributes:
        size: of the whole.
        centres: of the nodes.
        bends: the points by which each edge passes, from its source to its target: two in each layer between, so that
            it runs straight beside what lies there.
        turned: the edges that go upwards.
    """

    size: Size
    centres: tuple[Point, ...]
    bends: Mapping[Edge, tuple[Point, ...]]
    turned: frozenset[Edge]


def lay_out(sizes: Sequence[Size], edges: Sequence[Edge]) -> Layout:
    """Lay out a graph. What does not hang together lies side by side, in rows of about `_WIDE`.

    Args:
        sizes: width and height of each node.
        edges: by the nodes' numbers, each once; none from a node to itself.
    """
    centres: list[Point] = [(0.0, 0.0)] * len(sizes)
    bends: dict[Edge, tuple[Point, ...]] = {}
    turned: set[Edge] = set()
    x = y = right = bottom = 0.0
    for nodes in _components(len(sizes), edges):
        number = {n: i for i, n in enumerate(nodes)}
        own = [edge for edge in edges if edge[0] in number]
        part = _lay_out_one([sizes[n] for n in nodes], [(number[a], number[b]) for a, b in own])
        if x and x + part.size[0] > _WIDE:
            x, y = 0.0, bottom + LAYER_GAP
        for n in nodes:
            centres[n] = (part.centres[number[n]][0] + x, part.centres[number[n]][1] + y)
        for a, b in own:
            edge = number[a], number[b]
            bends[a, b] = tuple((px + x, py + y) for px, py in part.bends[edge])
            if edge in part.turned:
                turned.add((a, b))
        right, bottom = max(right, x + part.size[0]), max(bottom, y + part.size[1])
        x += part.size[0] + 2 * GAP
    return Layout((right, bottom), tuple(centres), bends, frozenset(turned))


def _components(count: int, edges: Sequence[Edge]) -> list[list[int]]:
    """The nodes that hang together, the largest first."""
    leader = list(range(count))

    def root(n: int) -> int:
        while leader[n] != n:
            leader[n] = leader[leader[n]]
            n = leader[n]
        return n

    for a, b in edges:
        low, high = sorted((root(a), root(b)))
        leader[high] = low
    found: dict[int, list[int]] = {}
    for n in range(count):
        found.setdefault(root(n), []).append(n)
    return sorted(found.values(), key=lambda nodes: -len(nodes))


def _lay_out_one(sizes: Sequence[Size], edges: Sequence[Edge]) -> Layout:
    """Lay out what hangs together."""
    turned = _turned(len(sizes), edges)
    down = {edge: (edge[1], edge[0]) if edge in turned else edge for edge in edges}
    layer = _layers(len(sizes), list(down.values()))
    widths = [width for width, _ in sizes]
    chains: dict[Edge, list[int]] = {}
    links: list[Edge] = []
    for edge in edges:
        source, target = down[edge]
        chain = [source]
        for between in range(layer[source] + 1, layer[target]):
            chain.append(len(widths))
            widths.append(0.0)
            layer.append(between)
        chain.append(target)
        chains[edge] = chain
        links += itertools.pairwise(chain)
    rows = _ordered(layer, links)
    xs = _placed(rows, widths, links, len(sizes))
    tops, bottoms = _rows(rows, sizes)
    left = min((xs[n] - widths[n] / 2 for n in range(len(widths))), default=0.0)
    right = max((xs[n] + widths[n] / 2 for n in range(len(widths))), default=0.0)
    bends: dict[Edge, tuple[Point, ...]] = {}
    for edge, chain in chains.items():
        passed = [(xs[n] - left, y) for n in chain[1:-1] for y in (tops[layer[n]], bottoms[layer[n]])]
        bends[edge] = tuple(reversed(passed) if edge in turned else passed)
    centres = tuple((xs[n] - left, (tops[layer[n]] + bottoms[layer[n]]) / 2) for n in range(len(sizes)))
    return Layout((right - left, bottoms[-1] if bottoms else 0.0), centres, bends, turned)


def _turned(count: int, edges: Sequence[Edge]) -> frozenset[Edge]:
    """The edges that lead back to where a walk came from."""
    follow = _followers(count, edges)
    entered = {target for _, target in edges}
    state = [0] * count
    found: set[Edge] = set()
    for first in sorted(range(count), key=lambda n: (n in entered, n)):
        walk = [(first, iter(follow[first]))] if not state[first] else []
        state[first] = state[first] or 1
        while walk:
            here, ahead = walk[-1]
            there = next(ahead, None)
            if there is None:
                state[here] = 2
                walk.pop()
            elif state[there] == 1:
                found.add((here, there))
            elif not state[there]:
                state[there] = 1
                walk.append((there, iter(follow[there])))
    return frozenset(found)


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """The longest path to each node; a node that nothing leads to stands right above what follows it."""
    follow = _followers(count, edges)
    waiting = [0] * count
    for _, target in edges:
        waiting[target] += 1
    layer = [0] * count
    ready = [n for n in range(count) if not waiting[n]]
    for here in ready:
        for there in follow[here]:
            layer[there] = max(layer[there], layer[here] + 1)
            waiting[there] -= 1
            if not waiting[there]:
                ready.append(there)
    entered = {target for _, target in edges}
    for n in range(count):
        if n not in entered and follow[n]:
            layer[n] = min(layer[there] for there in follow[n]) - 1
    return layer


def _ordered(layer: Sequence[int], links: Sequence[Edge]) -> list[list[int]]:
    """The nodes of each layer from left to right, with few crossings."""
    above, below = _neighbours(len(layer), links)
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    seen: set[int] = set()

    # A walk puts what hangs together side by side, as a beginning.
    def walk(first: int) -> None:
        ahead = [first]
        while ahead:
            if (n := ahead.pop()) not in seen:
                seen.add(n)
                rows[layer[n]].append(n)
                ahead += reversed([*below[n], *above[n]])

    for n in sorted(range(len(layer)), key=lambda n: (layer[n], n)):
        walk(n)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for at in range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1):
            beside = above if downwards else below
            place = {n: i for i, n in enumerate(rows[at - 1 if downwards else at + 1])}
            now = {n: i for i, n in enumerate(rows[at])}

            def middle(n: int, beside: Sequence[Sequence[int]] = beside, place: Mapping[int, int] = place) -> float:
                found = [place[m] for m in beside[n]]
                return sum(found) / len(found) if found else -1.0

            # What has no neighbour there keeps its place among the others.
            middles = {n: middle(n) for n in rows[at]}
            free = [n for n in rows[at] if middles[n] >= 0]
            free.sort(key=lambda n: (middles[n], now[n] if sweep % 4 < 2 else -now[n]))
            ordered = iter(free)
            rows[at] = [next(ordered) if middles[n] >= 0 else n for n in rows[at]]
        _swap(rows, above, below)
        if (crossings := _crossings(rows, below)) < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _swap(rows: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> None:
    """Exchange neighbours where that saves crossings."""
    for at, row in enumerate(rows):
        up = {n: i for i, n in enumerate(rows[at - 1])} if at else {}
        down = {n: i for i, n in enumerate(rows[at + 1])} if at + 1 < len(rows) else {}
        for i in range(len(row) - 1):
            a, b = row[i], row[i + 1]
            now = _between(above[a], above[b], up) + _between(below[a], below[b], down)
            then = _between(above[b], above[a], up) + _between(below[b], below[a], down)
            if then < now:
                row[i], row[i + 1] = b, a


def _between(left: Sequence[int], right: Sequence[int], place: Mapping[int, int]) -> int:
    return sum(place[m] > place[n] for m in left for n in right)


def _crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(rows):
        place = {n: i for i, n in enumerate(lower)}
        passed: list[int] = []
        for n in upper:
            for end in sorted(place[m] for m in below[n]):
                at = bisect_right(passed, end)
                total += len(passed) - at
                passed.insert(at, end)
    return total


def _placed(rows: Sequence[Sequence[int]], widths: Sequence[float], links: Sequence[Edge], real: int) -> list[float]:
    """The horizontal places: near to the neighbours, in order, never too close."""
    xs = [0.0] * len(widths)
    for row in rows:
        at = 0.0
        for n in row:
            xs[n] = at + widths[n] / 2
            at += widths[n] + GAP
    pulls: list[list[tuple[int, float]]] = [[] for _ in widths]
    for a, b in links:
        # Long edges are to be straight: a bend heeds the bends next to it more than all else.
        pull = 8.0 if a >= real and b >= real else 1.0
        pulls[a].append((b, pull))
        pulls[b].append((a, pull))
    distances = [_distances(row, widths, real) for row in rows]
    for round_ in range(_ROUNDS):
        for at in range(len(rows)) if round_ % 2 == 0 else range(len(rows) - 1, -1, -1):
            row, distance = rows[at], distances[at]
            wanted, weights = [], []
            for n, d in zip(row, distance, strict=True):
                total = sum(pull for _, pull in pulls[n])
                wanted.append((sum(xs[m] * pull for m, pull in pulls[n]) / total if total else xs[n]) - d)
                weights.append((4.0 if n >= real else 1.0) if total else 0.1)
            for n, x, d in zip(row, ascending(wanted, weights), distance, strict=True):
                xs[n] = x + d
    return xs


def _distances(row: Sequence[int], widths: Sequence[float], real: int) -> list[float]:
    """How far right of a layer's first node each of its nodes lies at least."""
    found = [0.0]
    for a, b in itertools.pairwise(row):
        gap = _BEND_GAP if a >= real or b >= real else GAP
        found.append(found[-1] + widths[a] / 2 + gap + widths[b] / 2)
    return found


def ascending(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The values nearest to those wanted, by the sum of weighted squares, of which none is below the one before."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            v, w, n = pools.pop()
            pool = ((v * w + pool[0] * pool[1]) / (w + pool[1]), w + pool[1], n + pool[2])
        pools.append(pool)
    return [value for value, _, count in pools for _ in range(count)]


def _rows(rows: Sequence[Sequence[int]], sizes: Sequence[Size]) -> tuple[list[float], list[float]]:
    """The top and the bottom of each layer."""
    tops: list[float] = []
    bottoms: list[float] = []
    for row in rows:
        tops.append(bottoms[-1] + LAYER_GAP if bottoms else 0.0)
        bottoms.append(tops[-1] + max((sizes[n][1] for n in row if n < len(sizes)), default=0.0))
    return tops, bottoms


def _followers(count: int, edges: Sequence[Edge]) -> list[list[int]]:
    follow: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        follow[source].append(target)
    return follow


def _neighbours(count: int, links: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in links:
        below[upper].append(lower)
        above[lower].append(upper)
    return above, below

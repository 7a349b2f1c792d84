"""`/diff`: two runs side by side: where they part, and what is not the same in what they share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.projections.runs.query import RecordRow

from .site import page
from .words import as_text

router = APIRouter()
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Pair:
    """Events of the same place in both, or one that only one of them has."""

    a: RecordRow | None
    b: RecordRow | None
    differs: Sequence[tuple[str, str, str]]
    """Paths in the payload, with what each has there."""
    first: bool = False
    """The first one that is not the same in both."""

    @property
    def same(self) -> bool:
        return self.a is not None and self.b is not None and not self.differs


def aligned(a: Sequence[RecordRow], b: Sequence[RecordRow]) -> list[Pair]:
    """The histories of two runs beside each other, by type and reactor."""

    def keys(events: Sequence[RecordRow]) -> list[tuple[str, str]]:
        return [(event.type, event.reactor) for event in events]

    pairs: list[Pair] = []
    for what, a0, a1, b0, b1 in SequenceMatcher(None, keys(a), keys(b), autojunk=False).get_opcodes():
        if what == "equal":
            pairs += [Pair(x, y, differences(x.payload, y.payload)) for x, y in zip(a[a0:a1], b[b0:b1], strict=True)]
        else:
            pairs += [Pair(x, None, ()) for x in a[a0:a1]]
            pairs += [Pair(None, y, ()) for y in b[b0:b1]]
    for n, pair in enumerate(pairs):
        if pair.a is None or pair.b is None:
            pairs[n] = Pair(pair.a, pair.b, pair.differs, first=True)
            break
    return pairs


def differences(a: Any, b: Any) -> list[tuple[str, str, str]]:
    """Where two payloads have something else."""
    left, right = dict(_flat(a)), dict(_flat(b))
    found = []
    for path in dict.fromkeys([*left, *right]):
        one, two = left.get(path, _NOTHING), right.get(path, _NOTHING)
        if one != two:
            found.append((path or "(all of it)", _shown(one), _shown(two)))
    return found


def _shown(value: Any) -> str:
    return "–" if value is _NOTHING else as_text(value)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{n}]")
    else:
        yield path, value


@router.get("/diff")
async def diff(request: Request) -> HTMLResponse:
    desk, caller = request.app.state.desk, request.state.caller
    ids = {side: request.query_params.get(side, "").strip() for side in "ab"}
    runs = {side: (await desk.runs.get(id)).found if id else None for side, id in ids.items()}
    pairs = None
    if runs["a"] and runs["b"]:
        a, b = [(await desk.runs.history(ids[side], personal=caller.personal)).found for side in "ab"]
        pairs = aligned(a, b)
    return await page(
        request, "diff.html", ids=ids, runs=runs, pairs=pairs,
        missing=[ids[side] for side in "ab" if ids[side] and runs[side] is None],
    )  # fmt: skip

"""The page on metrics tells of every metric that there is, of no other, and of their labels."""

import re
from pathlib import Path

import pytest

from exposition import Exposition, Family, of_a_server, of_a_worker

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "metrics.md").read_text()
OF_ALL = frozenset({"choreography"})


def told(heading: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Kind and labels of each metric in the table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(farandole_\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$", section, flags=re.M)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def exposed(exposition: Exposition, always: frozenset[str]) -> dict[str, tuple[str, frozenset[str]]]:
    ours = {name: family for name, family in exposition.families.items() if name.startswith("farandole_")}
    return {name: (_kind(family), family.labels - always) for name, family in ours.items()}


def _kind(family: Family) -> str:
    return "gauge" if family.kind == "info" else family.kind


async def test_metrics_of_a_worker() -> None:
    assert exposed(await of_a_worker(), OF_ALL | {"service"}) == told("A worker")


async def test_metrics_of_the_server(tmp_path: Path) -> None:
    assert exposed(await of_a_server(tmp_path / "runs.db"), OF_ALL) == told("The server")


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_metrics_that_other_pages_name_are_there(page: Path) -> None:
    names = set(re.findall(r"`(farandole_\w+_(?:total|seconds|bytes|records|owed|parked))\b", page.read_text()))
    assert names <= told("A worker").keys() | told("The server").keys()

"""docs/reliability.md tells of each fault that there is, in its table or among those that are not in it yet, and of no other."""

import re
from pathlib import Path

from . import cells
from .cell import CELLS
from .report import BEGIN, END

__all__ = ["cells"]

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_TO_COME = "Not in it yet:"


def in_the_table(page: str) -> list[str]:
    table = page.partition(BEGIN)[2].partition(END)[0]
    return re.findall(r"^\| `([^`]+)`: ", table, re.MULTILINE)


def to_come(page: str) -> list[str]:
    return re.findall(r"`([^`]+)`", page.partition(_TO_COME)[2].partition(".")[0])


def wrongly_told(page: str) -> set[str]:
    """Cells that are missing on the page, those that it tells of and that are none, and those in both of its places."""
    rows, others = {*in_the_table(page)}, {*to_come(page)}
    return (CELLS.keys() ^ (rows | others)) | (rows & others)


def test_the_page_tells_of_each_fault_that_the_campaign_lists_and_of_no_other() -> None:
    assert wrongly_told(PAGE.read_text()) == set()


def test_a_page_that_leaves_a_fault_out_names_it_twice_or_tells_of_one_that_is_gone_is_noticed() -> None:
    first, *rest = CELLS
    row = "| `{}`: about | 1 |\n"
    table = f"{BEGIN}\n{''.join(map(row.format, rest))}\n{END}\n"
    assert wrongly_told(f"{table}{_TO_COME} `{first}`.") == set()
    assert wrongly_told(f"{table}{_TO_COME} none.") == {first}
    assert wrongly_told(f"{table}{_TO_COME} `{first}` and `{rest[0]}`.") == {rest[0]}
    assert wrongly_told(f"{table}{_TO_COME} `{first}` and `gone`.") == {"gone"}

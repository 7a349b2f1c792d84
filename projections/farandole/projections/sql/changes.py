"""What is to change in one table, gathered in memory until it is written.

Rows are *new*, *likely* new, *put* (there or not, they then are so) or *changed* (if they are there). What happens to one row twice
before it is written is written once. Whether several changes are written together or apart makes no difference.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import Table

Rule = Literal["set", "keep", "add", "most"]
"""What a change does to a column. set: it is then so. keep: so if something is given (not None). add: it is so much more.
most: it is the greater of both."""

Key = tuple[Any, ...]


class Form:
    """How rows of a table change.

    Args:
        table: its first columns are its key.
        rules: the columns that change, in the order in which changes give them; of a table whose rows are put: all but
            the key, those not named here are set.
        key: columns by which rows are changed, if not by the table's own key.
    """

    def __init__(self, table: Table, rules: Mapping[str, Rule] | None = None, key: Sequence[str] = ()) -> None:
        self.table = table
        self.columns: Final = tuple(c.name for c in table.columns)
        self.key: Final = tuple(key) or tuple(c.name for c in table.primary_key.columns)
        self.rules: Final = dict(rules or {})
        self.given: Final = tuple(self.rules)
        self.places: Final = tuple(self.columns.index(name) for name in self.given)
        self.ways: Final = tuple(self.rules.values())
        self.put_ways: Final = tuple(self.rules.get(name, "set") for name in self.columns[len(self.key) :])
        self.replaces: Final = set(self.put_ways) == {"set"}
        """Whether a row that is put takes the place of all of another."""
        self.sets: Final = tuple((self.places[n], n) for n, way in enumerate(self.ways) if way == "set")
        self.others: Final = tuple((self.places[n], n, way) for n, way in enumerate(self.ways) if way != "set")
        assert self.columns[: len(self.key)] == self.key


class Changes:
    """Those of one table."""

    __slots__ = ("changed", "form", "likely", "new", "put")

    def __init__(self, form: Form) -> None:
        self.form = form
        self.new: dict[Key, list[Any]] = {}
        """Whole rows."""
        self.likely: dict[Key, list[Any]] = {}
        """Whole rows of which hardly any is there: put, but in the way that is fastest for new ones."""
        self.put: dict[Key, list[Any]] = {}
        """Whole rows."""
        self.changed: dict[Key, list[Any]] = {}
        """Values of the columns that change."""

    def insert(self, key: Key, row: list[Any]) -> None:
        """A row that is not there yet."""
        self.new[key] = row

    def upsert(self, key: Key, row: list[Any]) -> None:
        """A row, there or not."""
        before = None if self.form.replaces else self.put.get(key)
        if before is not None:
            at = len(key)
            for way in self.form.put_ways:
                row[at] = _joined(way, before[at], row[at])
                at += 1
        self.put[key] = row

    def update(self, key: Key, values: Sequence[Any]) -> None:
        """Some columns of a row that may be there."""
        form = self.form
        row = self.new.get(key)
        if row is not None:
            for at, n in form.sets:
                row[at] = values[n]
            for at, n, way in form.others:
                row[at] = _joined(way, row[at], values[n])
            return
        before = self.changed.get(key)
        self.changed[key] = (
            list(values)
            if before is None
            else [_joined(way, old, new) for way, old, new in zip(form.ways, before, values, strict=True)]
        )

    def __len__(self) -> int:
        return len(self.new) + len(self.likely) + len(self.put) + len(self.changed)


def _joined(way: Rule, old: Any, new: Any) -> Any:
    if way == "set":
        return new
    if way == "keep":
        return old if new is None else new
    return old + new if way == "add" else max(old, new)

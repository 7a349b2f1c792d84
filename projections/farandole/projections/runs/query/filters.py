"""Which runs are asked for, as conditions of SQL."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, column, false, func, literal_column, or_, select, table, text, true, tuple_

from farandole.projections.runs.batch import OFFSET_BITS
from farandole.projections.runs.tables import attributes, records, runs, steps

from .waiting import WaitsFor, waiting_for

_WORDS: Final = table("records_words", column("rowid"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What runs must be like; what is left out does not matter.

    Attributes:
        status: one of these.
        open: closed, or not.
        waits_for: open, and waits for this in the first place: see `WaitingGroup`.
        type: wire name of the start, with its choreography or without.
        reactor: a step of it is owed or parked.
        fingerprint: a parked step failed so; the beginning will do.
        parent: the run, or the schedule, that started it.
        attributes: fields that are marked with `Search`.
        text: all these words stand in one of its records.
        id: how the run's id begins.
        started_from, started_to, touched_from, touched_to: log times, the latter left out.
    """

    status: Collection[str] = ()
    open: bool | None = None
    waits_for: WaitsFor | None = None
    type: str | None = None
    reactor: str | None = None
    fingerprint: str | None = None
    parent: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    id: str | None = None
    started_from: int | None = None
    started_to: int | None = None
    touched_from: int | None = None
    touched_to: int | None = None

    @property
    def says(self) -> str:
        """The words that are looked for; empty if there are none."""
        return (self.text or "").strip()

    def conditions(self, dialect: str, choreography: str, *, one_by_one: bool = False) -> list[ColumnElement[bool]]:
        """All of which must hold.

        Args:
            choreography: that of the runs.
            one_by_one: the words are looked for in the records of each run in turn, and not by their index: see `searching`.
        """
        c = runs.c
        found: list[ColumnElement[bool]] = []
        if self.status:
            found.append(c.status.in_(sorted(self.status)))
        if self.open is not None:
            found.append(c.closed.is_(None) if self.open else c.closed.is_not(None))
        if self.waits_for is not None:
            found.append(waiting_for(self.waits_for))
        if self.type is not None:
            found.append(c.type == (self.type if "." in self.type else f"{choreography}.{self.type}"))
        if self.reactor is not None:
            found.append(c.closed.is_(None))  # as all runs are that owe something, and those have an index in order
            found.append(_has(steps, steps.c.reactor == self.reactor, steps.c.state.in_(("owed", "parked"))))
        if self.fingerprint is not None:
            found.append(_begins(c.fingerprint, self.fingerprint, dialect))
        if self.parent is not None:
            found.append(c.parent == self.parent)
        for name, value in self.attributes.items():
            a = attributes.c
            found.append(_has(attributes, a.name == name, a.value == value, a.admitted))
        if self.says:
            found.append(_with_words_here(self.says) if one_by_one else _with_words(self.says, dialect))
        if self.id is not None:
            found.append(_begins(c.run_id, self.id, dialect))
        for since, upto, at in (
            (self.started_from, self.started_to, c.started),
            (self.touched_from, self.touched_to, c.touched),
        ):
            found += [] if since is None else [at >= since]
            found += [] if upto is None else [at < upto]
        return found


def _has(of: Any, *conditions: Any) -> ColumnElement[bool]:
    # By the rows that are so, which an index finds, and not by looking at the rows of each run.
    return tuple_(runs.c.partition, runs.c.run).in_(select(of.c.partition, of.c.run).where(*conditions))


def _with_words(said: str, dialect: str) -> ColumnElement[bool]:
    """Runs with a record in which all these words stand."""
    r = records.c
    if dialect == "sqlite":
        # Each word in quotes, so that none of them is an operator.
        query = " ".join('"' + word.replace('"', '""') + '"' for word in said.split())
        mask = (1 << OFFSET_BITS) - 1
        rowid = _WORDS.c.rowid
        found = (
            select(r.partition, r.run)
            .join_from(
                _WORDS,
                records,
                and_(r.partition == rowid.bitwise_rshift(OFFSET_BITS), r.log_offset == rowid.bitwise_and(mask)),
            )
            .where(text("records_words MATCH :words").bindparams(words=query), r.run.is_not(None))
        )
    else:
        found = select(r.partition, r.run).where(_said_in_words(said), r.run.is_not(None))
    return or_(tuple_(runs.c.partition, runs.c.run).in_(found))


def _with_words_here(said: str) -> ColumnElement[bool]:
    """Whether these words stand in a record of the run, which PostgreSQL is to find out for one run at a time."""
    r = records.c
    # An EXISTS would be made into a join, for which every record with these words is looked up.
    one = select(true()).where(r.partition == runs.c.partition, r.run == runs.c.run, _said_in_words(said)).limit(1)
    return func.coalesce(one.correlate(runs).scalar_subquery(), false())


def _said_in_words(said: str) -> ColumnElement[bool]:
    """Whether these words stand in a record, for PostgreSQL."""
    # As in the index, to the letter.
    vector = func.to_tsvector(literal_column("'simple'"), records.c.words)
    return vector.op("@@", is_comparison=True)(func.plainto_tsquery(literal_column("'simple'"), said))


def _begins(of: Any, said: str, dialect: str) -> ColumnElement[bool]:
    """Whether a column begins so, in the way for which each database uses an index."""
    if dialect == "sqlite":
        pattern = "".join(f"[{c}]" if c in "*?[" else c for c in said)
        return of.op("GLOB", is_comparison=True)(f"{pattern}*")  # type: ignore[no-any-return]
    return of.like("".join(f"\\{c}" if c in "%_\\" else c for c in said) + "%")  # type: ignore[no-any-return]

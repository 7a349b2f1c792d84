"""What some records change in the tables: gathered in memory, and then written together."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection

from farandole.projections.sql import Changes, Form, Key, raw, write

from . import tables

RUNS: Final = Form(
    tables.runs,
    {
        "status": "set",
        "paused": "set",
        "result": "set",
        "result_type": "keep",
        "result_at": "keep",
        "ended": "keep",
        "closed": "keep",
        "touched": "set",
        "last_at": "most",
        "last_type": "keep",
        "events": "add",
        "failures": "add",
        "owed": "set",
        "parked": "set",
        "since": "set",
        "due": "set",
        "timers": "set",
        "next_timer": "set",
        "decisions": "set",
        "children": "set",
        "messages": "set",
        "deadline": "set",
        "waits": "set",
        "unserved": "set",
        "error": "keep",
        "fingerprint": "keep",
        "resumed": "keep",
    },
)
RECORDS: Final = Form(tables.records, {"admitted": "set", "place": "set"})
STEPS: Final = Form(tables.steps)
TIMERS: Final = Form(tables.timers, {"state": "set", "ended_at": "set", "ended": "set"})
DECISIONS: Final = Form(
    tables.decisions,
    {
        "state": "set",
        "since": "keep",
        "expires": "keep",
        "otherwise": "keep",
        "votes": "keep",
        "answer": "keep",
        "ended_at": "keep",
        "ended": "keep",
    },
)
CHILDREN: Final = Form(tables.children, {"state": "set", "ended_at": "set", "ended": "set"})
FAILURES: Final = Form(tables.failures)
ATTRIBUTES: Final = Form(tables.attributes, {"admitted": "set"})
ALL_ATTRIBUTES: Final = Form(tables.attributes, {"admitted": "set"}, key=("partition", "log_offset"))
USAGE: Final = Form(tables.usage, {"admitted": "set"})
ALL_USAGE: Final = Form(tables.usage, {"admitted": "set"}, key=("partition", "log_offset"))
REACTORS: Final = Form(tables.reactors)
POLICIES: Final = Form(tables.policies)
SCHEDULES: Final = Form(tables.schedules)
MINUTES: Final = Form(tables.minutes, {"done": "add", "failed": "add", "parked": "add", "took": "add", "most": "most"})

OFFSET_BITS: Final = 40
"""Bits of an offset in the number of a row of the full-text index."""


class Batch:
    """Changes of all tables."""

    def __init__(self) -> None:
        self.runs = Changes(RUNS)
        self.records = Changes(RECORDS)
        self.steps = Changes(STEPS)
        self.timers = Changes(TIMERS)
        self.decisions = Changes(DECISIONS)
        self.children = Changes(CHILDREN)
        self.failures = Changes(FAILURES)
        self.attributes = Changes(ATTRIBUTES)
        self.attributes_of = Changes(ALL_ATTRIBUTES)
        """Of records that came with an earlier batch."""
        self.named: dict[Key, list[Key]] = {}
        """Keys of the attributes of this batch, by the partition and offset of their record."""
        self.usage = Changes(USAGE)
        self.usage_of = Changes(ALL_USAGE)
        """Of records that came with an earlier batch."""
        self.used: dict[Key, list[Key]] = {}
        """Keys of the usage of this batch, by the partition and offset of its record."""
        self.reactors = Changes(REACTORS)
        self.policies = Changes(POLICIES)
        self.schedules = Changes(SCHEDULES)
        self.minutes = Changes(MINUTES)

    def __iter__(self) -> Iterator[Changes]:
        return iter(
            (
                self.runs, self.records, self.steps, self.timers, self.decisions, self.children, self.failures,
                self.attributes, self.attributes_of, self.usage, self.usage_of, self.reactors, self.policies, self.schedules, self.minutes,
            )
        )  # fmt: skip

    def write(self, connection: Connection) -> None:
        """Write all of it."""
        for changes in self:
            if len(changes):
                write(connection, changes)
        if connection.dialect.name == "sqlite" and self.records.new:
            at = RECORDS.columns.index("words")
            rows = [(text_row(*key), row[at]) for key, row in self.records.new.items() if row[at]]
            cursor = raw(connection)
            cursor.executemany("INSERT INTO records_words (rowid, words) VALUES (?, ?)", rows)
            cursor.close()


def text_row(partition: int, offset: int) -> Any:
    """The number of a record's row in SQLite's full-text index."""
    return partition << OFFSET_BITS | offset

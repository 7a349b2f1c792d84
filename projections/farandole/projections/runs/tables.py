"""The tables of the runs read model. ``docs/projections.md`` says what each is for.

A run's number, ``run``, is the offset of its start: an id that is used again is another run. Times are log time in
milliseconds since 1970 UTC. What is added here needs a migration (`migrations`), and a higher `ROWS` where rows of logs
that were projected before would say something else.
"""

from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

ROWS: Final = 3
"""Counts what rows say: tables of another number are made anew by a rebuild. Of those before 3, what sub-steps returned
stands where everybody reads it.
"""

metadata: Final = MetaData()
_JSON: Final = JSON().with_variant(JSONB(), "postgresql")


def _key(name: str, kind: Any = BigInteger) -> "Column[Any]":
    return Column(name, kind, primary_key=True, autoincrement=False)


def _has(name: str, kind: Any = Text) -> "Column[Any]":
    return Column(name, kind, nullable=False)


def _may(name: str, kind: Any = Text) -> "Column[Any]":
    return Column(name, kind, nullable=True)


about: Final = Table(
    "about",
    metadata,
    _key("choreography", Text),
    _has("log_id"),
    _has("partitions", Integer),
    _has("rows_version", Integer),
    # Written by nobody any more; a server of the former release that still runs asks for it.
    Column("kept_since", BigInteger, nullable=False, server_default="0"),
)
"""One row: of which log the tables are."""

positions: Final = Table(
    "positions",
    metadata,
    _key("partition", Integer),
    _has("position", BigInteger),  # the offset that comes next
    _has("digest"),  # of the fold there
    _has("log_time", BigInteger),
    _has("begins", BigInteger),  # runs that started below are left out
    _has("kept_since", BigInteger),  # log time: what was over before then has left the tables
)

runs: Final = Table(
    "runs",
    metadata,
    _key("partition", Integer),
    _key("run"),
    _has("run_id"),
    _has("type"),
    _has("started", BigInteger),
    _may("parent"),
    _may("parent_choreography"),
    _has("of_schedule", Boolean),
    _has("status"),
    _has("paused", Boolean),
    _has("result"),
    _may("result_type"),
    _may("result_at", BigInteger),
    _may("ended", BigInteger),
    _may("closed", BigInteger),
    _has("touched", BigInteger),
    _has("last_at", BigInteger),
    _has("last_type"),
    _has("events", BigInteger),
    _has("failures", BigInteger),
    _has("owed", Integer),
    _has("parked", Integer),
    _may("since", BigInteger),
    _may("due", BigInteger),
    _has("timers", Integer),
    _may("next_timer", BigInteger),
    _has("decisions", Integer),
    _has("children", Integer),
    _has("messages", Integer),
    _may("deadline", BigInteger),
    _may("waits", _JSON),
    _has("unserved", Integer),
    _has("error"),  # of the newest failure that parks a step; empty: none does
    _has("fingerprint"),
    _may("resumed", BigInteger),  # when it was let go on last
    Index("runs_by_id", "run_id", postgresql_ops={"run_id": "text_pattern_ops"}),
    Index("runs_by_touch", "touched", "partition", "run"),
    Index("runs_by_status", "status", "touched", "partition", "run"),
    Index("runs_by_type", "type", "touched", "partition", "run"),
    Index("runs_by_parent", "parent"),
    Index("runs_by_fingerprint", "fingerprint", postgresql_ops={"fingerprint": "text_pattern_ops"}),
    Index("runs_by_start", "started", "partition", "run"),
    Index("runs_by_closing", "closed"),
)
Index(
    "runs_open", runs.c.touched, runs.c.partition, runs.c.run,
    sqlite_where=runs.c.closed.is_(None), postgresql_where=runs.c.closed.is_(None),
)  # fmt: skip

records: Final = Table(
    "records",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _may("run", BigInteger),
    _may("run_id"),
    _has("at", BigInteger),
    _has("kind"),
    _has("verdict"),
    _has("id"),
    _has("type"),
    _has("reactor"),
    _has("trigger"),
    _has("generation"),
    _has("attempt", BigInteger),
    _has("final", Boolean),
    _has("append_index", BigInteger),
    _has("append_count", BigInteger),
    _has("source"),
    _has("sent", BigInteger),  # by the sender's clock, in microseconds
    _may("by"),
    _may("why"),
    _may("admitted", BigInteger),
    _may("place", Integer),
    _may("payload", _JSON),  # without what is secret or personal
    _may("personal", _JSON),  # with what is personal, if anything is
    _may("problem"),
    _may("words"),  # what full-text search looks at
    Index("records_by_run", "partition", "run", "log_offset"),
)
Index(
    "records_by_people", records.c.at, records.c.partition, records.c.log_offset,
    sqlite_where=records.c.by.is_not(None), postgresql_where=records.c.by.is_not(None),
)  # fmt: skip
Index("records_of_no_run", records.c.at, sqlite_where=records.c.run.is_(None), postgresql_where=records.c.run.is_(None))

WORDS_INDEX: Final = "CREATE INDEX records_by_words ON records USING gin (to_tsvector('simple', words))"
"""PostgreSQL's full-text index; SQLite has a table of its own for that, ``records_words``."""

steps: Final = Table(
    "steps",
    metadata,
    _key("partition", Integer),
    _key("run"),
    _key("trigger", Text),
    _key("reactor", Text),
    _key("generation", Text),
    _has("state"),
    _has("owed_at", BigInteger),
    _has("since", BigInteger),
    _has("due", BigInteger),
    _has("attempts", BigInteger),
    _has("lost", Integer),
    _has("inputs", _JSON),
    _has("types", _JSON),
    _has("branch"),
    _may("claimed_by"),
    _may("claimed_until", BigInteger),
    _has("substeps", Integer),
    _may("parked_by"),
    _may("ended_at", BigInteger),
    _may("ended", BigInteger),
    Index("steps_by_state", "state", "reactor", "since"),
)

Index(
    "steps_parked", steps.c.partition, steps.c.run, steps.c.parked_by,
    sqlite_where=steps.c.state == "parked", postgresql_where=steps.c.state == "parked",
)  # fmt: skip

timers: Final = Table(
    "timers",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _has("run", BigInteger),
    _has("id"),
    _has("type"),
    _has("since", BigInteger),
    _has("due", BigInteger),
    _has("state"),
    _may("ended_at", BigInteger),
    _may("ended", BigInteger),
    Index("timers_by_run", "partition", "run"),
    Index("timers_by_state", "state", "due"),
)

decisions: Final = Table(
    "decisions",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _has("run", BigInteger),
    _has("id"),
    _may("question"),
    _may("about"),  # JSON, as it was asked
    _may("about_type"),
    _may("asked_of", _JSON),
    _may("answers", _JSON),
    _has("quorum", Integer),
    _has("hash"),
    _has("state"),
    _may("since", BigInteger),
    _may("expires", BigInteger),
    _may("otherwise"),
    _has("votes", _JSON),
    _may("answer"),
    _may("ended_at", BigInteger),
    _may("ended", BigInteger),
    Index("decisions_by_run", "partition", "run"),
    Index("decisions_by_state", "state", "since"),
    Index("decisions_by_id", "id"),
)

children: Final = Table(
    "children",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _has("run", BigInteger),
    _has("id"),
    _has("child"),
    _has("choreography"),
    _has("type"),
    _has("since", BigInteger),
    _has("state"),
    _may("ended_at", BigInteger),
    _may("ended", BigInteger),
    Index("children_by_run", "partition", "run"),
    Index("children_by_child", "child"),
)

failures: Final = Table(
    "failures",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _has("run", BigInteger),
    _has("id"),
    _has("reactor"),
    _has("trigger"),
    _has("generation"),
    _has("attempt", BigInteger),
    _has("final", Boolean),
    _has("at", BigInteger),
    _may("retry", BigInteger),
    _has("error"),
    _has("message"),
    _has("traceback"),
    _has("fingerprint"),
    Index("failures_by_run", "partition", "run"),
    Index("failures_by_fingerprint", "fingerprint", "at"),
)

attributes: Final = Table(
    "attributes",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _key("name", Text),
    _has("run", BigInteger),
    _has("value"),
    _has("admitted", Boolean),
    Index("attributes_by_value", "name", "value"),
    Index("attributes_by_run", "partition", "run"),
)

usage: Final = Table(
    "usage",
    metadata,
    _key("partition", Integer),
    _key("log_offset"),
    _key("number", Integer),
    _has("run", BigInteger),
    _has("at", BigInteger),
    _has("reactor"),
    _has("agent"),
    _has("model"),
    _has("calls", BigInteger),
    _has("input_tokens", BigInteger),
    _has("output_tokens", BigInteger),
    _has("cache_read_tokens", BigInteger),
    _has("cache_write_tokens", BigInteger),
    _may("picodollars", BigInteger),  # nothing: nobody knows the price
    _has("admitted", Boolean),
    Index("usage_by_run", "partition", "run"),
    Index("usage_by_time", "at"),
)
"""What was used of models. Money in millionths of a millionth of a US dollar, for SQLite has no decimals."""

reactors: Final = Table(
    "reactors",
    metadata,
    _key("partition", Integer),
    _key("reactor", Text),
    _has("service"),
    _has("version"),
    _has("state"),
    _has("contract"),
    _has("content", _JSON),
    _has("since", BigInteger),
    _has("since_at", BigInteger),
)

policies: Final = Table(
    "policies",
    metadata,
    _key("partition", Integer),
    _key("reactor", Text),
    _has("stopped", Boolean),
    _has("number", BigInteger),
    _has("by"),
    _has("why"),
    _has("since", BigInteger),
    _has("since_at", BigInteger),
)

schedules: Final = Table(
    "schedules",
    metadata,
    _key("partition", Integer),
    _key("name", Text),
    _has("last", BigInteger),  # tick
    _may("waiting", BigInteger),  # tick
    _has("open_runs", _JSON),
    _has("touched", BigInteger),
)

minutes: Final = Table(
    "minutes",
    metadata,
    _key("partition", Integer),
    _key("reactor", Text),
    _key("minute"),
    _has("done", BigInteger),
    _has("failed", BigInteger),
    _has("parked", BigInteger),
    _has("took", BigInteger),
    _has("most", BigInteger),
    Index("minutes_by_minute", "minute"),
)

standings: Final = Table("standings", metadata, _key("status", Text), _has("runs", BigInteger))
"""How many runs there are of each status. See `standings.keep_standings`."""

OF_RUNS: Final = (records, steps, timers, decisions, children, failures, attributes, usage, runs)
"""Tables whose rows leave with their run."""
OF_THE_LOG: Final = (*OF_RUNS, reactors, policies, schedules, minutes)
"""Tables whose rows follow from the log."""

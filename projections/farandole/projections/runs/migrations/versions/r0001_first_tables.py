"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Text
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "about",
        Column("choreography", Text(), autoincrement=False, nullable=False),
        Column("log_id", Text(), nullable=False),
        Column("partitions", Integer(), nullable=False),
        Column("rows_version", Integer(), nullable=False),
        Column("kept_since", BigInteger(), nullable=False),
        PrimaryKeyConstraint("choreography"),
    )
    op.create_table(
        "attributes",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("name", Text(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=False),
        Column("value", Text(), nullable=False),
        Column("admitted", Boolean(), nullable=False),
        PrimaryKeyConstraint("partition", "log_offset", "name"),
    )
    op.create_index("attributes_by_run", "attributes", ["partition", "run"])
    op.create_index("attributes_by_value", "attributes", ["name", "value"])
    op.create_table(
        "children",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("child", Text(), nullable=False),
        Column("choreography", Text(), nullable=False),
        Column("type", Text(), nullable=False),
        Column("since", BigInteger(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("ended_at", BigInteger(), nullable=True),
        Column("ended", BigInteger(), nullable=True),
        PrimaryKeyConstraint("partition", "log_offset"),
    )
    op.create_index("children_by_child", "children", ["child"])
    op.create_index("children_by_run", "children", ["partition", "run"])
    op.create_table(
        "decisions",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("question", Text(), nullable=True),
        Column("about", Text(), nullable=True),
        Column("about_type", Text(), nullable=True),
        Column("asked_of", JSON, nullable=True),
        Column("answers", JSON, nullable=True),
        Column("quorum", Integer(), nullable=False),
        Column("hash", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("since", BigInteger(), nullable=True),
        Column("expires", BigInteger(), nullable=True),
        Column("otherwise", Text(), nullable=True),
        Column("votes", JSON, nullable=False),
        Column("answer", Text(), nullable=True),
        Column("ended_at", BigInteger(), nullable=True),
        Column("ended", BigInteger(), nullable=True),
        PrimaryKeyConstraint("partition", "log_offset"),
    )
    op.create_index("decisions_by_run", "decisions", ["partition", "run"])
    op.create_index("decisions_by_state", "decisions", ["state", "since"])
    op.create_table(
        "failures",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("reactor", Text(), nullable=False),
        Column("trigger", Text(), nullable=False),
        Column("generation", Text(), nullable=False),
        Column("attempt", BigInteger(), nullable=False),
        Column("final", Boolean(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("retry", BigInteger(), nullable=True),
        Column("error", Text(), nullable=False),
        Column("message", Text(), nullable=False),
        Column("traceback", Text(), nullable=False),
        Column("fingerprint", Text(), nullable=False),
        PrimaryKeyConstraint("partition", "log_offset"),
    )
    op.create_index("failures_by_fingerprint", "failures", ["fingerprint", "at"])
    op.create_index("failures_by_run", "failures", ["partition", "run"])
    op.create_table(
        "minutes",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("reactor", Text(), autoincrement=False, nullable=False),
        Column("minute", BigInteger(), autoincrement=False, nullable=False),
        Column("done", BigInteger(), nullable=False),
        Column("failed", BigInteger(), nullable=False),
        Column("parked", BigInteger(), nullable=False),
        Column("took", BigInteger(), nullable=False),
        Column("most", BigInteger(), nullable=False),
        PrimaryKeyConstraint("partition", "reactor", "minute"),
    )
    op.create_index("minutes_by_minute", "minutes", ["minute"])
    op.create_table(
        "policies",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("reactor", Text(), autoincrement=False, nullable=False),
        Column("stopped", Boolean(), nullable=False),
        Column("number", BigInteger(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("why", Text(), nullable=False),
        Column("since", BigInteger(), nullable=False),
        Column("since_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("partition", "reactor"),
    )
    op.create_table(
        "positions",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("position", BigInteger(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("log_time", BigInteger(), nullable=False),
        Column("begins", BigInteger(), nullable=False),
        PrimaryKeyConstraint("partition"),
    )
    op.create_table(
        "reactors",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("reactor", Text(), autoincrement=False, nullable=False),
        Column("service", Text(), nullable=False),
        Column("version", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("contract", Text(), nullable=False),
        Column("content", JSON, nullable=False),
        Column("since", BigInteger(), nullable=False),
        Column("since_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("partition", "reactor"),
    )
    op.create_table(
        "records",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=True),
        Column("run_id", Text(), nullable=True),
        Column("at", BigInteger(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("verdict", Text(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("type", Text(), nullable=False),
        Column("reactor", Text(), nullable=False),
        Column("trigger", Text(), nullable=False),
        Column("generation", Text(), nullable=False),
        Column("attempt", BigInteger(), nullable=False),
        Column("final", Boolean(), nullable=False),
        Column("append_index", BigInteger(), nullable=False),
        Column("append_count", BigInteger(), nullable=False),
        Column("source", Text(), nullable=False),
        Column("sent", BigInteger(), nullable=False),
        Column("by", Text(), nullable=True),
        Column("why", Text(), nullable=True),
        Column("admitted", BigInteger(), nullable=True),
        Column("place", Integer(), nullable=True),
        Column("payload", JSON, nullable=True),
        Column("personal", JSON, nullable=True),
        Column("problem", Text(), nullable=True),
        Column("words", Text(), nullable=True),
        PrimaryKeyConstraint("partition", "log_offset"),
    )
    op.create_index("records_by_run", "records", ["partition", "run", "log_offset"])
    op.create_index(
        "records_of_no_run",
        "records",
        ["at"],
        sqlite_where=sa.text("run IS NULL"),
        postgresql_where=sa.text("run IS NULL"),
    )
    op.create_table(
        "runs",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), autoincrement=False, nullable=False),
        Column("run_id", Text(), nullable=False),
        Column("type", Text(), nullable=False),
        Column("started", BigInteger(), nullable=False),
        Column("parent", Text(), nullable=True),
        Column("parent_choreography", Text(), nullable=True),
        Column("of_schedule", Boolean(), nullable=False),
        Column("status", Text(), nullable=False),
        Column("paused", Boolean(), nullable=False),
        Column("result", Text(), nullable=False),
        Column("result_type", Text(), nullable=True),
        Column("result_at", BigInteger(), nullable=True),
        Column("ended", BigInteger(), nullable=True),
        Column("closed", BigInteger(), nullable=True),
        Column("touched", BigInteger(), nullable=False),
        Column("last_at", BigInteger(), nullable=False),
        Column("last_type", Text(), nullable=False),
        Column("events", BigInteger(), nullable=False),
        Column("failures", BigInteger(), nullable=False),
        Column("owed", Integer(), nullable=False),
        Column("parked", Integer(), nullable=False),
        Column("since", BigInteger(), nullable=True),
        Column("due", BigInteger(), nullable=True),
        Column("timers", Integer(), nullable=False),
        Column("next_timer", BigInteger(), nullable=True),
        Column("decisions", Integer(), nullable=False),
        Column("children", Integer(), nullable=False),
        Column("messages", Integer(), nullable=False),
        Column("deadline", BigInteger(), nullable=True),
        Column("waits", JSON, nullable=True),
        Column("unserved", Integer(), nullable=False),
        Column("error", Text(), nullable=False),
        Column("fingerprint", Text(), nullable=False),
        PrimaryKeyConstraint("partition", "run"),
    )
    op.create_index("runs_by_closing", "runs", ["closed"])
    op.create_index("runs_by_fingerprint", "runs", ["fingerprint"], postgresql_ops={"fingerprint": "text_pattern_ops"})
    op.create_index("runs_by_id", "runs", ["run_id"], postgresql_ops={"run_id": "text_pattern_ops"})
    op.create_index("runs_by_parent", "runs", ["parent"])
    op.create_index("runs_by_start", "runs", ["started", "partition", "run"])
    op.create_index("runs_by_status", "runs", ["status", "touched", "partition", "run"])
    op.create_index("runs_by_touch", "runs", ["touched", "partition", "run"])
    op.create_index("runs_by_type", "runs", ["type", "touched", "partition", "run"])
    op.create_table(
        "schedules",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("name", Text(), autoincrement=False, nullable=False),
        Column("last", BigInteger(), nullable=False),
        Column("waiting", BigInteger(), nullable=True),
        Column("open_runs", JSON, nullable=False),
        Column("touched", BigInteger(), nullable=False),
        PrimaryKeyConstraint("partition", "name"),
    )
    op.create_table(
        "steps",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), autoincrement=False, nullable=False),
        Column("trigger", Text(), autoincrement=False, nullable=False),
        Column("reactor", Text(), autoincrement=False, nullable=False),
        Column("generation", Text(), autoincrement=False, nullable=False),
        Column("state", Text(), nullable=False),
        Column("owed_at", BigInteger(), nullable=False),
        Column("since", BigInteger(), nullable=False),
        Column("due", BigInteger(), nullable=False),
        Column("attempts", BigInteger(), nullable=False),
        Column("lost", Integer(), nullable=False),
        Column("inputs", JSON, nullable=False),
        Column("types", JSON, nullable=False),
        Column("branch", Text(), nullable=False),
        Column("claimed_by", Text(), nullable=True),
        Column("claimed_until", BigInteger(), nullable=True),
        Column("substeps", Integer(), nullable=False),
        Column("parked_by", Text(), nullable=True),
        Column("ended_at", BigInteger(), nullable=True),
        Column("ended", BigInteger(), nullable=True),
        PrimaryKeyConstraint("partition", "run", "trigger", "reactor", "generation"),
    )
    op.create_index("steps_by_state", "steps", ["state", "reactor", "since"])
    op.create_table(
        "timers",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("type", Text(), nullable=False),
        Column("since", BigInteger(), nullable=False),
        Column("due", BigInteger(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("ended_at", BigInteger(), nullable=True),
        Column("ended", BigInteger(), nullable=True),
        PrimaryKeyConstraint("partition", "log_offset"),
    )
    op.create_index("timers_by_run", "timers", ["partition", "run"])
    op.create_index("timers_by_state", "timers", ["state", "due"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE records_words USING fts5(words)")
    else:
        op.execute("CREATE INDEX records_by_words ON records USING gin (to_tsvector('simple', words))")

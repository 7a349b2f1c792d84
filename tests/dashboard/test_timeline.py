"""A run's time is told by what it was spent on."""

from dataclasses import fields
from typing import Any

from farandole.dashboard.pages.timeline import WIDTH, timeline
from farandole.projections.runs.query import DecisionRow, FailureRow, RecordRow, RunRow, StepRow, TimerRow

START = 1_000_000


def a(cls: Any, **said: Any) -> Any:
    """A row with what matters; the rest is nothing."""
    return cls(**{field.name: said.get(field.name, 0 if field.type in ("int", int) else None) for field in fields(cls)})


def a_run(closed: int | None = None) -> RunRow:
    run: RunRow = a(RunRow, started=START, closed=closed, touched=closed or START)
    return run


def a_step(state: str = "done", owed_at: int = 1, ended: int | None = None, **said: Any) -> StepRow:
    step: StepRow = a(StepRow, trigger="e", reactor="r", generation="", state=state, owed_at=owed_at, ended=ended,
                      types=["t.A"], **said)  # fmt: skip
    return step


def a_record(offset: int, at: int, kind: str = "start", **said: Any) -> RecordRow:
    record: RecordRow = a(RecordRow, log_offset=offset, at=START + at, kind=kind, verdict="admitted", **said)
    return record


def a_failure(at: int, retry: int | None, final: bool = False, id: str = "f") -> FailureRow:
    failure: FailureRow = a(
        FailureRow, id=id, trigger="e", reactor="r", attempt=1, at=START + at, final=final, error="x.Broken",
        retry=None if retry is None else START + retry,
    )  # fmt: skip
    return failure


def told(found: Any, line: int = 0) -> list[tuple[str, int, int]]:
    return [(kind, since - START, upto - START) for kind, since, upto, _ in found.lines[line].spans]


def test_a_step_that_nobody_claimed_worked_from_when_it_was_owed() -> None:
    found = timeline(a_run(START + 50), [a_step(ended=START + 40)], [a_record(1, 10)], [], [], [], [], 0)
    assert told(found) == [("work", 10, 40)]
    assert (found.working, found.waiting) == (30, 0)


def test_before_its_claim_it_was_queued() -> None:
    records = [a_record(1, 0), a_record(2, 15, "claim", trigger="e", reactor="r", generation="")]
    found = timeline(a_run(START + 50), [a_step(ended=START + 40)], records, [], [], [], [], 0)
    assert told(found) == [("queued", 0, 15), ("work", 15, 40)]
    assert (found.queued, found.working) == (15, 25)


def test_between_attempts_it_backs_off() -> None:
    failures = [a_failure(10, 30), a_failure(35, 60)]
    found = timeline(a_run(START + 70), [a_step(ended=START + 70)], [a_record(1, 0)], failures, [], [], [], 0)
    assert told(found) == [
        ("work", 0, 10),
        ("backoff", 10, 30),
        ("work", 30, 35),
        ("backoff", 35, 60),
        ("work", 60, 70),
    ]
    assert (found.working, found.backing_off, len(found.lines[0].ticks)) == (25, 45, 2)


def test_after_the_last_attempt_it_is_parked_until_somebody_retries_it() -> None:
    records = [a_record(1, 0), a_record(5, 80, "retry", trigger="f")]
    found = timeline(
        a_run(START + 90), [a_step(ended=START + 90)], records, [a_failure(10, None, final=True)], [], [], [], 0
    )
    assert told(found) == [("work", 0, 10), ("parked", 10, 80), ("work", 80, 90)]
    assert (found.working, found.waiting) == (20, 70)


def test_one_that_is_parked_still_waits_until_now() -> None:
    step = a_step("parked", parked_by="f")
    found = timeline(a_run(), [step], [a_record(1, 0)], [a_failure(10, None, final=True)], [], [], [], START + 100)
    assert told(found) == [("work", 0, 10), ("parked", 10, 100)]


def test_time_that_steps_share_counts_once_and_work_goes_before_waiting() -> None:
    decision: DecisionRow = a(DecisionRow, question="Well?", since=START, ended=START + 100, state="answered")
    timer: TimerRow = a(TimerRow, type="t.Late", since=START + 20, ended=START + 60, state="fired")
    steps = [a_step(ended=START + 30), a_step(ended=START + 30)]
    found = timeline(a_run(START + 100), steps, [a_record(1, 0)], [], [timer], [decision], [], 0)
    assert (found.working, found.waiting) == (30, 70)
    assert [bar.kind for bar in found.whole] == ["work", "people"]
    assert sum(bar.width for bar in found.whole) == WIDTH


def test_bars_stay_within_the_picture() -> None:
    found = timeline(a_run(START + 10), [a_step(ended=START + 10)], [a_record(1, 10)], [], [], [], [], 0)
    for line in found.lines:
        assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in line.bars)


def test_of_very_many_rows_the_longest_stay() -> None:
    steps = [a_step(owed_at=n, ended=START + n + n) for n in range(50)]
    records = [a_record(n, n) for n in range(50)]
    found = timeline(a_run(START + 100), steps, records, [], [], [], [], 0, most=10)
    assert (len(found.lines), found.left_out) == (10, 40)
    assert min(line.took for line in found.lines) == 40


def test_what_a_step_called_has_rows_of_its_own() -> None:
    results = (
        (20, "helper", '{"kind": "model", "model": "m1", "took_ms": 10}'),
        (30, "helper", '{"kind": "tool", "tool": "look_up", "outcome": "success", "took_ms": 5}'),
        (60, "helper.turn", '{"kind": "model", "model": "m1", "took_ms": 8}'),
        (70, "helper", '"a sub-step of somebody else"'),
        (80, "helper", "cut sho"),
    )
    records = [
        a_record(1, 0),
        *(
            a_record(n, at, "substep", reactor=reactor, trigger="e", payload={"result": result})
            for n, (at, reactor, result) in enumerate(results, 2)
        ),
    ]
    found = timeline(a_run(START + 100), [a_step(ended=START + 90)], records, [], [], [], [], 0)
    assert [(line.name, line.detail) for line in found.lines[1:]] == [
        ("helper.model", "m1"),
        ("helper.tools.look_up", "success"),
        ("helper.model", "m1"),
    ]
    assert [told(found, n) for n in (1, 2, 3)] == [[("work", 10, 20)], [("work", 25, 30)], [("work", 52, 60)]]
    assert found.working == 90

"""Children are born, cancelled and heard of; what is to be told is owed until it is delivered."""

import pytest
from tests.projections.fold.log import END, FINAL, SOON, Log, a_contract, a_head, an_append, an_id, wire
from tests.projections.fold.said import a_child, a_sender, some_news

from farandole.eventstore import Record
from farandole.projections.fold import Applied, Pair, Verdict
from farandole.schemas.envelope import Flag, Kind, pack
from farandole.schemas.ids import derived_id
from farandole.schemas.kinship import PARKED

CHILD = int(Flag.CHILD)


def an_outcome_with(pair: Pair, *parts: str | bytes, run: bytes = b"r") -> list[Record]:
    """An outcome of events, given by their names, and children, given by what their records say."""
    append = an_append()
    return [
        Record(
            run,
            b"",
            pack(
                kind=Kind.OUTCOME, id=derived_id(pair.trigger, pair.reactor, b"", index), source=b"/t/tests", sent=1,
                type=b"farandole.Child" if isinstance(part, bytes) else wire(part.rstrip("!")), append=append,
                index=index, count=len(parts), causation=pair.trigger, reactor=pair.reactor,
                extra=part if isinstance(part, bytes) else b"",
                flags=CHILD if isinstance(part, bytes) else END if part.endswith("!") else 0,
            ),
        )
        for index, part in enumerate(parts)
    ]  # fmt: skip


def told(log: Log, child: bytes, *, kind: Kind = Kind.CHILD_ENDED, flags: int = 0, run: bytes = b"r") -> Applied:
    head = a_head(kind, causation=child, extra=some_news(b"t.Done", flags=flags))
    return log.put(Record(run, b"", head))


def delivered(log: Log, id: bytes, n: int, verdict: int = 0, run: bytes = b"r") -> Applied:
    head = a_head(Kind.DELIVERED, causation=id, attempt=n, extra=bytes([verdict]) + bytes(8))
    return log.put(Record(run, b"", head))


def cancel_of_child(log: Log, run: bytes, start: bytes) -> Applied:
    return log.command(Kind.CANCEL, run, causation=start, extra=a_sender())


def a_log(*children: bytes, **settings: int) -> tuple[Log, list[bytes]]:
    """A log with an open run that has borne children, and their ids."""
    log = Log(**settings)
    log.contracts(
        a_contract("bear", "A"),
        {**a_contract("hear", "B"), "takes": [["child_done:Done"]], "forms": ["child_done"]},
        {**a_contract("regret", "B"), "takes": [["child_failed:Asked"]], "forms": ["child_failed"]},
    )
    log.start()
    pair = log.pair("bear")
    log.put(*an_outcome_with(pair, *children))
    return log, [derived_id(pair.trigger, b"bear", b"", index) for index in range(len(children))]


def messages(log: Log, run: bytes = b"r") -> list[tuple[bytes, int, int]]:
    pending = log.run(run).pending
    return [(m.id, m.n, m.kind) for m in (pending.messages or {}).values()] if pending else []


def children(log: Log, run: bytes = b"r") -> list[bytes]:
    pending = log.run(run).pending
    return list(pending.children or ()) if pending else []


ASKED = a_child(b"t.Asked")


def test_a_child_is_pending_and_its_start_is_owed_as_a_message() -> None:
    log, [child] = a_log(ASKED)
    assert children(log) == [child]
    assert messages(log) == [(child, 0, Kind.START)]


def test_its_key_is_its_own_id_unless_one_was_given() -> None:
    log, [one, two] = a_log(ASKED, a_child(b"t.Asked", run_id=b"mine", choreography=b"other"))
    pending = log.run().pend()
    assert [(m.to, m.key) for m in (pending.messages or {}).values()] == [(b"", one), (b"other", b"mine")]
    assert two in children(log)


def test_a_detached_child_is_started_and_not_waited_for() -> None:
    log, [child] = a_log(a_child(b"t.Asked", detach=1))
    assert children(log) == []
    assert messages(log) == [(child, 0, Kind.START)]


@pytest.mark.parametrize("extra", [b"", b"\2\0\0t.A", b"\0\0\0", b"\0\x05t.A", b"\0\0\0" + b"t" * 256])
def test_a_birth_that_does_not_fit_has_no_effect(extra: bytes) -> None:
    log, _ = a_log(extra)
    assert (children(log), messages(log)) == ([], [])


def test_an_ending_run_bears_no_children() -> None:
    log = Log()
    log.contracts(a_contract("bear", "A"))
    log.start(flags=END)
    log.put(*an_outcome_with(log.pair("bear"), ASKED))
    assert b"r" not in log.fold.runs


def test_a_start_of_a_sender_opens_a_run_that_knows_its_parent() -> None:
    log = Log()
    extra = a_sender(b"p", depth=3, offset=7, choreography=b"other")
    assert log.start(b"c", id=b"xchild", causation=b"child", extra=extra).verdict is Verdict.ADMITTED
    parent = log.run(b"c").pend().parent
    assert parent == (b"other", b"p", b"child", 7, 3, False, False)


@pytest.mark.parametrize(
    ("id", "causation", "extra"),
    [
        (b"xother", b"child", a_sender()),
        (b"x", b"", a_sender()),
        (b"xchild", b"child", a_sender()[:13]),
        (b"xchild", b"child", b"\2" + a_sender()[1:]),
        (b"xchild", b"child", a_sender(b"k" * 256)),
    ],
)
def test_a_sender_that_does_not_fit_opens_nothing(id: bytes, causation: bytes, extra: bytes) -> None:
    log = Log()
    assert log.start(b"c", id=id, causation=causation, extra=extra).verdict is Verdict.UNREADABLE


def test_runs_may_lie_only_so_deep() -> None:
    log = Log(depth=2)
    assert log.start(b"b", id=b"xb", causation=b"b", extra=a_sender(depth=3)).verdict is Verdict.TOO_DEEP
    assert log.start(b"c", id=b"xc", causation=b"c", extra=a_sender(depth=2)).verdict is Verdict.ADMITTED


def test_a_childs_end_is_an_event_of_its_parent_once() -> None:
    log, [child] = a_log(ASKED)
    out = told(log, child)
    assert [fact.type for fact in out.admitted] == [b"child_done:Done"]
    assert log.owed() == ["hear"]
    assert (children(log), messages(log)) == ([], []), "its start has come there, whoever says so later"
    assert told(log, child).verdict is Verdict.NOT_PENDING
    assert delivered(log, child, 0).verdict is Verdict.NOT_PENDING


def test_a_childs_failure_is_named_by_its_start() -> None:
    log, [child] = a_log(ASKED)
    out = told(log, child, kind=Kind.CHILD_FAILED, flags=2)
    assert [fact.type for fact in out.admitted] == [b"child_failed:Asked"]
    assert log.owed() == ["regret"]


def test_a_parked_step_of_a_child_is_heard_by_those_who_take_it_only() -> None:
    log, [child, other] = a_log(ASKED, a_child(b"t.Other"))
    assert told(log, other, kind=Kind.CHILD_FAILED, flags=1).verdict is Verdict.NOT_TAKEN
    assert children(log) == [child, other]
    assert told(log, child, kind=Kind.CHILD_FAILED, flags=1).verdict is Verdict.ADMITTED
    assert told(log, other, kind=Kind.CHILD_FAILED, flags=2).verdict is Verdict.ADMITTED


def test_a_start_that_was_refused_is_the_childs_failure() -> None:
    log, [child] = a_log(ASKED)
    assert delivered(log, child, 0, Verdict.RUN_EXISTS).verdict is Verdict.ADMITTED
    assert log.owed() == ["regret"]
    assert (children(log), messages(log)) == ([], [])


def test_a_start_that_was_admitted_leaves_the_child_pending() -> None:
    log, [child] = a_log(ASKED)
    out = delivered(log, child, 0)
    assert (out.verdict, out.admitted) == (Verdict.ADMITTED, [])
    assert (children(log), messages(log)) == ([child], [])


@pytest.mark.parametrize("how", ["cancel", "end", "final"])
def test_a_result_cancels_the_children(how: str) -> None:
    log, [child, other] = a_log(ASKED, ASKED)
    delivered(log, child, 0)
    if how == "cancel":
        log.cancel()
    else:
        log.signal("Done", flags=FINAL if how == "final" else END)
    assert messages(log) == [(child, 1, Kind.CANCEL), (other, 1, Kind.CANCEL)], "a start under way is withdrawn"
    assert told(log, child).verdict is Verdict.RUN_ENDING
    assert delivered(log, child, 1).verdict is Verdict.ADMITTED
    assert b"r" in log.fold.runs, "a run that owes a message stays"
    out = delivered(log, other, 1)
    assert [run.id for run in out.closed] == [b"r"]


def a_child_run(log: Log, **more: int) -> None:
    log.start(b"c", id=b"xchild", causation=b"child", extra=a_sender(b"p", **more))


def test_a_run_tells_its_parent_of_its_end_and_stays_until_that_is_delivered() -> None:
    log = Log()
    a_child_run(log)
    log.signal("Done", b"c", flags=END)
    assert messages(log, b"c") == [(b"xchild", 2, Kind.CHILD_ENDED)]
    (message,) = (log.run(b"c").pend().messages or {}).values()
    assert (message.key, message.name, message.offset) == (b"p", b"t.Done", log.run(b"c").result_offset)
    assert [run.id for run in delivered(log, b"xchild", 2, run=b"c").closed] == [b"c"]


def test_an_event_for_which_a_join_has_no_room_is_told_like_a_failure() -> None:
    log = Log(join_most=1)
    log.contracts(a_contract("join", "B", "C"))
    a_child_run(log)
    log.signal("B", run=b"c")
    assert messages(log, b"c") == []
    log.signal("B", run=b"c")
    offset = log.fold.position - 1
    [told] = (log.run(b"c").pend().messages or {}).values()
    assert (told.kind, told.flags, told.offset) == (Kind.CHILD_FAILED, PARKED, offset)
    overflowed = log.pair("join", run=b"c").parked
    assert log.retry(overflowed, run=b"c").verdict is Verdict.ADMITTED  # there is still no room
    assert messages(log, b"c") == [(b"xchild", 2, Kind.CHILD_FAILED), (b"xchild", 3, Kind.CHILD_FAILED)]


def test_an_ending_run_tells_nobody_that_a_join_has_no_room() -> None:
    log = Log(join_most=0)
    log.contracts(a_contract("work", "A"), a_contract("join", "B", "C"))
    a_child_run(log)
    log.signal("Done", run=b"c", flags=END)
    log.outcome(log.pair("work", run=b"c"), "B", run=b"c")
    assert log.pair("join", run=b"c").parked
    assert messages(log, b"c") == [(b"xchild", 2, Kind.CHILD_ENDED)]


def test_a_run_tells_its_parent_that_it_was_cancelled_once() -> None:
    log = Log()
    log.contracts(a_contract("work", "A"))
    a_child_run(log)
    log.failure(log.pair("work", b"c"), run=b"c")
    assert messages(log, b"c") == [(b"xchild", 2, Kind.CHILD_FAILED)], "a step is parked"
    log.signal("Done", b"c", flags=END)
    log.cancel(b"c")
    assert [m[1:] for m in messages(log, b"c")] == [(2, Kind.CHILD_FAILED), (3, Kind.CHILD_ENDED)]


def test_a_detached_run_tells_nothing() -> None:
    log = Log()
    log.contracts(a_contract("work", "A"))
    a_child_run(log, flags=2)
    log.failure(log.pair("work", b"c"), run=b"c")
    log.cancel(b"c")
    assert b"c" not in log.fold.runs


def test_a_parents_cancel_names_the_start_that_it_means() -> None:
    log = Log()
    a_child_run(log)
    assert cancel_of_child(log, b"c", b"xother").verdict is Verdict.NOT_PENDING
    assert cancel_of_child(log, b"c", b"xchild").verdict is Verdict.ADMITTED


def test_a_cancel_that_comes_before_the_start_keeps_it_from_opening_a_run() -> None:
    log = Log()
    assert cancel_of_child(log, b"c", b"xchild").verdict is Verdict.ADMITTED
    assert cancel_of_child(log, b"c", b"xchild").verdict is Verdict.NO_RUN
    assert log.start(b"c", id=b"xchild", causation=b"child", extra=a_sender()).verdict is Verdict.RUN_REMEMBERED


def test_a_cancel_of_a_child_that_is_not_open_has_its_time_too() -> None:
    log = Log()
    late = a_head(Kind.CANCEL, causation=b"xchild", not_after=log.now - 1)
    assert log.put(Record(b"c", b"", late)).verdict is Verdict.TOO_LATE
    without = a_head(Kind.CANCEL, causation=b"xchild")
    assert log.put(Record(b"c", b"", without)).verdict is Verdict.UNREADABLE
    for key in (None, b"k" * 256):
        head = a_head(Kind.CANCEL, causation=b"xchild", not_after=log.now + SOON)
        assert log.put(Record(key, b"", head)).verdict is Verdict.NO_RUN


def test_a_run_that_waits_for_a_child_or_owes_a_message_does_not_expire() -> None:
    log, [child] = a_log(ASKED, expire_after=100)
    log.now += 200
    assert log.expire().verdict is Verdict.NOT_DUE
    delivered(log, child, 0)
    log.now += 200
    assert log.expire().verdict is Verdict.NOT_DUE
    told(log, child)
    log.outcome(log.pair("hear"))
    log.now += 200
    assert log.expire().verdict is Verdict.ADMITTED


def test_news_and_words_that_do_not_fit_are_unreadable() -> None:
    log, [child] = a_log(ASKED)
    for kind, extra in (
        (Kind.CHILD_ENDED, b""),
        (Kind.CHILD_ENDED, some_news(b"")),
        (Kind.CHILD_FAILED, some_news(b"t.A", run_id=b"")),
        (Kind.CHILD_ENDED, some_news(b"t" * 256)),
        (Kind.DELIVERED, bytes(8)),
        (Kind.DELIVERED, bytes(10)),
    ):
        head = a_head(kind, id=an_id(), causation=child, extra=extra)
        assert log.put(Record(b"r", b"", head)).verdict is Verdict.UNREADABLE


def test_nobody_there_takes_nothing() -> None:
    log = Log()
    assert told(log, b"child", run=b"nobody").verdict is Verdict.NO_RUN
    assert delivered(log, b"child", 0, run=b"nobody").verdict is Verdict.NO_RUN

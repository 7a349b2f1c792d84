"""Each rule of the protocol, and what the judge says without it. The product has no such switches: it is patched."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.projections.fold import Fold, RunState, Settings, admission, closed, commands, framing, items, owing
from farandole.projections.fold import fold as folding
from farandole.projections.fold.rules import retries
from farandole.projections.fold.run import TAKES
from farandole.reactors import (
    answers,
    attempt,
    dispatch,
    history,
    outbox,
    partition,
    plan,
    publish,
    restoring,
    scribe,
    values,
    worker,
)
from farandole.reactors.arguments.events import EventReader
from farandole.reactors.dispatch import Dispatcher
from farandole.reactors.keeping.expiring import Expiring
from farandole.reactors.keeping.rejects import Rejects
from farandole.reactors.retire import retire
from farandole.schemas.envelope import Kind

from . import off_in_fold as f
from . import off_in_framing as framed
from . import off_in_workers as w
from .dances import ALL
from .rules import Rule, Switch
from .versions import pause_at_once
from .workload import RETIRED

if TYPE_CHECKING:
    from .world import World


def _instead(where: object, name: str, what: object) -> Switch:
    return partial(patch.object, where, name, what)


def _of_runs(kind: Kind, rule: Any) -> Switch:
    return partial(patch.dict, admission.RUN_RULES, {kind: rule})


def _of_logs(kind: int, rule: Any) -> Switch:
    return partial(patch.dict, admission.RULES, {kind: rule})


def _of_events(take: Any) -> list[Switch]:
    """Every event is taken in another way, of whatever record it is."""
    return [_instead(admission, "take", take), _instead(items, "take", take)]


def corrupt(world: "World") -> None:
    """Let one worker lose a run from its state, as a bug or a broken machine would."""

    def lose() -> None:
        for machine in world.alive():
            if machine.worker is not None:
                for serving in machine.worker.partitions.values():
                    for run in [run for run in serving.fold.runs.values() if run.owed]:
                        world.note(f"{machine} loses {run.id.decode()}")
                        del serving.fold.runs[run.id]
                        return
        if not world.calm:
            world.later(0.5, lose)

    world.later(6.0, lose)


def retire_what_is_at_work(world: "World") -> None:
    """Let somebody retire reactors while they owe something, which stays owed."""

    def look() -> None:
        owed = {p.reactor for t in world.log.transcripts for run in t.fold.runs.values() for p in run.owed.values()}
        for reactor in sorted(owed & {name.encode() for name in RETIRED}):
            client = world.clients[0]
            client.do(retire(client.client, reactor.decode(), drop=False), f"retire {reactor.decode()}, keep")
        if not world.calm:
            world.later(2.0, look)

    world.later(6.0, look)


def _rule_table() -> list[Rule]:
    return [
        # 1. Records
        Rule("framing", "6", "torn or mixed", [_of_runs(Kind.OUTCOME, framed.as_they_come)]),
        Rule("copies of a record are ignored", "6", "torn or mixed", [_instead(admission, "collect", framed.count_copies)]),
        Rule("whole means without a gap", "6", "torn or mixed", [_instead(admission, "collect", framed.whole_at_the_last)]),
        Rule("few unfinished appends", "6", "unfinished appends are kept", [_instead(framing, "UNFINISHED", 1_000)]),
        Rule("the oldest unfinished append goes", "6", "and nobody does it", [_instead(admission, "collect", framed.newest_goes)]),
        Rule("pieces of what nobody owes are refused", "6", "is held, which nobody owes",
             [_of_runs(Kind.OUTCOME, framed.held_unasked)]),
        Rule("unfinished appends go with their pair", "6", "two admitted outcomes",
             [_of_runs(Kind.OUTCOME, framed.outlives_its_pair)]),
        Rule("an outcome of nothing is a record", "2", "and nobody does it",
             [_instead(scribe.Scribe, "outcome", w.nothing_of_nothing)]),
        Rule("derived ids", "3", "a second id for event", [w.ids_by_chance]),
        Rule("a name space for ids from outside", "2", "entered the history of", [_instead(folding, "unpack", f.any_id)]),
        Rule("what cannot be read is passed over", "2", "broke down", [_instead(Fold, "apply", f.must_be_readable)]),
        Rule("what cannot be read is copied", "2", "nobody copied",
             [_instead(Rejects, "unreadable", lambda *_: None)]),
        Rule("unknown kinds are refused", "2", "of an unknown kind was admitted",
             [_instead(folding, "unpack", f.any_kind), *(_of_logs(kind[0], f.whatever_it_is) for kind in f.UNKNOWN_KINDS)]),
        Rule("a value that cannot be read parks its step", "10", "and nobody does it",
             [_instead(EventReader, "event", w.read_for_ever)]),
        # 2. Log time, genesis, settings, versions
        Rule("log time", "4", "differs in", [_instead(Fold, "apply", f.by_own_clock)], f.Clock.prepare),
        Rule("the sender's clock decides nothing", "4", "acted after its time",
             [_instead(Fold, "apply", f.by_the_senders_clock)]),
        Rule("log time never falls", "4", "acted after its time", [_instead(Fold, "apply", f.by_the_last_stamp)]),
        Rule("the first genesis counts", "4", "a second genesis", [_of_logs(Kind.GENESIS, f.last_genesis)]),
        Rule("settings are records", "4", "differs in", [_instead(Settings, "of", f.settings_of_ones_own)]),
        Rule("compare-and-set settings", "4", "replaced a value that was not in force", [_of_logs(Kind.SETTING, f.any_setting)]),
        Rule("who knows less stops", "4", "has another digest", [_instead(Fold, "_stop_before_the_unknown", w.never_stop)]),
        Rule("versions only rise", "4", "came into force after", [_of_logs(Kind.VERSION, f.any_version)]),
        Rule("a rule holds from its version on", "4", "has another digest", [_of_runs(Kind.PAUSE, pause_at_once)]),
        Rule("misrouted keys are refused", "4", "in a partition that is not its own",
             [_instead(admission, "partition_of", f.anywhere)]),
        # 3. Runs
        Rule("an End that drains", "5", "should be owed, and is not", _of_events(f.ends_at_once)),
        Rule("an End that drains, for what was owed before", "5", "was owed, and forgotten",
             _of_events(f.ends_at_once)),
        Rule("an End that drops", "5", "was dropped, and yet done", _of_events(f.ends_softly)),
        Rule("the first End counts", "5", "has two results", _of_events(f.ends_anew)),
        Rule("nothing from outside after the End", "5", "which has its result",
             [partial(patch.dict, TAKES, {RunState.ENDING: TAKES[RunState.OPEN]})]),
        Rule("draining has an end", "5", "outcomes after the End", _of_events(f.drain_for_ever)),
        Rule("a cancel drops", "5", "was dropped, and yet done", [_of_runs(Kind.CANCEL, f.cancel_nothing)]),
        Rule("a run that owes nothing is closed", "5", "never ends", [_instead(admission, "close_if_done", lambda *_: None)]),
        Rule("a parked step keeps its run", "5", "was owed, and forgotten",
             [_instead(admission, "close_if_done", f.close_with_parked)]),
        Rule("ids of closed runs", "5", "within the dedup window", [_instead(closed.ClosedIds, "add", lambda *_: None)]),
        Rule("an expire is of a run that stands still", "5", "expired while it had work to do",
             [_of_runs(Kind.EXPIRE, f.expire_anyway)]),
        Rule("an expire has its time", "5", "expired before its time", [_of_runs(Kind.EXPIRE, f.expire_anyway)]),
        # 4. Pairs and admission
        Rule("a start of an open run is refused", "6", "was started while it was open", [_of_logs(Kind.START, f.start_over)]),
        Rule("one outcome for a pair", "6", "two admitted outcomes", [_of_runs(Kind.OUTCOME, f.owed_or_not)]),
        Rule("an outcome is refused for nothing else", "6", "and nobody does it",
             [_of_runs(Kind.OUTCOME, f.not_too_many)]),
        Rule("a pause refuses no outcome", "6", "though it is owed", [_of_runs(Kind.OUTCOME, f.not_while_paused)]),
        Rule("a late success is refused", "6", "after it had failed for good", [_of_runs(Kind.OUTCOME, f.late_as_well)]),
        Rule("attempt numbers", "6", "counted twice", [_of_runs(Kind.FAILURE, f.every_failure)]),
        Rule("a failure says whether it is the last", "6", "has another digest", [_of_runs(Kind.FAILURE, f.by_own_policy)]),
        Rule("failures are caught", "6", "should be owed, and is not",
             [_instead(owing, "owe_failure", lambda *_: False)]),
        Rule("failures of who takes failures are not", "6", "was caught",
             [_instead(owing, "owe_failure", f.caught_again)]),
        Rule("generations", "6", "two admitted outcomes", [_of_runs(Kind.OWE, f.same_generation)]),
        Rule("generations, for ids", "3", "entered the history of", [_of_runs(Kind.OWE, f.same_generation)]),
        Rule("owe names an offset", "6", "for something else than its trigger", [_of_runs(Kind.OWE, f.of_the_start)]),
        Rule("retry names a failure", "6", "that another failure had parked", [_of_runs(Kind.RETRY, f.whatever_is_parked)]),
        Rule("retry counts attempts on", "6", "counted twice", [_instead(retries, "unpark", f.from_the_first)]),
        Rule("not_after", "6", "acted twice", [_instead(admission, "_too_late", lambda *_: False)]),
        Rule("not_after, for starts", "6", "acted after its time", [_instead(admission, "_too_late", lambda *_: False)]),
        Rule("ids of commands", "6", "acted twice", [_instead(commands.CommandIds, "add", lambda *_: None)]),
        Rule("ids of commands are forgotten", "6", "is remembered for longer",
             [_instead(commands.CommandIds, "forget", lambda *_: None)]),
        Rule("beginnings", "6", "should be owed, and is not", [_instead(owing, "_keep", lambda *_: None)]),
        Rule("unserved events", "6", "should be owed, and is not", [_instead(owing, "_keep", f.keep_nothing_later)]),
        Rule("what wants no reactor is not kept", "6", "which wants no reactor", [_instead(owing, "_NO_REACTOR", 0)]),
        Rule("a new reactor begins at its contract", "6", "which came before its contract",
             [_instead(Fold, "lapse", f.settle_for_ever)]),
        Rule("contracts of one append together", "6", "came into force by themselves",
             [_instead(admission, "collect", framed.one_by_one)]),
        Rule("one key for all attempts", "3", "was given two keys", [w.keys_by_chance]),
        Rule("a pause binds what begins", "10", "which was paused",
             [_instead(Dispatcher, "offer", w.offer_the_paused), _instead(Dispatcher, "_begin", w.begin_the_paused)]),
        Rule("what the log does not take is a failure", "10", "and nobody does it",
             [_instead(attempt.Attempts, "_fail", w.let_go)]),
        Rule("the same bytes again", "10", "and nobody does it", [_instead(outbox.Outbox, "_append", w.append_once)]),
        Rule("what was pushed out again", "10", "and nobody does it", [_instead(answers.Answers, "held", lambda *_: None)]),
        Rule("reading after a refusal", "10", "twice", [_instead(Dispatcher, "_begin", w.without_reading)]),
        # 5. Contracts
        Rule("compare-and-set contracts", "6", "is back by itself", [_of_logs(Kind.CONTRACT, f.any_contract)]),
        Rule("superseded contracts stay so", "7", "is back by itself",
             [_instead(partition.Serving, "to_publish", w.always_publish)]),
        Rule("absence ends nothing", "7", "was retired by itself",
             [_instead(publish.Publisher, "_warn_of_strangers", w.retire_the_absent)]),
        Rule("retiring drops", "6", "was dropped, and yet done", [_instead(owing, "_retire", f.retire_in_name)]),
        Rule("retiring keeps", "6", "was owed, and forgotten", [_instead(admission, "enforce", f.keeps_nothing)],
             retire_what_is_at_work),
        Rule("shapes are checked before dispatch", "10", "failed with EarlierShape",
             [_instead(partition.Serving, "reconsider", w.all_of_ours)]),
        Rule("steps of an earlier shape are not attempted", "10", "which it does not take",
             [_instead(plan.Plan, "fits", lambda *_: True)]),
        # 8, the digest, and 9, workers
        Rule("a sound state", "9", "has another digest", [], corrupt),
        Rule("reading to the end first", "10", "which had been done before", [_instead(worker.Worker, "_begin", w.read_from_here)]),
        Rule("a lost position restores", "10", "has another digest", [_instead(worker.Worker, "_restore_all", w.go_on_at_the_end)]),
        Rule("handlers go on when a partition is revoked", "10", "twice", [_instead(Dispatcher, "suspend", w.forget_at_once)]),
        Rule("state is kept for a minute", "10", "twice", [_instead(restoring, "KEEP", 0.0)]),
        Rule("nobody waits for what is not read", "10", "no calm after", [_instead(partition, "_fail", lambda answer: None)],
             seeds=300),
        Rule("values are read again", "10", "which no handler raises", [_instead(values.Values, "_want", w.lose_what_is_not_kept)]),
        Rule("expiry is kept", "10", "should have expired", [_instead(Expiring, "look", w.never_expire)]),
        Rule("order", "reactors", "which came earlier", [_instead(dispatch, "_first", lambda *_: True)]),
        Rule("a history up to the trigger", "reactors", "looked back and saw",
             [_instead(history.HistoryIndex, "offsets", w.to_the_end)]),
        Rule("a history in the order of admission", "reactors", "looked back and saw",
             [_instead(history.HistoryIndex, "offsets", w.by_offset)]),
    ]  # fmt: skip


RULES: Final[Mapping[str, Rule]] = {
    rule.name: rule for rule in (*_rule_table(), *(rule for dance in ALL for rule in dance.switches()))
}
NO_DIGEST: Final = Rule(
    "the digest", "9", "has another digest", [_instead(folding, "roll", lambda digest, *_: digest)], corrupt
)
"""A reader goes wrong and nobody notices by digest."""
NO_VERDICTS: Final = Rule(
    "verdicts in the digest", "9", "has another digest", [_instead(folding, "roll", f.roll_without_verdict)], corrupt
)
"""The digest covers what came, and not what was made of it."""

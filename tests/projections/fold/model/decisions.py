"""Section 15 of the protocol: decisions."""

from typing import Any

from tests.projections.fold.model.memory import Decision, Event, Run, Timer
from tests.projections.fold.model.records import Head
from tests.projections.fold.model.timers import Timers

from farandole.eventstore import Stored


class Decisions(Timers):
    """Questions to people."""

    def ask(self, run: Run, asked: list[Decision | None], part: Event, head: Head) -> None:
        if head.flags & 128:
            last = asked[-1] if asked else None
            known = any(timer.id == head.id for timer in run.timers)
            if last is not None and not last.otherwise and 1 <= len(head.extra) <= 255 and not known:
                last.otherwise = head.id
                flags = head.flags & (1 | 2 | 4 | 16)
                run.timers.append(Timer(head.id, head.extra, self.due(head), flags, set(), part.branch, last.id))
            return
        if any(decision.id == head.id for decision in run.decisions):
            asked.append(None)
            return
        extra = head.extra if len(head.extra) >= 18 else bytes(18)
        answers = [name for name in extra[18:].split(b"\0") if 1 <= len(name) <= 255]
        quorum = max(1, int.from_bytes(extra[:2], "big"))
        decision = Decision(head.id, quorum, extra[2:18], answers, part.branch)
        run.decisions.append(decision)
        asked.append(decision)

    def run_answer(self, run: Run, record: Stored, head: Head) -> str:
        found = [decision for decision in run.decisions if decision.id == head.causation]
        if not found:
            return "NOT_PENDING"
        (decision,) = found
        if len(head.extra) < 17 or len(head.extra) < 17 + head.extra[16]:
            return "UNREADABLE"
        if head.extra[:16] != decision.hash:
            return "OTHER_SUBJECT"
        if head.type not in decision.answers:
            return "NOT_OFFERED"
        by = head.extra[17 : 17 + head.extra[16]]
        who = by if by else b"\0" + head.id
        if any(who == other for other, _ in decision.votes):
            return "REPEATED"
        decision.votes.append((who, head.type))
        if len([type for _, type in decision.votes if type == head.type]) >= decision.quorum:
            self.close_decision(run, decision)
            flags = head.flags & (1 | 2 | 4 | 16)
            self.take(run, Event(head.id, head.type, record.offset, 0, flags, decision.branch))
        return "ADMITTED"

    def expire_decision(self, run: Run, record: Stored, head: Head) -> str:
        found = [decision for decision in run.decisions if decision.id == head.causation and decision.otherwise]
        if not found:
            return "NOT_PENDING"
        (timer,) = [timer for timer in run.timers if timer.id == found[0].otherwise]
        verdict = self.too_early(timer, head)
        if verdict == "ADMITTED":
            self.close_decision(run, found[0])
            self.take(run, Event(head.id, head.type, record.offset, 0, timer.flags, timer.branch))
        return verdict

    def stands_decisions(self, run: Run, branch: Any) -> bool:
        return any(decision.branch is branch for decision in run.decisions)

    def coming_decisions(self, run: Run, places: list[Any]) -> set[str]:
        pending = [decision for decision in run.decisions if decision.branch in places]
        return {answer.decode(errors="replace") for decision in pending for answer in decision.answers}

    def close_decision(self, run: Run, decision: Decision) -> None:
        run.decisions.remove(decision)
        run.timers = [timer for timer in run.timers if timer.id != decision.otherwise or not decision.otherwise]

    def snap_decisions(self, run: Run) -> Any:
        return sorted((d.id, d.quorum, d.hash, tuple(d.answers), sorted(d.votes), d.otherwise) for d in run.decisions)

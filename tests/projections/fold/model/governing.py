"""What governs a partition: genesis, settings, versions and contracts."""

from typing import Any

from tests.projections.fold.model.contracts import identity, names, shape, sound
from tests.projections.fold.model.events import Events
from tests.projections.fold.model.memory import DEFAULTS
from tests.projections.fold.model.records import Head, whole

from farandole.eventstore import Stored
from farandole.schemas import system_records


class Governing(Events):
    """The rules of control records."""

    def admit_genesis(self, record: Stored, head: Head) -> str:
        if self.genesis is not None:
            return "SUPERSEDED"
        content = system_records.GENESIS.decode(record.value)
        log_id, settings = content["log_id"].encode(), content["settings"]
        if not 1 <= len(log_id) <= 64 or content["fold_version"] < 1 or any(v < 0 for v in settings.values()):
            return "UNREADABLE"
        self.genesis, self.born = content, self.log_time
        self.settings = {name: settings.get(name, default) for name, default in DEFAULTS.items()}
        if not self.closed:
            self.key = log_id
        self.lapse()
        return "ADMITTED"

    def admit_setting(self, record: Stored, head: Head) -> str:
        content = system_records.SETTING.decode(record.value)
        if content["value"] < 0:
            return "UNREADABLE"
        if self.settings.get(content["name"]) != content["replaces"]:
            return "SUPERSEDED"
        self.settings[content["name"]] = content["value"]
        self.lapse()
        return "ADMITTED"

    def admit_version(self, record: Stored, head: Head) -> str:
        system_records.VERSION.decode(record.value)
        return "SUPERSEDED"

    def admit_contract(self, record: Stored, head: Head) -> str:
        content = system_records.CONTRACT.decode(record.value)
        if not sound(content) or head.count > 1000 or len(record.value or b"") > 65_536:
            return "UNREADABLE"
        contracts = whole(self.contract_parts, head, content)
        if contracts is None:
            self.contract_parts.append((head, content))
            return "HELD"
        if head.count > 1:
            self.contract_parts.append((head, content))
        all_names = [name for c in contracts for name in (c["reactor"], c["renames"]) if name]
        if len(all_names) != len(set(all_names)):
            return "UNREADABLE"
        for c in contracts:
            old = self.in_force(c["renames"] or c["reactor"])
            if c["replaces"] != (identity(old) if old else "") or (c["renames"] and self.in_force(c["reactor"])):
                return "SUPERSEDED"
        self.enforce(contracts)
        return "ADMITTED"

    def enforce(self, contracts: list[dict[str, Any]]) -> None:
        named, had = self.named(), {c["reactor"] for c in self.enforced}
        replaced = [self.in_force(c["renames"] or c["reactor"]) for c in contracts]
        watched, fanned = self.watched(), self.fans()
        self.enforced += contracts
        for run in self.runs:
            if run.state == "OPEN":
                new = [e for e in run.kept if e.type in self.watched() - watched]
                run.passed += [(e.type, e.offset, e.offset, e.branch) for e in new]
        if self.fans() and not fanned:
            self.note_kept()
        for new, old in zip(contracts, replaced, strict=True):
            self.replace(new, old)
        for run in [run for run in self.runs if run.state != "CLOSED"]:
            for event in list(run.kept):
                type = event.type.decode(errors="replace")
                for new, old in zip(contracts, replaced, strict=True):
                    first = old is None and new["reactor"] not in had
                    if (
                        new["state"] == "active"
                        and type in names(new)
                        and (type not in named or (first and self.settling))
                    ):
                        self.offer(run, new, event)
            for new, old in zip(contracts, replaced, strict=True):
                if old is None and new["reactor"] not in had and new["state"] == "active" and new["forms"] == ["list"]:
                    self.begin_to_gather(run, new)
            if not self.settling:
                run.kept = [e for e in run.kept if e.type.decode(errors="replace") not in self.named()]

    def replace(self, new: dict[str, Any], old: dict[str, Any] | None) -> None:
        open_runs = [run for run in self.runs if run.state != "CLOSED"]
        if new["state"] == "retired_drop":
            for run in open_runs:
                gone = [debt for debt in self.owed(run) if debt.reactor == new["reactor"]]
                self.drop(gone)
                for here in (run.queues, *run.inner.values()):
                    here.pop(new["reactor"], None)
                run.gatherings = [g for g in run.gatherings if g.reactor != new["reactor"]]
                run.stack = [undo for undo in run.stack if undo[1] != new["reactor"]]
                if gone:
                    run.touched = self.log_time
            return
        if old is None:
            return
        if new["renames"] and old["reactor"] in self.policies:
            self.policies[new["reactor"]] = self.policies.pop(old["reactor"])
        for run in open_runs:
            debts = [debt for debt in self.owed(run) if debt.reactor == old["reactor"]]
            if new["renames"]:
                for debt in debts:
                    debt.reactor, debt.received, debt.holder = new["reactor"], [], b""
                run.stack = [
                    (undo[0], new["reactor"], *undo[2:]) if undo[1] == old["reactor"] else undo for undo in run.stack
                ]
                for here in (run.queues, *run.inner.values()):
                    if old["reactor"] in here:
                        here[new["reactor"]] = here.pop(old["reactor"])
                for gathering in run.gatherings:
                    if gathering.reactor == old["reactor"]:
                        gathering.reactor = new["reactor"]
            if shape(new) != shape(old):
                self.gather_anew(run, new)
                places = (run.queues, *run.inner.values())
                held = [event for here in places for queue in here.pop(new["reactor"], []) for event in queue]
                for debt in debts:
                    if debt.overflowed and debt.parked:
                        debt.became = "joined anew"
                        held.append(self.event_of(debt))
                for event in sorted(held, key=lambda event: event.offset):
                    if event.type.decode() in names(new):
                        self.offer(run, new, event)

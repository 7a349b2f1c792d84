"""Section 20 of the protocol: policies."""

from tests.projections.fold.model.memory import Memory
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored
from farandole.schemas import system_records


class Policies(Memory):
    """What may be begun."""

    def admit_policy(self, record: Stored, head: Head) -> str:
        content = system_records.POLICY.decode(record.value)
        reactor, number = content["reactor"], content["number"]
        if reactor != "" and self.in_force(reactor) is None:
            return "NO_CONTRACT"
        if number != self.policies.get(reactor, (0, False))[0] + 1:
            return "SUPERSEDED"
        self.policies[reactor] = (number, content["stopped"])
        return "ADMITTED"

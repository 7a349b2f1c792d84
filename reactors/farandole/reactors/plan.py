"""How steps of one reactor are attempted, worked out once: each attempt would else ask its signature again."""

from collections.abc import Mapping, Sequence
from typing import Any

from farandole.projections.fold import FAILURE, NOTHING, Pair
from farandole.schemas import EventTypes
from farandole.schemas.usage import says_usage

from .contract import contract_of
from .reactor import Reactor
from .stats import ReactorStats


class Plan:
    """What every attempt of one reactor has in common.

    Attributes:
        check: what it returned, as the items to emit.
        gives: wire names of all that it may emit.
        schemas: fingerprints of these.
        taken: how many events a step of it takes; 0: that depends.
        fan_out: what the branches of what it returned may begin with, if that is a fan-out.
        plain: whether it returns events at most, several of them as a tuple or a fan-out.
        provided: what its other parameters are given.
        context: its parameters for the step, the run and the state.
        simple: its one parameter for an event, if it takes one event and nothing of the run.
        direct: whether it is awaited as it is, without a thread or a time limit.
        failures: wire names of what a failed step took whose failure it takes; none: any. None: it takes no failures.
        undoes: whether it compensates steps.
        uses: whether what it emits may say that something was used.
    """

    __slots__ = (
        "_gathers", "_takes", "check", "context", "direct", "failures", "fan_out", "gives", "plain", "provided", "schemas",
        "simple", "stats", "taken", "undoes", "uses",
    )  # fmt: skip

    def __init__(self, reactor: Reactor, types: EventTypes, stats: ReactorStats, provided: Mapping[str, Any]) -> None:
        signature = reactor.signature
        self.check = signature.gives.check
        self.fan_out = signature.gives.fan_out
        self.plain = signature.gives.shapes() <= {"none", "one", "tuple", "list"}
        self.stats = stats
        self.undoes = reactor.undoes
        self.provided = provided
        self.context = tuple(signature.context)
        contract = contract_of(reactor, types, service="")
        self.failures = contract.failures
        self._gathers = contract.elements if contract.form == "list" else None
        self.gives = frozenset(types.wire_name(event).encode() for event in signature.gives.events)
        self.schemas = frozenset(types.schema_of(event) for event in signature.gives.events)
        self.uses = any(says_usage(event) for event in signature.gives.events)
        self.taken = 0 if self._gathers is not None or self.failures is not None else len(contract.takes)
        self._takes = contract.takes if contract.form == "join" else (contract.elements,)
        """The wire names of the events that each parameter takes."""
        alone = len(signature.triggers) == 1 and not reactor.takes_failures and not reactor.takes_run
        self.direct = signature.is_async and reactor.options.timeout is None and reactor.options.deadline is None
        self.simple = signature.triggers[0].param if alone and self._gathers is None else None

    def fits(self, pair: Pair) -> bool:
        """Whether what the step is owed for is what the handler takes: the contract may have changed since."""
        takes, types, failures = self._takes, pair.types, self.failures
        if pair.generation and pair.undoes:
            return False
        if self._gathers is not None:
            return self._gathers_all_of(types, self._gathers)
        if pair.by_failure:
            return failures is not None and (not failures or not failures.isdisjoint(types))
        if len(types) == 1:
            return len(takes) == 1 and types[0] in takes[0]
        return len(takes) == len(types) and all(map(frozenset.__contains__, takes, types))

    def began(self, types: Sequence[bytes]) -> bool:
        """Whether a step that took, and then emitted, events of these types was one of the reactor as it is now."""
        if not self.taken:
            return True
        return len(types) >= len(self._takes) and all(map(frozenset.__contains__, self._takes, types))

    def places(self, pair: Pair) -> Sequence[int] | None:
        """Which input goes into which parameter; None if there is none for one of them."""
        return range(len(pair.types))

    def _gathers_all_of(self, types: Sequence[bytes], taken: frozenset[bytes]) -> bool:
        following = iter(types)
        for type in following:
            if type == FAILURE:
                about = next(following)
                if self.failures is None or (self.failures and about not in self.failures and about != NOTHING):
                    return False
            elif type not in taken and type != NOTHING:
                return False
        return True
